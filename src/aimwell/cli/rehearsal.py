"""A rehearsal: a workspace's journeys on its own customers and a virtual clock, with simulated addresses and answers.

Nothing leaves the machine, and everything made up says so. Who they are and what segments they belong to is real; that
they can be reached, that they agreed, that they open, click and order is made up by `aimwell.simulation.shoppers`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlglot import exp

from aimwell.cli.journeys import Journeys, read_journeys
from aimwell.cli.stage import is_stage, make_stage
from aimwell.core.errors import BadQuestion
from aimwell.core.keys import share_of
from aimwell.core.progress import Progress, silent
from aimwell.delivery.channel import CUSTOMER_ID, Report
from aimwell.delivery.channels.simulated import SimulatedKind
from aimwell.delivery.opening import channels_of
from aimwell.delivery.outbox.reports import take_reports
from aimwell.insight.live.activating import activate_customers, activate_memberships, activate_values
from aimwell.insight.opening import workshop_of
from aimwell.simulation.shoppers import Event, Reached, Shoppers
from aimwell.store.intake.messages import Message, parse_message
from aimwell.store.ledger.arrivals import SIMULATION, keep_messages
from aimwell.store.ledger.columns import instant, micros
from aimwell.store.ledger.consents import ALL_CHANNELS, ConsentStatement, set_consents
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor, enrolment
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.ledger.schema.people import customer, identifier, suppression
from aimwell.store.ledger.writes import insert_new, put
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import Workspace
from aimwell.strategy.decisions.deciding import activate_decision
from aimwell.strategy.decisions.rows import last_run, was_decided
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.version import used_segments
from aimwell.worker.live import Live
from aimwell.worker.opening import open_live

STEP = timedelta(hours=6)
LONGEST = timedelta(days=92)
_AFTER = timedelta(days=1)
HAVE_ADDRESS, AGREED, REFUSED, SUPPRESSED = 0.93, 0.9, 0.04, 0.02
"""Shares of customers: with an address of each kind, who agreed to marketing, who refused it, whose address is dead."""

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What was played: over which time, where it can be looked at, and how much was made up.

    undecided: decisions that journeys read and that were never made, so that everybody went the way of the others.
    """

    folder: Path
    journeys: tuple[str, ...]
    since: datetime
    until: datetime
    steps: int = 0
    orders: int = 0
    reports: int = 0
    undecided: tuple[str, ...] = ()


def rehearse_here(
    workspace: Workspace, since: datetime, *, shoppers: Shoppers | None = None, progress: Progress = silent
) -> Rehearsed | None:
    """Play the journeys on the workspace's own ledger, once; None if it has no journeys.

    Only where every channel is simulated: elsewhere messages would leave, and it is played aside (`rehearse_aside`).
    """
    journeys = read_journeys(workspace)
    if not journeys.definitions:
        return None
    if not all(isinstance(each.kind, SimulatedKind) for each in channels_of(workspace).values()):
        return rehearse_aside(workspace, since, shoppers=shoppers, progress=progress)
    with workspace.ledger() as ledger:
        known = rehearsed_until(ledger)
    if known is not None:
        return Rehearsed(workspace.folder, tuple(journeys.definitions), since, known)
    return _rehearse(workspace, workspace, journeys, since, shoppers or Shoppers(), progress)


def rehearse_aside(
    workspace: Workspace, since: datetime, *, shoppers: Shoppers | None = None, progress: Progress = silent
) -> Rehearsed:
    """Play the journeys in a workspace of its own, `rehearsal/` in this one, made anew; the real ledger is not touched.

    Whoever is in the segment of an entry enters at the start, as if they had just come into it. Raises BadQuestion
    where there are no journeys, BadDefinition with every problem of them.
    """
    journeys = read_journeys(workspace)
    if not journeys.definitions:
        raise BadQuestion(
            "There are no journeys to rehearse",
            expected=f"definitions in {workspace.folder / Journey.folder}",
            remedy="`aimwell init` with the example `app` shows some.",
        )
    folder = workspace.folder / "rehearsal"
    if folder.exists():
        if not is_stage(folder):
            raise BadQuestion(f"{folder} is not a rehearsal", remedy="Move it away; a rehearsal is made there.")
        shutil.rmtree(folder)
    stage = make_stage(workspace, folder)
    entering = {name: _let_all_in(each) for name, each in journeys.definitions.items()}
    opened = Journeys(entering, journeys.contents, journeys.costs, journeys.warnings)
    return _rehearse(workspace, stage, opened, since, shoppers or Shoppers(), progress)


