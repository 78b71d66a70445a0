"""What customers were expected to bring beside what they brought last: kept at every scoring of an amount."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from aimwell.core.time import from_store, to_store
from aimwell.insight.features.basis import digest
from aimwell.insight.features.build import PREFIX
from aimwell.insight.predictions.rows import Names
from aimwell.science.arrays import FloatArray
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.engine import Engine

TABLE = "expected_value"


@dataclass(frozen=True, slots=True)
class ScoringRun:
    """One scoring of an amount.

    as_of: the instant asked.   known_at: since when its answers could be known, for a model that was
    learnt later knows more than anybody did at `as_of`.
    """

    prediction: str
    version: str
    as_of: datetime
    known_at: datetime


def expected_rows(run: ScoringRun, customers: Names, current: FloatArray, expected: FloatArray) -> pa.Table:
    """The rows of one scoring: the amount of the period just before, and the amount expected of the next."""
    people = customers.size
    return pa.table(
        {
            "prediction": pa.array([run.prediction] * people, pa.string()),
            "version": pa.array([run.version] * people, pa.string()),
            "customer_id": pa.array(customers.tolist(), pa.string()),
            "as_of": pa.array([to_store(run.as_of)] * people, pa.timestamp("us")),
            "known_at": pa.array([to_store(run.known_at)] * people, pa.timestamp("us")),
            "current": pa.array(current, pa.float64()),
            "expected": pa.array(expected, pa.float64()),
        }
    )


def last_expected(engine: Engine, prediction: str, as_of: datetime, mark: str = "") -> str | None:
    """The physical table with the last scoring that was known at the instant; None if there was none.

    mark: what the loaded data are known by.   The table bears the name of its scoring, so that a later one never stands
    in its place, and goes with the features when data are loaded.
    """
    run = last_scoring(engine, prediction, as_of)
    if run is None:
        return None
    name = f"{PREFIX}expected_{digest([prediction, run.as_of.isoformat(), run.version, mark])}"
    if name not in engine.tables():
        same = [_is("prediction", prediction), _is("version", run.version), _at("as_of", exp.EQ, run.as_of)]
        engine.create_table_as(name, exp.select("customer_id", "current", "expected").from_(TABLE).where(*same))
    return name


def last_scoring(engine: Engine, prediction: str, as_of: datetime) -> ScoringRun | None:
    """The last scoring that was made as of the instant or before it, by a model that was learnt by then."""
    if TABLE not in engine.tables():
        return None
    known = [_at(clock, exp.LTE, as_of) for clock in ("as_of", "known_at")]
    query = exp.select("version", "as_of", "known_at").from_(TABLE).where(_is("prediction", prediction), *known)
    found = engine.to_arrow(query.order_by("as_of DESC", "version DESC").limit(1)).to_pylist()
    if not found:
        return None
    row = found[0]
    return ScoringRun(prediction, str(row["version"]), from_store(row["as_of"]), from_store(row["known_at"]))


def _is(column: str, word: str) -> exp.Expr:
    return exp.EQ(this=exp.column(column), expression=exp.Literal.string(word))


def _at(column: str, compared: type[exp.Binary], instant: datetime) -> exp.Expr:
    return compared(this=exp.column(column), expression=instant_literal(to_store(instant)))
