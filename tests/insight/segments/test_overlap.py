"""How segments overlap: counted by hand, compared with plain Python sets."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion
from aimwell.insight.segments.overlap import Overlap, overlap
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Sets = dict[str, set[str]]
SMALL: Sets = {"loyal": {"a", "b", "c", "d"}, "young": {"c", "d", "e"}, "far": {"z"}}


def keep(sets: Sets, engine: Engine) -> Engine:
    """The sets as memberships, and each as a table of ids, in which every id stands twice beside an unknown one."""
    rows = [(name, customer) for name, people in sets.items() for customer in sorted(people)]
    schema = pa.schema({"segment": pa.string(), "customer_id": pa.string(), "since": pa.timestamp("us")})
    since = datetime(2024, 1, 1)
    given_rows = [{"segment": name, "customer_id": customer, "since": since} for name, customer in rows]
    engine.write("membership", pa.Table.from_pylist(given_rows, schema=schema))
    for name, people in sets.items():
        engine.write(f"ids_{name}", pa.table({"customer_id": pa.array([*people, *people, None], pa.string())}))
    return engine


def test_sizes_and_shared_customers_are_counted() -> None:
    found = overlap(keep(SMALL, DuckEngine(threads=1)))
    assert found.names == ("far", "loyal", "young")
    assert found.sizes == {"far": 1, "loyal": 4, "young": 3}
    pair = found.pair("loyal", "young")
    assert (pair.both, pair.first_in_second, pair.second_in_first, pair.jaccard) == (2, 2 / 4, 2 / 3, 2 / 5)
    assert found.share("young", "loyal") == 2 / 3
    assert found.pair("loyal", "loyal").jaccard == 1
    assert (found.pairs[0].first, found.pairs[0].second) == ("loyal", "young")


def test_tables_of_ids_give_what_memberships_give() -> None:
    engine = keep(SMALL, DuckEngine(threads=1))
    names = ["loyal", "young", "far"]
    as_tables = overlap(engine, [f"ids_{name}" for name in names], names)
    assert as_tables == overlap(engine, "membership", names)
    assert overlap(engine, ["ids_far", "ids_loyal"]).names == ("ids_far", "ids_loyal")


# Each example compares up to sixteen pairs.
@settings(max_examples=20)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "é", "中"]), st.sets(st.sampled_from("123456"), max_size=6), min_size=1, max_size=4
    )
)
def test_counts_are_those_of_plain_sets(sets: Sets) -> None:
    rows = [(name, customer) for name, people in sets.items() for customer in people]
    names, customers = (pa.array([row[place] for row in rows], pa.string()) for place in (0, 1))
    ENGINE.write("membership", pa.table({"segment": names, "customer_id": customers}))
    found = overlap(ENGINE, "membership", list(sets))
    for one, first in sets.items():
        for two, second in sets.items():
            pair = found.pair(one, two)
            assert (pair.first_size, pair.second_size, pair.both) == (len(first), len(second), len(first & second))
            assert pair.jaccard == (len(first & second) / len(first | second) if first | second else None)
            assert pair.first_in_second == (len(first & second) / len(first) if first else None)


ENGINE = DuckEngine(threads=1)


def test_a_segment_without_members_is_empty_and_has_no_shares() -> None:
    found = overlap(keep(SMALL, DuckEngine(threads=1)), "membership", ["loyal", "nobody"])
    assert found.sizes == {"loyal": 4, "nobody": 0}
    assert found.pair("nobody", "loyal").first_in_second is None
    assert found.pair("nobody", "nobody").jaccard is None
    assert found.pair("nobody", "loyal").jaccard == 0


def test_no_memberships_at_all_give_an_empty_overlap() -> None:
    assert overlap(keep({}, DuckEngine(threads=1))) == Overlap((), {}, ())


def test_overlaps_are_told_in_both_languages_without_percentages_of_few() -> None:
    sets = {"many": {f"c{n}" for n in range(100)}, "few": {f"c{n}" for n in range(95, 107)}}
    told = overlap(keep(sets, DuckEngine(threads=1)), "membership", ["many", "few"]).pairs[0].sentence
    assert told.zh == "many 与 few：重合 5 人（前者 5.0%，后者 12 人中 5 人）"
    assert told.en == "many and few: 5 in both (5.0% of the first, 5 out of 12 of the second)"


def test_bad_questions_are_refused_with_the_remedy() -> None:
    engine = keep(SMALL, DuckEngine(threads=1))
    with pytest.raises(BadQuestion, match="'gone' does not hold members.*no such table"):
        overlap(engine, "gone")
    with pytest.raises(BadQuestion, match="expected columns segment and customer_id"):
        overlap(engine, "ids_far")
    with pytest.raises(BadQuestion, match="named once"):
        overlap(engine, "membership", ["far", "far"])
    with pytest.raises(BadQuestion, match="named once"):
        overlap(engine, [])
    with pytest.raises(BadQuestion, match="needs a name; expected 2; saw 1"):
        overlap(engine, ["ids_far", "ids_loyal"], ["one"])
    with pytest.raises(BadQuestion, match="'tall' was not compared"):
        overlap(engine).pair("far", "tall")


@pytest.mark.spark
def test_spark_counts_the_same(spark: SparkSession, tmp_path: Path) -> None:
    from aimwell.store.warehouse.spark import SparkEngine

    engine = keep(SMALL, SparkEngine(tmp_path / "tables", spark))
    assert overlap(engine) == overlap(keep(SMALL, DuckEngine(threads=1)))
    assert overlap(engine, ["ids_loyal", "ids_young"]).pairs[0].both == 2