def rehearsed_until(ledger: Ledger) -> datetime | None:
    """Up to when a rehearsal was played on this ledger; None if none was."""
    with ledger.reading() as connection:
        found = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == SIMULATION))
    return None if found is None else instant(found)


def _let_all_in(definition: Journey) -> Journey:
    """The journey, with everyone in at the start who is in the segment of an entry."""
    entry = tuple(
        rule.model_copy(update={"existing": True}) if rule.segment is not None else rule for rule in definition.entry
    )
    return definition.model_copy(update={"entry": entry})


def _rehearse(
    workspace: Workspace,
    stage: Workspace,
    journeys: Journeys,
    since: datetime,
    shoppers: Shoppers,
    progress: Progress,
) -> Rehearsed:
    longest = max(each.within for each in journeys.definitions.values()) + _AFTER
    clock = _Clock(since)
    with open_live(stage, clock=lambda: clock.now, worker=SIMULATION, warehouse=False) as live:
        with workspace.warehouse() as warehouse:
            undecided = _cast(workspace, warehouse, live, journeys, since)
        played = _Play(live, clock, shoppers).until(since + min(longest, LONGEST), progress)
        with live.ledger.writing() as connection:
            put(connection, cursor, [{"consumer": SIMULATION, "position": micros(clock.now)}])
    names = tuple(journeys.definitions)
    return Rehearsed(stage.folder, names, since, clock.now, played.steps, played.orders, played.reports, undecided)


def _cast(
    workspace: Workspace, warehouse: Warehouse, live: Live, journeys: Journeys, since: datetime
) -> tuple[str, ...]:
    """Who plays: the real customers, their segments, what was decided for them and what messages say of them.

    Addresses are made up. Returns the decisions that journeys read and that were never made.
    """
    rules = workspace.settings
    activate_customers(warehouse, live.ledger, zone=rules.timezone, hold_out=rules.identity.hold_out)
    _give_addresses(live, since)
    activate_values(warehouse, live.ledger, _values(warehouse, journeys.contents.values()), since)
    for definition in journeys.definitions.values():
        with live.ledger.writing() as connection:
            apply_version(connection, definition, since, SIMULATION, contents=journeys.contents)
    with live.ledger.reading() as connection:
        segments = used_segments(connection)
    activate_memberships(warehouse, live.ledger, segments, since)
    return _decide(workspace, warehouse, live.ledger, journeys.definitions.values())


def _decide(
    workspace: Workspace, warehouse: Warehouse, ledger: Ledger, definitions: Iterable[Journey]
) -> tuple[str, ...]:
    """What was decided last, for the journeys that read it; returns what never was."""
    told = json.dumps([each.model_dump(mode="json") for each in definitions], ensure_ascii=False)
    workshop, undecided = workshop_of(workspace, warehouse), []
    for name in sorted(set(re.findall(r'"decision:([a-z][a-z0-9_]*)"', told))):
        if was_decided(workshop, name):
            activate_decision(workshop, ledger, name, last_run(workshop, name))
        else:
            undecided.append(name)
    return tuple(undecided)


def _values(warehouse: Warehouse, contents: Iterable[object]) -> Mapping[str, exp.Select]:
    """The columns of the profile of which the contents speak."""
    spoken = set(re.findall(r"[a-z][a-z0-9_]+", json.dumps(list(contents), ensure_ascii=False, default=str)))
    columns = sorted(spoken & set(warehouse.engine.columns("profile")) - {"customer_id", "as_of"})
    return {name: exp.select("customer_id", exp.alias_(exp.column(name), "value")).from_("profile") for name in columns}


