"""Tags of products and channels: kept in the tables `product_tag` and `channel_tag`, where product filters read them.

Each row says what a thing carries from an instant on; later rows go before earlier ones. A list holds from the midnight
of its first day to that of its last. A formula is known from the instant for which it was computed, or, where the
product table does not say since when its values are known, always, as the product itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlglot import exp

from aimwell.core.time import parse_instant, to_store
from aimwell.insight.tags.definition import Tag
from aimwell.insight.tags.formula import parse_formula
from aimwell.insight.tags.lists import ManualList
from aimwell.insight.tags.own import OwnTags
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.history import History
from aimwell.store.warehouse.warehouse import Warehouse

SOURCE = "tags"
_KEYS = {"product": "product_id", "channel": "channel"}
_BEFORE = timedelta(microseconds=1)  # a cut sees what was known strictly before it
Row = dict[str, object]


def write_thing_tags(warehouse: Warehouse, own: OwnTags, as_of: datetime) -> dict[str, int]:
    """Bring `product_tag` and `channel_tag` up to date with the definitions, as of an instant.

    Returns the rows that stand there from definitions, by table. Rows that came from files stay; rows of definitions
    that are gone go; a formula adds a row only where its value has changed. Running it twice changes nothing.
    """
    written: dict[str, int] = {}
    for whose, key in _KEYS.items():
        tags = own.of(whose)
        table = f"{whose}_tag"
        if not tags and not warehouse.engine.columns(table):
            continue
        rows = [row for name, tag in tags.items() for row in _listed(tag, key, own.lists.get(name), warehouse.zone)]
        formulas = {name: tag for name, tag in tags.items() if tag.formula is not None}
        rows += _computed(warehouse.history(as_of), formulas, key) if formulas else []
        _replace(warehouse.engine, table, key, rows)
        written[table] = len(rows)
    warehouse.refresh()
    return written


def _listed(tag: Tag, key: str, listed: ManualList | None, zone: ZoneInfo) -> Iterator[Row]:
    for entry in listed.entries if listed else ():
        value = entry.value or "true"
        yield _row(key, entry.id, tag.name, value, _midnight(entry.since, zone))
        yield _row(key, entry.id, tag.name, "false" if value == "true" else "", _midnight(entry.until, zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return to_store(parse_instant(day, zone)) - _BEFORE


def _computed(history: History, formulas: Mapping[str, Tag], key: str) -> list[Row]:
    """The rows of formulas so far, and one more for each product whose value is not the last one told."""
    if not history.has("product"):
        return []
    kept = [row for row in _standing(history.engine, "product_tag", key) if row["tag"] in formulas]
    timeless = history.catalog["product"].timeless
    known_at = None if timeless else to_store(history.as_of) - _BEFORE
    if timeless:
        kept = []
    last: dict[tuple[object, object], object] = {}
    for row in sorted(kept, key=lambda row: str(row["known_at"])):
        if known_at is None or str(row["known_at"]) <= str(known_at):
            last[row[key], row["tag"]] = row["value"]
    columns = [exp.alias_(parse_formula(str(tag.formula)), name) for name, tag in formulas.items()]
    found = history.to_arrow(exp.select("product_id", *columns).from_("product").order_by("product_id")).to_pylist()
    for row in found:
        for name in formulas:
            value = _text(row[name])
            if last.get((row["product_id"], name), "") != value:
                kept.append(_row(key, str(row["product_id"]), name, value, known_at))
    return kept


def _row(key: str, thing: str, tag: str, value: str, known_at: datetime | None) -> Row:
    return {key: thing, "tag": tag, "value": value, "source": SOURCE, "known_at": known_at}


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _standing(engine: Engine, table: str, key: str) -> list[Row]:
    """The rows of a table that came from definitions."""
    if not engine.columns(table):
        return []
    ours = exp.EQ(this=exp.column("source"), expression=exp.Literal.string(SOURCE))
    rows: list[Row] = engine.to_arrow(
        exp.select(key, "tag", "value", "source", "known_at").from_(table).where(ours)
    ).to_pylist()
    return rows


def _replace(engine: Engine, table: str, key: str, rows: list[Row]) -> None:
    """Put our rows in the place of our former ones; rows of files stay as they are."""
    schema = pa.schema(
        [(name, pa.string()) for name in (key, "tag", "value", "source")] + [("known_at", pa.timestamp("us"))]
    )
    ours = pa.Table.from_pylist(
        sorted(rows, key=lambda row: (str(row[key]), str(row["tag"]), str(row["known_at"]))), schema
    )
    if engine.columns(table):
        others = exp.NullSafeNEQ(this=exp.column("source"), expression=exp.Literal.string(SOURCE))
        foreign = engine.to_arrow(exp.select("*").from_(table).where(others))
        ours = pa.concat_tables([foreign, ours], promote_options="default") if foreign.num_rows else ours
    engine.write(table, ours)
