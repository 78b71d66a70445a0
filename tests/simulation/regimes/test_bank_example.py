"""The example bank of the simulated market, from nothing to decisions; the truth says afterwards whether it was right.

No part of the product has read the truth: the same market is played again here, and asked.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from sqlglot import exp
from tests.cli.conftest import invoke

from aimwell.cli.examples import example_folder
from aimwell.insight.effects import Effect
from aimwell.insight.predictions import Prediction
from aimwell.simulation.chance import Floats, Integers
from aimwell.simulation.regimes.lots import EVERY, LOOKED_DAYS, Lot, write_lots
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.store.ledger.ledger import open_ledger
from aimwell.store.ledger.schema.people import profile
from aimwell.store.workspace import Workspace, open_workspace
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.recommenders.definition import Recommender

pytestmark = pytest.mark.slow

CUSTOMERS, DAYS, SHARE, SEED = 3_000, 120, 0.5, 7
ARMS = ("sms", "call")
KINDS = (Prediction, Recommender, Effect, Decision, Journey)


def opened() -> Marketplace:
    return Marketplace.open("difference_and_fatigue", CUSTOMERS, SEED)


@dataclass(frozen=True)
class Known:
    """What the truth says of the lots: by channel, what each message brings (CNY) and by how much it moves its reader.

    market: on the day after the last that was written.
    """

    market: Marketplace
    brings: dict[str, Floats]
    moves: dict[str, Floats]
    takers: Integers


@dataclass(frozen=True)
class Bank:
    """The workspace after everything was done in it, and what the commands said as JSON."""

    folder: Path
    workspace: Workspace
    card: Any
    recommended: Any
    plan: Any

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.workspace.warehouse() as warehouse:
            return list(warehouse.engine.to_arrow(exp.select("*").from_(table)).to_pylist())


@pytest.fixture(scope="module")
def known() -> Known:
    """The same market played again, with the truth asked before each lot."""
    market = opened()
    lot, names = Lot(market, SHARE), [channel.name for channel in market.business.channels]
    brings: dict[str, list[Floats]] = {name: [] for name in ARMS}
    moves: dict[str, list[Floats]] = {name: [] for name in ARMS}
    takers = []
    for _ in range(DAYS):
        sent = lot.choose(market)
        if len(sent):
            takers.append(int(lot.taking(market).sum()))
            truth = market.truth()
            own = truth.own[sent.customer].sum(axis=1) * market.nature.traits(market.day).provoked[sent.customer]
            moved = truth.seen(sent) * (truth.moved(sent) - own)
            for name in ARMS:
                among = sent.channel == names.index(name)
                brings[name].append(truth.brings(sent)[among] / 100)
                moves[name].append(moved[among])
        lot.tables(market, market.step(sent))
    joined = [{name: np.concatenate(parts[name]) for name in ARMS} for parts in (brings, moves)]
    return Known(market, joined[0], joined[1], np.asarray(takers))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    folder = tmp_path_factory.mktemp("market") / "bank"
    shutil.copytree(example_folder("market_bank"), folder)
    write_lots(folder, opened(), DAYS, SHARE)

    def said(*words: str) -> Any:
        result = invoke("-w", str(folder), "--json", *words)
        assert result.code == 0, result.err
        return result.json

    loaded = said("source", "load")
    assert loaded
    said("segment", "refresh")
    card = said("effect", "train", "contact")["card"]
    said("effect", "score", "contact")
    recommended = said("recommend", "make", "next_product")
    said("profile")
    said("apply", "--yes")
    return Bank(folder, open_workspace(folder), card, recommended, said("decide", "this_week", "--activate"))


def places(customers: list[str]) -> Integers:
    """The places in the market of customers by their ids."""
    return np.asarray([int(customer[1:]) for customer in customers], dtype=np.int64)


def interval(values: Floats) -> tuple[float, float]:
    """Of the mean, 95 %."""
    wide = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - wide), float(values.mean() + wide)


def test_the_example_speaks_both_languages_and_says_that_it_is_simulated(bank: Bank) -> None:
    assert bank.workspace.settings.simulated
    for kind in KINDS:
        found = bank.workspace.definitions(kind)
        assert found, kind
        assert all(each.label and each.label.text.zh and each.label.text.en for each in found.values())
    assert bank.rows("reject") == []


def test_nothing_is_recommended_above_the_true_risk_or_after_the_assessment_expired(bank: Bank, known: Known) -> None:
    shelf, people = known.market.shelf, known.market.people
    rows = bank.rows("recommendation")
    assert len(rows) > 300
    who, product = places([row["customer_id"] for row in rows]), {name: place for place, name in enumerate(shelf.ids)}
    item = np.asarray([product[row["item"]] for row in rows])
    assert (shelf.risk[item] <= people.risk[who]).all()
    assert shelf.on_sale(known.market.day)[item].all()
    assert (known.market.day - people.arrival[who] <= 365).all()


def test_the_measured_effects_hold_the_true_ones_within_their_intervals(bank: Bank, known: Known) -> None:
    told = {each["treatment"]: each for each in bank.card["evidence"]}
    assert set(told) == set(ARMS)
    for name in ARMS:
        average = told[name]["average"]
        assert average["low"] < known.moves[name].mean() < average["high"]
        assert average["low"] < 0 < average["high"]
        assert told[name]["differs"] is False


def test_who_took_part_in_the_lots_is_whom_the_effect_asks_about(bank: Bank, known: Known) -> None:
    first, days = opened().first_day, range(EVERY * -(-LOOKED_DAYS // EVERY), DAYS, EVERY)
    campaigns = {f"lot_{first + timedelta(days=day)}" for day in days}
    assert {row["campaign"] for row in bank.rows("touch")} == campaigns
    assert len(known.takers) == len(campaigns)
    assert bank.card["arms"] == {
        "nothing": known.takers.sum() - sum(map(len, known.moves.values())),
        **{name: len(known.moves[name]) for name in ARMS},
    }


def test_nothing_proven_is_nothing_sent_beyond_lots_and_in_truth_calls_by_lot_lose_money(
    bank: Bank, known: Known
) -> None:
    rows = bank.rows("decision")
    beyond = [row for row in rows if row["treatment"] != "nothing" and row["reason"] != "by_lot"]
    assert beyond == []
    assert all("counts as 0" in each["told"]["en"] for each in bank.plan["plan"]["treatments"])
    assert interval(known.brings["call"])[1] < 0
    # An SMS brings something in truth, a tenth of a CNY: far too little for an experiment of this size to prove.
    assert 0 < interval(known.brings["sms"])[0] < interval(known.brings["sms"])[1] < 1


def test_the_decision_brings_more_in_truth_than_the_table_that_people_wrote(bank: Bank, known: Known) -> None:
    """Both about the product that is recommended first, at half past twelve, to the same people; money in CNY."""
    market = known.market
    names = {channel.name: place for place, channel in enumerate(market.business.channels)}
    product = {name: place for place, name in enumerate(market.shelf.ids)}
    first = {row["customer_id"]: product[row["item"]] for row in bank.rows("recommendation") if row["place"] == 1}
    rows = [row for row in bank.rows("decision") if row["customer_id"] in first and row["reason"] != "held_out"]
    who = places([row["customer_id"] for row in rows])
    offered = np.asarray([first[row["customer_id"]] for row in rows])
    truth = market.truth()

    def brings(treatments: list[str]) -> Floats:
        channel = np.asarray([names.get(each, -1) for each in treatments])
        sent = channel >= 0
        found = np.zeros(len(rows))
        found[sent] = truth.brings(Messages.of(who[sent], offered[sent], channel[sent], 12.5)) / 100
        return found

    cells = bank.workspace.definitions(Decision)["this_week"].cells
    assert cells is not None
    table = cells.give["looking"]
    worth = {row["customer_id"]: row["worth"] for row in bank.rows("profile")}
    by_table = brings([table[worth[row["customer_id"]]] for row in rows])
    low, _ = interval(brings([row["treatment"] for row in rows]) - by_table)
    assert low > 0


def test_journeys_read_what_was_decided(bank: Bank) -> None:
    ledger = open_ledger(bank.folder / "ledger")
    try:
        with ledger.reading() as connection:
            query = select(profile.c.customer_id, profile.c.text).where(profile.c.name == "decision:this_week")
            told = {row.customer_id: row.text for row in connection.execute(query)}
    finally:
        ledger.close()
    assert told == {row["customer_id"]: row["treatment"] for row in bank.rows("decision")}
    assert set(told.values()) == {"nothing", *ARMS}
