"""Effects: whom a treatment changes, learnt from campaigns that were drawn by lot, and nothing where nothing is found.

The verbs take a definition, a workshop and an instant, as those of predictions do.
"""

from aimwell.insight.effects.card import EffectCard
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.making import TrainedEffect, train_effect
from aimwell.insight.effects.score import EffectScores, score_effect, within_budget

__all__ = ["Effect", "EffectCard", "EffectScores", "TrainedEffect", "score_effect", "train_effect", "within_budget"]
