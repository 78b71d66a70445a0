"""What groups explain: golden amounts, known horizons, and RFM cells that see nothing of the future."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.insight.clusterings.habits import AS_OF, purchases, shop

from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.clusterings.worth import anything_bought, judge_worth, known_horizons

OWN = Text("我们的", "ours")


def bought(rows: list[tuple[str, int, float, str]]) -> pa.Table:
    """Purchases as (customer, days after the cut, amount, product)."""
    return pa.table(
        {
            "order_id": [f"o{place}" for place in range(len(rows))],
            "line": ["1"] * len(rows),
            "customer_id": [row[0] for row in rows],
            "product_id": [row[3] for row in rows],
            "occurred_at": pa.array([to_store(AS_OF + timedelta(days=row[1])) for row in rows], pa.timestamp("us")),
            "amount": pa.array([row[2] for row in rows]).cast(pa.decimal128(18, 2)),
            "discount": pa.array([0.0] * len(rows)).cast(pa.decimal128(18, 2)),
        }
    )


def test_a_horizon_is_known_when_something_was_bought_in_its_last_days(tmp_path: Path) -> None:
    history = shop(tmp_path, bought([("a", -3, 1.0, "bread"), ("a", 27, 1.0, "bread")])).history(AS_OF)
    assert known_horizons(history) == [28]
    assert known_horizons(history.at(AS_OF + timedelta(days=2))) == []
    assert anything_bought(history)
    assert not anything_bought(history.at(AS_OF - timedelta(days=10)))


def test_groups_that_know_the_later_spend_explain_nearly_all_of_it(tmp_path: Path) -> None:
    # Before the cut all are alike, so that RFM cannot know; afterwards group 1 spends ten times as much.
    ids = [f"c{n:02d}" for n in range(60)]
    labels = np.arange(60) % 2
    rows = [(each, -1 - place % 5, 10.0 + place % 7, "bread") for place, each in enumerate(ids)]
    rows += [
        (each, 3 + place % 20, (10.0 if labels[place] == 0 else 100.0) + place % 3, ("bread", "wine")[labels[place]])
        for place, each in enumerate(ids)
    ]
    rows.append(("other", 27, 5.0, "soap"))
    history = shop(tmp_path, bought(rows)).history(AS_OF)
    worth, notes = judge_worth(history, ids, {"own": (OWN, labels)}, [28], again=False)
    assert worth is not None
    assert notes == ()
    found = {(row.outcome, row.grouping): row for row in worth.rows}
    assert set(found) == {
        (outcome, grouping) for outcome in ("spend_28d", "log_spend_28d", "mix_28d") for grouping in ("own", "rfm")
    }
    own, cells = found["spend_28d", "own"], found["spend_28d", "rfm"]
    assert own.r2.value > 0.99
    assert cells.r2.value < 0.2
    assert own.ahead is not None
    assert own.ahead.value == pytest.approx(own.r2.value - cells.r2.value)
    assert own.better == 1
    assert (own.people, own.groups, cells.groups) == (60, 2, 2)
    assert found["mix_28d", "own"].r2.value == pytest.approx(1)


def test_the_mix_is_told_of_buyers_alone_and_returns_are_no_mix(tmp_path: Path) -> None:
    ids = [f"c{n:02d}" for n in range(40)]
    labels = np.arange(40) % 2
    rows = [(each, -2, 10.0 + place, "bread") for place, each in enumerate(ids)]
    rows += [(each, 5, 10.0, ("bread", "wine")[labels[place]]) for place, each in enumerate(ids[:30])]
    rows += [(ids[35], 6, -10.0, "soap"), (ids[0], 27, 0.5, "bread")]
    history = shop(tmp_path, bought(rows)).history(AS_OF)
    worth, _ = judge_worth(history, ids, {"own": (OWN, labels)}, [28], again=False)
    assert worth is not None
    [mix] = [row for row in worth.rows if row.outcome == "mix_28d" and row.grouping == "own"]
    assert mix.people == 30
    assert mix.r2.value == pytest.approx(1)


def test_what_cannot_be_judged_is_said_and_the_rest_is_judged(tmp_path: Path) -> None:
    # Everybody buys the same amount later: nothing to explain.
    ids = [f"c{n:02d}" for n in range(20)]
    rows = [(each, -1 - place, 10.0 + place, "bread") for place, each in enumerate(ids)]
    rows += [(each, 27, 5.0, ("bread", "wine")[place % 2]) for place, each in enumerate(ids)]
    history = shop(tmp_path, bought(rows)).history(AS_OF)
    worth, notes = judge_worth(history, ids, {"own": (OWN, np.arange(20) % 2)}, [28], again=False)
    assert worth is not None
    assert {row.outcome for row in worth.rows} == {"mix_28d"}
    assert any("the same for everybody" in note.en and "无法判断" in note.zh for note in notes)


def test_what_groups_are_held_against_is_blind_to_the_future(tmp_path: Path) -> None:
    until = AS_OF + timedelta(days=84)
    ids = [f"c{n:03d}" for n in range(60)]
    labels = np.arange(60) % 3
    before = purchases(60, 5, until=until)
    first, _ = judge_worth(shop(tmp_path, before).history(AS_OF), ids, {"own": (OWN, labels)}, [28], again=False)
    # Whatever happens after the horizon changes nothing.
    later = bought([(each, 100, 999.0, "wine") for each in ids]).select(before.column_names[:-1])
    later = later.append_column("place", pa.array(["north"] * len(ids)))
    second, _ = judge_worth(
        shop(tmp_path, pa.concat_tables([before, later], promote_options="permissive")).history(AS_OF),
        ids,
        {"own": (OWN, labels)},
        [28],
        again=False,
    )
    assert first == second
