"""Scores for the rows of a file: the model of a flat file asked about people whose answer nobody knows yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Language
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.definition import Flat, Prediction
from aimwell.insight.predictions.encoding import is_text
from aimwell.insight.predictions.flat import customers_of, plain_table, read_flat
from aimwell.insight.predictions.life import champion
from aimwell.insight.predictions.models import StoredModel, load
from aimwell.insight.predictions.plain import Result, plain
from aimwell.insight.predictions.reasons import Reason
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import IntArray


@dataclass(frozen=True)
class FlatScoring(Result):
    """The rows of a file, scored.

    rows: one row per row of the file, the best first, ties in the file's order: rank, the person's id, value, and
    typical, low and high where amounts are foretold.   reasons: of the first rows, the weightiest first.
    """

    prediction: str
    version: str
    file: str
    people: int
    mean: float
    rows: pa.Table
    reasons: tuple[tuple[Reason, ...], ...]

    def to_dict(self) -> dict[str, object]:
        """The result as plain values; of the rows those that have reasons."""
        found: dict[str, object] = {
            each.name: plain(getattr(self, each.name)) for each in fields(self) if each.name not in {"rows", "reasons"}
        }
        best = self.rows.slice(0, len(self.reasons)).to_pylist()
        said = [{**row, "reasons": plain(reasons)} for row, reasons in zip(best, self.reasons, strict=True)]
        return found | {"audience": said}

    def to_arrow(self, language: Language) -> pa.Table:
        """All rows, with the reasons in words where there are any."""
        table = self.rows
        for place in range(max((len(each) for each in self.reasons), default=0)):
            said = [each[place].text.said(language) if place < len(each) else None for each in self.reasons]
            column = pa.array([*said, *[None] * (table.num_rows - len(said))], pa.string())
            table = table.append_column(f"reason_{place + 1}", column)
        return table


def score_file(
    definition: Prediction, workshop: Workshop, file: Path, *, version: str | None = None, top: int = 0
) -> FlatScoring:
    """Score the rows of a file that has the columns of the flat file but no answers; nothing is kept in the warehouse.

    file: CSV or Parquet; further columns, the answer among them, are not looked at.   version: by default the one in
    use.   top: how many of the best get reasons.
    Raises BadQuestion when nothing was trained yet, a column is missing or holds words instead of numbers; BadSource
    when the file cannot be read; NotEnoughData when it has no rows.
    """
    flat = definition.flat
    if flat is None:
        raise BadQuestion(
            f"{definition.name} is about customers of the warehouse, not about a file", remedy="Leave the file out."
        )
    stored = _stored(definition, workshop, version)
    columns = {name: stored.speaker.columns[name] for name in stored.model.encoding.names}
    table = read_flat(file, flat, [name for name, column in columns.items() if column.kind == "text"])
    if not table.num_rows:
        raise NotEnoughData(f"The file {file} has no rows", remedy="Give a file with one row per person.")
    _refuse_unfit(definition, flat, table, columns, file)
    asked = plain_table(table.select(list(columns)))
    scores = stored.model.scores(asked)
    order: IntArray = np.argsort(-scores.raw, kind="stable").astype(np.int64)
    found: dict[str, object] = {
        "rank": np.arange(1, len(order) + 1),
        flat.customer or "row": customers_of(flat, table)[order].tolist(),
        "value": scores.value[order],
    }
    if scores.typical is not None and scores.low is not None and scores.high is not None:
        found |= {"typical": scores.typical[order], "low": scores.low[order], "high": scores.high[order]}
    reasons = stored.speaker.reasons(stored.model, asked.take(pa.array(order[:top]))) if top else []
    mean = float(scores.value.mean())
    return FlatScoring(definition.name, stored.version, file.name, len(order), mean, pa.table(found), tuple(reasons))


def _stored(definition: Prediction, workshop: Workshop, version: str | None) -> StoredModel:
    chosen = version or champion(workshop, definition.name)
    if chosen is None:
        raise BadQuestion(f"No version of {definition.name!r} is in use", remedy="Train it first.")
    return load(workshop.folder, definition.name, chosen)


def _refuse_unfit(
    definition: Prediction, flat: Flat, table: pa.Table, columns: Mapping[str, Column], file: Path
) -> None:
    """All that is wrong with the columns of the file, at once."""
    wanted = [*columns, *([flat.customer] if flat.customer else [])]
    absent = [name for name in wanted if name not in table.column_names]
    words = [
        name
        for name, column in columns.items()
        if name not in absent and column.kind != "text" and is_text(table.column(name))
    ]
    if not absent and not words:
        return
    told = [f"it has no column {', '.join(map(repr, absent))}"] if absent else []
    told += [f"{name!r} holds words such as {_first_word(table, name)!r}, and numbers are asked for" for name in words]
    raise BadQuestion(
        f"{definition.name}: {file.name} does not fit the model: {'; '.join(told)}",
        expected=f"the columns {', '.join(wanted)}",
        remedy="Give a file with the same columns as the one that was learnt from.",
    )


def _first_word(table: pa.Table, name: str) -> str:
    for value in table.column(name).cast(pa.string()).to_pylist():
        if value is not None and not _number(value):
            return str(value)
    return ""


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
