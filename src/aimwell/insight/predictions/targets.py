"""The answers: who did it, or how much it was, over the horizon of a cut-off; and who was asked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.rules import PurchaseFacts, Purchases
from aimwell.core.time import add_days
from aimwell.insight.predictions.campaigns import responded
from aimwell.insight.predictions.definition import Amount, Balances, Prediction
from aimwell.insight.predictions.rows import CutOff, Names
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.rules.compile import matching
from aimwell.insight.rules.facts import rows_of
from aimwell.science.arrays import FloatArray
from aimwell.store.warehouse.history import History, Horizon


def population(definition: Prediction, workshop: Workshop, history: History, among: str | None = None) -> exp.Select:
    """A bound query for the ids of those whom the question is about as of a history.

    among: a physical table of ids to choose from; by default everybody.
    """
    if definition.population is not None:
        return matching(definition.population, workshop.rules(history.as_of), history, population=among)
    if among is not None:
        return exp.select("customer_id").distinct().from_(exp.to_table(among))
    return history.bind(_everybody(history))


def answers(definition: Prediction, workshop: Workshop, cut: CutOff, people: str, customers: Names) -> FloatArray:
    """0 or 1, or the amount, of each customer over the horizon of the cut-off [n].

    people: the physical table of their ids.   customers: the same ids, in the order wanted.
    """
    start = add_days(cut.instant, definition.gap_days, workshop.warehouse.zone)
    horizon = workshop.history(start).horizon(definition.horizon_days or 1)
    return _answers(definition, workshop, horizon, cut.name, people, customers)


def answers_before(
    definition: Prediction, workshop: Workshop, cut: CutOff, people: str, customers: Names
) -> FloatArray:
    """The same over as many days just before the cut-off: what a "same as last time" would say [n].

    For outcomes of campaigns: whether any earlier campaign had one in that time.
    """
    days = definition.horizon_days or 1
    horizon = workshop.history(add_days(cut.instant, -days, workshop.warehouse.zone)).horizon(days)
    return _answers(definition, workshop, horizon, None, people, customers)


def _answers(
    definition: Prediction, workshop: Workshop, horizon: Horizon, campaign: str | None, people: str, customers: Names
) -> FloatArray:
    target = definition.target
    assert target is not None  # noqa: S101 (checked when the definition was read)
    if target.amount is not None:
        rows = horizon.engine.to_arrow(_amount(target.amount, workshop, horizon))
        return _looked_up(rows, customers)
    if target.outcome is not None:
        rows = horizon.to_arrow(responded(target.outcome, campaign, horizon))
    else:
        assert target.happens is not None  # noqa: S101 (exactly one is given)
        query = matching(target.happens, workshop.rules(horizon.as_of), horizon, population=people)
        rows = horizon.engine.to_arrow(query)
    found = np.asarray(rows.column("customer_id").to_pylist(), dtype=np.str_)
    return np.isin(customers, found).astype(np.float64)


def _looked_up(rows: pa.Table, customers: Names) -> FloatArray:
    """The amounts of the customers, 0 where there is none."""
    amounts: Mapping[str, object] = dict(
        zip(rows.column("customer_id").to_pylist(), rows.column("amount").to_pylist(), strict=True)
    )
    return np.array([float(str(amounts.get(str(customer)) or 0.0)) for customer in customers], dtype=np.float64)


def _everybody(history: History) -> exp.Select:
    if history.has("customer"):
        return exp.select("customer_id").from_("customer").distinct()
    seen = [
        name
        for name, facts in sorted(history.catalog.items())
        if facts.rows and facts.table.references.get("customer_id") == "customer"
    ]
    if not seen:
        raise BadQuestion("No customer is known", remedy="Load a source with customers, purchases or events.")
    union: exp.Query = exp.select("customer_id").from_(seen[0])
    for name in seen[1:]:
        union = exp.union(union, exp.select("customer_id").from_(name))
    return exp.select("customer_id").from_("seen").distinct().with_("seen", as_=union)


def _amount(amount: Amount, workshop: Workshop, horizon: Horizon) -> exp.Select:
    if amount.balances is not None:
        return _growth(amount.balances, workshop, horizon)
    assert amount.purchases is not None  # noqa: S101 (exactly one is given)
    facts = Purchases(purchases=PurchaseFacts(**amount.purchases.model_dump(exclude_none=True)))
    total = exp.alias_(exp.cast(exp.Sum(this=exp.column("amount")), exp.DType.DOUBLE), "amount")
    return horizon.bind(rows_of(facts, horizon).select(exp.column("customer_id"), total).group_by("customer_id"))


def _growth(balances: Balances, workshop: Workshop, horizon: Horizon) -> exp.Select:
    """The last balances inside the horizon minus the last ones before it, account by account, summed by customer."""
    until = workshop.history(horizon.until)
    if not until.has("balance", "amount"):
        raise BadQuestion("Amounts of balances need balances", remedy="Load a source that fills the table balance.")
    chosen: list[exp.Expr] = []
    if balances.kind is not None:
        chosen.append(exp.In(this=exp.column("kind"), expressions=[exp.Literal.string(k) for k in balances.kind]))
    after = until.bind(_last_balances(chosen))
    before = workshop.history(horizon.as_of).bind(_last_balances(chosen))
    total = exp.Sub(
        this=exp.func("coalesce", exp.column("amount", table="later"), exp.Literal.number(0)),
        expression=exp.func("coalesce", exp.column("amount", table="earlier"), exp.Literal.number(0)),
    )
    same = exp.EQ(this=exp.column("customer_id", table="earlier"), expression=exp.column("customer_id", table="later"))
    return (
        exp.select(exp.column("customer_id", table="later"), exp.alias_(total, "amount"))
        .from_(after.subquery("later"))
        .join(before.subquery("earlier"), on=same, join_type="left")
    )


def _last_balances(chosen: list[exp.Expr]) -> exp.Select:
    """Each customer's total of the last balance of every account and kind."""
    when = exp.column("day")
    last = exp.alias_(exp.ArgMax(this=exp.column("amount"), expression=when), "amount")
    accounts = exp.select("customer_id", last).from_("balance").where(*chosen)
    accounts = accounts.group_by("customer_id", "account", "kind")
    total = exp.alias_(exp.cast(exp.Sum(this=exp.column("amount")), exp.DType.DOUBLE), "amount")
    return exp.select("customer_id", total).from_("accounts").group_by("customer_id").with_("accounts", as_=accounts)
