"""What to do next: for each list whom, how many, and what it was worth on the held-out dates; no causes are claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aimwell.core.text import Text
from aimwell.insight.predictions import Backtest, Scoring
from aimwell.insight.predictions.evaluation import Evaluation, Metric
from aimwell.web.report.blocks import Card, Cell, Fact
from aimwell.web.report.formats import between, count, listed, moment, money, number, same, share
from aimwell.web.report.questions import Question, Sort
from aimwell.web.report.sections.prediction_tables import NOT_PROVEN
from aimwell.web.report.sections.predictions import proof_of

_TENTH = 0.1
_BETTER = Text("优于基准，已证实", "better than the rule of thumb, proven")
_STEPS: Mapping[Sort, Text] = {
    "responds": Text("下一波活动先联系这 {people} 人。", "Put these {people} first in the next mailing."),
    "stays_away": Text(
        "先挽留这 {people} 人，趁他们还没走远。", "Look after these {people} first, before they have drifted away."
    ),
    "buys": Text("先向这 {people} 人推荐。", "Offer it to these {people} first."),
    "amount": Text("预算与服务先顾这 {people} 人。", "Put budget and service behind these {people} first."),
    "other": Text("先联系这 {people} 人。", "Contact these {people} first."),
}
_DID: Mapping[Sort, Text] = {
    "responds": Text("有响应", "answered"),
    "stays_away": Text("没再来", "stayed away"),
    "buys": Text("买了", "bought"),
    "amount": Text("消费", "spent"),
    "other": Text("发生", "did it"),
}
CONTROL = Text(
    "以上是当时看到的比例，不是联系带来的效果。要知道效果，从名单里随机留出一部分不联系，再比较两边。",
    "These are shares that were seen, not effects of contacting anybody. To learn the effect, leave a random part of "
    "each list uncontacted and compare the two.",
)


def lists_ready(backtests: Sequence[Backtest], segments: int) -> Text:
    """What there is: so many lists, how many of them proven better than what one would do anyway, so many segments."""
    lists, proven = len(backtests), sum(bool(proof_of(each)) for each in backtests)
    zh = f"{lists} 张名单已备好，其中 {proven} 张比经验规则更好，已证实；其余尚未证实。"
    en = f"{_counted(lists, 'list')} ready, {proven} of them better than the rule of thumb beyond chance."
    if proven == lists:
        zh = f"{lists} 张名单已备好，都比经验规则更好，已证实。"
        en = f"{_counted(lists, 'list')} ready, better than the rule of thumb beyond chance."
    if segments:
        zh, en = f"{zh}{segments} 个人群已更新。", f"{en} {_counted(segments, 'segment')} brought up to date."
    return Text(zh, en)


def _counted(number_of: int, noun: str) -> str:
    return f"{number_of} {noun}" if number_of == 1 else f"{number_of} {noun}s"


def next_step(scoring: Scoring, question: Question) -> Text:
    """One sentence: whom to turn to first."""
    return _STEPS[question.sort].format(people=count(first_tenth(scoring)))


def first_tenth(scoring: Scoring) -> int:
    """How many the best tenth of a list are; at least one."""
    return max(round(_TENTH * scoring.people), 1)


def action(
    backtest: Backtest, scoring: Scoring, question: Question, title: Text, currency: str, files: Sequence[str]
) -> Card:
    """What to do with one list: whom, how many, what such a list held on the held-out dates, and where it lies."""
    people = first_tenth(scoring)
    proven = proof_of(backtest)
    facts = [
        Fact(
            Text("谁", "who"),
            Text(
                f"{count(scoring.people)} 人中得分最高的一成",
                f"the best-scored tenth of {count(scoring.people)}",
            ),
        ),
        *_worth(backtest, question, currency),
        *_expected(backtest, scoring, question, currency),
    ]
    if files:
        facts.append(Fact(Text("名单", "list"), same(files[0])))
    badge = Cell(_BETTER, tone="ok") if proven else Cell(NOT_PROVEN, tone="hold")
    rule = backtest.everybody.baseline
    doubt = Text(
        f"未能证明比「{rule.zh}」更好：按那条规则也可以。",
        f'Not proven better than "{rule.en}": that rule may do as well.',
    )
    return Card(
        title,
        [next_step(scoring, question), *([] if proven else [doubt])],
        figure=Text(f"{count(people)} 人", f"{count(people)} customers"),
        badge=badge,
        facts=facts,
        link=backtest.prediction,
    )


def _worth(backtest: Backtest, question: Question, currency: str) -> list[Fact]:
    """What the best tenth of such a list held when it was judged."""
    whole = backtest.everybody
    if not whole.tenths:
        return [Fact(Text("当时", "then"), note) for note in whole.notes]
    when = listed([moment(name) for name in backtest.held_out])
    named = Text(f"活动 {when.zh}", f"campaign {when.en}") if question.by_campaign else when
    best, days, did = whole.tenths[0], question.days, _DID[question.sort]
    if backtest.kind == "how_much":
        inside, mean = money(best.seen, currency, 0), money(whole.mean, currency, 0)
        seen = Text(f"这样的一成人均 {inside}，全体人均 {mean}", f"such a tenth: {inside} each; everybody: {mean} each")
    else:
        inside, mean = share(best.seen), share(whole.mean)
        seen = Text(
            f"这样的一成里 {inside} {did.zh}，全体 {mean}（{number(best.lift, 1)} 倍）",
            f"{inside} of such a tenth {did.en}, {mean} of everybody ({number(best.lift, 1)}×)",
        )
    over = Text(f"{named.zh} 起 {days} 天", f"{days} days from {named.en}") if days else named
    return [Fact(over, seen), *_held(whole, backtest.kind, did)]


def _held(whole: Evaluation, kind: str, did: Text) -> list[Fact]:
    metric = whole.metric("money_10" if kind == "how_much" else "reached_10")
    if metric is None:
        return []
    name = (
        Text("占全部金额", "share of all the money")
        if kind == "how_much"
        else Text(f"占全部{did.zh}的客户", f"share of all who {did.en}")
    )
    rule = _beside(metric)
    low_high = between(share(metric.model.low, 0), share(metric.model.high, 0))
    mine = f"{share(metric.model.value, 0)} ({low_high})"
    return [Fact(name, Text(f"{mine}{rule.zh}", f"{mine}{rule.en}"))]


def _beside(metric: Metric) -> Text:
    if metric.baseline is None:
        return same("")
    rule = share(metric.baseline.value, 0)
    return Text(f"；经验规则 {rule}", f"; the rule of thumb {rule}")


def _expected(backtest: Backtest, scoring: Scoring, question: Question, currency: str) -> list[Fact]:
    """How many, or how much, to expect from everybody in the coming days."""
    days = Text(f"今后 {question.days} 天预计", f"expected in the next {question.days} days")
    if backtest.kind == "how_much":
        total = money(scoring.mean * scoring.people, currency, 0)
        bias, mean = backtest.everybody.metric("bias"), backtest.everybody.mean
        off = same("")
        if bias is not None and mean:
            part = share(abs(bias.model.value) / mean, 0)
            off = (
                Text(f"（留出期低估 {part}）", f" ({part} too low when held out)")
                if bias.model.value < 0
                else Text(f"（留出期高估 {part}）", f" ({part} too high when held out)")
            )
        return [Fact(days, Text(f"全体共 {total}{off.zh}", f"{total} from everybody{off.en}"))]
    if question.sort == "responds":
        return []  # nobody knows yet whom the next campaign will reach
    expected = count(scoring.mean * scoring.people)
    return [Fact(days, Text(f"全体中约 {expected} 人", f"about {expected} customers in all"))]
