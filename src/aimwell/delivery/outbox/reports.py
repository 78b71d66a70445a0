"""What providers tell later about messages: each report counts once, in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, select

from aimwell.delivery.channel import Receipt, Report, Result
from aimwell.delivery.outbox.claim import Desk
from aimwell.delivery.outbox.outlet import Outlet
from aimwell.delivery.outbox.recovery import settle_doubts
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.consents import ConsentStatement, set_consents, suppress
from aimwell.store.ledger.happenings import Happening, listened, record
from aimwell.store.ledger.schema.outbox import attempt, intent, outcome
from aimwell.store.ledger.writes import insert_new

_ANSWERS = ("accepted", "refused")
_SUPPRESSING = ("bounced", "complained")


@dataclass(frozen=True, slots=True)
class Told:
    """What became of reports: new ones, repetitions, and those about messages that we do not know."""

    new: int = 0
    repeated: int = 0
    unknown: int = 0


def take_reports(connection: Connection, desk: Desk, outlet: Outlet, reports: Sequence[Report], now: datetime) -> Told:
    """Take a provider's reports in the caller's transaction; a report given again changes nothing.

    A report that names its message by the provider's reference is matched by it. Any report from a person or about
    delivery proves that the provider has the message, and `accepted` or `refused` say so themselves: messages in doubt
    are settled. A bounce or complaint suppresses the address, an unsubscription withdraws consent for the channel.
    What a machine did is kept as an outcome, and is never an answer to a journey.
    """
    found = _messages(connection, outlet, reports)
    known = [(report, message) for report in reports if (message := found.get(_name(report))) is not None]
    _settle(connection, desk, outlet, known, now)
    outcomes = [(report, message) for report, message in known if report.kind not in _ANSWERS]
    fresh = _fresh(connection, outcomes)
    insert_new(connection, outcome, [_outcome(report, message, now) for report, message in fresh])
    _act(connection, outlet, fresh, now)
    _tell(connection, fresh)
    answers = len(known) - len(outcomes)
    return Told(len(fresh) + answers, len(outcomes) - len(fresh), len(reports) - len(known))


def _name(report: Report) -> tuple[str, str]:
    return ("key", report.key) if report.key is not None else ("ref", report.provider_ref or "")


@dataclass(frozen=True, slots=True)
class Message:
    """What a report needs to know of the message that it is about."""

    key: str
    enrolment_id: int
    journey: str
    node: str
    customer_id: str
    provider_ref: str | None


def _messages(connection: Connection, outlet: Outlet, reports: Sequence[Report]) -> dict[tuple[str, str], Message]:
    """The messages that the reports are about, by key or by the provider's reference."""
    keys = sorted({report.key for report in reports if report.key is not None})
    refs = sorted({report.provider_ref for report in reports if report.key is None and report.provider_ref})
    query = select(*(intent.c[field.name] for field in fields(Message))).where(intent.c.channel == outlet.name)
    by_key = [Message(*row) for row in connection.execute(query.where(intent.c.key.in_(keys)))]
    by_ref = [Message(*row) for row in connection.execute(query.where(intent.c.provider_ref.in_(refs)))]
    found = {("key", message.key): message for message in by_key}
    return found | {("ref", str(message.provider_ref)): message for message in by_ref}


def _settle(
    connection: Connection, desk: Desk, outlet: Outlet, known: Sequence[tuple[Report, Message]], now: datetime
) -> None:
    receipts: dict[str, Receipt] = {}
    for report, message in known:
        result: Result = "refused" if report.kind == "refused" else "accepted"
        before = receipts.get(message.key)
        if before is None or before.result == "refused":
            # An acceptance outweighs a refusal: opening it proves that the provider had it.
            receipts[message.key] = Receipt(message.key, result, report.provider_ref, report.detail)
    settle_doubts(connection, desk, outlet, list(receipts.values()), now)


def _fresh(connection: Connection, known: Sequence[tuple[Report, Message]]) -> list[tuple[Report, Message]]:
    """Those that were not told before, each once."""
    keys = sorted({message.key for _, message in known})
    query = select(outcome.c.key, outcome.c.kind, outcome.c.ref).where(outcome.c.key.in_(keys))
    seen = {(row.key, row.kind, row.ref) for row in connection.execute(query)}
    fresh = []
    for report, message in known:
        if (identity := (message.key, report.kind, report.ref)) not in seen:
            seen.add(identity)
            fresh.append((report, message))
    return fresh


def _outcome(report: Report, message: Message, now: datetime) -> dict[str, object]:
    return {
        "key": message.key,
        "kind": report.kind,
        "ref": report.ref,
        "enrolment_id": message.enrolment_id,
        "node": message.node,
        "customer_id": message.customer_id,
        "at": report.at,
        "machine": report.machine,
        "recorded_at": now,
    }


def _act(connection: Connection, outlet: Outlet, fresh: Sequence[tuple[Report, Message]], now: datetime) -> None:
    """Suppress what bounced or complained, and take unsubscriptions and complaints as withdrawn consent."""
    going = [(report, message) for report, message in fresh if report.kind in _SUPPRESSING]
    addresses = _addresses(connection, [message.key for _, message in going])
    for report, message in going:
        if value := addresses.get(message.key):
            source = f"{outlet.name}: {report.detail or report.ref}"[:200]
            suppress(connection, outlet.address, value, reason=report.kind, at=report.at, source=source)
    words = [
        ConsentStatement(message.customer_id, outlet.name, "marketing", False, micros(min(report.at, now)), report.ref)
        for report, message in fresh
        if report.kind in {"unsubscribed", "complained"}
    ]
    set_consents(connection, words)


def _addresses(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Where each message went, by its last attempt."""
    query = select(attempt.c.key, attempt.c.address).where(attempt.c.key.in_(keys)).order_by(attempt.c.number)
    return {row.key: row.address for row in connection.execute(query) if row.address}


def _tell(connection: Connection, fresh: Sequence[tuple[Report, Message]]) -> None:
    """Let journeys that listen for it know what people did."""
    signals = listened(connection)
    heard = [
        Happening(message.customer_id, signal, report.at, f"{message.key}:{report.ref}")
        for report, message in fresh
        if not report.machine and (signal := f"outcome:{message.journey}:{message.node}:{report.kind}") in signals
    ]
    record(connection, heard)
