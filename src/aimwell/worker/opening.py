"""Opens everything that a worker works with: stores, channels, policy, and the words of messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from aimwell.delivery.opening import channels_of, open_desk
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.insight.live.refreshing import Refresher
from aimwell.insight.segments.definition import Segment
from aimwell.store.workspace import Workspace
from aimwell.strategy.journeys.tick import Ticker
from aimwell.worker.live import Live
from aimwell.worker.wording import Writer


@contextmanager
def open_live(
    workspace: Workspace, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), worker: str | None = None
) -> Iterator[Live]:
    """A worker of a workspace, ready to step, until the block ends.

    worker: a name that no other worker has; by default from machine and process.
    Raises BadDefinition with every problem of channels and policy, Unavailable when a store or secret is missing.
    """
    with (
        workspace.ledger() as ledger,
        workspace.warehouse() as warehouse,
        open_desk(workspace, ledger, clock(), worker=worker) as desk,
    ):
        settings = workspace.settings
        yield Live(
            workspace=workspace,
            ledger=ledger,
            warehouse=warehouse,
            desk=desk,
            channels=channels_of(workspace),
            render=Writer(ledger, settings.language, settings.name, settings.simulated),
            identity=identity_of(workspace),
            ticker=Ticker(ledger, costs={name: desk.policy.cost(name) for name in desk.outlets}),
            refresher=Refresher(workspace, warehouse, workspace.definitions(Segment)),
            clock=clock,
        )


def identity_of(workspace: Workspace) -> IdentitySettings:
    """How identities are resolved in a workspace."""
    rules = workspace.settings.identity
    return IdentitySettings(
        zone=workspace.settings.timezone,
        hold_out=rules.hold_out,
        calling_code=rules.calling_code,
        believe_traits=rules.believe_traits,
    )
