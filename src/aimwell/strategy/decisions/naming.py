"""Whether decisions take their gains from effects, and arms of them, that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

from aimwell.core.definitions import locate
from aimwell.core.problems import Problem
from aimwell.insight.effects.definition import Effect
from aimwell.strategy.decisions.definition import Decision, Gain


def check_gains(folder: Path, decisions: Mapping[str, Decision], effects: Mapping[str, Effect]) -> list[Problem]:
    """Every gain that names an effect or an arm that is not there, with file and line.

    folder: the workspace, whose files are read again for their lines.
    """
    found: list[Problem] = []
    places = locate(folder, Decision)
    for name, decision in decisions.items():
        file, line_of = places[name]
        for treatment, each in decision.treatments.items():
            told = _wrong(each.gain, effects)
            if told is not None:
                key, message, remedy = told
                path = ("treatments", treatment, "gain", key)
                found.append(Problem(file, line_of(path), ".".join(path), message, remedy))
    return sorted(found)


def _wrong(gain: Gain, effects: Mapping[str, Effect]) -> tuple[str, str, str] | None:
    """The key that is wrong, what is wrong with it, and the remedy; None where there is nothing."""
    if gain.effect is None:
        return None
    if gain.effect not in effects:
        return "effect", f"there is no effect {gain.effect!r}", _one_of(gain.effect, effects)
    arms = effects[gain.effect].treatment.names[1:]
    if gain.arm is None and len(arms) > 1:
        return "arm", f"the effect {gain.effect!r} has several arms", f"name one of {', '.join(arms)}"
    if gain.arm is not None and gain.arm not in arms:
        return "arm", f"the effect {gain.effect!r} has no arm {gain.arm!r}", _one_of(gain.arm, arms)
    return None


def _one_of(given: str, known: Iterable[str]) -> str:
    """What there is, and what was probably meant."""
    names = list(known)
    close = difflib.get_close_matches(given, names, 1)
    there = f"there are: {', '.join(names) or '(none)'}"
    return f"did you mean {close[0]!r}? {there}" if close else there
