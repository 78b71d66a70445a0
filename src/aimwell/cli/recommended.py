"""What a run recommends: made and judged once for the same data, definition and instant, and then read again."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sqlglot import exp

import aimwell
from aimwell.core.errors import BadQuestion
from aimwell.core.progress import Progress, part, silent
from aimwell.insight.predictions.plain import plain, revived
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.workspace import Workspace
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.evaluation import Evaluation, evaluate
from aimwell.strategy.recommenders.making import TABLE, Recommending, recommend
from aimwell.strategy.recommenders.models import note_judged, version_of
from aimwell.web.report.sections.recommendations import RecommenderStory

SETTING = "report_recommenders"
"""The setting that names, with spaces between, the recommenders that every run makes and judges."""
_FOLDER = "recommended"


def in_report(workspace: Workspace) -> dict[str, Recommender]:
    """The recommenders that every run makes and judges; none where the setting names none.

    Raises BadQuestion for a name that is not there.
    """
    names = str(workspace.settings.settings.get(SETTING, "")).split()
    known = workspace.definitions(Recommender)
    strange = [name for name in names if name not in known]
    if strange:
        close = difflib.get_close_matches(strange[0], known, 1)
        raise BadQuestion(
            f"The setting {SETTING} names {strange[0]!r}, but there is no such recommender",
            expected=f"some of {', '.join(known) or '(none)'}, with spaces between",
            remedy=f"Did you mean {close[0]!r}?"
            if close
            else f"Write recommenders/{strange[0]}.yaml, or leave it out.",
        )
    return {name: known[name] for name in names}


def recommended(
    workspace: Workspace, workshop: Workshop, definition: Recommender, as_of: datetime, *, progress: Progress = silent
) -> RecommenderStory:
    """Everybody's lists and how they did on the last days; read again where nothing has changed since.

    Raises NotEnoughData when too few days have buyers.
    """
    place = workspace.place(_FOLDER, f"{definition.name}.json")
    mark = _mark(definition, workshop, as_of)
    found = _read(place, mark) if _holds(workshop, definition.name) else None
    if found is not None:
        return RecommenderStory(definition, *found)
    judged = evaluate(definition, workshop, as_of, progress=part(progress, 0.0, 0.6))
    version = version_of(definition, workshop, as_of, 0)
    if version:
        note_judged(workshop.folder, definition.name, version, judged)
    made = recommend(definition, workshop, as_of, progress=part(progress, 0.6, 1.0))
    fresh = place.with_name(f".{place.name}.new")
    kept = {"mark": mark, "made": plain(made), "judged": plain(judged)}
    fresh.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    fresh.replace(place)
    return RecommenderStory(definition, made, judged)


def _mark(definition: Recommender, workshop: Workshop, as_of: datetime) -> str:
    """Letters that differ when the definition, the data, the instant or Aimwell does."""
    parts = [definition.model_dump_json(), workshop.version, as_of.isoformat(), aimwell.__version__]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _holds(workshop: Workshop, name: str) -> bool:
    """Whether the lists still stand in the warehouse."""
    engine = workshop.warehouse.engine
    if TABLE not in engine.tables():
        return False
    theirs = exp.EQ(this=exp.column("recommender"), expression=exp.Literal.string(name))
    rows = engine.to_arrow(exp.select("recommender").from_(TABLE).where(theirs).limit(1))
    return bool(rows.num_rows)


def _read(place: Path, mark: str) -> tuple[Recommending, Evaluation] | None:
    """What was kept under the mark; None where nothing was, or it cannot be read: then it is made again."""
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
        if not isinstance(kept, Mapping) or kept.get("mark") != mark:
            return None
        return revived(Recommending, kept["made"]), revived(Evaluation, kept["judged"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
