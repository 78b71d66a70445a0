"""All effects of a workspace as of one instant: learnt anew where there is a new experiment, then scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aimwell.core.errors import AimwellError
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Text
from aimwell.insight.effects.audience import EffectScoring, told
from aimwell.insight.effects.card import EffectCard
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.refit import refit_effects, standing_effect
from aimwell.insight.effects.score import score_effect, stored_effect
from aimwell.insight.predictions.refit import Refit
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.uplift.trees import GROWTH, Growth


@dataclass(frozen=True)
class EffectsToday:
    """What became of the effects, by name.

    refits: what was learnt anew, and why or why not.   cards: of the versions in use.   scorings: of today.
    waiting: those of whose experiments no outcome is known yet, in words.   failures: what went wrong; the last good
    version and its scores stay.
    """

    refits: Mapping[str, Refit] = field(default_factory=dict)
    cards: Mapping[str, EffectCard] = field(default_factory=dict)
    scorings: Mapping[str, EffectScoring] = field(default_factory=dict)
    waiting: Mapping[str, Text] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


def effects_today(
    definitions: Mapping[str, Effect],
    workshop: Workshop,
    as_of: datetime,
    *,
    top: int = 0,
    growth: Growth = GROWTH,
    seed: int = 0,
    progress: Progress = silent,
) -> EffectsToday:
    """Learn anew what has a new experiment, and score everybody by the versions in use; one that fails stops no other.

    top: how many of the best of each treatment get reasons.   A version that was learnt after the instant is not asked.
    """
    learning = part(progress, 0.0, 0.8)
    refits = refit_effects(definitions, workshop, as_of, growth=growth, seed=seed, progress=learning)
    failures = {each.prediction: each.why.en for each in refits if each.done == "failed"}
    waiting = {each.prediction: each.why for each in refits if each.done == "waiting"}
    cards: dict[str, EffectCard] = {}
    scorings: dict[str, EffectScoring] = {}
    for number, (name, definition) in enumerate(definitions.items()):
        card = standing_effect(name, workshop)
        if card is None or card.trained_as_of > as_of or name in failures:
            continue
        cards[name] = card
        progress(name, 0.8 + 0.2 * number / len(definitions))
        try:
            scores = score_effect(definition, workshop, as_of)
            scorings[name] = told(scores, stored_effect(definition, workshop), top=top)
        except AimwellError as error:
            failures[name] = str(error)
    return EffectsToday({each.prediction: each for each in refits}, cards, scorings, waiting, failures)
