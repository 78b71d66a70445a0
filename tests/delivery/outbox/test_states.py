"""Whatever happens to the outbox, in whatever order: both balances hold and nobody is sent to twice."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select, update
from tests.delivery.outbox.checker import violations
from tests.delivery.outbox.world import World, words
from tests.ledgers import empty_ledger

from aimwell.delivery.channel import Parcel, Receipt, Report
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.delivery.outbox.claim import claim
from aimwell.delivery.outbox.policy import Cap, Policy, Retry, Throttle
from aimwell.delivery.outbox.recovery import reconcile, recover, resolve_unknown, revive, unsettled
from aimwell.delivery.outbox.reports import take_reports
from aimwell.delivery.outbox.sending import send
from aimwell.store.ledger.consents import set_consent
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent

PEOPLE = ("ann", "bob", "eve")
people = st.sampled_from(PEOPLE)


class Lost(BaseException):
    """The sender ends in the middle of its call."""


class Outbox(RuleBasedStateMachine):
    """A desk, three people, and everything that may happen to their messages."""

    @initialize(repeatable=st.booleans(), tells=st.booleans())
    def begin(self, repeatable: bool, tells: bool) -> None:
        policy = Policy(
            caps=(Cap(at_most=2, within=timedelta(hours=30)),),
            throttle={"sms": Throttle(per_minute=1)},
            costs={"email": 0.01},
            retry=Retry(attempts=3),
        )
        self.lent = ExitStack()
        self.world = World(self.lent.enter_context(empty_ledger()), policy, idempotent=repeatable)
        self.world.journey(budget=20)
        self.tells, self.number, self.fate = tells, 0, "accepted"
        self.delivered: list[str] = []
        for person, zone in zip(PEOPLE, ("Asia/Shanghai", "America/New_York", "Europe/Paris"), strict=True):
            self.world.person(person, zone=zone)
        for provider in self.world.providers.values():
            provider.answer = self.answer

    def answer(self, parcel: Parcel) -> Receipt:
        """Takes it or not, as the fate of the hour is; an idempotent provider takes a key once."""
        if parcel.key in self.delivered and self.world.idempotent:
            return Receipt(parcel.key, "accepted")
        if self.fate in {"accepted", "unknown", "lost"}:
            self.delivered.append(parcel.key)
        if self.fate == "lost":
            raise Lost
        return Receipt(parcel.key, self.fate)  # type: ignore[arg-type]

    def keys(self) -> list[str]:
        with self.world.ledger.reading() as connection:
            return sorted(connection.scalars(select(intent.c.key)))

    @rule(person=people, channel=st.sampled_from(["email", "sms"]), purpose=st.sampled_from(["marketing", "service"]))
    def plan(self, person: str, channel: str, purpose: str) -> None:
        self.number += 1
        self.world.plan(person, f"n{self.number}", channel=channel, purpose=purpose)

    @rule(hours=st.sampled_from([0, 1, 5, 13, 31]))
    def wait(self, hours: int) -> None:
        self.world.later(hours=hours, minutes=1)

    @rule(fate=st.sampled_from(["accepted", "accepted", "refused", "failed", "unknown", "lost"]))
    def work(self, fate: str) -> None:
        self.fate = fate
        claim(self.world.desk, self.world.now, chunk=3)
        self.world.later(seconds=5)
        try:
            send(self.world.desk, words, self.world.clock)
        except Lost:
            self.world.worker += "'"

    @rule()
    def claim_and_end(self) -> None:
        claim(self.world.desk, self.world.now)
        self.world.worker += "'"

    @rule()
    def take_up(self) -> None:
        known = [Receipt(key, "accepted" if key in self.delivered else "failed") for key in self.keys()]
        for provider in self.world.providers.values():
            provider.known = {receipt.key: receipt for receipt in known} if self.tells else {}
        recover(self.world.desk, self.world.now)
        reconcile(self.world.desk, self.world.now)

    @rule(kind=st.sampled_from(["accepted", "delivered", "opened"]), channel=st.sampled_from(["email", "sms"]))
    def report(self, kind: str, channel: str) -> None:
        desk = self.world.desk
        reports = [Report(kind, self.world.now, key, key=key) for key in self.delivered]  # type: ignore[arg-type]
        with self.world.ledger.writing() as connection:
            take_reports(connection, desk, desk.outlets[channel], [*reports, *reports], self.world.now)

    @rule(person=people, granted=st.booleans(), channel=st.sampled_from(["*", "email"]))
    def speak(self, person: str, granted: bool, channel: str) -> None:
        self.world.later(seconds=1)
        with self.world.ledger.writing() as connection:
            source = str(self.world.now)
            set_consent(connection, person, channel, "marketing", granted=granted, at=self.world.now, source=source)
        self.world.later(seconds=1)

    @rule(state=st.sampled_from(["running", "paused", "running"]))
    def pause(self, state: str) -> None:
        with self.world.ledger.writing() as connection:
            connection.execute(update(journey).values(state=state))

    @rule(person=people)
    def win(self, person: str) -> None:
        with self.world.ledger.writing() as connection:
            won = update(enrolment).values(state="finished", reason="goal", ended_at=self.world.now)
            connection.execute(won.where(enrolment.c.customer_id == person))

    @rule(verdict=st.sampled_from(["accepted", "refused"]))
    def decide(self, verdict: str) -> None:
        with self.world.ledger.reading() as connection:
            doubtful, dead = unsettled(connection, "unknown"), unsettled(connection, "dead")
        for each in doubtful[:1]:
            truth = "accepted" if each.key in self.delivered else verdict
            resolve_unknown(self.world.desk, each.key, truth, "mia", self.world.now)  # type: ignore[arg-type]
        for each in dead[:1]:
            with self.world.ledger.writing() as connection:
                revive(connection, each.key, "mia", self.world.now)

    @invariant()
    def balances_hold(self) -> None:
        if hasattr(self, "world"):
            with self.world.ledger.reading() as connection:
                verify_balances(connection)

    @invariant()
    def nobody_is_sent_to_twice(self) -> None:
        if hasattr(self, "world"):
            assert len(self.delivered) == len(set(self.delivered))

    def teardown(self) -> None:
        if hasattr(self, "world"):
            with self.world.ledger.reading() as connection:
                assert violations(connection, self.world.policy, "Asia/Shanghai") == []
            self.lent.close()


TestOutbox = Outbox.TestCase
TestOutbox.settings = settings(max_examples=10, stateful_step_count=25, deadline=None)
