"""The journeys of a workspace with everything that they may speak of: read, checked, and ready to be planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aimwell.cli.messages import unfit, warn_messages
from aimwell.content.definition import Content
from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem
from aimwell.delivery.opening import channels_of, policy_of
from aimwell.insight.clusterings import Clustering
from aimwell.insight.segments.definition import Segment
from aimwell.store.workspace import Workspace
from aimwell.strategy.journeys.checking import Known, check_journeys, journey_places, segments_spoken, warn_journey
from aimwell.strategy.journeys.definition import Journey


@dataclass(frozen=True, slots=True)
class Journeys:
    """What `plan` and `apply` work with.

    contents: as plain values.   costs: of a message by channel, in millionths of the currency.
    """

    definitions: Mapping[str, Journey]
    contents: Mapping[str, object]
    costs: Mapping[str, int]
    warnings: tuple[Problem, ...]


def read_journeys(workspace: Workspace) -> Journeys:
    """The journeys of a workspace, checked against its segments, contents and channels.

    Raises BadDefinition with every problem of all journeys, each with file, line and remedy.
    """
    definitions = workspace.definitions(Journey)
    contents = workspace.definitions(Content)
    channels = channels_of(workspace)
    places = journey_places(workspace.folder)
    known = Known(
        segments=_segments(workspace, definitions),
        contents={name: content.channel for name, content in contents.items()},
        channel_signals={name: frozenset(channel.abilities.signals) for name, channel in channels.items()},
        journeys=list(definitions),
        unfit=unfit(contents, channels),
    )
    problems = check_journeys(definitions, known, places)
    if problems:
        raise BadDefinition(problems)
    policy = policy_of(workspace, channels)
    return Journeys(
        definitions,
        {
            name: content.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            for name, content in contents.items()
        },
        {name: policy.cost(name) for name in channels},
        (
            *(warning for name, each in definitions.items() for warning in warn_journey(each, places.get(name), known)),
            *warn_messages(contents, channels),
        ),
    )


def _segments(workspace: Workspace, definitions: Mapping[str, Journey]) -> set[str]:
    """The segments that are defined, and those named after a clustering's groups, which learning alone knows."""
    groups = tuple(f"{name}." for name in workspace.definitions(Clustering))
    spoken = {name for each in definitions.values() for name in segments_spoken(each)}
    return {*workspace.definitions(Segment), *(name for name in spoken if groups and name.startswith(groups))}
