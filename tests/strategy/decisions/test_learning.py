"""A decision that explores is an experiment: what it drew trains an effect, and the next decision reads that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from sqlglot import exp

from aimwell.core.definitions import parse_definitions
from aimwell.core.errors import BadDefinition, NotEnoughData
from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.effects import Effect, score_effect, train_effect
from aimwell.insight.effects.rows import drawn
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.uplift.trees import Growth
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.decisions.deciding import decide
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.rows import TABLE

NOW = datetime(2025, 6, 1, tzinfo=UTC)
AFTER = NOW + timedelta(days=30)
PEOPLE = 2400
NAMES = np.array([f"c{number:04d}" for number in range(PEOPLE)])
WARM = np.arange(PEOPLE) % 2 == 1
QUICK = Growth(rounds=25, leaves=4, min_rows=40, folds=2, effect_rounds=20, effect_min_rows=60)
TRUTH = {"letter": 0.5 * WARM, "call": np.full(PEOPLE, 0.15)}
LEARNT = """\
treatment: {decision: autumn, among: [letter, call]}
target: {happens: {purchases: {}}}
horizon_days: 14
"""
_ONE = Text("暖", "Warmth")
HABITS = query_family(
    "habits",
    "transaction",
    _ONE,
    needs=("customer.warmth",),
    columns=(Column("warmth", _ONE, "number", _ONE),),
    sql="SELECT customer_id, warmth FROM customer",
)


@contextmanager
def town(folder: Path) -> Iterator[Workshop]:
    """People who are warm or not; nobody has bought anything yet."""
    engine = DuckEngine(threads=1)
    past = pa.array([to_store(NOW - timedelta(days=300))] * PEOPLE, pa.timestamp("us"))
    chance = np.random.default_rng(3)
    warmth = WARM + chance.normal(0, 0.1, PEOPLE)
    engine.write("customer", pa.table({"customer_id": NAMES.tolist(), "created_at": past, "warmth": warmth}))
    with Warehouse(engine, ZoneInfo("UTC")) as warehouse:
        yield Workshop(warehouse, assemble([HABITS]), folder)


def buy(workshop: Workshop, effects: dict[str, Any]) -> Workshop:
    """Everybody buys with chance .2, and with that of what was decided for them on top; the town as it is then."""
    rows = decided(workshop)
    more = np.array([effects.get(row["treatment"], np.zeros(PEOPLE))[place] for place, row in enumerate(rows)])
    bought = np.flatnonzero(np.random.default_rng(4).random(PEOPLE) < 0.2 + more)
    days = [NOW + timedelta(days=3)] * bought.size + [AFTER]
    table = {
        "order_id": [f"o{place}" for place in range(bought.size + 1)],
        "line": ["1"] * (bought.size + 1),
        "customer_id": [*NAMES[bought].tolist(), NAMES[0]],
        "occurred_at": pa.array([to_store(day) for day in days], pa.timestamp("us")),
        "amount": pa.array([10.0] * (bought.size + 1)).cast(pa.decimal128(18, 2)),
    }
    workshop.warehouse.engine.write("purchase", pa.table(table))
    return Workshop(Warehouse(workshop.warehouse.engine, ZoneInfo("UTC")), workshop.library, workshop.folder)


def decided(workshop: Workshop) -> list[dict[str, Any]]:
    query = exp.select("*").from_(TABLE).order_by("customer_id")
    return list(workshop.warehouse.engine.to_arrow(query).to_pylist())


def autumn(**words: Any) -> Decision:
    treatments = {
        "letter": {"channel": "mail", "gain": {"amount": 1}},
        "call": {"channel": "phone", "gain": {"amount": 2}, "at_most": 900},
    }
    given = {"name": "autumn", "audience": {"attribute": "created_at", "known": True}, "treatments": treatments}
    return Decision.model_validate({"hold_out": 0.1, "explore": 0.4} | given | words)


def learnt(text: str = LEARNT) -> Effect:
    return parse_definitions(text, "effects/autumn.yaml", Effect, name="autumn")[0]


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A town in which autumn was decided with lots, and people bought accordingly."""
    with town(tmp_path_factory.mktemp("explored")) as workshop:
        decide(autumn(), workshop, NOW, currency="GBP", measured=False)
        yield buy(workshop, TRUTH)


