"""Every kind of definition that a workspace can hold, found by walking the steps; no list to edit."""

from __future__ import annotations

import difflib
import importlib
import json
import pkgutil
from functools import cache

from aimwell.core.definitions import Definition
from aimwell.core.errors import BadDefinition, BadQuestion
from aimwell.core.problems import Problem
from aimwell.core.rules import segments_of
from aimwell.core.tables import TABLES
from aimwell.insight.clusterings import Clustering
from aimwell.insight.effects import Effect, score_key
from aimwell.insight.opening import as_of_instant, workshop_of
from aimwell.insight.predictions import Prediction
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.membership import sizes
from aimwell.insight.segments.order import check_segments
from aimwell.store.workspace import Workspace
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.naming import check_gains

_STEPS = (
    "aimwell.store",
    "aimwell.insight",
    "aimwell.strategy",
    "aimwell.content",
    "aimwell.delivery",
    "aimwell.evaluation",
    "aimwell.operation",
)


@cache
def kinds() -> dict[str, type[Definition]]:
    """The kinds of definition by name (`segment`): the subclasses of Definition in the steps' `definition` modules."""
    for step in _STEPS:
        root = importlib.import_module(step)
        for module in pkgutil.walk_packages(root.__path__, f"{step}."):
            if module.name.rsplit(".", 1)[-1] == "definition":
                importlib.import_module(module.name)
    found = {kind.__name__.lower(): kind for kind in _subclasses(Definition) if "folder" in vars(kind)}
    return {name: kind for name, kind in sorted(found.items()) if kind.__module__.startswith("aimwell.")}


def check_all(workspace: Workspace) -> dict[str, list[str]]:
    """The names of all definitions by kind; raises BadDefinition with the problems of all kinds together.

    That decisions name effects and arms which there are is checked too, once all can be read.
    """
    found: dict[str, list[str]] = {}
    problems: list[Problem] = []
    for name, kind in kinds().items():
        try:
            found[name] = list(workspace.definitions(kind))
        except BadDefinition as bad:
            problems += bad.problems
    if not problems:
        problems += check_gains(workspace.folder, workspace.definitions(Decision), workspace.definitions(Effect))
    if problems:
        raise BadDefinition(problems)
    return found


def check_names(workspace: Workspace) -> None:
    """Whether tags and segments name only what there is, where data are loaded to tell; call `check_all` before.

    Raises BadDefinition with every problem, each with file and line: unknown tags, attributes, segments, predictions
    and tables, and definitions that are made from each other in a circle.
    """
    with workspace.warehouse() as warehouse:
        if not any(table in TABLES for table in warehouse.engine.tables()):
            return
        workshop = workshop_of(workspace, warehouse)  # reads the workspace's own tags, and checks them
        segments = workspace.definitions(Segment)
        groups = {f"{name}." for name in workspace.definitions(Clustering)}
        spoken = {name for each in segments.values() for name in segments_of(each.rule)}
        context = RuleContext(workshop.features(as_of_instant(workspace, warehouse, None)))
        problems = check_segments(
            workspace.folder,
            segments,
            context,
            predictions=[*workspace.definitions(Prediction), *_effects(workspace)],
            recorded=[*sizes(warehouse.engine), *(name for name in spoken if name.startswith(tuple(groups)))],
        )
    if problems:
        raise BadDefinition(problems)


def _effects(workspace: Workspace) -> list[str]:
    """The names under which scores of effects stand."""
    return [
        score_key(name, arm) for name, each in workspace.definitions(Effect).items() for arm in each.treatment.names[1:]
    ]


def schema_of(name: str) -> str:
    """The JSON Schema of a kind of definition, as text."""
    if name not in kinds():
        close = difflib.get_close_matches(name, kinds(), 1)
        raise BadQuestion(
            f"There is no kind of definition {name!r}",
            expected=f"one of {', '.join(kinds())}",
            remedy=f"Did you mean {close[0]!r}?" if close else "",
        )
    schema = kinds()[name].model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True)


def _subclasses(kind: type[Definition]) -> list[type[Definition]]:
    return [sub for direct in kind.__subclasses__() for sub in (direct, *_subclasses(direct))]
