"""Rolling training tables: at every cut-off the population, its features as known then, and the answer afterwards."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.progress import Progress
from aimwell.core.time import local_day
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.ages import ages
from aimwell.insight.predictions.baseline import baseline_features
from aimwell.insight.predictions.campaigns import GOODS, campaign_given, contacted, has_goods
from aimwell.insight.predictions.cutoffs import cut_offs_before
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.own_history import FAMILY, PREFIX, own_columns, own_history
from aimwell.insight.predictions.rows import CutOff, Rows, stack
from aimwell.insight.predictions.targets import answers, answers_before, population
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.history import History

_NAIVE_DAY = np.timedelta64(1, "D")


def training_rows(definition: Prediction, workshop: Workshop, as_of: datetime, progress: Progress) -> Rows:
    """One row per customer and cut-off whose answer is known at `as_of`, with the features as known at the cut-off.

    Raises NotEnoughData when there is no cut-off, nobody was asked, or nobody's answer is yes.
    """
    history = workshop.history(as_of)
    cuts = cut_offs_before(definition, history, workshop.warehouse.last_instant())
    columns = chosen_columns(definition, workshop, history)
    parts: list[Rows] = []
    for index, cut in enumerate(cuts):
        progress(f"features as of {cut.name}", index / len(cuts))
        parts.append(_rows_at(definition, workshop, cut, columns))
    rows = stack(parts)
    _refuse_empty(definition, rows)
    return rows


def scoring_rows(
    definition: Prediction,
    workshop: Workshop,
    as_of: datetime,
    columns: tuple[Column, ...],
    *,
    customers: Sequence[str] | None = None,
    campaign: str | None = None,
) -> Rows:
    """The population as of an instant with its features; the answers are not known (NaN).

    customers: these instead of the population.   campaign: the one that is asked about, whose goods features may know.
    """
    cut = CutOff(str(local_day(as_of, workshop.warehouse.zone)), 0.0, 1.0, as_of)
    engine, history = workshop.warehouse.engine, workshop.history(as_of)
    with workshop.passing(f"people_{definition.name}") as people:
        if customers is None:
            engine.create_scratch_as(people, population(definition, workshop, history))
        else:
            engine.write(people, pa.table({"customer_id": pa.array(sorted(set(customers)), pa.string())}))
        with campaign_given(definition, workshop, campaign, history) as given:
            return _described(definition, workshop, cut, columns, people, given)


def chosen_columns(definition: Prediction, workshop: Workshop, history: History) -> tuple[Column, ...]:
    """The features that the definition wants and the data can carry, in the order of the library.

    Raises BadQuestion for a name or pattern that no feature fits, with similar names.
    """
    library, choice = workshop.library, definition.features
    own = own_columns(definition)
    known = {name: family.name for name, family in library.owners.items()} | {column.name: FAMILY for column in own}
    for pattern in [*choice.include, *choice.exclude, *baseline_features(definition)]:
        plain = "*" not in pattern and "?" not in pattern and not pattern.startswith("family:")
        if plain and pattern not in known:
            close = difflib.get_close_matches(pattern, known, 3)
            raise BadQuestion(
                f"{definition.name}: there is no feature {pattern!r}",
                remedy=f"Did you mean {', '.join(close)}?" if close else "List them with `aimwell tags`.",
            )
    # Only asked which columns there are: the coupons of all campaigns stand for those of any.
    features = workshop.features(history.as_of, {GOODS: "coupon"} if has_goods(definition, history) else None)
    needed = set(baseline_features(definition))
    wanted = [name for name, family in known.items() if choice.chosen(name, family) or name in needed]
    found = (*features.columns(wanted), *own)
    if not found:
        raise NotEnoughData(
            f"{definition.name}: the data carry none of the features that the definition wants",
            expected=", ".join(choice.include),
            remedy="Load more tables, or include other features.",
        )
    return found


def _rows_at(definition: Prediction, workshop: Workshop, cut: CutOff, columns: tuple[Column, ...]) -> Rows:
    engine, history = workshop.warehouse.engine, workshop.history(cut.instant)
    campaign = cut.name if definition.cut_offs.by == "campaign" else None
    with workshop.passing(f"people_{definition.name}") as people:
        if campaign is None:
            engine.create_scratch_as(people, population(definition, workshop, history))
        else:
            with workshop.passing(f"contacted_{definition.name}") as mailed:
                engine.create_scratch_as(mailed, contacted(definition, workshop, cut))
                engine.create_scratch_as(people, population(definition, workshop, history, mailed))
        with campaign_given(definition, workshop, campaign, history) as given:
            rows = _described(definition, workshop, cut, columns, people, given)
        truth = answers(definition, workshop, cut, people, rows.customers)
        past = rows.past
        if not definition.baseline or any(rule.last_period for rule in definition.baseline):
            past = answers_before(definition, workshop, cut, people, rows.customers)
    return replace(rows, truth=truth, past=past, aside=_aside(definition, workshop, columns))


def _aside(definition: Prediction, workshop: Workshop, columns: tuple[Column, ...]) -> frozenset[str]:
    """The columns that are there for the baseline alone."""
    names = [column.name for column in columns]
    families = {
        name: workshop.library.owner(name).name if name in workshop.library.owners else FAMILY for name in names
    }
    return frozenset(name for name in names if not definition.features.chosen(name, families[name]))


def _described(
    definition: Prediction,
    workshop: Workshop,
    cut: CutOff,
    columns: tuple[Column, ...],
    people: str,
    given: Mapping[str, str],
) -> Rows:
    features = workshop.features(cut.instant, given)
    shared = [column.name for column in columns if not column.name.startswith(PREFIX)]
    table = features.to_arrow(people, shared)
    if len(shared) < len(columns):
        own = own_history(definition, features.history, people)
        for column in columns:
            if column.name.startswith(PREFIX):
                table = table.append_column(column.name, own.column(column.name))
    customers = np.asarray(table.column("customer_id").to_pylist(), dtype=np.str_)
    unknown = np.full(customers.size, np.nan)
    age = ages(workshop.features(cut.instant), people)
    table = table.select([column.name for column in columns])
    table = _days_as_ages(table, local_day(cut.instant, workshop.warehouse.zone))
    return Rows(customers, np.zeros(customers.size, np.int64), (cut,), columns, table, unknown, age, unknown)


def _days_as_ages(table: pa.Table, today: object) -> pa.Table:
    """Dates become days before the cut-off: a model must not learn from the calendar of its training."""
    for place, field in enumerate(table.schema):
        if pa.types.is_date(field.type):
            days = table.column(place).cast(pa.date32()).to_numpy(zero_copy_only=False)
            ago = (np.datetime64(str(today), "D") - days.astype("datetime64[D]")) / _NAIVE_DAY
            table = table.set_column(place, field.name, pa.array(ago.astype(np.float64), from_pandas=True))
    return table


def _refuse_empty(definition: Prediction, rows: Rows) -> None:
    if not len(rows):
        raise NotEnoughData(
            f"{definition.name}: nobody was in the population at any cut-off",
            remedy="Widen the population, or load more history.",
        )
    if not rows.positives:
        raise NotEnoughData(
            f"{definition.name}: nobody's answer was yes",
            expected="some customers for whom it happened",
            seen=f"0 of {len(rows)} rows at {len(rows.cuts)} cut-offs",
            remedy="Check the target, take a longer horizon, or another population.",
        )
