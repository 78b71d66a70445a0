"""Opens everything that a worker works with: stores, channels, policy, and the words of messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from aimwell.delivery.opening import channels_of, links_of, open_desk
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.insight.live.refreshing import Refresher
from aimwell.insight.segments.definition import Segment
from aimwell.store.warehouse.duck import Held
from aimwell.store.workspace import Workspace
from aimwell.strategy.journeys.tick import Ticker
from aimwell.worker.live import Live
from aimwell.worker.wording import Writer


@contextmanager
def open_live(
    workspace: Workspace,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    worker: str | None = None,
    warehouse: bool = True,
) -> Iterator[Live]:
    """A worker of a workspace, ready to step, until the block ends.

    Of several workers on PostgreSQL one holds the warehouse; the others do all the rest, and take it when it is free.

    worker: a name that no other worker has; by default from machine and process.   warehouse: without it segments stay
    as they are, nothing is learnt of what happens, and links are not tracked: a rehearsal.
    Raises BadDefinition with every problem of channels and policy, Unavailable when a store or secret is missing.
    """
    with ExitStack() as open_things:
        ledger = open_things.enter_context(workspace.ledger())
        desk = open_things.enter_context(open_desk(workspace, ledger, clock(), worker=worker))
        take = _taking(workspace, open_things, shared=ledger.backend == "postgresql") if warehouse else None
        settings, links = workspace.settings, links_of(workspace) if warehouse else None
        simulated = settings.simulated or not warehouse
        yield Live(
            workspace=workspace,
            ledger=ledger,
            desk=desk,
            channels=channels_of(workspace),
            render=Writer(ledger, settings.language, settings.name, simulated, links, clock),
            identity=identity_of(workspace),
            ticker=Ticker(ledger, costs={name: desk.policy.cost(name) for name in desk.outlets}),
            refresher=take() if take else None,
            take_warehouse=take,
            clock=clock,
        )


def _taking(workspace: Workspace, open_things: ExitStack, *, shared: bool) -> Callable[[], Refresher | None]:
    """Opens the warehouse for as long as the others are open; of several workers who share a ledger one gets it."""

    def take() -> Refresher | None:
        try:
            opened = open_things.enter_context(workspace.warehouse())
        except Held:
            if not shared:
                raise
            return None
        return Refresher(workspace, opened, workspace.definitions(Segment))

    return take


def identity_of(workspace: Workspace) -> IdentitySettings:
    """How identities are resolved in a workspace."""
    rules = workspace.settings.identity
    return IdentitySettings(
        zone=workspace.settings.timezone,
        hold_out=rules.hold_out,
        calling_code=rules.calling_code,
        believe_traits=rules.believe_traits,
    )
