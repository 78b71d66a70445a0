"""Why somebody got a message, or did not: the whole course of one customer in one journey, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from aimwell.core.text import Text
from aimwell.delivery.outbox.reasons import REASONS
from aimwell.store.ledger.schema.enrolments import enrolment, refusal
from aimwell.store.ledger.schema.journeys import journey as journeys
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import customer

_REFUSALS = {
    "hold_out": Text("客户属于留出组", "the customer is in the hold-out"),
    "unknown_customer": Text("没有这个客户", "nobody knew this customer"),
    "before_start": Text("发生在旅程首次启用之前", "it happened before the journey was first applied"),
    "already_in": Text("客户正在旅程中", "the customer was in it already"),
    "entered_before": Text("客户以前进入过，旅程不允许再次进入", "the customer had entered before and may not again"),
    "too_soon": Text("距上次进入时间太短", "the customer's last time was too short a while ago"),
    "paused": Text("旅程已暂停", "the journey was paused"),
    "stopped": Text("旅程已停止", "the journey was stopped"),
}
_EXITS = {
    "goal": Text("达成了目标", "the goal was reached"),
    "held_out": Text("属于留出组", "the customer is in the hold-out"),
    "merged": Text("与另一客户合并", "the customer was merged with another"),
    "stopped": Text("旅程被停止", "the journey was stopped"),
}


@dataclass(frozen=True, slots=True)
class Stay:
    """One enrolment: when it began, where the customer is or was last, and how it ended."""

    enrolment_id: int
    state: str
    reason: str | None
    entered_at: datetime
    node: str | None
    ended_at: datetime | None
    held_out: bool


@dataclass(frozen=True, slots=True)
class Turned:
    """One refused entry and why."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message: what became of it, why, and until when it waits (if it does and that is known)."""

    key: str
    node: str
    channel: str
    state: str
    reason: str | None
    detail: str | None
    planned_at: datetime
    contacted_at: datetime | None
    accepted_at: datetime | None
    waits_until: datetime | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one customer in one journey; `sentences` say it in words, in order of time."""

    customer_id: str
    journey: str
    known: bool
    journey_state: str | None
    held_out: bool
    stays: tuple[Stay, ...]
    refusals: tuple[Turned, ...]
    messages: tuple[Message, ...]

    @property
    def sentences(self) -> tuple[Text, ...]:
        return tuple(_told(self))


def why(connection: Connection, customer_id: str, journey: str) -> Explanation:
    """Why this customer was, or was not, contacted by a journey.

    A customer or a journey that does not exist is said so, not raised: it may be the answer. Reads by index alone.
    """
    person = connection.execute(select(customer.c.held_out).where(customer.c.customer_id == customer_id)).one_or_none()
    state = connection.scalar(select(journeys.c.state).where(journeys.c.name == journey))
    stays = _stays(connection, customer_id, journey)
    turned = select(refusal.c.at, refusal.c.reason).where(
        refusal.c.journey == journey, refusal.c.customer_id == customer_id
    )
    refusals = tuple(Turned(*row) for row in connection.execute(turned.order_by(refusal.c.at)))
    messages = _messages(connection, [stay.enrolment_id for stay in stays])
    held_out = bool(person and person.held_out) or any(stay.held_out for stay in stays)
    return Explanation(customer_id, journey, person is not None, state, held_out, stays, refusals, messages)


def _stays(connection: Connection, customer_id: str, journey: str) -> tuple[Stay, ...]:
    columns = (
        enrolment.c.id,
        enrolment.c.state,
        enrolment.c.reason,
        enrolment.c.entered_at,
        enrolment.c.node,
        enrolment.c.ended_at,
        enrolment.c.held_out,
    )
    query = select(*columns).where(enrolment.c.customer_id == customer_id, enrolment.c.journey == journey)
    return tuple(Stay(*row) for row in connection.execute(query.order_by(enrolment.c.entered_at, enrolment.c.id)))


def _messages(connection: Connection, stays: Sequence[int]) -> tuple[Message, ...]:
    columns: tuple[Any, ...] = (
        intent.c.key,
        intent.c.node,
        intent.c.channel,
        intent.c.state,
        intent.c.reason,
        intent.c.detail,
        intent.c.planned_at,
        intent.c.contacted_at,
        intent.c.accepted_at,
        intent.c.due_at,
    )
    query = select(*columns).where(intent.c.enrolment_id.in_(stays))
    return tuple(Message(*row) for row in connection.execute(query.order_by(intent.c.planned_at, intent.c.key)))


def _told(whole: Explanation) -> list[Text]:
    said: list[Text] = []
    if not whole.known:
        said.append(Text("没有这个客户", "There is no such customer."))
    if whole.journey_state is None:
        said.append(Text("没有这个旅程", "There is no such journey."))
    if whole.held_out:
        said.append(Text("客户属于留出组，不会收到营销消息", "The customer is in a hold-out and gets no marketing."))
    said.extend(_refused(each) for each in whole.refusals)
    said.extend(_stayed(each) for each in whole.stays)
    if whole.known and whole.journey_state is not None and not whole.stays and not whole.refusals:
        never = Text("客户从未触发过进入条件", "Nothing has let this customer into the journey so far.")
        said.append(never)
    said.extend(_sent(each) for each in whole.messages)
    return said


def _refused(turned: Turned) -> Text:
    because = _REFUSALS.get(turned.reason, Text(turned.reason, turned.reason))
    return Text(
        f"{_at(turned.at)} 未能进入旅程：{because.zh}", f"{_at(turned.at)}: not let into the journey: {because.en}."
    )


def _stayed(stay: Stay) -> Text:
    since = _at(stay.entered_at)
    if stay.ended_at is None:
        return Text(f"{since} 进入旅程，目前在节点 {stay.node}", f"{since}: entered; is now at node {stay.node}.")
    because = _EXITS.get(stay.reason or "", Text(stay.reason or "走完全程", stay.reason or "all done"))
    ended = _at(stay.ended_at)
    return Text(
        f"{since} 进入旅程，{ended} 结束于节点 {stay.node}：{because.zh}",
        f"{since}: entered; ended {ended} at node {stay.node}: {because.en}.",
    )


def _sent(message: Message) -> Text:
    """What became of one message; exactly one reason where it was not sent."""
    where = Text(f"节点 {message.node} 的{message.channel}消息", f"Message of node {message.node} on {message.channel}")
    reason = REASONS.get(message.reason or "")
    because = reason.text if reason else Text(message.reason or "", message.reason or "")
    if message.state == "accepted":
        at = _at(message.accepted_at or message.planned_at)
        return Text(f"{where.zh}：{at} 已由服务商收下", f"{where.en}: taken by the provider {at}.")
    if message.state == "claimed":
        return Text(f"{where.zh}：正在发送", f"{where.en}: is being sent.")
    if message.state == "waiting":
        return _waits(where, message, because)
    if message.state == "unknown":
        return Text(f"{where.zh}：{because.zh}", f"{where.en}: in doubt, {because.en}.")
    detail = f" ({message.detail})" if message.detail else ""
    return Text(f"{where.zh}：未发送，原因：{because.zh}{detail}", f"{where.en}: not sent, {because.en}{detail}.")


def _waits(where: Text, message: Message, because: Text) -> Text:
    until = f"，{_at(message.waits_until)} 再处理" if message.waits_until else ""
    until_en = f" until {_at(message.waits_until)}" if message.waits_until else ""
    because_zh, because_en = (f"，{because.zh}", f", {because.en}") if because.en else ("", "")
    return Text(f"{where.zh}：等待发送{because_zh}{until}", f"{where.en}: waits{until_en}{because_en}.")


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
