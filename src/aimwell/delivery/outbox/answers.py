"""What the provider's answer makes of a message: accepted, refused, to be tried again, dead, or in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    SmallInteger,
    Table,
    Text,
    and_,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)

from aimwell.delivery.channel import Receipt
from aimwell.delivery.outbox.claim import Desk, spend
from aimwell.delivery.outbox.limits import microseconds
from aimwell.delivery.outbox.outlet import Outlet
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.consents import suppress
from aimwell.store.ledger.happenings import Happening, listened, record
from aimwell.store.ledger.schema.outbox import attempt, intent
from aimwell.store.ledger.scratch import lay_out, tell_size

_answer = Table(
    "outbox_answer",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("number", SmallInteger, nullable=False),
    Column("result", Text, nullable=False),
    Column("provider_ref", Text),
    Column("detail", Text),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("due_at", Instant),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer to the attempt of that number; number 0 answers the message without a call (a look-up)."""

    number: int
    receipt: Receipt


def close_attempts(
    connection: Connection, desk: Desk, outlet: Outlet, answers: Sequence[Answer], now: datetime
) -> None:
    """Close attempts with their answers and move the messages on; a constant number of statements.

    Only what is claimed or in doubt moves: an answer that comes after another has settled the message changes nothing.
    """
    if not answers:
        return
    lay_out(connection, _answer)
    doubted = _doubted(connection, [answer.receipt.key for answer in answers])
    connection.execute(
        insert(_answer), [_row(desk, outlet, each, now, doubted=each.receipt.key in doubted) for each in answers]
    )
    tell_size(connection, _answer)
    _close(connection, now)
    _count_costs(connection)
    _tell(connection, now)
    _move(connection, now)
    for answer in answers:
        if answer.receipt.bad_address and answer.receipt.result == "refused":
            _suppress(connection, outlet, answer, now)


def _doubted(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those that an earlier attempt may have brought to the provider already."""
    query = select(attempt.c.key).where(attempt.c.key.in_(keys), attempt.c.result == "unknown")
    return set(connection.scalars(query.distinct()))


def _row(desk: Desk, outlet: Outlet, answer: Answer, now: datetime, *, doubted: bool) -> dict[str, object]:
    receipt = answer.receipt
    state, reason, wait = _next(desk, outlet, answer, doubted=doubted)
    return {
        "key": receipt.key,
        "number": answer.number,
        "result": receipt.result,
        "provider_ref": receipt.provider_ref,
        "detail": receipt.detail[:500] or None,
        "state": state,
        "reason": reason,
        "due_at": None if wait is None else now + wait,
    }


def _next(desk: Desk, outlet: Outlet, answer: Answer, *, doubted: bool) -> tuple[str, str | None, timedelta | None]:
    """State, reason, and how long to wait before looking again."""
    receipt, retry = answer.receipt, desk.policy.retry
    wait = max(retry.wait(receipt.key, max(answer.number, 1)), timedelta(seconds=min(receipt.retry_after or 0, 86_400)))
    last = answer.number >= retry.attempts
    if receipt.result == "accepted":
        return "accepted", None, None
    if receipt.result == "refused":
        return "not_sent", "refused", None
    if receipt.result == "unknown" or (doubted and answer.number):
        return "unknown", "doubt", wait if outlet.idempotent and not last else None
    return ("dead", "failed", None) if last else ("waiting", "retry", wait)


def _close(connection: Connection, now: datetime) -> None:
    connection.execute(
        update(attempt)
        .values(ended_at=now, result=_answer.c.result, provider_ref=_answer.c.provider_ref, detail=_answer.c.detail)
        .where(attempt.c.key == _answer.c.key, attempt.c.number == _answer.c.number, attempt.c.ended_at.is_(None))
    )


def _moves() -> ColumnElement[bool]:
    """What is claimed or in doubt moves; and what we gave up, if the provider proves that it has it."""
    proven = and_(_answer.c.number == 0, _answer.c.state == "accepted", intent.c.state.in_(("waiting", "dead")))
    return and_(intent.c.key == _answer.c.key, or_(intent.c.state.in_(("claimed", "unknown")), proven))


def _count_costs(connection: Connection) -> None:
    """What did not leave is not paid for; what left after all is."""
    kept = _answer.c.state.in_(("accepted", "unknown"))
    change = case(
        (and_(kept, intent.c.contacted_at.is_(None)), intent.c.cost),
        (and_(~kept, intent.c.contacted_at.is_not(None)), -intent.c.cost),
        else_=0,
    )
    query = (
        select(intent.c.journey, func.sum(change))
        .join(_answer, _moves())
        .group_by(intent.c.journey)
        .order_by(intent.c.journey)
    )
    for name, cost in connection.execute(query).all():
        if cost:
            spend(connection, name, int(cost))


def _tell(connection: Connection, now: datetime) -> None:
    """Let journeys know of messages that will not be sent."""
    signals = {signal for signal in listened(connection) if signal.startswith("not_sent:")}
    query = (
        select(intent.c.key, intent.c.customer_id, intent.c.journey, intent.c.node)
        .join(_answer, _moves())
        .where(_answer.c.state.in_(("not_sent", "dead")))
    )
    record(
        connection,
        [
            Happening(row.customer_id, signal, now, row.key)
            for row in connection.execute(query).all()
            if (signal := f"not_sent:{row.journey}:{row.node}") in signals
        ],
    )


def _move(connection: Connection, now: datetime) -> None:
    at, answered = microseconds(now), _answer.c
    stays = answered.state.in_(("accepted", "unknown"))
    connection.execute(
        update(intent)
        .values(
            state=answered.state,
            reason=answered.reason,
            detail=answered.detail,
            due_at=type_coerce(answered.due_at, BigInteger),
            claimed_by=null(),
            lease_until=null(),
            contacted_at=case((stays, func.coalesce(type_coerce(intent.c.contacted_at, BigInteger), at)), else_=null()),
            accepted_at=case((answered.state == literal("accepted", Text), at), else_=null()),
            provider_ref=func.coalesce(answered.provider_ref, intent.c.provider_ref),
            changed_at=at,
        )
        .where(_moves())
    )


def _suppress(connection: Connection, outlet: Outlet, answer: Answer, now: datetime) -> None:
    """The address is dead: nothing is sent to it again."""
    query = (
        select(attempt.c.address).where(attempt.c.key == answer.receipt.key).order_by(attempt.c.number.desc()).limit(1)
    )
    if value := connection.scalar(query):
        source = f"{outlet.name}: {answer.receipt.detail}"[:200]
        suppress(connection, outlet.address, value, reason="bounced", at=now, source=source)
