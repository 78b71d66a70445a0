"""The words of a finished job: what a marketer reads in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aimwell.core.text import Language, Text
from aimwell.web.report.sections.predictions import verdict
from aimwell.worker.job import Results

_READ = Text(
    "读入 {rows:,} 行，收下 {kept:,} 行，拒收 {rejected:,} 行。",
    "Read {rows:,} rows, kept {kept:,}, rejected {rejected:,}.",
)
_SEGMENTS = Text("{count} 个人群已更新。", "{count} segments are up to date.")
_FILES = Text("名单：", "Lists: ")
_REPORT = Text("报告：", "Report: ")


def summary_lines(
    results: Results, titles: Mapping[str, Text], currency: str, language: Language, lists: Sequence[Path], report: Path
) -> list[str]:
    """A few lines: the data, one verdict per prediction, the segments, and where everything lies."""
    tallies = [table.tally for source in results.load.sources for table in source.tables]
    read = _READ.format(
        rows=sum(t.read for t in tallies),
        kept=sum(t.kept for t in tallies),
        rejected=sum(t.refused for t in tallies),
    )
    lines = [read.said(language)]
    for name, trained in results.predictions.items():
        said = verdict(trained.backtest, currency).said(language)
        lines.append(f"{titles[name].said(language)}: {said}")
    if results.segments:
        lines.append(_SEGMENTS.format(count=len(results.segments)).said(language))
    lines.append(_FILES.said(language) + ", ".join(str(path) for path in lists))
    lines.append(_REPORT.said(language) + str(report))
    return lines
