"""The business's own say about items: where it applies, and what it does to a list."""

from __future__ import annotations

import difflib
from datetime import date

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.strategy.recommenders.definition import Recommender, Say
from aimwell.strategy.recommenders.shelf import Shelf

BURIED = -1e6
"""Added to the score of what is buried: below everything that is not, in the same order among themselves."""


def said_places(say: Say, shelf: Shelf) -> IntArray:
    """The places on the shelf of the items that a say is about.

    Raises BadQuestion for an item or a line that does not exist, with similar names.
    """
    if say.line is not None:
        found = np.flatnonzero(shelf.lines == say.line)
        if not found.size:
            raise BadQuestion(f"There is no line {say.line!r}", remedy=_similar(say.line, shelf.lines.tolist()))
        return np.flatnonzero(shelf.line == found[0]).astype(np.int64)
    places: list[int] = []
    for item in say.items:
        here = np.flatnonzero((shelf.items == item) | (shelf.names == item))
        if not here.size:
            raise BadQuestion(f"There is no item {item!r}", remedy=_similar(item, shelf.names.tolist()))
        places += here.tolist()
    return np.array(sorted(set(places)), dtype=np.int64)


def never_shown(definition: Recommender, shelf: Shelf, today: date) -> BoolArray:
    """Which items the business never wants shown on that day [m]."""
    found = np.zeros(shelf.items.size, dtype=np.bool_)
    for say in definition.say:
        if say.action == "never" and say.holds(today):
            found[said_places(say, shelf)] = True
    return found


def shifts(definition: Recommender, shelf: Shelf, today: date) -> FloatArray:
    """What is added to the score of each item because the business buries it [m]; 0 for the others."""
    found = np.zeros(shelf.items.size)
    for say in definition.say:
        if say.action == "bury" and say.holds(today):
            found[said_places(say, shelf)] = BURIED
    return found


def pins(definition: Recommender, shelf: Shelf, today: date) -> dict[int, int]:
    """The place in the list (from 0) to which each pinned item is held, by item; later says go behind earlier ones."""
    taken: set[int] = set()
    found: dict[int, int] = {}
    for say in definition.say:
        if say.action != "pin" or not say.holds(today):
            continue
        for item in said_places(say, shelf).tolist():
            place = next(each for each in range(say.place - 1, say.place + len(taken)) if each not in taken)
            taken.add(place)
            found[item] = place
    return found


def _similar(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 3)
    return f"Did you mean {', '.join(close)}?" if close else ""
