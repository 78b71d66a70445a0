"""What a run decides: every decision of the workspace, by the scores and tags that the run has just made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aimwell.core.errors import AimwellError
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Text
from aimwell.insight.predictions import Prediction, Workshop
from aimwell.store.workspace import Workspace
from aimwell.strategy.decisions.deciding import decide
from aimwell.strategy.decisions.definition import Decision
from aimwell.web.report.plans import plan_story
from aimwell.web.report.sections.decisions import PlanStory


@dataclass(frozen=True)
class Strategies:
    """What was decided, by name, and what went wrong, by name; what was decided before stays."""

    plans: Mapping[str, PlanStory] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, Text] = field(default_factory=dict)


def decide_all(workspace: Workspace, workshop: Workshop, as_of: datetime, *, progress: Progress = silent) -> Strategies:
    """Decide by every decision of the workspace as of the instant; one that fails is told, and the others go on."""
    definitions = workspace.definitions(Decision)
    predicted = {name: each.title for name, each in workspace.definitions(Prediction).items()}
    plans: dict[str, PlanStory] = {}
    failures: dict[str, str] = {}
    for number, (name, each) in enumerate(definitions.items()):
        here = part(progress, number / len(definitions), (number + 1) / len(definitions))
        try:
            plan = decide(each, workshop, as_of, currency=workspace.settings.currency, progress=here)
        except AimwellError as error:
            failures[name] = str(error)
        else:
            plans[name] = plan_story(workshop, each, plan, predicted)
    return Strategies(plans, failures, {name: each.title for name, each in definitions.items()})
