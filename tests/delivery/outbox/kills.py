"""Senders that are killed at random instants, at a provider that outlives them; and what must be true afterwards.

A life is a forked process that takes up what earlier ones left, claims and sends until it is killed: before or after
any statement, before or after any commit, before or after the provider writes down a message.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import event, func, insert, select

from aimwell.core.keys import shard_of
from aimwell.core.time import zone
from aimwell.delivery.channel import Parcel, Receipt, Report
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.delivery.outbox.claim import Desk, claim
from aimwell.delivery.outbox.outlet import Claimed, NotRendered, Outlet
from aimwell.delivery.outbox.policy import Cap, Policy
from aimwell.delivery.outbox.recovery import reconcile, recover
from aimwell.delivery.outbox.reports import take_reports
from aimwell.delivery.outbox.sending import send
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import attempt, intent
from aimwell.store.ledger.schema.people import consent, customer, identifier

BEGIN = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
TICK = Callable[[], None]


@dataclass
class FileProvider:
    """A provider in a file of its own: a line for each message that it took, which no kill of a sender takes back.

    It answers as badly as providers do: takes a message and times out, fails without taking it, refuses it. With
    `idempotent` it takes a key once. Every call of `tick` is an instant at which its caller may be killed.
    """

    file: Path
    dice: random.Random
    tick: TICK
    idempotent: bool
    tells: bool
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.idempotent or self.tells:
            self.taken = set(read_taken(self.file))

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        stream = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return [self._send(stream, parcel) for parcel in parcels]
        finally:
            os.close(stream)

    def _send(self, stream: int, parcel: Parcel) -> Receipt:
        self.tick()
        if self.idempotent and parcel.key in self.taken:
            return Receipt(parcel.key, "accepted", parcel.key)
        fate = self.dice.random()
        if fate < 0.02:
            return Receipt(parcel.key, "failed", detail="503")
        if fate < 0.03:
            return Receipt(parcel.key, "refused", detail="no such box")
        if fate < 0.035:
            return Receipt(parcel.key, "unknown", detail="timed out, not taken")
        os.write(stream, f"{parcel.key}\n".encode())
        self.taken.add(parcel.key)
        self.tick()
        if fate < 0.045:
            return Receipt(parcel.key, "unknown", detail="timed out, taken")
        return Receipt(parcel.key, "accepted", parcel.key)

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        if not self.tells:
            return []
        return [Receipt(key, "accepted" if key in self.taken else "failed", key) for key in keys]

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Trial:
    """One trial: where its ledger and its provider's file are, and how the provider behaves."""

    place: Path | str
    file: Path
    idempotent: bool = False
    tells: bool = False
    batch: int = 20
    chunk: int = 200

    def desk(self, ledger: Ledger, dice: random.Random, tick: TICK) -> Desk:
        provider = FileProvider(self.file, dice, tick, self.idempotent, self.tells)
        outlet = Outlet("email", provider, "email", self.batch, self.idempotent, self.tells)
        policy = Policy(quiet_hours=(), caps=(Cap(at_most=5, within=timedelta(days=1)),), costs={"email": 0.001})
        return Desk(ledger, {"email": outlet}, policy, zone("Asia/Shanghai"), f"w{os.getpid()}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at ledger and provider found."""

    states: Counter[str]
    taken: int
    duplicates: int
    unlisted: int
    invented: int


def read_taken(file: Path) -> list[str]:
    """The keys of the messages that the provider took, in order."""
    return file.read_text().splitlines() if file.exists() else []


def fill(ledger: Ledger, people: int) -> None:
    """People with consent and an address, each with one message due."""
    with ledger.writing() as connection:
        row = {"name": "j", "version_id": 1, "state": "running", "changed_at": BEGIN, "spent": 0}
        connection.execute(insert(journey), [row])
        numbers = range(people)
        common = {"shard": 0, "zone": "UTC", "held_out": False, "created_at": BEGIN}
        connection.execute(
            insert(customer), [{**common, "customer_id": f"p{n}", "shard": shard_of(f"p{n}")} for n in numbers]
        )
        seen = {"kind": "email", "verified": True, "first_seen": BEGIN, "last_seen": BEGIN, "source": "t"}
        connection.execute(insert(identifier), [{**seen, "value": f"{n}@x", "customer_id": f"p{n}"} for n in numbers])
        said = {"channel": "*", "purpose": "marketing", "granted": True, "since": BEGIN, "source": "t"}
        connection.execute(insert(consent), [{**said, "customer_id": f"p{n}"} for n in numbers])
        stay = {"journey": "j", "version_id": 1, "cause": "t", "number": 1, "entered_at": BEGIN, "state": "active"}
        place = {"node": "a", "at": BEGIN}
        connection.execute(
            insert(enrolment),
            [{**stay, **place, "id": n, "customer_id": f"p{n}", "shard": shard_of(f"p{n}")} for n in numbers],
        )
        message = {"journey": "j", "version_id": 1, "node": "a", "visit": 1, "step": 1, "channel": "email"}
        rest = {"content": "c", "purpose": "marketing", "state": "waiting"}
        times = {"planned_at": BEGIN, "due_at": BEGIN, "changed_at": BEGIN}
        connection.execute(
            insert(intent),
            [
                {
                    **message,
                    **rest,
                    **times,
                    "key": f"{n}:a:1:1",
                    "enrolment_id": n,
                    "customer_id": f"p{n}",
                    "shard": shard_of(f"p{n}"),
                }
                for n in numbers
            ],
        )


def live(trial: Trial, now: datetime, seed: int, instants: int | None) -> bool:
    """One life from this instant on, killed after so many instants (never, if None); returns whether it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _work(trial, now, random.Random(seed), instants)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "a sender ended with an error"
    return False


def _work(trial: Trial, now: datetime, dice: random.Random, instants: int | None) -> None:
    ledger = open_ledger(trial.place)
    left = [instants]

    def tick(*_: object) -> None:
        if left[0] is not None:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    for instant in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(ledger.state, instant, tick)
    desk = trial.desk(ledger, dice, tick)
    _call_back(trial, desk, dice, now)
    recover(desk, now)
    reconcile(desk, now)
    while claim(desk, now, chunk=trial.chunk, enough=trial.chunk).claimed:
        send(desk, _words, lambda: now)
    ledger.close()


def _words(messages: Sequence[Claimed]) -> Sequence[Parcel | NotRendered]:
    return [Parcel(each.key, each.customer_id, each.address, {"text": "."}) for each in messages]


def _call_back(trial: Trial, desk: Desk, dice: random.Random, now: datetime) -> None:
    """The provider reports some of the last messages: late, in no order, and some of them twice."""
    if trial.idempotent or trial.tells:
        return
    some = [key for key in read_taken(trial.file)[-400:] if dice.random() < 0.2]
    reports = [Report("delivered", now, f"d{key}", key=key) for key in [*some, *some[::3]]]
    dice.shuffle(reports)
    with desk.ledger.writing() as connection:
        take_reports(connection, desk, desk.outlets["email"], reports, now)


def look(trial: Trial) -> Seen:
    """Both balances, and the ledger beside the provider's file; raises Unbalanced if a balance does not hold.

    duplicates: messages that the provider took twice.   unlisted: taken, but neither accepted nor in doubt nor in
    the middle of a call or of its repetition.   invented: accepted, but never taken.
    """
    ledger = open_ledger(trial.place)
    with ledger.reading() as connection:
        verify_balances(connection)
        states = dict(connection.execute(select(intent.c.key, intent.c.state)).all())
        open_calls = attempt.c.ended_at.is_(None) | (attempt.c.result == "unknown")
        tried = set(connection.scalars(select(attempt.c.key).where(open_calls)))
    ledger.close()
    taken = Counter(read_taken(trial.file))
    claimed = {key for key in tried if states[key] == "claimed"}
    known = {key for key, state in states.items() if state in {"accepted", "unknown"}} | claimed
    return Seen(
        Counter(states.values()),
        len(taken),
        sum(count > 1 for count in taken.values()),
        len(taken.keys() - known),
        sum(state == "accepted" and key not in taken for key, state in states.items()),
    )


def torment(trial: Trial, kills: int, span: int, seed: int, looks: Iterable[int]) -> tuple[int, Seen]:
    """Lives that are killed after 1 to `span` instants until there were so many kills, then one that is not.

    looks: after which kills the balances are verified.   Returns how many were killed and the last look.
    """
    dice, killed, now, wanted = random.Random(seed), 0, BEGIN, set(looks)
    for number in range(kills * 3):
        if killed == kills:
            break
        killed += live(trial, now, seed + number, dice.randint(1, span))
        now += timedelta(minutes=11)  # leases run out
        if killed in wanted:
            wanted.discard(killed)
            _check(look(trial))
    for number in range(60):
        if number and not _unfinished(trial):
            break
        live(trial, now, seed - number - 1, None)
        now += timedelta(hours=7)
    seen = look(trial)
    _check(seen)
    return killed, seen


def _check(seen: Seen) -> None:
    assert (seen.duplicates, seen.unlisted, seen.invented) == (0, 0, 0), seen


def _unfinished(trial: Trial) -> int:
    ledger = open_ledger(trial.place)
    with ledger.reading() as connection:
        query = (
            select(func.count())
            .select_from(intent)
            .where(intent.c.due_at.is_not(None) | intent.c.lease_until.is_not(None))
        )
        count = connection.scalar(query) or 0
    ledger.close()
    return count
