"""Flat files: one row per person with the answer in a column, and no history; the same training, guards and card."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from aimwell.core.errors import BadQuestion, BadSource, NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.features.family import Column, Kind
from aimwell.insight.predictions.baseline import baseline_features
from aimwell.insight.predictions.definition import Flat, Prediction
from aimwell.insight.predictions.encoding import is_text
from aimwell.insight.predictions.rows import CutOff, Names, Rows, as_floats
from aimwell.science.arrays import FloatArray, IntArray

BLOCKS = 4
"""Into how many stretches the earlier rows of an ordered file are cut, so that settings can be chosen on later ones."""
_YES = {"1", "true", "yes", "y", "t", "是"}


def flat_rows(definition: Prediction, folder: Path) -> Rows:
    """The rows of a flat file, those held out being the last "cut-off": the last rows, or some drawn at random.

    Raises BadSource when the file cannot be read, BadQuestion for a column that it does not have, NotEnoughData when
    nobody's answer is yes.
    """
    flat = definition.flat
    if flat is None:
        raise BadQuestion(f"{definition.name} has no flat file")
    table = read_flat(folder / flat.path, flat)
    _refuse_absent(definition, flat, table)
    truth = _truth(definition, flat, table)
    known = ~np.isnan(truth)
    table, truth = table.filter(pa.array(known)), truth[known]
    if not (truth > 0).any():
        raise NotEnoughData(
            f"{definition.name}: nobody's answer is yes in {flat.path}",
            seen=f"{len(truth)} rows",
            remedy="Check `flat.label` and `flat.positive`.",
        )
    cut, cuts = _blocks(flat, table)
    no_features = {flat.label, flat.customer, flat.order_by}
    candidates = [name for name in table.column_names if name not in no_features]
    learnt = [name for name in candidates if definition.features.chosen(name, name)]
    names = [name for name in candidates if name in learnt or name in baseline_features(definition)]
    if not learnt:
        raise NotEnoughData(f"{definition.name}: no column of {flat.path} is left to learn from")
    columns = tuple(_column(name, table.column(name)) for name in names)
    unknown, aside = np.full(len(truth), np.nan), frozenset(names) - frozenset(learnt)
    return Rows(
        customers_of(flat, table), cut, cuts, columns, plain_table(table.select(names)), truth, unknown, unknown, aside
    )


def read_flat(path: Path, flat: Flat, texts: Iterable[str] = ()) -> pa.Table:
    """The rows of a CSV or Parquet file.

    texts: columns that hold words, even where these look like numbers.   Raises BadSource when it cannot be read.
    """
    if not path.is_file():
        raise BadSource(f"There is no file {path}", remedy="Give the path from the workspace's folder, or whole.")
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        words = dict.fromkeys(texts, pa.string())
        options = pcsv.ConvertOptions(null_values=flat.unknown, strings_can_be_null=True, column_types=words)
        return pcsv.read_csv(path, convert_options=options)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError) as error:
        raise BadSource(f"The file {path} cannot be read: {error}", remedy="Save it as CSV in UTF-8.") from error


def _refuse_absent(definition: Prediction, flat: Flat, table: pa.Table) -> None:
    wanted = [flat.label, flat.customer, None if flat.order_by == "row" else flat.order_by]
    chosen = [*definition.features.include, *definition.features.exclude, *baseline_features(definition)]
    plain = [name for name in chosen if "*" not in name and "?" not in name]
    absent = [name for name in [*wanted, *plain] if name and name not in table.column_names]
    if absent:
        raise BadQuestion(
            f"{definition.name}: {flat.path} has no column {', '.join(map(repr, absent))}",
            expected=f"one of {', '.join(table.column_names)}",
        )


def _truth(definition: Prediction, flat: Flat, table: pa.Table) -> FloatArray:
    """The answers: yes and no as 1 and 0, amounts as they are; NaN where not known."""
    column = table.column(flat.label)
    if definition.kind == "how_much":
        if is_text(column):
            raise BadQuestion(f"{definition.name}: {flat.label!r} holds text, and amounts are asked for")
        return np.maximum(as_floats(column), 0.0)
    words = [None if value is None else str(value).strip().lower() for value in column.to_pylist()]
    yes = _YES if flat.positive is None else {str(flat.positive).strip().lower()}
    plain = {_without_zeros(word) for word in yes}
    found = [np.nan if word is None else float(_without_zeros(word) in plain) for word in words]
    return np.array(found, dtype=np.float64)


def _without_zeros(word: str) -> str:
    return word.removesuffix(".0")


def _blocks(flat: Flat, table: pa.Table) -> tuple[IntArray, tuple[CutOff, ...]]:
    """Each row's block, the last one held out, and the blocks on an axis of their own."""
    rows = table.num_rows
    held = max(1, round(rows * flat.test_share))
    if flat.order_by is None:
        block: IntArray = np.zeros(rows, np.int64)
        block[np.random.default_rng(0).permutation(rows)[:held]] = 1
        return block, (CutOff("learnt", 0.0, 1.0), CutOff("held out at random", 1.0, 2.0))
    place = np.arange(rows) if flat.order_by == "row" else _order(table.column(flat.order_by), flat.order_by)
    early = max(rows - held, 1)
    block = np.minimum(place * BLOCKS // early, BLOCKS).astype(np.int64)
    names = [f"stretch {number + 1}" for number in range(BLOCKS)] + ["last rows"]
    return block, tuple(CutOff(name, float(at), float(at + 1)) for at, name in enumerate(names))


def _order(column: pa.ChunkedArray, name: str) -> IntArray:
    """The place of each row in time, equal times in the file's order; rows of one time may fall into two blocks."""
    if column.null_count:
        raise BadQuestion(f"The column {name!r} puts rows in time, and {column.null_count} rows have none")
    order = pc.sort_indices(
        pa.table({"at": column, "row": np.arange(len(column))}), [("at", "ascending"), ("row", "ascending")]
    )
    place = np.empty(len(column), dtype=np.int64)
    place[order.to_numpy()] = np.arange(len(column))
    return place


def customers_of(flat: Flat, table: pa.Table) -> Names:
    """The id of each row's person: of the column that holds it, or the row's number."""
    if flat.customer is None:
        return np.array([f"{number:09d}" for number in range(1, table.num_rows + 1)], dtype=np.str_)
    return np.asarray([str(value) for value in table.column(flat.customer).to_pylist()], dtype=np.str_)


def _column(name: str, column: pa.ChunkedArray) -> Column:
    kind: Kind = "number"
    if is_text(column):
        kind = "text"
    elif pa.types.is_boolean(column.type):
        kind = "boolean"
    elif pa.types.is_integer(column.type):
        kind = "integer"
    text = Text(name, name)
    return Column(name, text, kind, Text("", ""))


def plain_table(table: pa.Table) -> pa.Table:
    """Dictionaries become words, dates and instants become days since 1970."""
    for place, field in enumerate(table.schema):
        column = table.column(place)
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, column.cast(pa.string()))
        elif pa.types.is_date(field.type) or pa.types.is_timestamp(field.type):
            table = table.set_column(place, field.name, pa.array(as_floats(column), from_pandas=True))
    return table
