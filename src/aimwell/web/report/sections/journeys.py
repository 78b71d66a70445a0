"""Journeys: who came in, how far they came, what became of the messages, and what it changed against the hold-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aimwell.core.text import Text
from aimwell.delivery.outbox.reasons import REASONS
from aimwell.evaluation.journeys.funnel import STEPS, Funnel
from aimwell.evaluation.journeys.lift import Lift
from aimwell.web.report import charts
from aimwell.web.report.blocks import Block, Cell, Chart, Figure, Figures, Heading, Sentence, Table
from aimwell.web.report.formats import count, same, share
from aimwell.web.report.sections.effects import effect, money_effect

SIMULATED = Text("模拟的回应", "Simulated answers")
_REHEARSAL = Text("排演", "Rehearsal")
_SIMULATED = Text(
    "模拟的回应，真实的客户：谁进入旅程是真实的；联系方式、同意、打开、点击和下单都是模拟的，没有任何消息离开这台机器。"
    "效果由模拟设定，只说明如何衡量，不说明真实客户会怎样。",
    "Simulated answers, real customers: who came in is real; that they have addresses, agreed, opened, clicked and "
    "ordered is made up, and no message left this machine. The effect was put into the simulation: it shows how it is "
    "measured, not what real customers would do.",
)
_SHOWN = ("planned", "exposed", "delivered", "opened", "clicked", "joined", "shared", "bought")
_ALWAYS = frozenset(["planned", "exposed", "delivered", "opened", "clicked", "bought"])
_PORTS = {
    "next": Text("", ""),
    "end": Text("结束", "ends"),
    "happened": Text("已发生", "it happened"),
    "timeout": Text("未等到", "not in time"),
    "answered": Text("有回应", "answered"),
    "unanswered": Text("无回应", "no answer"),
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
}
_LEFT = {
    "held_out": Text("留出", "held out"),
    "merged": Text("与另一客户合并", "merged with another"),
    "stopped": Text("旅程被停止", "the journey was stopped"),
}
_TURNED = {
    "hold_out": Text("属于全局留出组", "in the workspace's hold-out"),
    "unknown_customer": Text("没有这个客户", "nobody knew the customer"),
    "already_in": Text("已在旅程中", "in it already"),
    "entered_before": Text("以前进入过", "had entered before"),
    "before_start": Text("早于旅程开始", "what let them in was before the journey began"),
    "too_soon": Text("距上次太近", "too soon after the last time"),
    "paused": Text("旅程暂停", "the journey was paused"),
    "stopped": Text("旅程停止", "the journey was stopped"),
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One node: how many left it by each port, where that leads, and how many wait there now."""

    name: str
    kind: Text
    channels: Sequence[str]
    passed: Mapping[str, int]
    to: Mapping[str, str]
    waiting: int


@dataclass(frozen=True, slots=True)
class JourneyStory:
    """All that the report says about one journey.

    stops: its nodes, in the order in which people come to them.   refused: entries that were turned away, by reason.
    simulated: the answers were made up by a rehearsal.   example: a customer to whom a message was planned.
    currency: of what was spent, as an ISO code.
    """

    name: str
    title: Text
    description: Text | None
    funnel: Funnel
    lift: Lift | None
    held_out: int
    stops: Sequence[Stop]
    refused: Mapping[str, int] = field(default_factory=dict)
    simulated: bool = False
    example: str | None = None
    currency: str = ""

    @property
    def let_in(self) -> int:
        """Those who came in and were not held out."""
        return self.funnel.entered - self.held_out

    def to_dict(self) -> dict[str, object]:
        """The story for programs."""
        found = self.funnel
        return {
            "title": self.title,
            "state": found.state,
            "simulated": self.simulated,
            "entered": found.entered,
            "held_out": self.held_out,
            "active": found.active,
            "finished": found.finished,
            "exited": found.exited,
            "refused": self.refused,
            "steps": found.steps,
            "nodes": found.nodes,
            "lift": self.lift,
            "proven": self.lift is not None and self.lift.proven,
            "money_proven": self.lift is not None and self.lift.money_proven,
        }


