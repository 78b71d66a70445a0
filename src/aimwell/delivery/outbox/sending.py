"""Sending: everything is checked once more, the attempt is written down before the call, and the answer closes it.

A crash between the two leaves an open attempt: the message is then in doubt, never simply tried again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, func, insert, literal, select, update

from aimwell.delivery.channel import Parcel, Receipt
from aimwell.delivery.outbox.answers import Answer, close_attempts
from aimwell.delivery.outbox.chunk import address_of, due, fill_chunk
from aimwell.delivery.outbox.claim import Desk, charge, settle, tell_not_sent
from aimwell.delivery.outbox.limits import apply_quiet_hours
from aimwell.delivery.outbox.outlet import Claimed, NotRendered, Outlet, Render
from aimwell.delivery.outbox.pace import note_batch
from aimwell.delivery.outbox.release import release_channel
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.outbox import attempt, intent

Clock = Callable[[], datetime]
_FIELDS = (
    "enrolment_id",
    "journey",
    "version_id",
    "node",
    "visit",
    "step",
    "customer_id",
    "channel",
    "content",
    "purpose",
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the messages that a worker had claimed: how many by the provider's answer, and how many fell out.

    dropped: not sent after all, or waiting again, because something changed since they were claimed.
    """

    accepted: int = 0
    refused: int = 0
    failed: int = 0
    unknown: int = 0
    dropped: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            self.accepted + other.accepted,
            self.refused + other.refused,
            self.failed + other.failed,
            self.unknown + other.unknown,
            self.dropped + other.dropped,
        )


def send(desk: Desk, render: Render, clock: Clock) -> Sent:
    """Send everything that this worker has claimed, channel by channel, in batches of each channel's size.

    render: makes the words; who cannot be rendered is not sent to, with the reason `content`.   clock: the instant now.
    A channel whose provider takes nothing is left alone for a while; what was claimed for it waits again.
    """
    total = Sent()
    for outlet in desk.outlets.values():
        while True:
            batch = _read_batch(desk, outlet)
            if not batch:
                break
            sent, held = _send_batch(desk, outlet, batch, render, clock)
            total += sent
            if held is not None:
                with desk.ledger.writing() as connection:
                    release_channel(connection, desk.worker, outlet.name, clock(), until=held)
                break
    return total


def _read_batch(desk: Desk, outlet: Outlet) -> Sequence[Claimed]:
    """The next claimed messages of a channel, each with the address that it would go to."""
    columns = [intent.c[name] for name in _FIELDS]
    address = func.coalesce(address_of(desk.outlets), "").label("address")
    query = (
        select(intent.c.key, *columns, address, intent.c.planned_at)
        .where(intent.c.lease_until.is_not(None), intent.c.state == "claimed")
        .where(intent.c.claimed_by == desk.worker, intent.c.channel == outlet.name)
        .order_by(intent.c.lease_until, intent.c.key)
        .limit(outlet.batch)
    )
    with desk.ledger.reading() as connection:
        return [Claimed(**row) for row in connection.execute(query).mappings()]


def _send_batch(
    desk: Desk, outlet: Outlet, batch: Sequence[Claimed], render: Render, clock: Clock
) -> tuple[Sent, datetime | None]:
    """One batch: words, last check and attempt, call, answer. Returns until when the channel is left alone, if so."""
    rendered = {words.key: words for words in render(batch)}
    broken = [_missing(message, rendered.get(message.key)) for message in batch]
    with desk.ledger.writing() as connection:
        numbers, dropped = begin_attempts(connection, desk, batch, [each for each in broken if each], clock())
    parcels = [words for key in numbers if isinstance(words := rendered[key], Parcel)]
    if not parcels:
        return Sent(dropped=dropped), None
    receipts = _answered(parcels, outlet.channel.send(parcels))
    now = clock()
    counts = Counter(receipt.result for receipt in receipts)
    rests = [receipt.retry_after for receipt in receipts if receipt.retry_after is not None]
    with desk.ledger.writing() as connection:
        close_attempts(connection, desk, outlet, [Answer(numbers[each.key], each) for each in receipts], now)
        down = counts["failed"] == len(receipts)
        held = note_batch(connection, desk.policy, outlet.name, now, failed=down, rest=max(rests, default=None))
    sent = Sent(counts["accepted"], counts["refused"], counts["failed"], counts["unknown"], dropped)
    return sent, held


def _missing(message: Claimed, words: Parcel | NotRendered | None) -> NotRendered | None:
    if isinstance(words, Parcel):
        return None
    return words or NotRendered(message.key, "nothing was rendered for this message")


def _answered(parcels: Sequence[Parcel], receipts: Sequence[Receipt]) -> list[Receipt]:
    """One receipt for each parcel: a channel that says nothing of one leaves it in doubt."""
    said = {receipt.key: receipt for receipt in receipts}
    silent = "the channel gave no receipt"
    return [said.get(parcel.key, Receipt(parcel.key, "unknown", detail=silent)) for parcel in parcels]


def begin_attempts(
    connection: Connection, desk: Desk, batch: Sequence[Claimed], broken: Sequence[NotRendered], now: datetime
) -> tuple[dict[str, int], int]:
    """Check these claimed messages again and write down an attempt for each that may leave.

    Returns the number of the attempt by key, and how many may not leave after all. A message whose address has changed
    since its words were made stays claimed and comes with the next batch.
    """
    fill_chunk(connection, _still_mine(desk, [message.key for message in batch]), desk.outlets, desk.policy, now)
    doubtful = select(attempt.c.key).where(attempt.c.key == due.c.key, attempt.c.result == "unknown").exists()
    connection.execute(update(due).values(was="unknown").where(doubtful))
    for failure in broken:
        mark = update(due).values(reason="content", detail=failure.detail[:500])
        connection.execute(mark.where(due.c.key == failure.key, due.c.reason.is_(None)))
    apply_quiet_hours(connection, desk.policy, desk.home, now)
    settle(connection, desk, now)
    charge(connection, back=True)
    tell_not_sent(connection, now)
    return _open_attempts(connection, {message.key: message.address for message in batch}, now)


def _open_attempts(connection: Connection, addresses: dict[str, str], now: datetime) -> tuple[dict[str, int], int]:
    rows = connection.execute(select(due.c.key, due.c.reason, due.c.address)).all()
    going = [row.key for row in rows if row.reason is None and row.address == addresses[row.key]]
    more = update(intent).values(attempts=intent.c.attempts + 1).where(intent.c.key.in_(going))
    connection.execute(more)
    columns = (intent.c.key, intent.c.attempts, literal(now, Instant), due.c.address)
    opened = select(*columns).join(due, due.c.key == intent.c.key).where(intent.c.key.in_(going))
    connection.execute(insert(attempt).from_select(["key", "number", "begun_at", "address"], opened))
    numbers = connection.execute(select(intent.c.key, intent.c.attempts).where(intent.c.key.in_(going)))
    return dict(numbers.all()), sum(row.reason is not None for row in rows)


def _still_mine(desk: Desk, keys: Sequence[str]) -> Select[tuple[str]]:
    """Those of the keys that are still claimed by this worker: a lease may have run out meanwhile."""
    return (
        select(intent.c.key)
        .where(intent.c.key.in_(keys), intent.c.state == "claimed", intent.c.claimed_by == desk.worker)
        .limit(len(keys))
        .with_for_update()
    )
