"""Rows that a scoring leaves in the warehouse: those of the same prediction and instant give way to new ones."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from aimwell.core.time import to_store
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.cut import instant_literal


def keep_rows(workshop: Workshop, table: str, fresh: pa.Table, prediction: str, as_of: datetime) -> None:
    """Write rows with `prediction` and `as_of`; on failure those before stay."""
    engine = workshop.warehouse.engine
    if table not in engine.tables():
        engine.write(table, fresh)
        return
    same = exp.and_(
        exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(prediction)),
        exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(as_of))),
    )
    with engine.transaction():
        if engine.to_arrow(exp.select("prediction").from_(table).where(same).limit(1)).num_rows:
            with workshop.passing(f"of_{table}") as kept:
                engine.create_table_as(kept, exp.select("*").from_(table).where(exp.Not(this=exp.paren(same))))
                engine.create_table_as(table, exp.select("*").from_(kept))
        engine.append(table, fresh)