def journey_blocks(stories: Sequence[JourneyStory]) -> list[Block]:
    """One after another; what is made up is said first."""
    blocks: list[Block] = []
    if any(story.simulated for story in stories):
        blocks.append(Sentence(_SIMULATED, "warn", _REHEARSAL))
    for story in stories:
        blocks += _journey(story)
    return blocks


def _journey(story: JourneyStory) -> list[Block]:
    blocks: list[Block] = [Heading(story.title, story.description), _people(story)]
    if not story.funnel.entered:
        return blocks
    blocks += [*_effects(story), _steps(story)]
    blocks += [each for each in (_messages(story), _unsent(story)) if each is not None]
    blocks.append(_course(story))
    return blocks


def _people(story: JourneyStory) -> Figures:
    found = story.funnel
    left = {reason: people for reason, people in found.exited.items() if reason != "held_out"}
    turned = sum(story.refused.values())
    return Figures(
        [
            Figure(same(count(found.entered)), Text("进入", "came in"), _listed(story.refused, _TURNED, turned)),
            Figure(
                same(count(story.held_out)),
                Text("留出", "held out"),
                Text("随机抽取，什么都不发", "drawn by lot, they get nothing"),
            ),
            Figure(same(count(found.active)), Text("进行中", "on the way"), Text("此刻在某个节点等待", "waiting now")),
            Figure(
                same(count(found.finished + sum(left.values()))),
                Text("已结束", "at an end"),
                _ends(found.steps["bought"], left),
            ),
        ]
    )


def _ends(reached: int, left: Mapping[str, int]) -> Text:
    said = Text(f"其中 {count(reached)} 人达成目标", f"{count(reached)} reached the goal")
    if not left:
        return said
    words = [_LEFT.get(reason, same(reason)) for reason in left]
    pairs = list(zip(words, left.values(), strict=True))
    zh = "，".join(f"{count(people)} 人{word.zh}" for word, people in pairs)
    en = ", ".join(f"{count(people)} left ({word.en})" for word, people in pairs)
    return Text(f"{said.zh}，{zh}", f"{said.en}, {en}")


def _listed(reasons: Mapping[str, int], words: Mapping[str, Text], total: int) -> Text | None:
    if not total:
        return None
    named = [(words.get(reason, same(reason)), people) for reason, people in sorted(reasons.items())]
    zh = "，".join(f"{count(people)} 次因{word.zh}" for word, people in named)
    en = ", ".join(f"{count(people)} ({word.en})" for word, people in named)
    return Text(f"未放行：{zh}", f"turned away: {en}")


def _effects(story: JourneyStory) -> list[Block]:
    """What it changed, for the goal and for money."""
    badge = SIMULATED if story.simulated else Text("效果", "Effect")
    proven = story.lift is not None and story.lift.proven
    money_proven = story.lift is not None and story.lift.money_proven
    return [
        Sentence(effect(story.lift), "ok" if proven else "hold", badge),
        Sentence(money_effect(story.lift, story.currency), "ok" if money_proven else "hold", badge),
    ]


def _steps(story: JourneyStory) -> Chart:
    steps = [step for step in _SHOWN if step in _ALWAYS or story.funnel.steps[step]]
    people = [story.funnel.steps[step] for step in steps]
    base = max(story.let_in, 1)
    drawing = charts.bars(
        [STEPS[step] for step in steps],
        [each / base for each in people],
        [
            Text(f"{count(each)} 人 · {share(each / base, 0)}", f"{count(each)} · {share(each / base, 0)}")
            for each in people
        ],
        x_title=Text("占旅程内客户（不含留出）", "share of those let in, the hold-out left out"),
    )
    return Chart(
        Text("走到了哪一步？", "How far did they come?"), drawing, _how_to_read(story), height=52 + 40 * len(steps)
    )


def _how_to_read(story: JourneyStory) -> Text:
    """What the steps count, and what they cannot."""
    nodes = story.funnel.nodes
    machine = sum(node.machine for node in nodes)
    silent = sorted({node.channel for node in nodes if node.steps["clicked"] and not node.steps["opened"]})
    answer = Text(
        "按人计。达成目标的人不一定收到过消息：有的自己来了。",
        "People, not messages. Whoever reached the goal need not have got a message: some came by themselves.",
    )
    if silent:
        names = ", ".join(silent)
        answer = Text(
            f"{answer.zh}{names} 不报告打开，只报告点击。", f"{answer.en} {names} tells of clicks, not of openings."
        )
    if machine:
        answer = Text(
            f"{answer.zh}另有 {count(machine)} 条消息被机器打开过，不计入。",
            f"{answer.en} {count(machine)} messages were opened by machines; those do not count.",
        )
    return answer


