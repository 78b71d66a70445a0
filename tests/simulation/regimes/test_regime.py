"""The regimes are frozen: whoever changes a number, or a law, is stopped here and must say why in the file."""

from __future__ import annotations

import numpy as np
import pytest
from tests.simulation.regimes.policies import by_lot

from aimwell.core.errors import BadInput, BadQuestion
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.regime import find_regime, load_regimes, parse_regimes, regimes_digest

VERSION = 1
DIGEST = "7837a880547a9fd05dfc13d57e166b01c04e1fab99d1310c9ba5b551928cc3dd"
# What the laws made of the numbers in version 1: purchases, views and messages seen of 500 customers in 14 days.
PLAYED = {
    "change_in_third_month": (35, 857, 192),
    "difference_and_fatigue": (35, 857, 192),
    "nothing_to_find": (269, 840, 380),
    "random_response": (261, 840, 380),
    "sure_things": (262, 861, 157),
}


def test_the_frozen_file_is_the_one_that_was_written_before_any_policy_was_run() -> None:
    assert (load_regimes().version, regimes_digest()) == (VERSION, DIGEST)
    assert len(load_regimes().history) == VERSION


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_the_laws_that_the_frozen_numbers_enter_are_frozen_too(name: str) -> None:
    market, chance = Marketplace.open(name, 500, 7), np.random.default_rng(7)
    days = [market.step(by_lot(market, chance, share=0.5)) for _ in range(14)]
    found = [
        sum(len(d.purchases) for d in days),
        sum(len(d.views) for d in days),
        sum(d.answers.seen.sum() for d in days),
    ]
    assert tuple(found) == PLAYED[name]


def test_there_is_every_regime_that_a_policy_must_be_tried_in() -> None:
    assert set(load_regimes().regime) == set(PLAYED)
    assert set(PLAYED) >= {
        "nothing_to_find",
        "sure_things",
        "difference_and_fatigue",
        "change_in_third_month",
        "random_response",
    }


def test_the_change_comes_in_the_third_month_and_nowhere_else() -> None:
    changes = {name: regime.change_day for name, regime in load_regimes().regime.items() if regime.change_day}
    assert changes == {"change_in_third_month": 60}


def test_the_mean_effect_of_an_email_is_that_of_the_published_experiments() -> None:
    regimes = load_regimes()
    shop, manner = regimes.business["shop"], regimes.manner
    regime = regimes.regime["difference_and_fatigue"]
    moved = sum(kind.share * kind.persuasion for kind in regime.strata) * shop.persuasion
    priced = 1 - regime.seekers + regime.seekers * manner.seeker_start
    seen = shop.channels[shop.channel("email")].seen
    # Hillstrom 2008: 0.31 and 0.68 points more bought; Criteo 2018: 0.12.
    assert 0.0012 < moved * priced * seen < 0.0068
    slope = regime.seekers * manner.seeker_start * manner.seeker_slope + (1 - regime.seekers) * manner.other_slope
    assert slope / priced == pytest.approx(2.62, abs=0.1)


def test_an_unknown_regime_or_channel_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(BadQuestion, match="sure_things"):
        find_regime("casino")
    with pytest.raises(BadQuestion, match="email, app_push, sms"):
        load_regimes().business["shop"].channel("fax")


def test_regimes_that_cannot_be_read_say_what_is_wrong() -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        parse_regimes("version = ")
    with pytest.raises(BadInput, match="first_day"):
        parse_regimes("version = 1")


def test_strata_whose_shares_do_not_add_up_are_refused() -> None:
    strata = [{"name": "half", "share": 0.5, "base": 1.0, "persuasion": 0.0, "provoked": 0.0}]
    given = find_regime("sure_things").model_dump() | {"strata": strata}
    with pytest.raises(ValueError, match="both must be 1"):
        type(find_regime("sure_things")).model_validate(given)
