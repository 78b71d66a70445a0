"""What discounts of different depth brought in the past, by segment and category, with a warning; never of a person."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase

import numpy as np
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.time import add_days, from_store, local_day, parse_instant
from aimwell.insight.effects.definition import Depths, Effect
from aimwell.insight.effects.groups import groups_of
from aimwell.insight.predictions.rows import CutOff
from aimwell.insight.predictions.training import scoring_rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.uplift.depth import GroupDepths, group_depths

_NEEDED = (("touch", "campaign"), ("touch", "offer_id"), ("purchase", "amount"), ("product", "category"))
_OTHER = "-"


def past_depths(definition: Effect, workshop: Workshop, as_of: datetime) -> GroupDepths | None:
    """Profit per customer who was offered a depth in past campaigns, by segment × category; None if not asked for.

    A row is a customer whom a campaign offered a depth, for each category: what they bought of it within the horizon.
    Raises BadQuestion when touches, offers or categories are not loaded, NotEnoughData when no group is large enough.
    """
    asked = definition.depths
    if asked is None or not asked.history:
        return None
    history = workshop.history(as_of)
    for table, column in _NEEDED:
        if not history.has(table, column):
            raise BadQuestion(
                f"{definition.name}: past depths cannot be told",
                expected=f"the column {table}.{column}",
                seen="none",
                remedy="Load it, or leave out `depths.history`.",
            )
    groups: list[str] = []
    depths: list[float] = []
    profits: list[float] = []
    for campaign in _campaigns(asked, workshop, as_of, definition.horizon_days):
        _add(definition, asked, workshop, campaign, groups, depths, profits)
    if not groups:
        raise NotEnoughData(
            f"{definition.name}: no past campaign offered these depths",
            expected=f"touches of {', '.join(asked.history)} with the offers {', '.join(asked.off)}",
            seen="none",
            remedy="Check `depths.history` and the names under `depths.off`.",
        )
    return group_depths(np.array(groups), np.array(depths), np.array(profits))


def _campaigns(asked: Depths, workshop: Workshop, as_of: datetime, days: int) -> list[CutOff]:
    """The evenings before the campaigns that are wanted and whose horizon is over."""
    history = workshop.history(as_of)
    query = exp.select("campaign", exp.alias_(exp.Min(this=exp.column("occurred_at")), "started")).from_("touch")
    rows = history.to_arrow(query.group_by("campaign").order_by("campaign")).to_pylist()
    found: list[CutOff] = []
    for row in rows:
        name = str(row["campaign"])
        if row["campaign"] is not None and any(fnmatchcase(name, pattern) for pattern in asked.history):
            eve = parse_instant(local_day(from_store(row["started"]), history.zone), history.zone)
            if add_days(eve, days, history.zone) <= as_of:
                found.append(CutOff(name, 0.0, 1.0, eve))
    return found


def _add(
    definition: Effect,
    asked: Depths,
    workshop: Workshop,
    cut: CutOff,
    groups: list[str],
    depths: list[float],
    profits: list[float],
) -> None:
    """Add the rows of one campaign."""
    horizon = workshop.history(cut.instant).horizon(definition.horizon_days)
    mine = exp.EQ(this=exp.column("campaign"), expression=exp.Literal.string(cut.name))
    query = exp.select("customer_id", "offer_id").from_("touch").where(mine).order_by("customer_id", "offer_id")
    offered = horizon.to_arrow(query).to_pylist()
    offers = {str(row["customer_id"]): str(row["offer_id"]) for row in offered if str(row["offer_id"]) in asked.off}
    if not offers:
        return
    earned, categories = _earned(asked, workshop, cut, definition.horizon_days)
    columns = tuple(workshop.features(cut.instant).columns([asked.by])) if asked.by else ()
    names = dict.fromkeys(offers, "")
    if columns:
        rows = scoring_rows(definition.question(), workshop, cut.instant, columns, customers=sorted(offers))
        told = groups_of(rows.table.column(columns[0].name))
        names = {str(who): segment or _OTHER for who, segment in zip(rows.customers, told, strict=True)}
    for who, offer in sorted(offers.items()):
        depth = asked.off[offer]
        for category in categories:
            groups.append(" × ".join(part for part in (names.get(who, _OTHER), category) if part))
            depths.append(depth)
            # What the contact costs is borne by all categories alike.
            profits.append(earned.get((who, category), 0.0) - asked.contact * (depth > 0) / len(categories))


def _earned(
    asked: Depths, workshop: Workshop, cut: CutOff, days: int
) -> tuple[dict[tuple[str, str], float], list[str]]:
    """Profit by customer and category over the horizon, and the categories, by name."""
    history = workshop.history(cut.instant)
    horizon = history.horizon(days)
    discount = "discount" if history.has("purchase", "discount") else None
    columns = ["customer_id", "product_id", "amount", *([discount] if discount else [])]
    bought = horizon.to_arrow(exp.select(*columns).from_("purchase")).to_pylist()
    listed = history.to_arrow(exp.select("product_id", "category").from_("product")).to_pylist()
    category = {row["product_id"]: str(row["category"]) for row in listed if row["category"] is not None}
    earned: dict[tuple[str, str], float] = {}
    for row in bought:
        paid = float(row["amount"] or 0)
        full = paid + float((row[discount] if discount else 0) or 0)
        key = str(row["customer_id"]), category.get(row["product_id"], _OTHER)
        earned[key] = earned.get(key, 0.0) + paid - (1.0 - asked.margin) * full
    return earned, sorted({key[1] for key in earned}) or [_OTHER]
