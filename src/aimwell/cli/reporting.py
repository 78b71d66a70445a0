"""Runs the main job and leaves its report and lists: what `aimwell run` and `aimwell demo` do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aimwell.cli.audience_files import write_table
from aimwell.cli.rehearsal import rehearse_here
from aimwell.cli.strategies import Strategies, strategies_of
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Language, Text
from aimwell.insight.effects import Effect, EffectsToday, effect_key
from aimwell.insight.opening import open_workshop
from aimwell.insight.predictions import Prediction, Scoring, Workshop, audience_table
from aimwell.insight.segments.definition import Segment
from aimwell.store.workspace import Workspace
from aimwell.web.report import gathering
from aimwell.web.report.bringing import contribution_story
from aimwell.web.report.build import Findings, build_page
from aimwell.web.report.journeys import journey_stories
from aimwell.web.report.page import render
from aimwell.web.report.questions import Question, question_of
from aimwell.web.report.sections.journeys import JourneyStory
from aimwell.web.report.sections.uplift import EffectStory
from aimwell.web.report.worth import value_story
from aimwell.worker.job import Results, run

LISTED = 500
"""Customers on each list, with reasons; all are scored, and the others stand in the table `score`."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a run leaves behind."""

    results: Results
    titles: Mapping[str, Text]
    questions: Mapping[str, Question]
    report: Path
    lists: tuple[Path, ...]
    journeys: Sequence[JourneyStory] = ()
    strategies: Strategies = field(default_factory=Strategies)
    effects: Mapping[str, EffectStory] = field(default_factory=dict)

    @property
    def failures(self) -> Mapping[str, str]:
        """What went wrong, by prediction, effect (`effects/NAME`), recommender or decision."""
        return {**self.results.predicted.failures, **failed_effects(self.results), **self.strategies.failures}


def run_and_report(
    workspace: Workspace,
    *,
    as_of: str | None,
    language: Language,
    rehearsal: bool = False,
    progress: Progress = silent,
) -> Left:
    """The main job, then lists as CSV and Parquet and the report as HTML, in the workspace's `out` folder.

    rehearsal: play the journeys in between, with simulated answers, so that their funnels are in the report.
    """
    results = run(workspace, as_of=as_of, top=LISTED, progress=part(progress, 0.0, 0.85))
    if rehearsal:
        rehearse_here(workspace, results.as_of, progress=part(progress, 0.85, 0.9))
    return report_on(workspace, results, language=language, progress=part(progress, 0.9, 1.0))


def report_on(workspace: Workspace, results: Results, *, language: Language, progress: Progress = silent) -> Left:
    """The lists and the report of a finished job; what there was before stays if anything fails."""
    files = {name: write_lists(workspace, name, scoring, language) for name, scoring in results.scorings.items()}
    progress("report", 0.1)
    with open_workshop(workspace) as workshop:
        strategies = strategies_of(workspace, workshop, results.as_of, progress=part(progress, 0.1, 0.4))
        progress("report", 0.4)
        findings = gather(workspace, workshop, results, files, strategies)
    progress("report", 0.8)
    report = workspace.place("out", "report.html")
    fresh = report.with_name(".report.html.new")
    fresh.write_text(render(build_page(workspace, findings), language), encoding="utf-8")
    fresh.replace(report)
    progress("report", 1.0)
    lists = tuple(path for paths in files.values() for path in paths)
    return Left(
        results,
        findings.titles,
        findings.questions,
        report,
        lists,
        findings.journeys,
        strategies,
        findings.effects,
    )


def gather(
    workspace: Workspace,
    workshop: Workshop,
    results: Results,
    files: Mapping[str, tuple[Path, ...]],
    strategies: Strategies,
) -> Findings:
    """Everything that the report says: what the job returned, and what is asked of the warehouse for it."""
    definitions, segments = workspace.definitions(Prediction), workspace.definitions(Segment)
    titles = {name: each.title for name, each in definitions.items()}
    names = {name: each.title for name, each in segments.items()}
    backtests = {name: card.backtest for name, card in results.predictions.items()}
    engine, as_of = workshop.warehouse.engine, results.as_of
    labels = gathering.all_labels(titles, segments, results.clusterings)
    return Findings(
        as_of=as_of,
        overview=gathering.overview(workshop, as_of),
        load=results.load,
        titles={**strategies.titles, **effect_titles(workspace), **titles},
        questions={name: question_of(definitions[name], workshop.library, names, titles) for name in backtests},
        backtests=backtests,
        scorings=results.scorings,
        files={name: [str(path.relative_to(workspace.folder)) for path in paths] for name, paths in files.items()},
        failures={**results.predicted.failures, **failed_effects(results), **strategies.failures},
        segments=gathering.segment_story(workshop, results.segments, segments, titles, as_of),
        clusterings=results.clusterings,
        customer=gathering.customer_story(workshop, definitions, backtests, results.scorings, labels, as_of),
        earlier=gathering.earlier_loads(engine, results.load),
        quality=gathering.quality_of(engine, results.load, workspace.settings.timezone),
        journeys=journey_stories(workspace, engine),
        value=value_story(workshop, as_of),
        contribution=contribution_story(workshop, names, as_of, workspace.settings.currency),
        plans=strategies.plans,
        lists=strategies.lists,
        effects=effect_stories(
            workspace, results.effects, lambda each: question_of(each.question(), workshop.library, names, titles)
        ),
    )


def failed_effects(results: Results) -> dict[str, str]:
    """What went wrong with effects, under names that no prediction has."""
    return {effect_key(name): why for name, why in results.effects.failures.items()}


def effect_titles(workspace: Workspace) -> dict[str, Text]:
    """What effects are called, under names that no prediction has."""
    return {effect_key(name): each.title for name, each in workspace.definitions(Effect).items()}


def effect_stories(
    workspace: Workspace, found: EffectsToday, asked: Callable[[Effect], Question]
) -> dict[str, EffectStory]:
    """What the report says of each effect that has a version in use, or waits for its first outcome.

    asked: puts the question of an effect into words.
    """
    told = {**found.waiting, **found.cards}
    return {
        name: EffectStory(each, asked(each), found.cards.get(name), found.scorings.get(name), found.waiting.get(name))
        for name, each in workspace.definitions(Effect).items()
        if name in told
    }


def write_lists(workspace: Workspace, name: str, scoring: Scoring, language: Language) -> tuple[Path, ...]:
    """The audience of a prediction as CSV and Parquet."""
    rows = audience_table(scoring.audience, language)
    return tuple(write_table(rows, workspace.place("out", f"{name}{ending}")) for ending in (".csv", ".parquet"))
