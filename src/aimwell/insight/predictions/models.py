"""Models on disk: one folder per version, LightGBM's own text beside plain JSON, nothing that runs when it is read."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, get_args

from aimwell.core.errors import BadInput, BadQuestion
from aimwell.core.text import Language, Text
from aimwell.insight.features.family import Column, Kind
from aimwell.insight.predictions.card import Card
from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.kind import Model, kind_of
from aimwell.insight.predictions.plain import plain, revived
from aimwell.insight.predictions.reasons import Speaker, Value

FOLDER = "models"
_KINDS: Mapping[str, Kind] = {kind: kind for kind in get_args(Kind)}


@dataclass(frozen=True)
class StoredModel:
    """A version that was read back: the model, how to explain it, and until when its answers reach.

    answers_until: the instant by which the last answer that it learnt from was known; ISO text, empty for flat files.
    """

    prediction: str
    version: str
    kind: str
    model: Model
    speaker: Speaker
    answers_until: str

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the model reads, as they were described when it was trained."""
        return tuple(self.speaker.columns[name] for name in self.speaker.columns)


class CardPage(Protocol):
    """What is kept of a card: its values, and its page in both languages."""

    def to_dict(self) -> dict[str, object]: ...

    def markdown(self, language: Language) -> str: ...


def version_name(as_of: datetime | None, marks: Mapping[str, str], seed: int) -> str:
    """The name of a version: its day, and letters that differ when definition, data or seed differ.

    >>> version_name(None, {"data": "a"}, 0) == version_name(None, {"data": "a"}, 0)
    True
    """
    text = json.dumps([dict(marks), seed], sort_keys=True)
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{as_of:%Y%m%d}-{mark}" if as_of else f"flat-{mark}"


def save(folder: Path, model: Model, card: Card, speaker: Speaker, answers_until: str) -> Path:
    """Write a version's folder; a failure on the way leaves nothing half-written under its name."""
    texts = model.texts()
    meta = {
        "prediction": card.prediction,
        "version": card.version,
        "kind": card.kind,
        "bags": {name: len(bags) for name, bags in texts.items()},
        "encoding": model.encoding.to_dict(),
        "model": model.to_dict(),
        "columns": [column_dict(column) for column in speaker.columns.values()],
        "typical": dict(speaker.typical),
        "answers_until": answers_until,
    }
    trees = {f"{name}_{number}.txt": text for name, bags in texts.items() for number, text in enumerate(bags)}
    return write_version(folder, card.prediction, card.version, meta, card, trees)


def write_version(
    folder: Path, name: str, version: str, meta: Mapping[str, object], card: CardPage, more: Mapping[str, str]
) -> Path:
    """Write a version's folder with model and card, all of it or nothing.

    name: under which versions are kept.   meta: what the model is restored from.   more: further files and their texts.
    """
    place = folder / FOLDER / name / version
    fresh = place.with_name(place.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    pages = {"card.zh.md": card.markdown("zh"), "card.en.md": card.markdown("en")}
    plainly = {"model.json": _json(meta), "card.json": _json(card.to_dict())}
    for file, text in {**more, **plainly, **pages}.items():
        (fresh / file).write_text(text, encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)
    return place


def load(folder: Path, prediction: str, version: str) -> StoredModel:
    """Read a version back; raises BadQuestion if there is none, BadInput if its files are damaged."""
    place = folder / FOLDER / prediction / version
    if not (place / "model.json").is_file():
        raise BadQuestion(
            f"There is no version {version!r} of the prediction {prediction!r}",
            expected=f"one of {', '.join(versions(folder, prediction)) or '(none yet)'}",
            remedy="Train it first.",
        )
    try:
        meta = json.loads((place / "model.json").read_text(encoding="utf-8"))
        texts = {
            name: [(place / f"{name}_{number}.txt").read_text(encoding="utf-8") for number in range(count)]
            for name, count in meta["bags"].items()
        }
        encoding = Encoding.from_dict(meta["encoding"])
        model = kind_of(meta["kind"]).restore(encoding, meta["model"], texts)
        columns = {each["name"]: column_of(each) for each in meta["columns"]}
        typical: dict[str, Value] = meta["typical"]
        return StoredModel(
            prediction, version, meta["kind"], model, Speaker(columns, typical), str(meta["answers_until"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"The model {place} cannot be read: {error}", remedy="Train the prediction again.") from error


def versions(folder: Path, prediction: str) -> list[str]:
    """The versions of a prediction that lie on disk, by name."""
    place = folder / FOLDER / prediction
    return sorted(each.name for each in place.iterdir() if (each / "model.json").is_file()) if place.is_dir() else []


def read_card(folder: Path, prediction: str, version: str) -> dict[str, object]:
    """The card of a version as plain values; raises BadQuestion if there is none."""
    file = folder / FOLDER / prediction / version / "card.json"
    if not file.is_file():
        raise BadQuestion(f"There is no card of version {version!r} of {prediction!r}", remedy="Train it first.")
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise BadInput(f"The card {file} is damaged", remedy="Train the prediction again.")
    return found


def stored_card(folder: Path, prediction: str, version: str) -> Card:
    """The card of a version as it was made; raises BadQuestion if there is none, BadInput if it is damaged."""
    try:
        card: Card = revived(Card, read_card(folder, prediction, version))
        return card
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"The card of version {version!r} of {prediction!r} cannot be read: {error!r}",
            remedy="Train the prediction again.",
        ) from error


def _json(value: object) -> str:
    return json.dumps(plain(value), ensure_ascii=False, indent=1)


def column_dict(column: Column) -> dict[str, object]:
    """A column as plain values; `column_of` reads them."""
    return {
        "name": column.name,
        "kind": column.kind,
        "measure": column.measure,
        "label": plain(column.label),
        "unit": plain(column.unit),
        "meaning": plain(column.meaning),
        "words": plain(column.words),
    }


def column_of(values: Mapping[str, object]) -> Column:
    """The column behind `column_dict`."""
    words = values["words"]
    return Column(
        name=str(values["name"]),
        label=_text(values["label"]),
        kind=_KINDS[str(values["kind"])],
        meaning=_text(values["meaning"]),
        unit=_text(values["unit"]),
        measure=str(values["measure"]),
        words={key: _text(value) for key, value in words.items()} if isinstance(words, dict) else {},
    )


def _text(values: object) -> Text:
    if not isinstance(values, dict):
        raise TypeError("a phrase has a Chinese and an English form")
    return Text(str(values["zh"]), str(values["en"]))
