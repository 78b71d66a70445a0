"""Prints what came of a decision beside what was planned, in all and by channel."""

from __future__ import annotations

from collections.abc import Mapping

from aimwell.cli.console import Session
from aimwell.core.text import Language, Text
from aimwell.delivery.outbox.reasons import REASONS
from aimwell.science.metrics.interval import Estimate
from aimwell.strategy.decisions.afterwards import Afterwards, ChannelAfterwards
from aimwell.strategy.decisions.contacts import UNSENT

_AFTER = Text(
    "计划增值 {planned}；实际 {happened}（{currency}，80% 区间；{people:,} 人对 {held_out:,} 人对照）",
    "planned {planned}; happened {happened} ({currency}, 80 % intervals; {people:,} beside {held_out:,} held out)",
)
_COLUMNS = {
    "en": ["channel", "planned", "reached", "cost planned", "cost", "value planned", "value happened", "held out"],
    "zh": ["渠道", "计划人数", "已触达", "计划成本", "实际成本", "计划增值", "实际增值", "对照组"],
}
_UNSENT = {"en": ["channel", "not reached", "why"], "zh": ["渠道", "未触达", "原因"]}
_ANSWERS = {"en": ["channel", "customers", "what they did"], "zh": ["渠道", "人数", "行为"]}
_ASSUMED = Text("（假定）", " (assumed)")


def say_afterwards(session: Session, found: Afterwards, currency: str, language: Language) -> None:
    """The verdict first, then each channel, why messages were not sent, and what customers did."""
    words = {"planned": money(found.planned), "happened": money(found.happened), "currency": currency}
    session.say(_AFTER.format(**words, people=found.people, held_out=found.held_out).said(language))
    for verdict in found.said:
        session.say(verdict.said(language))
    if not found.channels:
        return
    session.table(_COLUMNS[language], [_row(each, language) for each in found.channels])
    unsent = [(each.channel, why, count) for each in found.channels for why, count in each.contacts.unsent.items()]
    if unsent:
        rows = [[channel, count, reason(why).said(language)] for channel, why, count in unsent]
        session.table(_UNSENT[language], rows)
    _say_answers(session, {each.channel: each.contacts.answers for each in found.channels}, language)


def reason(why: str) -> Text:
    """Why a message was not sent, in words."""
    if why in UNSENT:
        return UNSENT[why]
    return REASONS[why].text if why in REASONS else Text(why, why)


def _say_answers(session: Session, answers: Mapping[str, Mapping[str, int]], language: Language) -> None:
    rows = [[channel, count, kind] for channel, each in answers.items() for kind, count in each.items()]
    if rows:
        session.table(_ANSWERS[language], rows)


def _row(each: ChannelAfterwards, language: Language) -> list[object]:
    cost = [f"{amount:,.2f}" for amount in (each.cost, each.contacts.cost)]
    planned = f"{each.planned.value:,.2f}{_ASSUMED.said(language)}" if each.assumed else money(each.planned)
    return [each.channel, each.customers, each.contacts.reached, *cost, planned, money(each.happened), each.compared]


def money(estimate: Estimate | None) -> str:
    """An amount with its interval, or a question mark."""
    return "?" if estimate is None else f"{estimate.value:,.2f} ({estimate.low:,.2f} … {estimate.high:,.2f})"
