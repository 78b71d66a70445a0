"""Effects: whom a treatment changes, learnt from what was drawn by lot, and nothing where nothing is found.

The verbs take a definition, a workshop and an instant, as those of predictions do.
"""

from aimwell.insight.effects.audience import (
    EffectScoring,
    Moved,
    audience_rows,
    depth_list,
    explain_effect,
    told,
)
from aimwell.insight.effects.card import EffectCard
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.depths import DepthReport
from aimwell.insight.effects.keeping import effect_key, score_key, stored_effect_card
from aimwell.insight.effects.making import TrainedEffect, train_effect
from aimwell.insight.effects.refit import refit_effects
from aimwell.insight.effects.score import EffectScores, score_effect, stored_effect, within_budget
from aimwell.insight.effects.today import EffectsToday, effects_today

__all__ = [
    "DepthReport",
    "Effect",
    "EffectCard",
    "EffectScores",
    "EffectScoring",
    "EffectsToday",
    "Moved",
    "TrainedEffect",
    "audience_rows",
    "depth_list",
    "effect_key",
    "effects_today",
    "explain_effect",
    "refit_effects",
    "score_effect",
    "score_key",
    "stored_effect",
    "stored_effect_card",
    "told",
    "train_effect",
    "within_budget",
]
