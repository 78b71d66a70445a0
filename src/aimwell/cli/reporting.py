"""Runs the main job and leaves its report and lists: what `aimwell run` and `aimwell demo` do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aimwell.cli.audience_files import write_table
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Language, Text
from aimwell.core.time import from_store
from aimwell.insight.features.library import Library
from aimwell.insight.opening import workshop_of
from aimwell.insight.predictions import Prediction, Scoring, Workshop, audience_table
from aimwell.insight.rules.words import sentence
from aimwell.insight.segments.definition import Segment
from aimwell.insight.tags.own import own_tags
from aimwell.store.workspace import Workspace
from aimwell.web.report.build import Findings, Overview, build_page
from aimwell.web.report.page import render
from aimwell.worker.job import Results, run

_OVERVIEW = """
WITH bought AS (
  SELECT customer_id, order_id, min(occurred_at) AS occurred_at, sum(amount) AS amount
  FROM purchase GROUP BY customer_id, order_id
)
SELECT count(DISTINCT customer_id) AS customers, count(*) AS orders, coalesce(sum(amount), 0) AS revenue,
  count(DISTINCT CASE WHEN occurred_at >= days_before(56) THEN customer_id END) AS active,
  min(occurred_at) AS since, max(occurred_at) AS until
FROM bought
"""


@dataclass(frozen=True, slots=True)
class Left:
    """What a run leaves behind."""

    results: Results
    titles: Mapping[str, Text]
    report: Path
    lists: tuple[Path, ...]


def run_and_report(workspace: Workspace, *, as_of: str | None, language: Language, progress: Progress = silent) -> Left:
    """The main job, then lists as CSV and Parquet and the report as HTML, in the workspace's `out` folder."""
    results = run(workspace, as_of=as_of, progress=part(progress, 0.0, 0.95))
    titles = {name: each.title for name, each in workspace.definitions(Prediction).items()}
    files = {name: write_lists(workspace, name, scoring, language) for name, scoring in results.scorings.items()}
    progress("report", 0.97)
    with workspace.warehouse() as warehouse:
        overview = _overview(workshop_of(workspace, warehouse), results.as_of)
    segments = workspace.definitions(Segment)
    findings = Findings(
        as_of=results.as_of,
        overview=overview,
        load=results.load,
        titles=titles,
        backtests={name: trained.backtest for name, trained in results.predictions.items()},
        scorings=results.scorings,
        files={name: [str(path.relative_to(workspace.folder)) for path in paths] for name, paths in files.items()},
        segments=results.segments,
        segment_definitions=segments,
        segment_sentences=_sentences(segments, titles, own_tags(workspace).library),
        clusterings=results.clusterings,
    )
    report = workspace.place("out", "report.html")
    report.write_text(render(build_page(workspace, findings), language), encoding="utf-8")
    progress("report", 1.0)
    return Left(results, titles, report, tuple(path for paths in files.values() for path in paths))


def write_lists(workspace: Workspace, name: str, scoring: Scoring, language: Language) -> tuple[Path, ...]:
    """The audience of a prediction as CSV and Parquet."""
    rows = audience_table(scoring.audience, language)
    return tuple(write_table(rows, workspace.place("out", f"{name}{ending}")) for ending in (".csv", ".parquet"))


def _sentences(segments: Mapping[str, Segment], predictions: Mapping[str, Text], library: Library) -> dict[str, Text]:
    names = {name: segment.title for name, segment in segments.items()}
    return {
        name: Text(
            sentence(segment.rule, "zh", library, segments=names, predictions=predictions),
            sentence(segment.rule, "en", library, segments=names, predictions=predictions),
        )
        for name, segment in segments.items()
    }


def _overview(workshop: Workshop, as_of: datetime) -> Overview:
    row = workshop.history(as_of).to_arrow(_OVERVIEW).to_pylist()[0]
    return Overview(
        customers=int(row["customers"]),
        orders=int(row["orders"]),
        revenue=float(row["revenue"]),
        active=int(row["active"]),
        tags=len(workshop.features(as_of).columns()),
        since=from_store(row["since"]),
        until=from_store(row["until"]),
    )
