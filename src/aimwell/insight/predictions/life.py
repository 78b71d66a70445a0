"""The life of a model: what was trained, promoted, refused or rolled back, when and why; and when it is due again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.time import from_store, to_store
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.models import versions
from aimwell.insight.predictions.plain import Result, plain
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.engine import Engine

TABLE = "model_life"
Action = Literal["trained", "promoted", "kept", "rolled_back", "failed"]
IN_USE: tuple[Action, ...] = ("promoted", "rolled_back")

_SCHEMA = pa.schema(
    [
        ("prediction", pa.string()),
        ("version", pa.string()),
        ("at", pa.timestamp("us")),
        ("place", pa.int64()),
        ("action", pa.string()),
        ("why", pa.string()),
        ("metrics", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class LifeEvent(Result):
    """One thing that happened to a version.

    at: the instant that the caller gave.   place: its number in the order in which things were recorded.
    action: trained; promoted (now in use); kept (the one in use stayed, this one waits); rolled_back (this earlier one
    is in use again); failed (nothing was made, the one in use stayed).
    """

    prediction: str
    version: str
    at: datetime
    place: int
    action: str
    why: str
    metrics: str


@dataclass(frozen=True, slots=True)
class Due(Result):
    """Whether a prediction is to be learnt anew: it never was, or its last training is as old as `refit` says."""

    prediction: str
    due: bool
    last: datetime | None
    following: datetime | None


def record(
    workshop: Workshop, prediction: str, version: str, at: datetime, action: Action, *, why: str, metrics: object = None
) -> LifeEvent:
    """Write down one event; nothing is ever changed or removed."""
    engine = workshop.warehouse.engine
    before = life(workshop, prediction)
    row = {
        "prediction": [prediction],
        "version": [version],
        "at": [to_store(at)],
        "place": [len(before) + 1],
        "action": [action],
        "why": [why],
        "metrics": [json.dumps(plain(metrics), ensure_ascii=False)],
    }
    engine.append(TABLE, pa.table(row, schema=_SCHEMA))
    return life(workshop, prediction)[-1]


def life(workshop: Workshop, prediction: str) -> list[LifeEvent]:
    """Everything that happened to the versions of a prediction, in order; empty if nothing did."""
    engine = workshop.warehouse.engine
    if TABLE not in _tables(engine):
        return []
    of_prediction = exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(prediction))
    query = exp.select(*[exp.column(name, quoted=True) for name in _SCHEMA.names]).from_(TABLE).where(of_prediction)
    found = engine.to_arrow(query.order_by(exp.column("place"))).to_pylist()
    return [
        LifeEvent(
            str(row["prediction"]),
            str(row["version"]),
            from_store(row["at"]),
            int(row["place"]),
            str(row["action"]),
            str(row["why"]),
            str(row["metrics"]),
        )
        for row in found
    ]


def champion(workshop: Workshop, prediction: str) -> str | None:
    """The version in use; None if there is none yet."""
    used = [event.version for event in life(workshop, prediction) if event.action in IN_USE]
    return used[-1] if used else None


def due(definition: Prediction, workshop: Workshop, as_of: datetime) -> Due:
    """Whether the scheduled time to learn anew has come; a failed attempt is tried again, it does not count."""
    trained = [event.at for event in life(workshop, definition.name) if event.action == "trained"]
    if not trained:
        return Due(definition.name, True, None, None)
    last = max(trained)
    following = last + definition.refit
    return Due(definition.name, following <= as_of, last, following)


def promote(workshop: Workshop, prediction: str, version: str, *, at: datetime, why: str) -> LifeEvent:
    """Put a version into use by hand, with the reason.

    Raises BadQuestion when there is no such version on disk.
    """
    known = versions(workshop.folder, prediction)
    if version not in known:
        raise BadQuestion(
            f"There is no version {version!r} of {prediction!r}",
            expected=f"one of {', '.join(known) or '(none yet)'}",
            remedy="Train it first.",
        )
    return record(workshop, prediction, version, at, "promoted", why=why)


def roll_back(workshop: Workshop, prediction: str, *, at: datetime, why: str) -> LifeEvent:
    """Put the version that was in use before back into use.

    Raises BadQuestion when there was none, or its files are gone.
    """
    used: list[str] = []
    for event in life(workshop, prediction):
        if event.action == "promoted" and (not used or used[-1] != event.version):
            used.append(event.version)
        elif event.action == "rolled_back":
            used = used[: used.index(event.version) + 1] if event.version in used else [event.version]
    if len(used) < 2:
        raise BadQuestion(
            f"{prediction}: there is no earlier version to go back to", seen=", ".join(used) or "no version in use"
        )
    if used[-2] not in versions(workshop.folder, prediction):
        raise BadQuestion(f"{prediction}: the files of the earlier version {used[-2]} are gone")
    return record(workshop, prediction, used[-2], at, "rolled_back", why=why)


def _tables(engine: Engine) -> list[str]:
    return engine.tables()
