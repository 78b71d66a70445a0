"""Other ways of choosing, as they would have chosen at the instants of past runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aimwell.core.errors import AimwellError
from aimwell.core.text import Text
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.strategy.decisions.cells import written_options
from aimwell.strategy.decisions.choosing import choose
from aimwell.strategy.decisions.definition import NOTHING, Decision
from aimwell.strategy.decisions.past import Past
from aimwell.strategy.decisions.people import People, Words
from aimwell.strategy.decisions.support import Then, seen_then

NOW, CELLS, NOBODY, BEST = "now", "cells", "nothing", "best_for_all"
_LABELS: Mapping[str, Text] = {
    NOW: Text("按现在的定义", "as the file stands now"),
    CELLS: Text("人工表", "the written table"),
    NOBODY: Text("谁都不发", "nothing for anybody"),
    BEST: Text("每人给最好的方案，不看预算", "everyone's best offer, whatever it costs"),
}
Rule = Callable[[People], IntArray]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What a policy would have given.

    treatment: by name, of each row of the log [n].   cost: of it [n].   failed: why it cannot be told; then both are
    of nothing.
    """

    policy: str
    label: Text
    treatment: Words
    cost: FloatArray
    failed: Text | None = None


def choices_then(definition: Decision, workshop: Workshop, past: Past, *, only_now: bool = False) -> list[Choice]:
    """What a definition, and what else could be made of its treatments, would have chosen at each run of a log.

    only_now: the definition itself alone, called by its name.   A policy that cannot be told at one of the runs is
    told as failed, with the reason.
    """
    rules = {NOW: _as_it_stands(definition), **({} if only_now else _others(definition))}
    labels = {**_LABELS, **_everyone(definition)}
    nobody = Choice(NOBODY, _LABELS[NOBODY], np.full(len(past), NOTHING), np.zeros(len(past)))
    try:
        then = [seen_then(definition, workshop, past, run) for run in range(len(past.runs))]
    except AimwellError as error:
        why = Text(str(error), str(error))
        names = {name: definition.name if only_now else name for name in rules}
        failed = [Choice(names[name], labels[name], nobody.treatment, nobody.cost, why) for name in rules]
        return failed if only_now else [*failed, nobody]
    found = [_choice(name, labels[name], definition, then, rule, len(past)) for name, rule in rules.items()]
    if only_now:
        return [Choice(definition.name, definition.title, each.treatment, each.cost, each.failed) for each in found]
    return [*found, nobody]


def _everyone(definition: Decision) -> dict[str, Text]:
    titles = {name: each.label.text if each.label else Text(name, name) for name, each in definition.treatments.items()}
    return {
        f"all:{name}": Text(f"人人都给：{title.zh}", f"{title.en} for everyone who may get it")
        for name, title in titles.items()
    }


def _others(definition: Decision) -> dict[str, Rule]:
    rules: dict[str, Rule] = {CELLS: lambda people: written_options(definition, people)} if definition.cells else {}
    rules[BEST] = _best
    return rules | {f"all:{name}": _all(place) for place, name in enumerate(definition.treatments)}


def _all(place: int) -> Rule:
    return lambda people: np.where(people.allowed[:, place], place, -1).astype(np.int64)


def _as_it_stands(definition: Decision) -> Rule:
    """The decision itself, with nobody held out and nothing drawn by lot."""
    alone = definition.model_copy(update={"hold_out": 0.0, "explore": 0.0})
    return lambda people: choose(alone, people, "").option


def _best(people: People) -> IntArray:
    worth = np.where(people.allowed, people.net, -np.inf)
    return np.where(people.allowed.any(axis=1), worth.argmax(axis=1), -1).astype(np.int64)


def _choice(name: str, label: Text, definition: Decision, then: list[Then], rule: Rule, size: int) -> Choice:
    names = np.array([*definition.treatments, NOTHING])
    treatment, cost = np.full(size, NOTHING, dtype=names.dtype), np.zeros(size)
    try:
        for each in then:
            option = rule(each.people)
            there = each.place >= 0
            rows, place = each.rows[there], each.place[there]
            treatment[rows] = names[option[place]]
            cost[rows] = np.where(option[place] >= 0, each.people.cost[place, option[place]], 0.0)
    except AimwellError as error:
        return Choice(name, label, np.full(size, NOTHING), np.zeros(size), Text(str(error), str(error)))
    return Choice(name, label, treatment, cost)
