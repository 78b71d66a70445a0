"""Clusterings on disk: one folder per version, plain arrays and JSON, nothing that runs when it is read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from aimwell.core.errors import AimwellError, BadInput, BadQuestion
from aimwell.core.text import Text
from aimwell.insight.clusterings.definition import Clustering
from aimwell.insight.clusterings.matching import Place
from aimwell.insight.clusterings.naming import Key
from aimwell.insight.clusterings.result import ClusteringResult
from aimwell.insight.predictions.plain import plain
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.assignment import Assignment, arrays_of, assignment_from
from aimwell.science.cluster.prepare import Preparation, preparation_from

FOLDER = ("models", "clusterings")
_CURRENT = "current"
_RULE = "rule"


@dataclass(frozen=True)
class KeptGroup:
    """What is kept of a group: its place, its name, and the traits that the name speaks of."""

    place: Place
    name: Text
    traits: tuple[Key, ...]


@dataclass(frozen=True, eq=False)
class Kept:
    """A version of a clustering: how customers are measured and placed, and which groups they are placed into.

    groups: by label.   next_number: the number of the next new group; ids are never given twice.
    """

    definition: Clustering
    version: str
    as_of: datetime
    preparation: Preparation
    assignment: Assignment
    groups: tuple[KeptGroup, ...]
    next_number: int

    @property
    def places(self) -> list[Place]:
        return [group.place for group in self.groups]

    def labels(self, values: FloatArray) -> IntArray:
        """The group of any customers [n], -1 for none; values of `preparation.names` in their own units."""
        return self.assignment.labels(self.preparation.apply(values))

    def segment(self, label: int) -> str:
        """How rules speak of a group."""
        return segment_name(self.definition.name, self.groups[label].place.id)


def segment_name(clustering: str, group: str) -> str:
    """How rules speak of a group of a clustering.

    >>> segment_name("ways_of_shopping", "g1")
    'ways_of_shopping.g1'
    """
    return f"{clustering}.{group}"


def lay_down(folder: Path, kept: Kept, result: ClusteringResult) -> Path:
    """Write a version into a folder beside its place; `put_up` puts it there."""
    fresh = _place(folder, kept.definition.name) / f"{kept.version}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    (fresh / _RULE).mkdir()
    for name, values in arrays_of(kept.assignment).items():
        np.save(fresh / _RULE / f"{name}.npy", values, allow_pickle=False)
    (fresh / "preparation.json").write_text(kept.preparation.json(), encoding="utf-8")
    (fresh / "result.json").write_text(_json(result.to_dict()), encoding="utf-8")
    meta = {
        "definition": kept.definition.model_dump(mode="json", by_alias=True, exclude_none=True),
        "version": kept.version,
        "as_of": kept.as_of.isoformat(),
        "next_number": kept.next_number,
        "groups": [
            {"id": g.place.id, "colour": g.place.colour, "name": g.name, "traits": [list(key) for key in g.traits]}
            for g in kept.groups
        ],
    }
    (fresh / "clustering.json").write_text(_json(meta), encoding="utf-8")
    return fresh


def put_up(fresh: Path) -> Path:
    """Move a written version to its place, and make it the current one."""
    place = fresh.with_name(fresh.name.removesuffix(".new"))
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)
    pointer = place.with_name(_CURRENT + ".new")
    pointer.write_text(place.name, encoding="utf-8")
    pointer.replace(place.with_name(_CURRENT))
    return place


def current(folder: Path, clustering: str) -> str | None:
    """The version in use; None before the first fit."""
    file = _place(folder, clustering) / _CURRENT
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def versions(folder: Path, clustering: str) -> list[str]:
    """The versions of a clustering that lie on disk, by name."""
    place = _place(folder, clustering)
    return sorted(each.parent.name for each in place.glob("*/clustering.json")) if place.is_dir() else []


def take(folder: Path, clustering: str, version: str | None = None) -> Kept:
    """A version of a clustering, by default the one in use.

    Raises BadQuestion if there is none, BadInput if its files are damaged.
    """
    place = _version_place(folder, clustering, version)
    try:
        meta = json.loads((place / "clustering.json").read_text(encoding="utf-8"))
        arrays = {file.stem: np.load(file, allow_pickle=False) for file in sorted((place / _RULE).glob("*.npy"))}
        return Kept(
            definition=Clustering.model_validate(meta["definition"]),
            version=str(meta["version"]),
            as_of=datetime.fromisoformat(meta["as_of"]),
            preparation=preparation_from((place / "preparation.json").read_text(encoding="utf-8")),
            assignment=assignment_from(arrays),
            groups=tuple(_group(each) for each in meta["groups"]),
            next_number=int(meta["next_number"]),
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError, AimwellError) as error:
        raise BadInput(f"The clustering {place} cannot be read: {error}", remedy="Fit it again.") from error


def read_result(folder: Path, clustering: str, version: str | None = None) -> dict[str, object]:
    """What a fit found, as plain values; raises BadQuestion if there is none."""
    place = _version_place(folder, clustering, version)
    try:
        found = json.loads((place / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"The result in {place} cannot be read: {error}", remedy="Fit it again.") from error
    if not isinstance(found, dict):
        raise BadInput(f"The result in {place} is damaged", remedy="Fit it again.")
    return found


def _version_place(folder: Path, clustering: str, version: str | None) -> Path:
    chosen = version or current(folder, clustering)
    known = versions(folder, clustering)
    if chosen is None or chosen not in known:
        raise BadQuestion(
            f"There is no version {chosen!r} of the clustering {clustering!r}"
            if chosen
            else f"The clustering {clustering!r} has not been fitted yet",
            expected=f"one of {', '.join(known) or '(none yet)'}",
            remedy="Fit it first.",
        )
    return _place(folder, clustering) / chosen


def _place(folder: Path, clustering: str) -> Path:
    return folder.joinpath(*FOLDER, clustering)


def _group(values: Mapping[str, object]) -> KeptGroup:
    name, traits = values["name"], values["traits"]
    if not isinstance(name, dict) or not isinstance(traits, list):
        raise TypeError("a group has a name in two languages and a list of traits")
    place = Place(str(values["id"]), int(str(values["colour"])))
    return KeptGroup(place, Text(str(name["zh"]), str(name["en"])), tuple((str(f), bool(up)) for f, up in traits))


def _json(value: object) -> str:
    return json.dumps(plain(value), ensure_ascii=False, indent=1)
