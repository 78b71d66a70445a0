"""A lot in the simulated market is a real experiment: its probabilities are those that are written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as arrow_parquet
import pytest

from aimwell.core.errors import BadQuestion
from aimwell.simulation.regimes.__main__ import main
from aimwell.simulation.regimes.lots import DEPTHS, HOURS, Lot, campaign_of
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages

SHARE = 0.5


def opened(customers: int = 1_500) -> Marketplace:
    return Marketplace.open("difference_and_fatigue", customers, seed=7)


def test_half_of_those_who_take_part_get_a_message_evenly_over_channels_hours_and_depths() -> None:
    market, taking, messages = opened(), 0, list[Messages]()
    lot = Lot(market, SHARE)
    for _ in range(64):
        sent = lot.choose(market)
        if len(sent):
            part = lot.taking(market)
            assert part[sent.customer].all()
            taking += int(part.sum())
            messages.append(sent)
            assert (market.shelf.risk[sent.product] <= market.people.risk[sent.customer]).all()
        lot.tables(market, market.step(sent))
    count = sum(map(len, messages))
    assert abs(count - SHARE * taking) < 3 * np.sqrt(taking * SHARE * (1 - SHARE))
    for name, values in (("hour", HOURS), ("depth", DEPTHS), ("channel", lot.channels)):
        drawn = np.concatenate([getattr(each, name) for each in messages])
        shares = np.asarray([(drawn == value).mean() for value in values])
        assert np.abs(shares - 1 / len(values)).max() < 3 * np.sqrt(0.25 / count), name


def test_a_lot_looks_at_nothing_that_the_company_does_not_know() -> None:
    """The same people by what is known, other latent traits: the same lots."""
    market = opened(400)
    twin = opened(400)
    twin.nature.before.persuasion[:] = 0
    twin.nature.before.provoked[:] = 0
    one, other = Lot(market, SHARE), Lot(twin, SHARE)
    sent = Messages.none()
    for _ in range(15):
        sent, same = one.choose(market), other.choose(twin)
        np.testing.assert_array_equal(sent.customer, same.customer)
        np.testing.assert_array_equal(sent.product, same.product)
        one.tables(market, market.step(sent))
        other.tables(twin, twin.step(same))
    assert len(sent) > 20


def test_what_is_written_names_the_experiment_its_probabilities_and_that_it_is_simulated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(tmp_path), "--lot", "0.5", "--customers", "500", "--days", "30"]
    assert main(words) == 0
    assert "Simulated (not real)" in capsys.readouterr().out
    touches = arrow_parquet.read_table(tmp_path / "data" / "touch.parquet")
    assert touches.schema.metadata[b"simulated"] == b"true"
    assert set(touches["campaign"].to_pylist()) == {"lot_2026-01-19", "lot_2026-01-26", "lot_2026-02-02"}
    chances = touches["probability"].to_numpy()
    assert (chances > 0).all()
    assert chances.max() <= SHARE / (2 * len(HOURS) * len(DEPTHS))
    lines = set(touches["creative_id"].to_pylist())
    assert lines <= {"deposit", "wealth", "fund", "insurance", "loan", "card"}
    customers = set(arrow_parquet.read_table(tmp_path / "data" / "customer.parquet")["customer_id"].to_pylist())
    for name in ("consent", "identifier"):
        table = arrow_parquet.read_table(tmp_path / "data" / f"{name}.parquet")
        assert table.schema.metadata[b"simulated"] == b"true"
        assert set(table["customer_id"].to_pylist()) <= customers


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, float("nan")])
def test_a_lot_that_leaves_nobody_on_one_side_is_refused(share: float) -> None:
    with pytest.raises(BadQuestion, match="share above 0 and below 1"):
        Lot(opened(10), share)


def test_a_campaign_is_named_by_its_day() -> None:
    assert campaign_of(opened(10).first_day) == "lot_2026-01-05"