def test_the_probabilities_of_all_arms_follow_from_the_rows_of_the_decision(explored: Workshop) -> None:
    found = drawn(learnt(), explored, AFTER)
    rows = {row["customer_id"]: row for row in decided(explored)}
    assert found.names == ("nothing", "letter", "call")
    assert set(found.rows.customers.tolist()) == {who for who, row in rows.items() if not row["held_out"]}
    np.testing.assert_allclose(found.probability.sum(axis=1), 1)
    assert found.probability.min() > 0.1
    for who, arm, chances in zip(found.rows.customers.tolist(), found.arm, found.probability, strict=True):
        row = rows[who]
        assert found.names[arm] == row["treatment"]
        assert chances[arm] == pytest.approx(row["probability"])
        assert found.names[int(chances.argmax())] == row["best"]
    # The lottery was as foretold: each arm has as many people as its probabilities add up to, within luck.
    sizes = np.bincount(found.arm, minlength=3)
    luck = np.sqrt((found.probability * (1 - found.probability)).sum(axis=0))
    assert (np.abs(sizes - found.probability.sum(axis=0)) < 3 * luck).all()


def test_what_was_drawn_is_learnt_scored_and_decided_upon(explored: Workshop) -> None:
    trained = train_effect(learnt(), explored, AFTER, growth=QUICK)
    for evidence in trained.card.evidence:
        truth = TRUTH[evidence.treatment].mean()
        assert evidence.average.low < truth < evidence.average.high
        assert evidence.differs == (evidence.treatment == "letter")
    assert trained.card.notes == ()  # arms are as large as promised
    scores = score_effect(learnt(), explored, AFTER)
    assert scores.answers.effect[WARM, 0].mean() == pytest.approx(0.5, abs=0.12)
    assert scores.answers.effect[~WARM, 0].mean() == pytest.approx(0.0, abs=0.12)
    treatments = {
        name: {"channel": name, "cost": 2, "gain": {"effect": "autumn", "arm": name, "times": 10}}
        for name in ("letter", "call")
    }
    plan = decide(
        autumn(name="winter", treatments=treatments, explore=0, hold_out=0),
        explored,
        AFTER,
        currency="GBP",
        measured=False,
    )
    letters, calls = plan.treatments
    # A letter pays for the warm (.5 × 10 - 2) and a call for nobody (.15 × 10 - 2).
    assert letters.customers == pytest.approx(WARM.sum(), rel=0.05)
    assert calls.customers <= 0.02 * PEOPLE
    assert letters.basis == calls.basis == "experiment"
    assert "shows no difference" in str(calls.told)


def test_runs_without_lots_are_passed_over_and_runs_too_young_wait(tmp_path: Path) -> None:
    with town(tmp_path) as workshop:
        decide(autumn(), workshop, NOW, currency="GBP", measured=False)
        after = buy(workshop, TRUTH)
        for words, days in (({"explore": 0}, -20), ({}, 25)):
            decide(autumn(**words), workshop, NOW + timedelta(days=days), currency="GBP", measured=False)
        assert [cut.name for cut in drawn(learnt(), after, AFTER).rows.cuts] == ["2025-06-01"]


def _learn_without_lots(folder: Path) -> None:
    with town(folder) as workshop:
        decide(autumn(explore=0), workshop, NOW, currency="GBP", measured=False)
        train_effect(learnt(), buy(workshop, {}), AFTER, growth=QUICK)


def test_decisions_without_lots_without_an_end_or_not_made_at_all_are_refused_with_what_to_do(
    explored: Workshop, tmp_path: Path
) -> None:
    with pytest.raises(NotEnoughData, match=r"nothing was drawn by lot.*Set `explore` above 0"):
        _learn_without_lots(tmp_path)
    with pytest.raises(NotEnoughData, match=r"no run of the decision 'autumn' has its answer.*shorten the horizon"):
        train_effect(learnt(LEARNT.replace("14", "60")), explored, AFTER, growth=QUICK)
    with pytest.raises(NotEnoughData, match="no run of the decision 'spring'"):
        train_effect(learnt(LEARNT.replace("autumn", "spring")), explored, AFTER, growth=QUICK)
    with town(tmp_path) as workshop, pytest.raises(NotEnoughData, match="Run `aimwell decide autumn`"):
        train_effect(learnt(), workshop, AFTER, growth=QUICK)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("decision: autumn, ", "", "exactly one of"),
        ("among: [letter, call]", "arms: {nothing: 0.5, letter: 0.5}", "its probabilities are known"),
        (", among: [letter, call]", "", "name one treatment or more"),
        ("[letter, call]", "[nothing, call]", "name one treatment or more"),
        ("decision: autumn", "campaigns: may", "belongs to a decision"),
    ],
)
def test_definitions_that_mix_decisions_and_campaigns_are_refused(before: str, after: str, said: str) -> None:
    with pytest.raises(BadDefinition, match=said):
        learnt(LEARNT.replace(before, after))
