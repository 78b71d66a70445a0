"""Opens everything that a worker works with: stores, channels, policy, and the words of messages."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from aimwell.delivery.catalogue import FILE, ConfiguredChannel, configured
from aimwell.delivery.channel import Channel
from aimwell.delivery.outbox.claim import Desk
from aimwell.delivery.outbox.outlet import Outlet
from aimwell.delivery.outbox.policy import Policy, read_policy
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.insight.live.refreshing import Refresher
from aimwell.insight.segments.definition import Segment
from aimwell.store.ledger.clocks import keep_clocks
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
    channels = channels_of(workspace)
    policy = policy_of(workspace, channels)
    with ExitStack() as open_things:
        ledger = open_things.enter_context(workspace.ledger())
        warehouse = open_things.enter_context(workspace.warehouse())
        outlets = {}
        for name, channel in channels.items():
            opened = channel.open(workspace.folder)
            open_things.callback(opened.close)
            outlets[name] = outlet_of(channel, opened)
        with ledger.writing() as connection:
            keep_clocks(connection, policy.minutes, clock())
        yield Live(
            workspace=workspace,
            ledger=ledger,
            warehouse=warehouse,
            desk=Desk(ledger, outlets, policy, workspace.zone, worker or f"{socket.gethostname()}:{os.getpid()}"),
            channels=channels,
            render=Writer(ledger, workspace.settings.language, workspace.settings.name, workspace.settings.simulated),
            identity=identity_of(workspace),
            ticker=Ticker(ledger, costs={name: policy.cost(name) for name in channels}),
            refresher=Refresher(workspace, warehouse, workspace.definitions(Segment)),
            clock=clock,
        )


def channels_of(workspace: Workspace) -> Mapping[str, ConfiguredChannel]:
    """The channels of a workspace; raises BadDefinition with the problems of all of them."""
    return configured(workspace.settings.channels, toml=(workspace.folder / FILE).read_text(encoding="utf-8-sig"))


def policy_of(workspace: Workspace, channels: Mapping[str, ConfiguredChannel]) -> Policy:
    """What delivery goes by in a workspace."""
    return read_policy(workspace.settings.delivery, channels)


def outlet_of(configured_channel: ConfiguredChannel, opened: Channel) -> Outlet:
    """An opened channel, as delivery knows it."""
    abilities = configured_channel.abilities
    return Outlet(
        name=configured_channel.name,
        channel=opened,
        address=abilities.address,
        batch=configured_channel.kind.batch,
        idempotent=abilities.idempotent,
        tells=abilities.tells,
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
