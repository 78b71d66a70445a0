"""Predictions: one mechanism for every question about the future of customers.

The verbs take a definition, a workshop (warehouse, features, folder) and an instant, and return frozen results whose
`to_dict` holds everything that a page or report shows.
"""

from aimwell.insight.features.families.value_course import COURSES
from aimwell.insight.predictions.backtest import Backtest, backtest
from aimwell.insight.predictions.card import Card
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.drift import DriftReport, measure_drift
from aimwell.insight.predictions.flat_score import FlatScoring, score_file
from aimwell.insight.predictions.life import Due, LifeEvent, champion, due, life, promote, roll_back
from aimwell.insight.predictions.life_stage import STAGES, LifeStages, life_stages
from aimwell.insight.predictions.making import Learning, Trained, learning, train
from aimwell.insight.predictions.models import read_card
from aimwell.insight.predictions.refit import Refit, refit
from aimwell.insight.predictions.score import Scored, Scoring, audience_table, explain, score
from aimwell.insight.predictions.standing import standing_cards
from aimwell.insight.predictions.workshop import Workshop

__all__ = [
    "COURSES",
    "STAGES",
    "Backtest",
    "Card",
    "DriftReport",
    "Due",
    "FlatScoring",
    "Learning",
    "LifeEvent",
    "LifeStages",
    "Prediction",
    "Refit",
    "Scored",
    "Scoring",
    "Trained",
    "Workshop",
    "audience_table",
    "backtest",
    "champion",
    "due",
    "explain",
    "learning",
    "life",
    "life_stages",
    "measure_drift",
    "promote",
    "read_card",
    "refit",
    "roll_back",
    "score",
    "score_file",
    "standing_cards",
    "train",
]
