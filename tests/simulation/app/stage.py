"""A stage for journeys: the example's definitions, a ledger, its channels, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select
from tests.ledgers import careless

from aimwell.cli.examples import example_folder
from aimwell.content.definition import Content
from aimwell.content.templates import Failed, render
from aimwell.delivery.catalogue import configured
from aimwell.delivery.channel import Parcel, Report
from aimwell.delivery.outbox.claim import Desk, claim
from aimwell.delivery.outbox.outlet import Claimed, NotRendered, Outlet
from aimwell.delivery.outbox.policy import Policy
from aimwell.delivery.outbox.reports import take_reports
from aimwell.delivery.outbox.sending import send
from aimwell.insight.identity.absorbing import absorb
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.simulation.app.answers import Delivery, Role
from aimwell.simulation.app.messages import Message
from aimwell.simulation.app.posts import leads_between, sent_between
from aimwell.simulation.app.running import Hands
from aimwell.simulation.app.sales import LeadGiven, Verdict
from aimwell.store.intake.messages import Message as Read
from aimwell.store.intake.messages import parse_message
from aimwell.store.ledger.arrivals import keep_messages
from aimwell.store.ledger.clocks import keep_clocks
from aimwell.store.ledger.happenings import Happening, record
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment, passage, task
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import customer, identifier, membership, profile
from aimwell.store.workspace import open_workspace
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.entry import let_in
from aimwell.strategy.journeys.feed import feed
from aimwell.strategy.journeys.schedule import call_scheduled
from aimwell.strategy.journeys.tasks import set_stage
from aimwell.strategy.journeys.tick import Ticker

ROLES: Mapping[str, Role] = {"push": "push", "sms": "sms", "wechat": "wechat", "email": "email"}
TOLD_BY_CHANNEL = frozenset(["delivered"])


@dataclass
class Stage:
    """The example workspace in a folder of its own, with `now` on its clock; by default all of its journeys run."""

    folder: Path
    now: datetime
    hold_out: str | None = None
    journeys: Sequence[str] = ()
    ledger: Ledger = field(init=False)
    desk: Desk = field(init=False)
    contents: Mapping[str, Content] = field(init=False)
    reported: datetime = field(init=False)

    def __post_init__(self) -> None:
        workspace = open_workspace(example_folder("app"))
        self.ledger = careless(open_ledger(self.folder / "ledger"))
        self.contents = workspace.definitions(Content)
        outlets = {
            name: Outlet(
                name, each.open(self.folder), each.abilities.address, each.kind.batch, each.abilities.idempotent
            )
            for name, each in configured(workspace.settings.channels).items()
        }
        self.desk = Desk(self.ledger, outlets, Policy(quiet_hours=()), workspace.zone, "stage")
        self.reported = self.now
        self._minutes: set[int] = set()
        self._after = self.now
        for name, journey in workspace.definitions(Journey).items():
            if self.journeys and name not in self.journeys:
                continue
            self._minutes |= {
                minute for node in journey.nodes.values() for minute in node.implementation.minutes(node.settings)
            }
            changed = journey.model_copy(update={"hold_out": self.hold_out}) if self.hold_out else journey
            with self.ledger.writing() as connection:
                apply_version(connection, changed, self.now, "the stage")

    @property
    def hands(self) -> Hands:
        return Hands(self.take_in, self.tell, self.move, self.sent, self.leads, self.decide)

    def take_in(self, messages: Sequence[Message], now: datetime) -> None:
        """Messages arrive, as they do at the event API."""
        read = [parse_message(each, received_at=now) for each in messages]
        accepted = [(each, "app", True) for each in read if isinstance(each, Read)]
        assert len(accepted) == len(read)
        with self.ledger.writing_events() as connection:
            keep_messages(connection, accepted)

    def move(self, now: datetime) -> None:
        """Everything that is due happens; what the last sending led to happens in the next step."""
        self.now = now
        while absorb(self.ledger, IdentitySettings(zone="Asia/Shanghai", calling_code="86"), now=now).messages:
            pass
        while feed(self.ledger).messages:
            pass
        with self.ledger.writing() as connection:
            keep_clocks(connection, self._minutes, now)  # customers of new timezones may have come
            call_scheduled(connection, now, self.desk.home)
        for _ in range(2):  # who enters another journey on the way is let in there at once
            with self.ledger.writing() as connection:
                while let_in(connection, now).knocks:
                    pass
            Ticker(self.ledger).tick(now)
        while claim(self.desk, now).claimed:
            send(self.desk, self.render, lambda: self.now)

    def render(self, messages: Sequence[Claimed]) -> Sequence[Parcel | NotRendered]:
        """The contents of the example, filled for each customer."""
        found: list[Parcel | NotRendered] = []
        for each in messages:
            content = self.contents[each.content]
            values = self.values(each.customer_id)
            wording = content.wording(str(values.get("language", "")), otherwise="zh")
            made = render(content.compiled[wording], values)
            found.append(
                NotRendered(each.key, made.detail)
                if isinstance(made, Failed)
                else Parcel(each.key, each.customer_id, each.address, made.parts, simulated=True, at=self.now)
            )
        return found

    def sent(self, now: datetime) -> Sequence[Delivery]:
        after, self.reported = self.reported, now
        self._after = after
        with self.ledger.reading() as connection:
            return sent_between(connection, ROLES, after, now)

    def leads(self, now: datetime) -> Sequence[LeadGiven]:
        with self.ledger.reading() as connection:
            known = set(connection.scalars(select(task.c.key).where(task.c.stage != "open")))
            return [each for each in leads_between(connection, self._after, now) if each.key not in known]

    def tell(self, reports: Sequence[tuple[str, Report]], now: datetime) -> None:
        for name in ROLES:
            theirs = [report for channel, report in reports if channel == name]
            with self.ledger.writing() as connection:
                take_reports(connection, self.desk, self.desk.outlets[name], theirs, now)

    def decide(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        with self.ledger.writing() as connection:
            for each in verdicts:
                set_stage(connection, each.key, each.stage, each.at, who="sales")

    def enter_segment(self, customer_id: str, segment: str) -> None:
        """Somebody comes into a segment, as insight would say it."""
        with self.ledger.writing() as connection:
            row = {"customer_id": customer_id, "segment": segment, "since": self.now}
            connection.execute(delete(membership).where(membership.c.customer_id == customer_id))
            connection.execute(insert(membership), [row])
            record(connection, [Happening(customer_id, f"enter:{segment}", self.now, self.now.isoformat())])

    def pass_time(self, much: timedelta, step: timedelta) -> None:
        """Time passes in which nobody does anything."""
        end = self.now + much
        while self.now < end:
            self.move(min(self.now + step, end))

    def customers(self) -> Mapping[str, str]:
        """Customer ids by user id."""
        rows = self._rows(select(identifier).where(identifier.c.kind == "user_id"))
        return {row.value: row.customer_id for row in rows}

    def values(self, customer_id: str) -> dict[str, object]:
        """What is known of somebody, by name; dates and words as text."""
        rows = self._rows(select(profile).where(profile.c.customer_id == customer_id))
        known = {row.name: row.text if row.text is not None else row.number for row in rows}
        return {name: value for name, value in known.items() if value is not None}

    def enrolments(self, journey: str, customer_id: str | None = None) -> Sequence[Any]:
        query = select(enrolment).where(enrolment.c.journey == journey).order_by(enrolment.c.entered_at)
        return self._rows(query if customer_id is None else query.where(enrolment.c.customer_id == customer_id))

    def intents(self, journey: str, customer_id: str | None = None) -> Sequence[Any]:
        query = select(intent).where(intent.c.journey == journey).order_by(intent.c.planned_at, intent.c.key)
        return self._rows(query if customer_id is None else query.where(intent.c.customer_id == customer_id))

    def passages(self, enrolment_id: int) -> Sequence[Any]:
        return self._rows(select(passage).where(passage.c.enrolment_id == enrolment_id).order_by(passage.c.move))

    def tasks(self, journey: str) -> Sequence[Any]:
        return self._rows(select(task).where(task.c.journey == journey).order_by(task.c.at, task.c.key))

    def people(self) -> Sequence[Any]:
        return self._rows(select(customer))

    def _rows(self, query: Any) -> Sequence[Any]:
        with self.ledger.reading() as connection:
            return connection.execute(query).all()
