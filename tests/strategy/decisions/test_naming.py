"""A decision that takes its gain from an effect names one that is there, and one of its arms."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.core.definitions import read_definitions
from aimwell.insight.effects.definition import Effect
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.naming import check_gains

_EFFECT = """\
treatment: {campaigns: may, control: none, arms: {none: 0.5, ARMS}}
target: {happens: {purchases: {}}}
horizon_days: 14
"""
_DECISION = """\
audience: {purchases: {}}
treatments:
  letter: {channel: mail, gain: {amount: 2}}
  coupon:
    channel: mail
    gain:
      effect: EFFECT
      times: 20
"""


def _problems(folder: Path, effect: str) -> list[str]:
    for place, text in (
        ("effects/coupon", _EFFECT.replace("ARMS", "coupon: 0.5")),
        ("effects/depths", _EFFECT.replace("ARMS", "ten: 0.25, twenty: 0.25")),
        ("decisions/autumn", _DECISION.replace("EFFECT", effect)),
    ):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / f"{place}.yaml").write_text(text, encoding="utf-8")
    decisions, effects = read_definitions(folder, Decision), read_definitions(folder, Effect)
    return [str(each) for each in check_gains(folder, decisions, effects)]


@pytest.mark.parametrize("effect", ["coupon", "coupon\n      arm: coupon", "depths\n      arm: ten"])
def test_an_effect_and_an_arm_that_are_there_are_fine(tmp_path: Path, effect: str) -> None:
    assert _problems(tmp_path, effect) == []


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ("cupon", "7: treatments.coupon.gain.effect: there is no effect 'cupon' (did you mean 'coupon'? there are: "),
        ("depths", "6: treatments.coupon.gain.arm: the effect 'depths' has several arms (name one of ten, twenty)"),
        (
            "depths\n      arm: none",
            "8: treatments.coupon.gain.arm: the effect 'depths' has no arm 'none' (there are: t",
        ),
        ("depths\n      arm: tenn", "has no arm 'tenn' (did you mean 'ten'? there are: ten, twenty)"),
    ],
)
def test_what_is_not_there_is_refused_with_its_line_and_what_there_is(tmp_path: Path, effect: str, said: str) -> None:
    problems = _problems(tmp_path, effect)
    assert len(problems) == 1
    assert problems[0].startswith("decisions/autumn.yaml:")
    assert said in problems[0]
