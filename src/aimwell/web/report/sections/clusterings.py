"""Clusterings: which groups are there, are they real, and what are they worth knowing?"""

from __future__ import annotations

from collections.abc import Sequence

from aimwell.core.text import Text
from aimwell.insight.clusterings import ClusteringResult, Group
from aimwell.insight.clusterings.result import Axis, WorthRow
from aimwell.science.metrics.interval import Estimate
from aimwell.web.report import charts
from aimwell.web.report.blocks import Block, Card, Cards, Cell, Chart, Fact, Fold, Sentence, Table, Tone
from aimwell.web.report.formats import between, count, listed, money, number, same, share

_LEFT_OUT = Text("不属于任何一类", "Belongs to no group")
_UNKNOWN = Text("—", "—")
_LOG = "log_"
"""How outcomes begin that are told in logarithms, for analysts alone."""


def clustering_blocks(result: ClusteringResult, currency: str) -> list[Block]:
    """The groups as cards, the map, how stable they are, and what they explain beside RFM cells."""
    blocks: list[Block] = []
    if result.stability is not None:
        tone: Tone = "warn" if result.stability.verdict == "unstable" else "plain"
        blocks.append(Sentence(result.stability.text, tone, Text("稳定度", "Stability")))
    blocks.append(Cards([_card(group, result, currency) for group in result.groups]))
    blocks.append(_map(result))
    if result.worth is not None and result.worth.rows:
        blocks.append(_against_cells(result.worth.rows))
    blocks.append(Fold(Text("专业视图", "Analyst view"), _details(result)))
    return blocks


def _card(group: Group, result: ClusteringResult, currency: str) -> Card:
    facts = []
    if group.value is not None and result.value_label is not None:
        figure = money(group.value.value, currency, 0)
        low_high = between(money(group.value.low, currency, 0), money(group.value.high, currency, 0))
        facts.append(Fact(result.value_label, Text(f"{figure}（{low_high}）", f"{figure} ({low_high})")))
    size = Text(
        f"{count(group.people)} 人 · {share(group.share)}", f"{count(group.people)} people · {share(group.share)}"
    )
    points = [trait.text for trait in group.traits]
    return Card(
        group.name,
        [] if points else [group.description],
        figure=size,
        mark=charts.key_of(group.name, group.colour),
        facts=facts,
        points=points,
        note=group.verdict_text,
    )


def _map(result: ClusteringResult) -> Chart:
    picture = result.picture
    clouds = []
    groups = [(group.name, group.id, group.colour) for group in result.groups]
    for name, wanted, place in [*groups, (_LEFT_OUT, "", -1)]:
        places = [i for i, group in enumerate(picture.group) if group == wanted]
        if places:
            clouds.append(charts.Cloud(name, [picture.x[i] for i in places], [picture.y[i] for i in places], place))
    shown = sum(axis.share for axis in picture.axes)
    answer = Text(
        f"抽样 {count(len(picture.x))} 人；两轴保留 {share(shown, 0)} 的差异，只供看图，不作距离解释。",
        f"A sample of {count(len(picture.x))}; the two axes keep {share(shown, 0)} of all differences. "
        "For looking at, not for measuring.",
    )
    right, up = (_axis(axis, result) for axis in picture.axes)
    drawing = charts.scatter(
        clouds,
        x_title=[Text("向右：", "to the right:"), *right],
        y_title=[Text("向上：", "upwards:"), *up],
    )
    question = Text("有哪些群？", "Which groups are there?")
    return Chart(question, drawing, answer, height=420, wide=True, legend=[cloud.key for cloud in clouds])


def _axis(axis: Axis, result: ClusteringResult) -> list[Text]:
    """What grows and what shrinks along an axis: the two weightiest features, without their windows."""
    labels = {feature.name: feature.label for feature in result.features}
    said = []
    for name, weight in axis.features[:2]:
        label = labels.get(name, same(name))
        zh, en = label.zh.partition("（")[0], label.en.partition(" (")[0]
        said.append(Text(f"{zh}更高", f"higher {en}") if weight > 0 else Text(f"{zh}更低", f"lower {en}"))
    return said


