"""Opens what delivery works with in a workspace: its channels, its policy, and the desk where messages are claimed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime

from aimwell.delivery.catalogue import FILE, ConfiguredChannel, configured
from aimwell.delivery.channel import Channel, secret
from aimwell.delivery.links import Links
from aimwell.delivery.outbox.claim import Desk
from aimwell.delivery.outbox.outlet import Outlet
from aimwell.delivery.outbox.policy import Policy, read_policy
from aimwell.delivery.outbox.shards import let_go
from aimwell.store.ledger.clocks import keep_clocks
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.workspace import Workspace


@contextmanager
def open_desk(workspace: Workspace, ledger: Ledger, now: datetime, *, worker: str | None = None) -> Iterator[Desk]:
    """The desk of a workspace with its channels open, until the block ends.

    worker: a name that no other worker has; by default from machine and process.
    Raises BadDefinition with every problem of channels and policy, Unavailable when a secret is missing.
    """
    channels = channels_of(workspace)
    policy = policy_of(workspace, channels)
    with ExitStack() as open_things:
        outlets = {}
        for name, channel in channels.items():
            opened = channel.open(workspace.folder)
            open_things.callback(opened.close)
            outlets[name] = _outlet(channel, opened)
        with ledger.writing() as connection:
            keep_clocks(connection, policy.minutes, now)
        desk = Desk(ledger, outlets, policy, workspace.zone, worker or f"{socket.gethostname()}:{os.getpid()}")
        yield desk
        if ledger.backend == "postgresql":  # others need not wait for its leases to end
            let_go(ledger, desk.worker, now)


def channels_of(workspace: Workspace) -> Mapping[str, ConfiguredChannel]:
    """The channels of a workspace; raises BadDefinition with the problems of all of them."""
    return configured(workspace.settings.channels, toml=(workspace.folder / FILE).read_text(encoding="utf-8-sig"))


def policy_of(workspace: Workspace, channels: Mapping[str, ConfiguredChannel]) -> Policy:
    """What delivery goes by in a workspace; raises BadDefinition with every problem."""
    return read_policy(workspace.settings.delivery, channels)


def links_of(workspace: Workspace) -> Links | None:
    """What makes and reads the tracked links of a workspace; None if it has no address for them.

    Raises Unavailable when the secret is missing.
    """
    settings = workspace.settings.links
    if not settings.base:
        return None
    return Links(f"{settings.base.rstrip('/')}/t", secret(settings.secret_env, "links").encode())


def _outlet(channel: ConfiguredChannel, opened: Channel) -> Outlet:
    abilities = channel.abilities
    return Outlet(
        name=channel.name,
        channel=opened,
        address=abilities.address,
        batch=channel.kind.batch,
        idempotent=abilities.idempotent,
        tells=abilities.tells,
    )
