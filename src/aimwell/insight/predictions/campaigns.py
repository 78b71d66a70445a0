"""Questions about a campaign: whom it contacted, which goods it gives coupons for, and who answered it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.insight.features.basis import digest
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.rows import CutOff
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.history import History, Horizon

GOODS = "campaign_goods"
"""The relation that families about the goods of a campaign read: rows of `code` and `product_id`."""


def contacted(definition: Prediction, workshop: Workshop, cut: CutOff) -> exp.Select:
    """A bound query for the ids of those whom a campaign contacted."""
    history = workshop.history(cut.instant)
    of_campaign = exp.EQ(this=exp.column("campaign"), expression=exp.Literal.string(cut.name))
    query = exp.select("customer_id").from_("touch").where(of_campaign).distinct()
    return history.horizon(definition.gap_days + (definition.horizon_days or 1)).bind(query)


@contextmanager
def campaign_given(
    definition: Prediction, workshop: Workshop, campaign: str | None, history: History
) -> Iterator[Mapping[str, str]]:
    """What a question about a campaign gives to the features, while the block lasts; nothing for other questions.

    The goods are part of the plan, so they may be known before the campaign begins.
    """
    if campaign is None or not has_goods(definition, history):
        yield {}
        return
    engine = workshop.warehouse.engine
    of_campaign = exp.EQ(this=exp.column("campaign"), expression=exp.Literal.string(campaign))
    query = exp.select("code", "product_id").from_("coupon").where(of_campaign).distinct()
    plan = history.horizon(definition.gap_days + (definition.horizon_days or 1))
    with workshop.passing(f"goods_{digest([campaign])}") as goods:
        engine.create_table_as(goods, plan.bind(query))
        yield {GOODS: goods}


def has_goods(definition: Prediction, history: History) -> bool:
    """Whether the question is about campaigns whose coupons are loaded."""
    return definition.cut_offs.by == "campaign" and history.has("coupon", "campaign", "product_id")


def responded(kinds: tuple[str, ...], campaign: str | None, horizon: Horizon) -> exp.Select:
    """The ids of those with an outcome of these kinds: of a campaign's own contacts, or of any.

    Raises BadQuestion when outcomes do not name their touch.
    """
    if not horizon.has("outcome", "touch_id") or not horizon.has("touch", "touch_id"):
        raise BadQuestion(
            "Outcomes of contacts need both, and outcomes that name their touch",
            remedy="Load touch.touch_id and outcome.touch_id.",
        )
    of_kind = exp.In(this=exp.column("kind"), expressions=[exp.Literal.string(kind) for kind in kinds])
    query = exp.select(exp.column("customer_id")).from_("outcome").where(of_kind)
    if campaign is not None:
        of_campaign = exp.EQ(this=exp.column("campaign"), expression=exp.Literal.string(campaign))
        touches = exp.select("touch_id").from_("touch").where(of_campaign)
        query = query.where(exp.In(this=exp.column("touch_id"), query=touches.subquery()))
    return query.distinct()
