"""What a run recommends and decides, by the scores and tags that the run has just made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from aimwell.cli.recommended import in_report, recommended
from aimwell.core.errors import AimwellError
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Text
from aimwell.insight.predictions import Prediction, Workshop
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.workspace import Workspace
from aimwell.strategy.decisions.deciding import decide
from aimwell.strategy.decisions.definition import Decision
from aimwell.web.report.plans import plan_story
from aimwell.web.report.sections.decisions import PlanStory
from aimwell.web.report.sections.recommendations import RecommenderStory


@dataclass(frozen=True)
class Strategies:
    """What was decided and recommended, by name, and what went wrong, by name; what was there before then stays."""

    plans: Mapping[str, PlanStory] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, Text] = field(default_factory=dict)
    lists: Mapping[str, RecommenderStory] = field(default_factory=dict)


def strategies_of(
    workspace: Workspace, workshop: Workshop, as_of: datetime, *, progress: Progress = silent
) -> Strategies:
    """Every recommender of the report and every decision, as of the instant; one that fails is told, others go on."""
    recommenders, decisions = in_report(workspace), workspace.definitions(Decision)
    lists: dict[str, RecommenderStory] = {}
    failures: dict[str, str] = {}
    for number, (name, recommender) in enumerate(recommenders.items()):
        here = part(progress, 0.9 * number / len(recommenders), 0.9 * (number + 1) / len(recommenders))
        try:
            lists[name] = recommended(workspace, workshop, recommender, as_of, progress=here)
        except AimwellError as error:
            failures[name] = str(error)
    plans, undecided = _plans_of(workspace, workshop, decisions, as_of, part(progress, 0.9, 1.0))
    titles = {name: each.title for name, each in {**recommenders, **decisions}.items()}
    return Strategies(plans, {**failures, **undecided}, titles, lists)


def _plans_of(
    workspace: Workspace, workshop: Workshop, decisions: Mapping[str, Decision], as_of: datetime, progress: Progress
) -> tuple[dict[str, PlanStory], dict[str, str]]:
    """Every decision made and told, and why others could not be; the ledger knows why messages were not sent."""
    predicted = {name: each.title for name, each in workspace.definitions(Prediction).items()}
    plans: dict[str, PlanStory] = {}
    failures: dict[str, str] = {}
    for name, each in decisions.items():
        try:
            plan = decide(each, workshop, as_of, currency=workspace.settings.currency, progress=progress)
        except AimwellError as error:
            failures[name] = str(error)
            continue
        with _ledger_of(workspace) as ledger:
            plans[name] = plan_story(workshop, each, plan, predicted, ledger)
    return plans, failures


@contextmanager
def _ledger_of(workspace: Workspace) -> Iterator[Ledger | None]:
    """The workspace's ledger; None, and none is made, where there is none yet."""
    if not workspace.has_ledger:
        yield None
        return
    with workspace.ledger() as ledger:
        yield ledger
