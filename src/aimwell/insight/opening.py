"""Opens a workspace for insight: warehouse, features and the workspace's own tags in one workshop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from aimwell.core.errors import NotEnoughData
from aimwell.core.time import add_days, parse_instant
from aimwell.insight.features.build import forget
from aimwell.insight.features.found import workspace_library
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.tags.own import own_tags
from aimwell.insight.tags.things import write_thing_tags
from aimwell.store.sources.log import data_version
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import Workspace


@contextmanager
def open_workshop(workspace: Workspace) -> Iterator[Workshop]:
    """Everything that the verbs of insight work with, until the block ends."""
    with workspace.warehouse() as warehouse:
        yield workshop_of(workspace, warehouse)


def workshop_of(workspace: Workspace, warehouse: Warehouse) -> Workshop:
    """The workshop of a warehouse that is already open."""
    return Workshop(
        warehouse=warehouse,
        library=own_tags(workspace, workspace_library(warehouse)).library,
        folder=workspace.folder,
        version=data_version(warehouse.engine),
        about=workspace.settings.about,
    )


def as_of_instant(workspace: Workspace, warehouse: Warehouse, given: str | None) -> datetime:
    """The instant that was asked for, in the workspace's timezone; by default the midnight after the last fact."""
    if given:
        return parse_instant(given, workspace.zone)
    last = warehouse.last_instant().astimezone(workspace.zone)
    return add_days(parse_instant(last.date(), workspace.zone), 1, workspace.zone)


def settle_load(workspace: Workspace, warehouse: Warehouse, *, changed: bool) -> None:
    """What follows a load: tags of products and channels brought up to date, features of the data before dropped.

    While nothing has happened yet (products were loaded before any purchase), there is no instant to tag as of; the
    load that brings the first fact tags them.
    """
    tags = own_tags(workspace, workspace_library(warehouse))
    things = bool(tags.of("product") or tags.of("channel")) and _something_happened(warehouse)
    if things:
        write_thing_tags(warehouse, tags, as_of_instant(workspace, warehouse, None))
    if changed or things:
        forget(warehouse.engine)


def _something_happened(warehouse: Warehouse) -> bool:
    try:
        warehouse.last_instant()
    except NotEnoughData:
        return False
    return True
