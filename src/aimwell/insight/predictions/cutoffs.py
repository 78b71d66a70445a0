"""The moments at which a question is asked of the past: dates on a grid, or the evenings before campaigns."""

from __future__ import annotations

from datetime import date, datetime
from fnmatch import fnmatchcase

from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.time import add_days, from_store, local_day, parse_instant, to_store
from aimwell.insight.predictions.definition import CutOffs, Prediction
from aimwell.insight.predictions.rows import CutOff
from aimwell.store.warehouse.history import History


def cut_offs_before(definition: Prediction, history: History, last: datetime) -> list[CutOff]:
    """Every cut-off whose answer is known at the instant of the history, earliest first.

    last: the last instant at which anything is recorded; what would close after its day is not known yet.
    Raises NotEnoughData when there is none.
    """
    settings, zone = definition.cut_offs, history.zone
    complete = parse_instant(local_day(add_days(last, 1, zone), zone), zone)
    seen = history.at(min(history.as_of, complete))
    found = _campaigns(definition, seen) if settings.by == "campaign" else _dates(definition, seen)
    if not found:
        span = (definition.horizon_days or 0) + definition.gap_days
        raise NotEnoughData(
            f"{definition.name}: no cut-off has its answer by {local_day(seen.as_of, zone)}",
            expected=f"facts on both sides of a date, {span} days before the last of them",
            remedy="Load more history, shorten the horizon, or ask as of a later day.",
        )
    return found[-settings.count :]


def held_out(definition: Prediction, cuts: tuple[CutOff, ...]) -> list[int]:
    """Which cut-offs are held out to judge by, as places in `cuts`.

    Raises BadQuestion when a named one is not among them.
    """
    wanted = definition.cut_offs.test
    if isinstance(wanted, int):
        return list(range(max(len(cuts) - wanted, 0), len(cuts)))
    names = [cut.name for cut in cuts]
    absent = [str(name) for name in wanted if str(name) not in names]
    if absent:
        raise BadQuestion(
            f"{definition.name}: the cut-off to judge by, {', '.join(absent)}, is not there",
            expected=f"one of {', '.join(names)}",
            remedy="Its answer must be known at the instant asked; check `cut_offs`.",
        )
    return sorted(names.index(str(name)) for name in wanted)


def first_instant(history: History) -> datetime | None:
    """The first instant at which anything about a customer is recorded; None if nothing is."""
    found: list[datetime] = []
    for name, facts in history.catalog.items():
        if facts.table.shape == "fact" and facts.table.occurred and facts.rows:
            column = exp.Min(this=exp.column(facts.table.occurred))
            value = history.to_arrow(exp.select(exp.alias_(column, "first")).from_(name)).column("first")[0].as_py()
            found += [from_store(value)] if value else []
    return min(found) if found else None


def closes_after(definition: Prediction, opens: datetime, history: History) -> datetime:
    """When the answer to the question asked at `opens` is known."""
    return add_days(opens, definition.gap_days + (definition.horizon_days or 0), history.zone)


def _dates(definition: Prediction, history: History) -> list[CutOff]:
    settings, zone = definition.cut_offs, history.zone
    first = first_instant(history)
    if first is None:
        return []
    earliest = _earliest(definition, first, history)
    span = definition.gap_days + (definition.horizon_days or 0)
    anchor = settings.latest or _anchor(settings) or local_day(add_days(history.as_of, -span, zone), zone)
    opens = parse_instant(anchor, zone)
    while settings.latest is None and closes_after(definition, step := _later(opens, settings, history), history) <= (
        history.as_of
    ):
        opens = step
    found: list[CutOff] = []
    while opens >= earliest:
        closes = closes_after(definition, opens, history)
        if closes <= history.as_of:
            found.append(_cut_off(str(local_day(opens, zone)), opens, closes))
        opens = add_days(opens, -settings.every_days, zone)
    return found[::-1]


def _later(opens: datetime, settings: CutOffs, history: History) -> datetime:
    return add_days(opens, settings.every_days, history.zone)


def _anchor(settings: CutOffs) -> date | None:
    """A named day to judge by lies on the grid."""
    days = [day for day in settings.test if isinstance(day, date)] if isinstance(settings.test, list) else []
    return max(days) if days else None


def _earliest(definition: Prediction, first: datetime, history: History) -> datetime:
    """By default a horizon (or a step, if longer) after the first fact: before that there is little to learn from."""
    settings = definition.cut_offs
    if settings.earliest is not None:
        return parse_instant(settings.earliest, history.zone)
    return add_days(first, max(settings.every_days, definition.horizon_days or 0), history.zone)


def _campaigns(definition: Prediction, history: History) -> list[CutOff]:
    if not history.has("touch", "campaign"):
        raise BadQuestion(
            f"{definition.name} learns from campaigns, and no touches with a campaign are loaded",
            remedy="Load a source that fills touch.campaign.",
        )
    people = exp.Count(this=exp.Distinct(expressions=[exp.column("customer_id")]))
    query = (
        exp.select(
            "campaign",
            exp.alias_(exp.Min(this=exp.column("occurred_at")), "started"),
            exp.alias_(people, "people"),
        )
        .from_("touch")
        .where(exp.Not(this=exp.Is(this=exp.column("campaign"), expression=exp.null())))
        .group_by("campaign")
    )
    found: list[CutOff] = []
    for row in history.to_arrow(query).to_pylist():
        if row["people"] < definition.cut_offs.fewest_people or not _wanted(str(row["campaign"]), definition):
            continue
        eve = parse_instant(local_day(from_store(row["started"]), history.zone), history.zone)
        closes = closes_after(definition, eve, history)
        if closes <= history.as_of and _not_too_early(eve, definition, history):
            found.append(_cut_off(str(row["campaign"]), eve, closes))
    return sorted(found, key=lambda cut: (cut.opens, cut.name))


def _wanted(campaign: str, definition: Prediction) -> bool:
    return any(fnmatchcase(campaign, pattern) for pattern in definition.cut_offs.campaigns)


def _not_too_early(opens: datetime, definition: Prediction, history: History) -> bool:
    earliest = definition.cut_offs.earliest
    return earliest is None or opens >= parse_instant(earliest, history.zone)


def _cut_off(name: str, opens: datetime, closes: datetime) -> CutOff:
    return CutOff(name, to_seconds(opens), to_seconds(closes), opens)


def to_seconds(instant: datetime) -> float:
    """An instant on the axis on which cut-offs are compared."""
    return (to_store(instant) - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 (naive UTC by contract)
