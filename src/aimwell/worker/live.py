"""The loop that keeps a workspace running: what arrived is taken in, journeys move, messages leave, answers come back.

One `step` does everything once, in the order in which things follow from each other, so that an event is in a segment,
in a journey and in the outbox within one step. Every part keeps its own place in the store that it writes: a worker
that dies at any instant is followed by one that goes on, and nothing is lost or done twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from aimwell.core.errors import AimwellError
from aimwell.core.keys import number_of
from aimwell.delivery.catalogue import ConfiguredChannel
from aimwell.delivery.channels.simulated import SimulatedKind
from aimwell.delivery.outbox.claim import Desk, claim
from aimwell.delivery.outbox.outlet import Render
from aimwell.delivery.outbox.recovery import reconcile, recover
from aimwell.delivery.outbox.reports import take_reports
from aimwell.delivery.outbox.sending import send
from aimwell.delivery.outbox.shards import take_shards
from aimwell.evaluation.journeys.recording import record_touches
from aimwell.insight.identity.absorbing import absorb
from aimwell.insight.identity.absorbing import read_place as identity_place
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.insight.live.activating import activate_customers, activate_findings, activate_memberships
from aimwell.insight.live.refreshing import Refresher
from aimwell.insight.live.streaming import make_room, read_places, stream
from aimwell.store.ledger.arrivals import prune_chunk
from aimwell.store.ledger.inbox import WINDOW
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor
from aimwell.store.ledger.writes import put
from aimwell.store.sources.log import data_version
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import Workspace
from aimwell.strategy.journeys.entry import let_in, someone_knocks
from aimwell.strategy.journeys.feed import feed
from aimwell.strategy.journeys.feed import read_place as journeys_place
from aimwell.strategy.journeys.schedule import call_scheduled
from aimwell.strategy.journeys.tick import Ticker
from aimwell.strategy.journeys.version import used_segments, used_values
from aimwell.worker.deciding import decide_due

CHUNK = 10_000
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Step:
    """What one step did."""

    messages: int = 0
    happenings: int = 0
    entered: int = 0
    left: int = 0
    enrolled: int = 0
    refused: int = 0
    moved: int = 0
    claimed: int = 0
    sent: int = 0
    reports: int = 0
    decided: int = 0

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not any(getattr(self, each.name) for each in fields(self))


@dataclass(slots=True)
class Live:
    """Everything that a step works with; `clock` gives the instant, by default the real one.

    refresher: with the warehouse that it keeps up; None: nothing is read from or written to a warehouse, as in a
    rehearsal, where segments stay as they are, or because another worker holds it.   take_warehouse: asks for it again.
    """

    workspace: Workspace
    ledger: Ledger
    desk: Desk
    channels: Mapping[str, ConfiguredChannel]
    render: Render
    identity: IdentitySettings
    ticker: Ticker
    refresher: Refresher | None = None
    take_warehouse: Callable[[], Refresher | None] | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    upkeep: timedelta = timedelta(seconds=30)
    _kept_up: datetime = field(default=datetime(1970, 1, 1, tzinfo=UTC))
    _later: dict[str, datetime] = field(default_factory=dict)

    def step(self) -> Step:
        """Do everything once. Raises what a part raises; what other parts have committed stays."""
        done = Step()
        now = self.clock()
        if now - self._kept_up >= self.upkeep:
            self._keep_up(done, now)
        self._take_in(done, now)
        self._move(done, now)
        self._send(done)
        self._hear(done)
        return done

    def _take_in(self, done: Step, now: datetime) -> None:
        """Messages become customers, events of the warehouse, changes of segments, and happenings of journeys."""
        while read := absorb(self.ledger, self.identity, now=now).messages:
            done.messages += read
        if self.refresher is not None:
            self._bring_in(self.refresher, done, now)
        while (fed := feed(self.ledger)).messages:
            done.happenings += fed.happenings

    def _bring_in(self, refresher: Refresher, done: Step, now: datetime) -> None:
        """Events reach the warehouse, and what they change in segments comes back."""
        make_room(refresher.warehouse)
        touched: set[str] = set()
        warehouse, simulated = refresher.warehouse, self.workspace.settings.simulated
        while (batch := stream(warehouse, self.ledger, simulated=simulated)).messages or batch.renamed:
            touched |= set(batch.touched)
        segments = self._segments()
        if segments:
            try:
                refresher.refresh(segments, touched, now)
            except AimwellError as error:  # all stay as they were; what needs no segment goes on
                _LOG.error("segments are not refreshed: %s", error)
            changes = activate_memberships(warehouse, self.ledger, segments, now)
            done.entered, done.left = changes.entered, changes.left

    def _get_to_know(self, refresher: Refresher) -> None:
        """Customers whom the company has loaded become known to the ledger, once for each state of the loaded data."""
        state = number_of("loaded", data_version(refresher.warehouse.engine))
        with self.ledger.reading() as connection:
            if connection.scalar(select(cursor.c.position).where(cursor.c.consumer == "loaded")) == state:
                return
        rules = self.identity
        activate_customers(refresher.warehouse, self.ledger, zone=rules.zone, hold_out=rules.hold_out)
        with self.ledger.writing() as connection:
            put(connection, cursor, [{"consumer": "loaded", "position": state}])

    def _find_out(self, refresher: Refresher) -> None:
        """Tags and scores of the last builds that journeys ask for."""
        with self.ledger.reading() as connection:
            names = used_values(connection)
        activate_findings(refresher.warehouse, self.ledger, names)

    def _segments(self) -> frozenset[str]:
        with self.ledger.reading() as connection:
            return used_segments(connection)

    def _move(self, done: Step, now: datetime) -> None:
        """Those whom a schedule calls knock, those who knock are let in, and everyone who is due moves on."""
        with self.ledger.writing() as connection:
            call_scheduled(connection, now, self.workspace.zone)
        while True:
            with self.ledger.reading() as connection:
                if not someone_knocks(connection, now):
                    break
            with self.ledger.writing() as connection:
                answered = let_in(connection, now)
            done.enrolled += answered.enrolled
            done.refused += answered.refused
        done.moved = self.ticker.tick(now).moved

    def _send(self, done: Step) -> None:
        """Messages that may leave now leave."""
        while (claimed := claim(self.desk, self.clock(), enough=CHUNK)).claimed:
            done.claimed += claimed.claimed
            done.sent += send(self.desk, self.render, self.clock).accepted

    def _hear(self, done: Step) -> None:
        """Channels that nobody calls back are asked what has happened."""
        for name, channel in self.channels.items():
            consumer = f"channel:{name}"
            with self.ledger.reading() as connection:
                mark = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == consumer)) or 0
            reports, reached = channel.collect(self.workspace.folder, mark)
            if not reports and reached == mark:
                continue
            with self.ledger.writing() as connection:
                told = take_reports(connection, self.desk, self.desk.outlets[name], reports, self.clock())
                put(connection, cursor, [{"consumer": consumer, "position": reached}])
            done.reports += told.new

    def _keep_up(self, done: Step, now: datetime) -> None:
        """What need not happen at every step: leases that ran out, messages in doubt, rows for the warehouse."""
        take_shards(self.ledger, self.desk.worker, now, self.desk.policy.lease)
        recover(self.desk, now)
        reconcile(self.desk, now)
        if self.refresher is None and self.take_warehouse is not None:
            self.refresher = self.take_warehouse()
        if self.refresher is not None:
            self._get_to_know(self.refresher)
            self._find_out(self.refresher)
            done.decided = self._decide(self.refresher.warehouse, now)
            record_touches(self.refresher.warehouse, self.ledger, now, leave_out=self._played())
            self._forget(self.refresher, now)
        self._kept_up = now

    def _decide(self, warehouse: Warehouse, now: datetime) -> int:
        """Decisions that are due; a file that cannot be read stops none of the rest."""
        try:
            return decide_due(self.workspace, self.ledger, warehouse, now, self._later)
        except AimwellError as error:
            _LOG.error("nothing is decided: %s", error)
            return 0

    def _forget(self, refresher: Refresher, now: datetime) -> None:
        """Messages that are old and that everybody has read leave the inbox, and with them the memory of their ids."""
        with self.ledger.reading() as connection:
            places = [identity_place(connection), journeys_place(connection)]
        places.append(read_places(refresher.warehouse)["message"])
        with self.ledger.writing_events() as connection:
            prune_chunk(connection, now - WINDOW, read_up_to=min(places), limit=CHUNK)

    def _played(self) -> frozenset[str]:
        """The channels that only play at sending, unless the whole workspace is simulated."""
        if self.workspace.settings.simulated:
            return frozenset()
        return frozenset(name for name, channel in self.channels.items() if isinstance(channel.kind, SimulatedKind))