def _against_cells(rows: Sequence[WorthRow]) -> Table:
    """One row per later outcome: what these groups explain beside as many RFM cells."""
    outcomes = list(dict.fromkeys(row.outcome for row in rows if not row.outcome.startswith(_LOG)))
    shown = [row for row in (_outcome_row(outcome, rows) for outcome in outcomes) if row]
    return Table(
        [
            Text("之后的什么", "what follows"),
            Text("这些群", "these groups"),
            Text("同样多的 RFM 格", "as many RFM cells"),
            Text("差", "difference"),
            Text("结论", "verdict"),
        ],
        shown,
        title=Text(
            "这些群能说明之后的什么？解释比例 R²", "What do the groups explain of what follows? Share explained (R²)"
        ),
        numbers=frozenset({1, 2, 3}),
        note=Text(
            "在没有参与分群的客户上评估，括号内为 95% 区间。",
            "Judged on customers not seen, 95% intervals in brackets.",
        ),
    )


def _outcome_row(outcome: str, rows: Sequence[WorthRow]) -> list[Text | Cell]:
    """The groups beside the cells for one outcome; nothing where they were not compared."""
    mine = next((row for row in rows if row.outcome == outcome and row.ahead is not None), None)
    cells = next((row for row in rows if row.outcome == outcome and row.ahead is None), None)
    if mine is None:
        return []
    figures = (mine.r2, cells.r2 if cells else None, mine.ahead)
    return [mine.outcome_label, *(same(_with_interval(each)) for each in figures), _verdict(mine)]


def _verdict(row: WorthRow) -> Cell:
    if row.ahead is None or row.ahead.low <= 0 <= row.ahead.high:
        return Cell(Text("尚未证实", "not proven"), tone="hold")
    if row.ahead.low > 0:
        return Cell(Text("多于 RFM，已证实", "more than RFM, proven"), tone="ok")
    return Cell(Text("少于 RFM", "less than RFM"), tone="warn")


def _all_worth(rows: Sequence[WorthRow]) -> Table:
    return Table(
        [
            Text("解释什么", "explains"),
            Text("分法", "grouping"),
            Text("群数", "groups"),
            Text("解释比例 R²", "share explained (R²)"),
            Text("比同样多的 RFM 格多", "ahead of as many RFM cells"),
        ],
        [_worth_row(row) for row in rows],
        title=Text("每种分法", "Every way of grouping"),
        numbers=frozenset({2, 3, 4}),
    )


def _worth_row(row: WorthRow) -> list[Text | Cell]:
    return [
        row.outcome_label,
        row.grouping_label,
        same(count(row.groups)),
        same(_with_interval(row.r2)),
        same(_with_interval(row.ahead)),
    ]


def _with_interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return "—"
    return f"{number(estimate.value)} ({between(number(estimate.low), number(estimate.high))})"


def _details(result: ClusteringResult) -> list[Block]:
    rows: list[list[Text | Cell]] = [
        [
            group.name,
            group.rule or _UNKNOWN,
            same(share(group.precision, 0) if group.rule else "—"),
            same(share(group.recall, 0) if group.rule else "—"),
        ]
        for group in result.groups
    ]
    table = Table(
        [
            Text("群", "group"),
            Text("最短的说法", "the shortest way to say who belongs"),
            Text("说中的占", "right"),
            Text("找到成员", "found"),
        ],
        rows,
        title=Text("近似规则", "Rules that come close"),
        numbers=frozenset({2, 3}),
        note=Text(
            "规则只是近似：「说中的占」是符合规则者中真正的成员，「找到成员」是成员中符合规则者。",
            "Rules only come close. Right: members among those who fit. Found: those who fit among the members.",
        ),
    )
    features = listed([feature.label for feature in result.features])
    method = Text(
        f"方法：{result.method_label.zh}。依据：{features.zh}。",
        f"Method: {result.method_label.en}. Grouped by: {features.en}.",
    )
    worth = [_all_worth(result.worth.rows)] if result.worth is not None and result.worth.rows else []
    return [table, *worth, Sentence(method), *(Sentence(_ended(note)) for note in result.notes)]


def _ended(note: Text) -> Text:
    return Text(note.zh.rstrip("。") + "。", note.en.rstrip(".") + ".")
