"""The main job of insight: load, tag, score, segment, and say whom to contact, in one go over a workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from aimwell.core.errors import AimwellError
from aimwell.core.progress import Progress, part, silent
from aimwell.insight import clusterings, predictions, profiles
from aimwell.insight.clusterings import Clustering, ClusteringResult
from aimwell.insight.effects import Effect, EffectsToday, effects_today
from aimwell.insight.opening import as_of_instant, settle_load, workshop_of
from aimwell.insight.predictions import Card, Prediction, Scoring, Workshop
from aimwell.insight.profiles import ProfileResult
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.membership import SegmentResult
from aimwell.insight.segments.refresh import refresh
from aimwell.store.sources.definition import Source
from aimwell.store.sources.load import load
from aimwell.store.sources.report import LoadReport
from aimwell.store.sources.steps import LoadStep
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import Workspace

_MOVED = 5
"""Of each treatment so many of those whom it changes most get reasons; the others stand in the table `effect_score`."""


@dataclass(frozen=True)
class Predicted:
    """What became of the predictions.

    cards: of the models that were just learnt, and of those in use that are not due.   learnt: names of the former.
    scorings: of today, by the models in use.   failures: what went wrong, by prediction; its last good model and scores
    stay.
    """

    cards: Mapping[str, Card]
    learnt: tuple[str, ...]
    scorings: Mapping[str, Scoring]
    failures: Mapping[str, str]


@dataclass(frozen=True)
class Results:
    """Everything that the job found, for the report, the lists and `--json`."""

    as_of: datetime
    load: LoadReport
    profile: ProfileResult
    predicted: Predicted
    segments: tuple[SegmentResult, ...]
    clusterings: Mapping[str, ClusteringResult]
    seconds: Mapping[str, float] = field(default_factory=dict)
    effects: EffectsToday = field(default_factory=EffectsToday)

    @property
    def predictions(self) -> Mapping[str, Card]:
        """The cards of all predictions that have a model."""
        return self.predicted.cards

    @property
    def scorings(self) -> Mapping[str, Scoring]:
        """Today's scores of all predictions that have a model."""
        return self.predicted.scorings


def load_progress(progress: Progress) -> Callable[[LoadStep], None]:
    """A watcher of load steps that speaks to a watcher of plain progress."""
    shares = {"look": (0.0, 0.05), "read": (0.05, 0.45), "map": (0.45, 0.95), "check": (0.95, 1.0)}

    def tell(step: LoadStep) -> None:
        begin, end = shares[step.phase]
        progress(step.source or step.phase, begin + (end - begin) * (step.done / step.total if step.total else 1.0))

    return tell


def load_sources(workspace: Workspace, warehouse: Warehouse, progress: Progress = silent) -> LoadReport:
    """Bring in what is new in all sources of the workspace."""
    names = list(workspace.definitions(Source))
    report = load(workspace, warehouse, names, progress=load_progress(progress))
    settle_load(workspace, warehouse, changed=report.changed)
    return report


def run(
    workspace: Workspace, *, as_of: str | None = None, top: int = 50, seed: int = 0, progress: Progress = silent
) -> Results:
    """Load what is new, build profiles, learn and score every prediction and effect, find groups and segments.

    The parts are also verbs by themselves.

    top: how many of the best of each prediction get reasons.   Whatever fails leaves what was there before.
    """
    seconds: dict[str, float] = {}
    with workspace.warehouse() as warehouse:
        clock = _Clock(seconds)
        loaded = load_sources(workspace, warehouse, part(progress, 0.0, 0.25))
        clock.lap("load")
        workshop = workshop_of(workspace, warehouse)
        now = as_of_instant(workspace, warehouse, as_of)
        definitions = _asked(workspace)
        cards = predictions.standing_cards(definitions, workshop, now)
        due = {name: each for name, each in definitions.items() if name not in cards}
        with predictions.learning(due, workshop, now, seed=seed, progress=part(progress, 0.25, 0.7)) as learning:
            clock.lap("gathering")
            groups = _cluster(workspace, workshop, now, part(progress, 0.7, 0.8))
            clock.lap("clusterings")
            trained = learning.settle(part(progress, 0.8, 0.9))
        clock.lap("learning")
        cards |= {name: each.card for name, each in trained.items()}
        scorings, unscored = _score(definitions, cards, workshop, now, top, part(progress, 0.9, 0.92))
        failures = {name: str(error) for name, error in (learning.failed | unscored).items()}
        in_order = {name: cards[name] for name in definitions if name in cards}
        predicted = Predicted(in_order, tuple(trained), scorings, failures)
        clock.lap("scores")
        asked = workspace.definitions(Effect)
        moved = effects_today(asked, workshop, now, top=_MOVED, seed=seed, progress=part(progress, 0.92, 0.94))
        clock.lap("effects")
        described = workshop.described(now)  # with what the scores say of each customer
        profile = profiles.build(described, progress=part(progress, 0.94, 0.96))
        clock.lap("profile")
        segments = refresh(workspace.definitions(Segment), described, progress=part(progress, 0.96, 1.0))
        clock.lap("segments")
    return Results(now, loaded, profile, predicted, tuple(segments), groups, seconds, moved)


def _cluster(
    workspace: Workspace, workshop: Workshop, now: datetime, progress: Progress
) -> dict[str, ClusteringResult]:
    definitions = workspace.definitions(Clustering)
    return {
        name: clusterings.fit(
            each, workshop, now, progress=part(progress, number / len(definitions), (number + 1) / len(definitions))
        )
        for number, (name, each) in enumerate(definitions.items())
    }


def _asked(workspace: Workspace) -> dict[str, Prediction]:
    """The predictions about customers; those about flat files have nobody to score."""
    return {name: each for name, each in workspace.definitions(Prediction).items() if each.flat is None}


def _score(
    definitions: Mapping[str, Prediction],
    cards: Mapping[str, Card],
    workshop: Workshop,
    now: datetime,
    top: int,
    progress: Progress,
) -> tuple[dict[str, Scoring], dict[str, AimwellError]]:
    """Everybody's scores by the models in use, and what went wrong.

    A question about campaigns is asked of everybody as if the last campaign judged were planned again.
    """
    scorings: dict[str, Scoring] = {}
    failed: dict[str, AimwellError] = {}
    for number, (name, card) in enumerate(cards.items()):
        here = part(progress, number / len(cards), (number + 1) / len(cards))
        again = card.backtest.held_out[-1] if definitions[name].cut_offs.by == "campaign" else None
        try:
            scorings[name] = predictions.score(definitions[name], workshop, now, campaign=again, top=top, progress=here)
        except AimwellError as error:
            failed[name] = error
    return scorings, failed


@dataclass
class _Clock:
    """Seconds of each step, for the summary."""

    seconds: dict[str, float]
    since: float = field(default_factory=perf_counter)

    def lap(self, step: str) -> None:
        now = perf_counter()
        self.seconds[step] = now - self.since
        self.since = now
