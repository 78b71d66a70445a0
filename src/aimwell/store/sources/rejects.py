"""The reject table: every refused row with its reason and its raw text, so that nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from aimwell.core.text import Text
from aimwell.store.sources.staging import Staging
from aimwell.store.sources.trees import (
    ORIGIN,
    among,
    column,
    delete,
    exists,
    insert,
    negated,
    number,
    table_columns,
    text,
)
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.engine import Engine

REJECT = "reject"
MALFORMED = "malformed_row"
SAMPLES = 3
_COLUMNS = (
    ("source", "VARCHAR"),
    ("table_name", "VARCHAR"),
    ("reason", "VARCHAR"),
    ("file", "VARCHAR"),
    ("row_number", "BIGINT"),
    ("raw", "VARCHAR"),
    ("loaded_at", "TIMESTAMP"),
    (ORIGIN, "BIGINT"),
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One refused row: where it stood, why it was refused, and what it held (JSON)."""

    source: str
    table: str
    reason: str
    file: str
    row_number: int
    raw: str


def ensure_rejects(engine: Engine) -> None:
    """Make the reject table if there is none."""
    if REJECT not in engine.tables():
        engine.run(table_columns(REJECT, _COLUMNS))


def keep_rejects(engine: Engine, source: str, table: str, found: exp.Select, at: datetime, *, once: bool) -> None:
    """Add rows with `origin, row_number, reason, raw` to the reject table.

    once: leave out rows of which the same raw text was rejected before (a table read again from its mark on).
    """
    rows = (
        exp.select(exp.alias_(text(source), "source"), exp.alias_(text(table), "table_name"), column("reason", "r"))
        .select(column("file", "o"), column("row_number", "r"), column("raw", "r"))
        .select(exp.alias_(instant_literal(at), "loaded_at"), exp.alias_(column("origin", "r"), ORIGIN))
        .from_(found.subquery("r"))
        .join(
            exp.to_table("load_files").as_("o"), on=exp.EQ(this=column("origin", "o"), expression=column("origin", "r"))
        )
    )
    if once:
        mine = exp.and_(
            exp.EQ(this=column("source", "x"), expression=text(source)),
            exp.EQ(this=column("table_name", "x"), expression=text(table)),
            exp.EQ(this=column("raw", "x"), expression=column("raw", "r")),
        )
        rows = rows.where(negated(exists(exp.select("1").from_(exp.to_table(REJECT).as_("x")).where(mine))))
    engine.run(insert(REJECT, [name for name, _ in _COLUMNS], rows))


def keep_broken(
    engine: Engine, source: str, table: str, staging: Staging, files: Mapping[int, str], at: datetime
) -> None:
    """Add the rows that did not have the columns of their file."""
    if not staging.broken:
        return
    rows = [
        {
            "source": source,
            "table_name": table,
            "reason": MALFORMED,
            "file": files[file],
            "row_number": row,
            "raw": json.dumps({"text": raw}, ensure_ascii=False),
            "loaded_at": at,
            ORIGIN: file,
        }
        for file, row, raw in staging.broken
    ]
    kinds = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "TIMESTAMP": pa.timestamp("us")}
    engine.append(
        REJECT, pa.Table.from_pylist(rows, schema=pa.schema([(name, kinds[kind]) for name, kind in _COLUMNS]))
    )


def drop_rejects(engine: Engine, origins: Iterable[int]) -> None:
    """Forget the refused rows of files that are read again."""
    numbers = list(origins)
    if numbers and REJECT in engine.tables():
        engine.run(delete(REJECT, among(column(ORIGIN), numbers)))


def rejects(engine: Engine, *, source: str | None = None, table: str | None = None, limit: int = 100) -> list[Rejected]:
    """Refused rows, by source, table, reason, file and row; none if nothing was ever refused."""
    if REJECT not in engine.tables():
        return []
    order = ("source", "table_name", "reason", "file", "row_number")
    query = exp.select(*[column(name) for name in (*order, "raw")]).from_(REJECT)
    for name, wanted in (("source", source), ("table_name", table)):
        if wanted is not None:
            query = query.where(exp.EQ(this=column(name), expression=text(wanted)))
    rows = engine.to_arrow(query.order_by(*[column(name) for name in order]).limit(limit)).to_pylist()
    return [_rejected(row) for row in rows]


def samples(engine: Engine, origins: Iterable[int]) -> dict[tuple[str, str], tuple[Rejected, ...]]:
    """A few refused rows for each table and reason, of the given files."""
    numbers = list(origins)
    if not numbers:
        return {}
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column("table_name"), column("reason")],
        order=exp.Order(
            expressions=[exp.Ordered(this=column(name), nulls_first=False) for name in (ORIGIN, "row_number")]
        ),
    )
    placed = exp.select("*", exp.alias_(place, "_place")).from_(REJECT).where(among(column(ORIGIN), numbers))
    few = exp.LTE(this=column("_place"), expression=number(SAMPLES))
    query = exp.select("*").from_(placed.subquery("p")).where(few).order_by(column(ORIGIN), column("row_number"))
    found: dict[tuple[str, str], tuple[Rejected, ...]] = {}
    for row in engine.to_arrow(query).to_pylist():
        key = (str(row["table_name"]), str(row["reason"]))
        found[key] = (*found.get(key, ()), _rejected(row))
    return found


def reason_text(reason: str) -> Text:
    """A reason in words; a rule of the source keeps its own name.

    >>> reason_text("missing_customer_id").en
    'customer_id is missing'
    """
    if reason == MALFORMED:
        return Text("列数与表头不符", "does not have the columns of its file")
    if reason == "conflicting_key":
        return Text("主键与另一行重复但内容不同", "same key as another row, but other values")
    for prefix, said in (
        ("missing_", Text("缺少 {name}", "{name} is missing")),
        ("unreadable_", Text("{name} 无法识别", "{name} cannot be read")),
    ):
        if reason.startswith(prefix):
            return said.format(name=reason.removeprefix(prefix))
    return Text(f"规则 {reason}", f"rule {reason}")


def _rejected(row: Mapping[str, object]) -> Rejected:
    number_of_row = row["row_number"]
    return Rejected(
        str(row["source"]),
        str(row["table_name"]),
        str(row["reason"]),
        str(row["file"]),
        number_of_row if isinstance(number_of_row, int) else 0,
        str(row["raw"]),
    )
