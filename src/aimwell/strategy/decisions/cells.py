"""Stage by value: what is decided in each cell, beside what a table written by people would do there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aimwell.science.arrays import IntArray
from aimwell.strategy.decisions.choosing import Chosen
from aimwell.strategy.decisions.definition import ANY, NOTHING, Decision
from aimwell.strategy.decisions.people import People, Words


@dataclass(frozen=True, slots=True)
class Cell:
    """One stage and value: how many, what most of them get, and what the written table gives them.

    customers: those not held out.   mostly: the treatment, or `nothing`, that most get, `share` of them.
    spend: in all.   written: empty where nothing is said.
    """

    stage: str
    value: str
    customers: int
    mostly: str
    share: float
    spend: float
    written: str


@dataclass(frozen=True, slots=True)
class CellTable:
    """The cells, and both policies added up on the same people and the same expected gains.

    spend, net: of the decision.   written_spend, written_net: of the written table, where it may give a treatment; it
    knows no budget.
    """

    cells: tuple[Cell, ...]
    spend: float
    net: float
    written_spend: float
    written_net: float


def cell_table(definition: Decision, people: People, chosen: Chosen) -> CellTable:
    """The table of a decision that has cells; in order of stage and value."""
    if definition.cells is None or people.cells is None:
        return CellTable((), 0.0, 0.0, 0.0, 0.0)
    names = [*definition.treatments, NOTHING]
    rows = chosen.inside
    option, written = chosen.option[rows], written_options(definition, people)[rows]
    found = []
    kinds, kind = _kinds(people.cells)
    order = np.argsort(kind[rows], kind="stable")
    ends = np.cumsum(np.bincount(kind[rows], minlength=len(kinds)))
    for (stage, value), here in zip(kinds, np.split(order, ends[:-1]), strict=True):
        if not here.size:
            continue
        counts = np.bincount(option[here] % len(names), minlength=len(names))
        most = int(counts.argmax())
        spend = _sum(people.cost, rows[here], option[here])
        said = _written(definition, stage, value)
        found.append(Cell(stage, value, here.size, names[most], float(counts[most] / here.size), spend, said))
    return CellTable(
        tuple(found),
        _sum(people.cost, rows, option),
        _sum(people.net, rows, option),
        _sum(people.cost, rows, written),
        _sum(people.net, rows, written),
    )


def written_options(definition: Decision, people: People) -> IntArray:
    """What the written table gives each customer who may get it: -1 nothing, else the number of the treatment [n]."""
    option = np.full(people.customers.size, -1, dtype=np.int64)
    if people.cells is None:
        return option
    kinds, kind = _kinds(people.cells)
    places = {name: place for place, name in enumerate(definition.treatments)}
    given = np.array([places.get(_written(definition, stage, value), -1) for stage, value in kinds], dtype=np.int64)
    option = given[kind]
    allowed = people.allowed[np.arange(option.size), option]
    return np.where((option >= 0) & allowed, option, -1)


def _kinds(cells: Words) -> tuple[list[tuple[str, str]], IntArray]:
    """The different pairs of stage and value in order, and which of them each customer has [n]."""
    words, places = [], []
    for column in cells.T:
        encoded = pa.array(column, pa.string()).dictionary_encode()
        words.append(encoded.dictionary.to_pylist())
        places.append(np.asarray(encoded.indices, dtype=np.int64))
    both, kind = np.unique(places[0] * len(words[1]) + places[1], return_inverse=True)
    pairs = [(words[0][each // len(words[1])], words[1][each % len(words[1])]) for each in both.tolist()]
    order = sorted(range(len(pairs)), key=pairs.__getitem__)
    rank = np.empty(len(pairs), dtype=np.int64)
    rank[order] = np.arange(len(pairs))
    return [pairs[each] for each in order], rank[kind]


def _written(definition: Decision, stage: str, value: str) -> str:
    """What people wrote for a cell; the nearer word goes before `*`."""
    give = definition.cells.give if definition.cells else {}
    for row in (give.get(stage, {}), give.get(ANY, {})):
        if said := row.get(value, row.get(ANY, "")):
            return said
    return ""


def _sum(table: np.ndarray[tuple[int, ...], np.dtype[np.float64]], rows: IntArray, option: IntArray) -> float:
    some = option >= 0
    return float(table[rows[some], option[some]].sum())