def _messages(story: JourneyStory) -> Table | None:
    """What became of the messages of each node on each channel; a step that nothing came to at all is left away."""
    nodes = story.funnel.nodes
    if not nodes:
        return None
    steps = [step for step in _SHOWN if step in _ALWAYS or any(node.steps[step] for node in nodes)]
    rows: list[list[Text | Cell]] = [
        [same(f"{node.node} ({node.channel})"), *(same(count(node.steps[step])) for step in steps)] for node in nodes
    ]
    return Table(
        [Text("节点（渠道）", "Node (channel)"), *(STEPS[step] for step in steps)],
        rows,
        title=Text("每个节点的消息怎么样了？", "What became of the messages of each node?"),
        numbers=frozenset(range(1, len(steps) + 1)),
        note=Text(
            "按消息计。达成目标：发出之后在同一次旅程中达成，不一定由它带来。",
            "Messages, not people. Reached the goal: after it was sent, on the same passage, whatever led to it.",
        ),
    )


def _unsent(story: JourneyStory) -> Table | None:
    """Why messages were not sent, by the place where they were planned."""
    nodes = [node for node in story.funnel.nodes if node.not_sent]
    reasons = sorted({reason for node in nodes for reason in node.not_sent})
    if not reasons:
        return None
    totals = {reason: sum(node.not_sent.get(reason, 0) for node in nodes) for reason in reasons}
    rows: list[list[Text | Cell]] = [
        [_reason(reason), *(same(count(node.not_sent.get(reason, 0))) for node in nodes)]
        for reason in sorted(reasons, key=lambda each: (-totals[each], each))
    ]
    return Table(
        [
            Text("没有发出的原因", "Why a message was not sent"),
            *(same(f"{node.node} ({node.channel})") for node in nodes),
        ],
        rows,
        title=Text("谁没有收到，为什么？", "Who got nothing, and why?"),
        numbers=frozenset(range(1, len(nodes) + 1)),
        note=Text(
            f"任何人都可以问：aimwell why 客户 {story.name}", f"Ask about anybody: aimwell why CUSTOMER {story.name}"
        ),
        wide=False,
    )


def _reason(reason: str) -> Text:
    found = REASONS.get(reason)
    if found is None:
        return same(reason)
    return Text(found.text.zh, found.text.en[:1].upper() + found.text.en[1:])


def _course(story: JourneyStory) -> Table:
    """The journey as it is drawn: each node with how many went through, how many wait, and where they went."""
    base = max(story.let_in, 1)
    rows: list[list[Text | Cell]] = []
    for stop in story.stops:
        through = sum(stop.passed.values())
        rows.append(
            [
                same(stop.name),
                _kind(stop),
                Cell(same(count(through)), bar=through / base),
                same(count(stop.waiting)),
                _onwards(stop),
            ]
        )
    return Table(
        [
            Text("节点", "Node"),
            Text("做什么", "What it does"),
            Text("经过", "Passed"),
            Text("正在等待", "Waiting"),
            Text("之后去向", "Then"),
        ],
        rows,
        title=Text("旅程的每一步", "The journey, node by node"),
        numbers=frozenset([2, 3]),
    )


def _kind(stop: Stop) -> Text:
    if not stop.channels:
        return stop.kind
    channels = ", ".join(stop.channels)
    return Text(f"{stop.kind.zh}（{channels}）", f"{stop.kind.en} ({channels})")


def _onwards(stop: Stop) -> Text:
    """Where people go from here; what nobody has taken yet is said as well."""
    if not stop.to:
        return Text("结束", "the end")
    said = [(_PORTS.get(port, same(port)), count(stop.passed.get(port, 0)), target) for port, target in stop.to.items()]
    zh = "；".join(f"{word.zh}{' ' if word.zh else ''}{people} → {target}" for word, people, target in said)
    en = "; ".join(f"{word.en}{' ' if word.en else ''}{people} → {target}" for word, people, target in said)
    return Text(zh, en)
