"""Leaves about what Aimwell itself derived: tags, scores and recorded memberships, as known at the cut."""

from __future__ import annotations

import difflib
from fractions import Fraction

from sqlglot import exp

from aimwell.core.comparisons import matches
from aimwell.core.errors import BadQuestion
from aimwell.core.rules import ScoreIs, TagIs
from aimwell.core.time import from_store, to_store
from aimwell.insight.features.family import Column
from aimwell.insight.rules.comparing import compared, literal, surely, value_kind
from aimwell.insight.rules.context import View
from aimwell.insight.rules.facts import IdSet

_ID = exp.column("customer_id")


def tag_set(leaf: TagIs, column: Column, relation: str) -> IdSet:
    """The customers whose tag meets the comparison; customers without a row have the tag's `empty` value."""
    kind = value_kind(column.kind)
    value: exp.Expr = exp.column(column.name)
    if column.empty is not None:
        value = exp.func("coalesce", value, literal(column.empty, kind, f"the tag {column.name!r}"))
    holds = compared(value, kind, leaf, f"the tag {column.name!r}")
    inverse = matches(leaf, column.empty)
    kept = exp.Not(this=surely(holds)) if inverse else holds
    return IdSet(exp.select(_ID.copy()).from_(relation).where(kept), inverse)


def score_ctes(leaf: ScoreIs, relation: str, name: str) -> list[tuple[str, exp.Query]]:
    """Named queries whose last one holds the customers whose latest score known at the cut meets the rule.

    The latest scoring is that of the greatest `as_of` not after the cut; of several versions scored at that instant,
    the greatest version counts. The share of `top: 10%` is rounded up to whole customers.
    """
    asked = [
        exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(leaf.score)),
        exp.LTE(this=exp.column("as_of"), expression=exp.Anonymous(this="as_of")),
    ]
    order = [exp.Ordered(this=exp.column(c), desc=True, nulls_first=False) for c in ("as_of", "version")]
    runs = exp.select("as_of", "version", exp.alias_(exp.Count(this=exp.Star()), "scored")).from_(relation)
    runs = runs.where(*asked).group_by("as_of", "version").order_by(*order).limit(1)
    same = [
        exp.EQ(this=exp.column(c, table="scores"), expression=exp.column(c, table="run")) for c in ("as_of", "version")
    ]
    latest = exp.select(exp.column("customer_id", table="scores")).from_(exp.to_table(relation).as_("scores"))
    latest = latest.join(exp.to_table(f"{name}_run").as_("run"), on=exp.and_(*same))
    latest = latest.where(
        exp.EQ(this=exp.column("prediction", table="scores"), expression=exp.Literal.string(leaf.score)),
        *_score_conditions(leaf),
    )
    return [(f"{name}_run", runs), (name, latest)]


def _score_conditions(leaf: ScoreIs) -> list[exp.Expr]:
    value = exp.column("value", table="scores")
    rank, scored = exp.column("rank", table="scores"), exp.column("scored", table="run")
    conditions = [compared(value, "number", leaf, f"the score {leaf.score!r}")]
    if leaf.top is not None:
        before = exp.paren(exp.Sub(this=rank.copy(), expression=exp.Literal.number(1)))
        conditions.append(_among(before, scored, leaf.top))
    if leaf.bottom is not None:
        after = exp.paren(exp.Sub(this=scored.copy(), expression=rank.copy()))
        conditions.append(_among(after, scored, leaf.bottom))
    return conditions


def _among(place: exp.Expr, scored: exp.Expr, portion: str | int) -> exp.Expr:
    """Whether the place, counted from 0, is among the first so many, in whole numbers so that nothing is rounded."""
    if isinstance(portion, int):
        return exp.LT(this=place, expression=exp.Literal.number(portion))
    share = Fraction(portion.removesuffix("%").strip()) / 100
    return exp.LT(
        this=exp.Mul(this=place, expression=exp.Literal.number(share.denominator)),
        expression=exp.Mul(this=scored.copy(), expression=exp.Literal.number(share.numerator)),
    )


def member_set(segment: str, relation: str) -> IdSet:
    """The customers who had entered a segment more often than left it, by the changes known at the cut."""
    sign = exp.Case(
        ifs=[
            exp.If(
                this=exp.EQ(this=exp.column("change"), expression=exp.Literal.string("enter")),
                true=exp.Literal.number(1),
            )
        ],
        default=exp.Neg(this=exp.Literal.number(1)),
    )
    return IdSet(
        exp.select(_ID.copy())
        .from_(relation)
        .where(
            exp.EQ(this=exp.column("segment"), expression=exp.Literal.string(segment)),
            exp.LTE(this=exp.column("as_of"), expression=exp.Anonymous(this="as_of")),
        )
        .group_by("customer_id")
        .having(exp.GT(this=exp.Sum(this=sign), expression=exp.Literal.number(0)))
    )


def require_built(view: View, builds: str, segment: str) -> None:
    """Raise BadQuestion unless the segment had been built by the cut: before that, nobody knows who belonged."""
    if not view.engine.columns(builds):
        return
    first = exp.alias_(exp.Min(this=exp.column("as_of")), "first")
    rows = view.engine.to_arrow(exp.select("segment", first).from_(builds).group_by("segment")).to_pylist()
    known = {row["segment"]: row["first"] for row in rows}
    if segment not in known:
        close = difflib.get_close_matches(segment, known, 3)
        raise BadQuestion(
            f"There is no segment {segment!r}",
            remedy=f"Did you mean {', '.join(close)}?" if close else "Refresh the segments first.",
        )
    if known[segment] > to_store(view.as_of):
        raise BadQuestion(
            f"The members of {segment!r} are recorded since {from_store(known[segment]).isoformat()} only",
            seen=f"a rule as of {view.as_of.isoformat()}",
            remedy="Give the segment's rule too, so that it can be asked at that instant.",
        )


def require(view: View, table: str, what: str, remedy: str) -> None:
    """Raise BadQuestion unless the table of derived rows is there."""
    if not view.engine.columns(table):
        raise BadQuestion(f"The rule reads {what}, and nothing is recorded yet", remedy=remedy)
