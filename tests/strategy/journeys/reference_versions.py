"""Versions of journeys for the plain reference: what each asks for, and where its loops are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from aimwell.strategy.journeys.definition import Journey


@dataclass(frozen=True)
class Applied:
    """A version of a journey."""

    journey: Journey
    at: datetime

    @cached_property
    def asked(self) -> set[str]:
        """The events, and the ways into and out of segments, that it asks for."""
        return asked_by(self.journey)


def asked_by(journey: Journey) -> set[str]:
    """The events, and the ways into and out of segments, that a journey asks for."""
    written = journey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    branches = [node.pop("branch") for node in written["nodes"].values() if "branch" in node]
    rules = [each.pop("schedule", each) for each in written.pop("entry")]
    coming = set(_asked(branches) | _asked(rules))
    return {each for each in coming if not each.startswith("leave:")} | set(_asked(written))


def _asked(written: Any) -> set[str]:
    if isinstance(written, list):
        return set().union(*map(_asked, written))
    if not isinstance(written, dict):
        return set()
    found = set().union(*map(_asked, written.values()))
    if "name" in (event := written.get("event") or {}):
        found.add(f"event:{event['name']}")
    for name in {written.get("segment"), written.get("not_segment")} - {None}:
        found |= {f"enter:{name}", f"leave:{name}"}
    return found


def leads_back(journey: Journey, node: str) -> bool:
    """Whether whoever leaves a node may come to it again."""
    ahead, seen = list(journey.nodes[node].to.values()), set[str]()
    while ahead:
        if (name := ahead.pop()) not in seen:
            seen.add(name)
            ahead += journey.nodes[name].to.values()
    return node in seen