def _give_addresses(live: Live, since: datetime) -> None:
    """An address of every kind that the channels need, and a word on consent; some have none, so that it shows."""
    kinds = sorted({outlet.address for outlet in live.desk.outlets.values()} - {CUSTOMER_ID})
    with live.ledger.reading() as connection:
        people = connection.scalars(select(customer.c.customer_id).order_by(customer.c.customer_id)).all()
    for start in range(0, len(people), _CHUNK):
        some = people[start : start + _CHUNK]
        addresses = [_address(kind, who, since) for who in some for kind in kinds if _draw(kind, who) < HAVE_ADDRESS]
        dead = [
            {"reason": "bounced", "since": since, "source": SIMULATION, "kind": each["kind"], "value": each["value"]}
            for each in addresses
            if _draw("dead", str(each["value"])) < SUPPRESSED
        ]
        with live.ledger.writing() as connection:
            insert_new(connection, identifier, addresses)
            insert_new(connection, suppression, dead)
            set_consents(connection, [word for who in some if (word := _consent(who, since)) is not None])


def _address(kind: str, who: str, since: datetime) -> dict[str, object]:
    return {
        "kind": kind,
        "value": f"{SIMULATION}-{kind}-{who}",
        "customer_id": who,
        "verified": True,
        "first_seen": since,
        "last_seen": since,
        "source": SIMULATION,
    }


def _consent(who: str, since: datetime) -> ConsentStatement | None:
    draw = _draw("consent", who)
    if draw >= AGREED + REFUSED:
        return None
    return ConsentStatement(who, ALL_CHANNELS, "marketing", draw < AGREED, micros(since), SIMULATION)


def _draw(part: str, name: str) -> float:
    return share_of("rehearsal", part, name)


@dataclass(slots=True)
class _Clock:
    now: datetime


@dataclass(slots=True)
class _Play:
    """Time passing: what people did arrives, the workspace moves once, and what it sent is answered later."""

    live: Live
    clock: _Clock
    shoppers: Shoppers
    steps: int = 0
    orders: int = 0
    reports: int = 0
    _orders: list[tuple[datetime, Event]] = field(default_factory=list)
    _reports: list[tuple[str, Report]] = field(default_factory=list)

    def until(self, end: datetime, progress: Progress) -> _Play:
        """Play up to an instant; what is answered after it is never heard."""
        since = self.clock.now
        self.live.step()
        self._ask()
        while self.clock.now < end:
            before, self.clock.now = self.clock.now, min(self.clock.now + STEP, end)
            self._happen(before)
            self.live.step()
            self._ask()
            self.steps += 1
            progress("journeys", (self.clock.now - since) / (end - since))
        return self

    def _happen(self, before: datetime) -> None:
        """Orders and reports of the time since the last step arrive."""
        now = self.clock.now
        with self.live.ledger.reading() as connection:
            people = connection.scalars(select(enrolment.c.customer_id).distinct()).all()
        ordered = self.shoppers.orders(sorted(people), before, now) + [each for each in self._orders if each[0] < now]
        self._orders = [each for each in self._orders if each[0] >= now]
        told = [each for each in self._reports if each[1].at < now]
        self._reports = [each for each in self._reports if each[1].at >= now]
        self._arrive(sorted(ordered, key=lambda each: (each[0], str(each[1]["messageId"]))))
        for name, outlet in self.live.desk.outlets.items():
            theirs = [report for channel, report in told if channel == name]
            if theirs:
                with self.live.ledger.writing() as connection:
                    self.reports += take_reports(connection, self.live.desk, outlet, theirs, now).new

    def _arrive(self, ordered: Sequence[tuple[datetime, Event]]) -> None:
        read = [parse_message(event, received_at=self.clock.now) for _, event in ordered]
        with self.live.ledger.writing_events() as connection:
            self.orders += sum(
                keep_messages(connection, [(each, SIMULATION, True) for each in read if isinstance(each, Message)])
            )

    def _ask(self) -> None:
        """Whoever got a message since the last step makes something of it."""
        query = (
            select(intent.c.key, intent.c.channel, intent.c.customer_id, outcome.c.at)
            .join(outcome, outcome.c.key == intent.c.key)
            .where(outcome.c.kind == "delivered", outcome.c.recorded_at == self.clock.now)
            .order_by(intent.c.key)
        )
        with self.live.ledger.reading() as connection:
            rows = connection.execute(query).all()
        for name, channel in self.live.channels.items():
            abilities = channel.abilities
            mine = [
                Reached(row.key, row.customer_id, abilities.address, row.at, "opened" in abilities.signals)
                for row in rows
                if row.channel == name
            ]
            answered = self.shoppers.answers(mine)
            self._orders += answered.orders
            self._reports += [(name, report) for report in answered.reports if report.kind in abilities.signals]
