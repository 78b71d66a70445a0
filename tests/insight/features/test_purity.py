"""No feature knows the future: whatever happens or becomes known at the cut or later changes no value of any family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import count

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp
from tests.insight.features.futures import Change, changed, changes_of
from tests.insight.features.worlds import AS_OF, World, full_world, give, load, warehouse_of

from aimwell.core.tables import TABLES
from aimwell.core.text import Text
from aimwell.insight.features.build import Features, forget
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.found import workspace_library
from aimwell.insight.features.library import Library, assemble, library
from aimwell.store.warehouse import cut
from aimwell.store.warehouse.history import History
from aimwell.store.warehouse.warehouse import Warehouse

_EXAMPLES = max(3, settings().max_examples // 33)
Values = Mapping[str, pa.Table]


@cache
def world() -> World:
    return full_world(seed=11)


@dataclass
class Observatory:
    """Computes every family of one warehouse again and again, and tells which columns changed."""

    warehouse: Warehouse
    library: Library
    runs: Iterator[int]

    def look(self, at: World) -> Values:
        """The values of every family at the cut in a world."""
        load(self.warehouse.engine, at)
        self.warehouse.refresh()
        history, run = self.warehouse.history(AS_OF), str(next(self.runs))
        features = Features(history, self.library, run, give(self.warehouse.engine))
        families = self.library.families.values()
        features.prepare(families)
        tables = {family.name: features.table(family) for family in families}
        found = {
            name: self.warehouse.engine.to_arrow(exp.select("*").from_(table).order_by("customer_id"))
            for name, table in tables.items()
            if table
        }
        forget(self.warehouse.engine)
        return found

    def differences(self, before: Values, after: World) -> list[str]:
        """The columns whose values differ in the world after a change; `family.*` if other customers have rows."""
        found: list[str] = []
        values = self.look(after)
        for family, rows in before.items():
            now = values[family]
            if not rows.column("customer_id").equals(now.column("customer_id")):
                found.append(f"{family}.*")
                continue
            found += [name for name in rows.column_names if not rows.column(name).equals(now.column(name))]
        return found


@pytest.fixture(scope="module")
def observatory() -> Iterator[Observatory]:
    with warehouse_of(world()) as warehouse:
        yield Observatory(warehouse, workspace_library(warehouse), count())


@pytest.fixture(scope="module")
def known(observatory: Observatory) -> Values:
    return observatory.look(world())


@pytest.fixture
def small(observatory: Observatory) -> Observatory:
    """A few families, to show that a leak would be seen."""
    families = [library().families[name] for name in ("spending", "demographics", "favourite_category")]
    return Observatory(observatory.warehouse, assemble([*families, LEAK]), observatory.runs)


def one_of_each() -> list[Change]:
    """Every kind of change of every table, three times over."""
    return [
        Change(table.name, kind, seed) for table in TABLES.values() for kind in changes_of(table) for seed in range(3)
    ]


ANY_CHANGE = st.sampled_from([(change.table, change.kind) for change in one_of_each()[::3]]).flatmap(
    lambda place: st.builds(Change, st.just(place[0]), st.just(place[1]), st.integers(0, 2**32 - 1))
)


@settings(max_examples=_EXAMPLES)
@given(st.lists(ANY_CHANGE, min_size=1, max_size=80))
@example(one_of_each())
def test_nothing_of_the_future_changes_any_feature(
    observatory: Observatory, known: Values, changes: list[Change]
) -> None:
    assert set(known) == set(observatory.library.families) > set(library().families)
    assert observatory.differences(known, changed(world(), changes)) == []


# --- the test itself can fail ----------------------------------------------------------------------------------------


def _reads_the_engine(_: pa.Table, history: History) -> pa.Table:
    query = exp.select("customer_id", exp.alias_(exp.Count(this=exp.Star()), "leaked")).from_("purchase")
    return history.engine.to_arrow(query.group_by("customer_id"))


LEAK = query_family(
    "leak",
    "transaction",
    Text("泄漏", "Leak"),
    needs=("purchase.amount",),
    columns=(Column("leaked", Text("泄漏", "Leaked"), "integer", Text("泄漏", "Leaked")),),
    sql="SELECT customer_id FROM purchase GROUP BY customer_id",
    compute=_reads_the_engine,
)


def test_a_family_that_reads_past_the_cut_is_caught(small: Observatory) -> None:
    before = small.look(world())
    assert small.differences(before, changed(world(), one_of_each())) in (["leaked"], ["leak.*"])


def test_a_cut_that_lets_in_the_instant_itself_is_caught(small: Observatory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut.Cut, "bound", property(lambda self: self.as_of + timedelta(microseconds=1)))
    before = small.look(world())
    assert "visits_ever" in small.differences(before, changed(world(), one_of_each()))


def test_a_cut_that_forgets_when_facts_became_known_is_caught(
    small: Observatory, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = cut._fact_conditions
    monkeypatch.setattr(cut, "_fact_conditions", lambda facts, at: honest(facts, at)[:1])
    late = [change for change in one_of_each() if change.kind == "late"]
    before = small.look(world())
    assert "visits_ever" in small.differences(before, changed(world(), late))


def test_a_cut_that_takes_the_newest_version_is_caught(small: Observatory, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = cut._state

    def newest(facts: cut.TableFacts, at: cut.Cut) -> exp.Select:
        query = honest(facts, at)
        query.set("where", None)
        return query

    monkeypatch.setattr(cut, "_state", newest)
    versions = [change for change in one_of_each() if change.kind == "version"]
    before = small.look(world())
    found = small.differences(before, changed(world(), versions))
    assert {"gender", "city", "demographics.*"} & set(found)


def test_the_changes_leave_the_visible_rows_alone() -> None:
    """What a change may touch is decided here by the two clocks alone, without asking the warehouse."""
    with warehouse_of(world()) as warehouse, warehouse_of(changed(world(), one_of_each())) as after:
        for name in ("purchase", "event", "balance", "touch"):
            queries = [exp.select("*").from_(name).order_by(*TABLES[name].key) for _ in range(2)]
            now = warehouse.history(AS_OF).to_arrow(queries[0])
            then = after.history(AS_OF).to_arrow(queries[1])
            assert now.equals(then), name
            assert after.catalog[name].rows > warehouse.catalog[name].rows
