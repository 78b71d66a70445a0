"""Learnt effects on disk, versioned as models of predictions are, and the names under which their scores are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aimwell.core.errors import BadInput, BadQuestion
from aimwell.insight.effects.card import EffectCard
from aimwell.insight.effects.model import EffectModel
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.models import FOLDER, column_dict, column_of, versions, write_version
from aimwell.insight.predictions.plain import revived
from aimwell.insight.predictions.reasons import Speaker

FILE = "model.json"


@dataclass(frozen=True)
class StoredEffect:
    """A version: the model, how to explain it, and until when its answers reach (ISO text).

    money: whether the outcome is an amount of money rather than yes or no.
    """

    effect: str
    version: str
    model: EffectModel
    speaker: Speaker
    answers_until: str
    money: bool

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the model reads, as they were described when it was trained."""
        return tuple(self.speaker.columns[name] for name in self.model.encoding.names)


def effect_key(name: str) -> str:
    """Under which name an effect has versions, on disk and in the record of their life; no prediction can have it.

    >>> effect_key("coupon")
    'effects/coupon'
    """
    return f"effects/{name}"


def score_key(name: str, treatment: str) -> str:
    """Under which name the scores of one treatment stand among all scores: what rules and journeys ask for.

    >>> score_key("coupon", "ten_off")
    'effects/coupon/ten_off'
    """
    return f"{effect_key(name)}/{treatment}"


def save_effect(folder: Path, stored: StoredEffect, card: EffectCard) -> Path:
    """Write a version with its card; a failure on the way leaves nothing half-written under its name."""
    meta = {
        "effect": stored.effect,
        "version": stored.version,
        "model": stored.model.to_dict(),
        "columns": [column_dict(column) for column in stored.speaker.columns.values()],
        "typical": dict(stored.speaker.typical),
        "answers_until": stored.answers_until,
        "money": stored.money,
    }
    return write_version(folder, effect_key(stored.effect), stored.version, meta, card, {})


def load_effect(folder: Path, name: str, version: str) -> StoredEffect:
    """The version of an effect; raises BadQuestion when it is not there, BadInput when its file is damaged."""
    place = folder / FOLDER / effect_key(name) / version / FILE
    if not place.is_file():
        raise BadQuestion(
            f"There is no version {version!r} of the effect {name!r}",
            expected=f"one of {', '.join(versions(folder, effect_key(name))) or '(none yet)'}",
            remedy=f"Train it first: `aimwell effect train {name}`.",
        )
    try:
        return _restored(name, version, json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"The effect {place} cannot be read: {error}", remedy="Train the effect again.") from error


def stored_effect_card(folder: Path, name: str, version: str) -> EffectCard:
    """The card of a version as it was made; raises BadQuestion if there is none, BadInput if it is damaged."""
    place = folder / FOLDER / effect_key(name) / version / "card.json"
    if not place.is_file():
        raise BadQuestion(
            f"There is no card of version {version!r} of the effect {name!r}",
            remedy=f"Train it first: `aimwell effect train {name}`.",
        )
    try:
        card: EffectCard = revived(EffectCard, json.loads(place.read_text(encoding="utf-8")))
        return card
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"The card {place} cannot be read: {error!r}", remedy="Train the effect again.") from error


def _restored(name: str, version: str, values: Mapping[str, object]) -> StoredEffect:
    columns, model, typical = values["columns"], values["model"], values["typical"]
    if not isinstance(columns, list) or not isinstance(model, dict) or not isinstance(typical, dict):
        raise TypeError("columns, model or typical values are not what they should be")
    described = {str(each["name"]): column_of(each) for each in columns}
    return StoredEffect(
        name,
        version,
        EffectModel.from_dict(model),
        Speaker(described, typical),
        str(values["answers_until"]),
        bool(values["money"]),
    )
