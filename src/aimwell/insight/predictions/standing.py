"""Which models stand, and which are to be learnt anew: never learnt, due by their schedule, or asked something else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from aimwell.core.errors import AimwellError
from aimwell.insight.predictions.card import Card
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.life import champion, due
from aimwell.insight.predictions.making import definition_mark
from aimwell.insight.predictions.models import load, stored_card
from aimwell.insight.predictions.workshop import Workshop


def standing_cards(definitions: Mapping[str, Prediction], workshop: Workshop, as_of: datetime) -> dict[str, Card]:
    """The cards of the models in use that need not be learnt anew as of the instant; all others are missing."""
    found = {name: _standing(definition, workshop, as_of) for name, definition in definitions.items()}
    return {name: card for name, card in found.items() if card}


def _standing(definition: Prediction, workshop: Workshop, as_of: datetime) -> Card | None:
    version = champion(workshop, definition.name)
    if version is None or due(definition, workshop, as_of).due:
        return None
    try:
        load(workshop.folder, definition.name, version)
        card = stored_card(workshop.folder, definition.name, version)
    except AimwellError:  # a damaged or missing model is made again
        return None
    later = card.trained_as_of is not None and card.trained_as_of > as_of
    changed = card.marks.get("definition") != definition_mark(definition)
    return None if later or changed else card
