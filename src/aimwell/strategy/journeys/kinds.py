"""The kinds of node that exist: the files of the folder, and those of third parties by the same road."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aimwell.core.registry import discover
from aimwell.strategy.journeys.node import NodeKind

GROUP = "aimwell.node"


@cache
def node_kinds() -> Mapping[str, NodeKind[Any]]:
    """Every kind of node by its name."""
    found = discover(NodeKind, "aimwell.strategy.journeys.nodes", named=lambda kind: kind.name, group=GROUP)  # type: ignore[type-abstract]
    return {name: extension.value for name, extension in found.items()}
