"""Tags without code as feature families: formulas, rules, tiers and lists become authored queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from aimwell.core.rules import (
    AttributeIs,
    Events,
    EventStep,
    InSequence,
    Leaf,
    Outcomes,
    OutcomeStep,
    PurchaseMatch,
    Purchases,
    PurchaseStep,
    Step,
    Touches,
    leaves,
    plain_rule,
    tags_of,
)
from aimwell.insight.features.basis import closure
from aimwell.insight.features.build import PREFIX, Features
from aimwell.insight.features.derived import Author, Authored, DerivedFamily
from aimwell.insight.features.family import NO_UNIT, Column, Family, Freshness
from aimwell.insight.features.library import Library
from aimwell.insight.rules.compile import PEOPLE, CompiledRule, compile_rule, population
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.tags.definition import Tag, Value
from aimwell.insight.tags.formula import columns_of, parse_formula, replaced
from aimwell.insight.tags.lists import ManualList

_FAMILY = "own_tag_"
_LISTED = "listed"
_TAGGED = "product_tag.value"
_NAMED = ("category", "subcategory", "department", "brand")


def family_of(tag: Tag, library: Library, listed: ManualList | None = None, things: str = "") -> DerivedFamily:
    """The feature family of one tag of customers; `library` knows every tag that it is made from.

    things: what the tags of products say, in few letters; rules that ask for them are computed anew when it changes.
    """
    drawn = drawn_by(tag)
    needs = tuple(dict.fromkeys(_needs(tag, library)))
    above = tuple({owner.name: owner for owner in map(library.owner, drawn)}.values())
    return DerivedFamily(
        name=_FAMILY + tag.name,
        tag_family=tag.family,
        label=tag.label.text,
        needs=needs,
        columns=(_column(tag),),
        sql=exp.select("customer_id", exp.alias_(exp.Literal.string(_written(tag)), tag.name)).from_(PEOPLE),
        freshness=_freshness(above),
        above=above,
        author=_author(tag, listed),
        mark=listed.mark if listed else things if _TAGGED in needs else "",
        given=tuple(dict.fromkeys(each for family in above for each in family.given)),
    )


def drawn_by(tag: Tag) -> list[str]:
    """The tags that a tag of customers is made from, each once."""
    if tag.formula is not None:
        return columns_of(parse_formula(tag.formula))
    return list(dict.fromkeys(name for rule in tag.rules for name in tags_of(rule)))


def _author(tag: Tag, listed: ManualList | None) -> Author:
    if tag.formula is not None:
        tree = parse_formula(tag.formula)
        return lambda features: _by_formula(tag.name, tree, features)
    if listed is not None:
        entries = listed
        return lambda features: _by_list(tag, entries, features)
    return lambda features: _by_rules(tag, features)


def _by_formula(name: str, tree: exp.Expr, features: Features) -> Authored:
    """One row per customer, the tags that the formula reads joined to it."""
    relations: dict[str, str] = {}
    query = exp.select(exp.column("customer_id", table=PEOPLE)).from_(PEOPLE)
    for column in columns_of(tree):
        family = features.library.owner(column)
        table = features.table(family)
        relation = f"of_{family.name}"
        if table is not None and relation not in relations:
            relations[relation] = table
            query = query.join(exp.to_table(relation), on=_same(relation), join_type="left")

    def value(column: str) -> exp.Expr:
        declared = features.library.column(column)
        found: exp.Expr = exp.column(column, table=f"of_{features.library.owner(column).name}")
        return found if declared.empty is None else exp.func("coalesce", found, exp.convert(declared.empty))

    query = query.select(exp.alias_(replaced(tree, value), name))
    return Authored(_with(query, [(PEOPLE, population(features.history))]), relations)


def _by_rules(tag: Tag, features: Features) -> Authored:
    """One row per customer whom some rule matches; of several tiers the first."""
    relations: dict[str, str] = {}
    named: list[tuple[str, exp.Query]] = [(PEOPLE, population(features.history))]
    query = exp.select(exp.column("customer_id", table=PEOPLE)).from_(PEOPLE)
    cases: list[exp.If] = []
    values: list[Value] = [True] if tag.tiers is None else [tier.then for tier in tag.tiers]
    for number, (rule, value) in enumerate(zip(tag.rules, values, strict=True), 1):
        compiled = compile_rule(rule, RuleContext(features), features.history)
        relations |= compiled.relations
        matched = f"tier_{number}"
        named += _hoisted(compiled, matched)
        query = query.join(exp.to_table(matched), on=_same(matched), join_type="left")
        met = exp.Not(this=exp.Is(this=exp.column("customer_id", table=matched), expression=exp.null()))
        cases.append(exp.If(this=met, true=exp.convert(value)))
    chosen = exp.Case(ifs=cases, default=None if tag.otherwise is None else exp.convert(tag.otherwise))
    return Authored(_with(query.select(exp.alias_(chosen, tag.name)), named), relations)


def _hoisted(compiled: CompiledRule, name: str) -> Iterator[tuple[str, exp.Query]]:
    """The named queries of a compiled rule, under names that no other rule uses, and the rule itself as `name`."""
    query = compiled.query.copy()
    with_ = query.args.get("with_")
    inner = list(with_.expressions) if with_ else []
    query.set("with_", None)
    renamed = {cte.alias: f"{name}_{cte.alias}" for cte in inner}
    for old, body in [*((cte.alias, cte.this) for cte in inner), (None, query)]:
        for table in list(body.find_all(exp.Table)):
            if table.name in renamed:
                called = table.alias or table.name
                table.set("this", exp.to_identifier(renamed[table.name]))
                table.set("alias", exp.TableAlias(this=exp.to_identifier(called)))
        yield (name if old is None else renamed[old]), body


def _by_list(tag: Tag, listed: ManualList, features: Features) -> Authored:
    """One row per listed customer whose period holds on the day of the cut."""
    engine = features.history.engine
    physical = f"{PREFIX}list_{tag.name}_{listed.mark}"
    if physical not in engine.tables():
        engine.write(physical, listed.table)
    value: exp.Expr = exp.true()
    if tag.values != "boolean":
        value = exp.Max(this=exp.column("value"))
    today = exp.Anonymous(this="as_of_day")
    holds = [
        exp.LTE(this=exp.column("since"), expression=today),
        exp.GT(this=exp.column("until"), expression=today.copy()),
    ]
    who = exp.column("listed_id")
    query = exp.select(exp.alias_(who, "customer_id"), exp.alias_(value, tag.name)).from_(_LISTED)
    return Authored(query.where(*holds).group_by(who.copy()), {_LISTED: physical})


def _same(relation: str) -> exp.Expr:
    return exp.EQ(this=exp.column("customer_id", table=relation), expression=exp.column("customer_id", table=PEOPLE))


def _with(query: exp.Select, named: Iterable[tuple[str, exp.Query]]) -> exp.Select:
    ctes = [exp.CTE(this=each, alias=exp.TableAlias(this=exp.to_identifier(name))) for name, each in named]
    query.set("with_", exp.With(expressions=ctes))
    return query


def _column(tag: Tag) -> Column:
    empty = tag.otherwise
    if empty is None and tag.values == "boolean" and tag.formula is None and tag.tiers is None:
        empty = False
    return Column(
        tag.name,
        tag.label.text,
        tag.values,
        tag.meaning.text,
        unit=tag.unit.text if tag.unit else NO_UNIT,
        empty=empty,
        inferred=tag.inferred,
        words={value: label.text for value, label in tag.words.items()},
    )


def _written(tag: Tag) -> str:
    """What the tag computes, as text: tells one version of it from another."""
    rules = [plain_rule(rule) for rule in tag.rules]
    values = [tier.then for tier in tag.tiers or ()]
    return repr((tag.formula, rules, values, tag.otherwise, tag.values))


def _freshness(above: tuple[Family, ...]) -> Freshness:
    return "batch" if any(family.freshness == "batch" for family in above) else "live"


def _needs(tag: Tag, library: Library) -> Iterator[str]:
    """Without these the data cannot carry the tag: all that a formula reads, and the tables that rules count in."""
    if tag.formula is not None:
        for name in drawn_by(tag):
            family = library.owner(name)
            yield from family.needs
            yield from library.column(name).needs
            yield from (need for basis in closure(family.reads) for need in basis.needs)
    for rule in tag.rules:
        for _, leaf in leaves(rule):
            yield from _needs_of(leaf)


def _needs_of(leaf: Leaf) -> Iterator[str]:
    if isinstance(leaf, AttributeIs):
        yield f"customer.{leaf.attribute}"
    elif isinstance(leaf, Purchases):
        yield from _needs_of_purchases(leaf.purchases)
    elif isinstance(leaf, InSequence):
        for step in leaf.sequence.steps:
            yield from _needs_of_step(step)
    elif isinstance(leaf, Events):
        yield "event"
    elif isinstance(leaf, Touches):
        yield "touch"
    elif isinstance(leaf, Outcomes):
        yield "outcome"


def _needs_of_purchases(match: PurchaseMatch) -> Iterator[str]:
    yield "purchase.amount"
    yield from (f"product.{name}" for name in _NAMED if getattr(match, name) is not None)
    if match.tag is not None:
        yield _TAGGED


def _needs_of_step(step: Step) -> Iterator[str]:
    if isinstance(step, PurchaseStep):
        yield from _needs_of_purchases(step.purchases)
    elif isinstance(step, EventStep):
        yield "event"
    else:
        yield "outcome" if isinstance(step, OutcomeStep) else "touch"
