"""Compiles a rule to one SELECT of customer ids, bound to what was known at an instant.

Each leaf becomes a named set of ids, joined by EXISTS or NOT EXISTS to the people of the view; equal leaves share one
set. What comes out reads canonical tables and relations through the binder alone, so it cannot know the future, and
runs on every engine.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.rules import (
    AllOf,
    AnyOf,
    AttributeIs,
    InSequence,
    Leaf,
    Manual,
    MemberOf,
    Not,
    Rule,
    ScoreIs,
    TagIs,
)
from aimwell.core.tables import TABLES
from aimwell.insight.rules.comparing import ValueKind, compared, physical_kind, surely, value_kind, words_condition
from aimwell.insight.rules.context import RuleContext, View
from aimwell.insight.rules.derived import member_set, require, require_built, score_ctes, tag_set
from aimwell.insight.rules.facts import FACT_LEAVES, FactTest, IdSet, fact_set, fact_test, shared_set
from aimwell.insight.rules.sequences import sequence_ctes
from aimwell.insight.rules.windows import recent
from aimwell.store.warehouse.history import Horizon

PEOPLE = "people"


def matching(rule: Rule, context: RuleContext, view: View, *, population: str | None = None) -> exp.Select:
    """Who matches the rule: a bound query of one column, `customer_id`, each customer once, in no order.

    view: a history for populations and segments, a horizon for labels (windows left out mean all of it).
    population: a physical table of customer ids whom alone the rule is asked of; by default all customers of the view,
    or, where no customer table is loaded, everyone seen in any table. A label without a customer table needs it, since
    a horizon does not see who was there before.
    Raises BadQuestion for a tag, attribute, segment or table that does not exist, or a comparison that does not fit.
    """
    compiled = compile_rule(rule, context, view, population=population)
    return view.bind(compiled.query, compiled.relations)


def materialise(rule: Rule, context: RuleContext, view: View, name: str, *, population: str | None = None) -> None:
    """Keep the ids of those who match as the physical table `name`; on failure the former table stays."""
    view.engine.create_table_as(name, matching(rule, context, view, population=population))


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """An authored query for a rule, with the physical table behind every relation that it names."""

    query: exp.Select
    relations: dict[str, str]


def compile_rule(rule: Rule, context: RuleContext, view: View, *, population: str | None = None) -> CompiledRule:
    """The rule as authored SQL, not yet bound."""
    context.prepare(rule)
    compiler = _Compiler(context, view)
    condition = compiler.condition(rule)
    query = exp.select(exp.column("customer_id", table=PEOPLE)).from_(PEOPLE, copy=False)
    query = query.where(condition, copy=False)
    people = people_query(view, sorted(compiler.attributes), compiler.relations, population)
    ctes = [(PEOPLE, people), *compiler.ctes]
    query.set(
        "with_",
        exp.With(expressions=[exp.CTE(this=q, alias=exp.TableAlias(this=exp.to_identifier(name))) for name, q in ctes]),
    )
    return CompiledRule(query, compiler.relations)


def population(view: View) -> exp.Query:
    """Everyone of whom rules are asked at the view, as authored SQL: one column `customer_id`, each customer once."""
    return people_query(view, [], {}, None)


def people_query(view: View, attributes: list[str], relations: dict[str, str], population: str | None) -> exp.Query:
    """Everyone of whom a rule is asked, with the attributes that it compares."""
    if population is not None:
        relations["population"] = population
    if view.has("customer"):
        columns = [exp.column(name, quoted=True) for name in attributes if name != "customer_id"]
        query = exp.select("customer_id", *columns).from_("customer")
        if population is not None:
            asked = exp.select("customer_id").from_("population")
            query = query.where(exp.In(this=exp.column("customer_id"), query=asked.subquery()))
        return query
    if population is not None:
        return exp.select("customer_id").distinct().from_("population")
    if isinstance(view, Horizon):
        raise BadQuestion(
            "A label does not see who was there before, and no customer table is loaded",
            remedy="Ask it of a population: matching(…, population=TABLE).",
        )
    return _everyone_seen(view)


def _everyone_seen(view: View) -> exp.Query:
    seen = [
        exp.select("customer_id").from_(name)
        for name, facts in sorted(view.catalog.items())
        if facts.rows and facts.table.references.get("customer_id") == "customer"
    ]
    if not seen:
        raise BadQuestion("No customer is known", remedy="Load a source with customers, purchases or events.")
    query: exp.Query = seen[0].distinct()
    for other in seen[1:]:
        query = exp.union(query, other, distinct=True)
    return query


@dataclass
class _Compiler:
    """Walks one rule; collects the named sets of its leaves, the relations and the attributes that they read."""

    context: RuleContext
    view: View
    ctes: list[tuple[str, exp.Query]] = field(default_factory=list)
    relations: dict[str, str] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    inside: tuple[str, ...] = ()
    _made: dict[str, exp.Expr] = field(default_factory=dict)

    def condition(self, rule: Rule) -> exp.Expr:
        """The condition on people that a rule means; never NULL."""
        if isinstance(rule, AllOf):
            return exp.and_(*self._parts(rule.all, every=True), copy=False)
        if isinstance(rule, AnyOf):
            return exp.or_(*self._parts(rule.any, every=False), copy=False)
        if isinstance(rule, Not):
            return exp.Not(this=exp.paren(self.condition(rule.not_)))
        key = repr(rule)
        if key not in self._made:
            self._made[key] = self._leaf(rule)
        return self._made[key].copy()

    def _parts(self, parts: tuple[Rule, ...], *, every: bool) -> list[exp.Expr]:
        """The conditions of the parts; those about facts of one table share one scan of it."""
        tests: dict[str, list[FactTest]] = {}
        alone: list[Rule] = []
        for part in parts:
            inner = part.not_ if isinstance(part, Not) else part
            test = fact_test(inner, self.view, negated=inner is not part) if isinstance(inner, FACT_LEAVES) else None
            if test is not None and test.shareable:
                tests.setdefault(test.rows.table, []).append(test)
            else:
                alone.append(part)
        found = [self.condition(part) for part in alone]
        for sharing in tests.values():
            if len(sharing) == 1:
                found.append(self._in_set(fact_set(sharing[0]), "facts"))
            else:
                queries, inverse = shared_set(sharing, self._name("facts"), every=every, view=self.view)
                inside = self._exists(queries)
                found.append(exp.Not(this=inside) if inverse else inside)
        return found

    def _leaf(self, leaf: Leaf) -> exp.Expr:
        if isinstance(leaf, AttributeIs):
            self.attributes.add(leaf.attribute)
            return surely(attribute_condition(leaf, self.view))
        if isinstance(leaf, Manual):
            return words_condition(exp.column("customer_id", table=PEOPLE), leaf.manual)
        if isinstance(leaf, MemberOf):
            return self._member(leaf.segment)
        if isinstance(leaf, TagIs):
            return self._tag(leaf)
        if isinstance(leaf, ScoreIs):
            require(self.view, self.context.scores, f"the score {leaf.score!r}", "Run its prediction first.")
            self.relations["score"] = self.context.scores
            return self._exists(score_ctes(leaf, "score", self._name("score")))
        if isinstance(leaf, InSequence):
            return self._exists(sequence_ctes(leaf.sequence, self.view, self._name("sequence")))
        return self._in_set(fact_set(fact_test(leaf, self.view)), "facts")

    def _tag(self, leaf: TagIs) -> exp.Expr:
        column, physical = self.context.tag(leaf.tag, self.view)
        if physical is None:
            compared(exp.null(), value_kind(column.kind), leaf, f"the tag {leaf.tag!r}")
            return exp.true() if leaf.known is False else exp.false()
        relation = f"tag_{self.context.features.library.owner(leaf.tag).name}"
        self.relations[relation] = physical
        return self._in_set(tag_set(leaf, column, relation), "tag")

    def _member(self, segment: str) -> exp.Expr:
        if segment in self.context.members:
            relation = f"members_{segment}"
            self.relations[relation] = self.context.members[segment]
            return self._in_set(IdSet(exp.select("customer_id").from_(relation)), "segment")
        if segment in self.context.segments:
            if segment in self.inside:
                raise BadQuestion(f"Segments contain each other: {' → '.join((*self.inside, segment))}")
            before, self.inside = self.inside, (*self.inside, segment)
            condition = self.condition(self.context.segments[segment])
            self.inside = before
            return exp.paren(condition)
        require(self.view, self.context.changes, f"the segment {segment!r}", "Refresh the segments first.")
        require_built(self.view, self.context.builds, segment)
        self.relations["membership_delta"] = self.context.changes
        return self._in_set(member_set(segment, "membership_delta"), "segment")

    def _name(self, what: str) -> str:
        return f"{what}_{len(self.ctes) + 1}"

    def _in_set(self, found: IdSet, what: str) -> exp.Expr:
        inside = self._exists([(self._name(what), found.query)])
        return exp.Not(this=inside) if found.inverse else inside

    def _exists(self, queries: list[tuple[str, exp.Query]]) -> exp.Expr:
        self.ctes += queries
        name = queries[-1][0]
        same = exp.EQ(this=exp.column("customer_id", table=name), expression=exp.column("customer_id", table=PEOPLE))
        return exp.Exists(this=exp.select(exp.Literal.number(1)).from_(name, copy=False).where(same, copy=False))


def attribute_condition(leaf: AttributeIs, view: View) -> exp.Expr:
    """The condition on people that an attribute meets a comparison; NULL where the attribute is unknown."""
    name = f"the attribute {leaf.attribute!r}"
    kind = attribute_kind(leaf.attribute, view)
    value = exp.column(leaf.attribute, table=PEOPLE, quoted=True)
    condition = compared(value, kind, leaf, name)
    if leaf.within is None:
        return condition
    if kind not in {"instant", "day"}:
        raise BadQuestion(f"{name} is no date", seen="within", remedy="Use is, in or at_least.")
    return exp.and_(condition, *recent(value, kind, leaf.within, view), copy=False)


def attribute_kind(name: str, view: View) -> ValueKind:
    """How values of a customer's attribute are compared; raises BadQuestion with similar names if there is none."""
    facts = view.catalog.get("customer")
    if facts is None:
        raise BadQuestion(
            "The rule needs the table customer, which is not loaded", remedy="Load a source that fills it."
        )
    if name not in facts.columns:
        close = difflib.get_close_matches(name, facts.columns, 3)
        raise BadQuestion(
            f"There is no attribute {name!r}",
            remedy=f"Did you mean {', '.join(close)}?" if close else f"There are {', '.join(facts.columns)}.",
        )
    declared = TABLES["customer"].column(name)
    return value_kind(declared.kind) if declared else physical_kind(view.engine.columns(facts.table.name)[name])
