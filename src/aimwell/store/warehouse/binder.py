"""The binder: turns authored SQL into a statement that cannot know the future, or refuses it.

Authored SQL is one SELECT in DuckDB's dialect over the canonical tables. The binder parses it, allows only listed node
types and functions (so no clock, no randomness, no file, no other table), replaces each canonical table by its cut,
expands the macros and leaves a tree that the engine renders in its own dialect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from aimwell.core.errors import Refused
from aimwell.core.tables import TABLES
from aimwell.core.time import to_store
from aimwell.store.warehouse.allowed import check_node
from aimwell.store.warehouse.cut import Cut, TableFacts, cut_table
from aimwell.store.warehouse.engine import Dialect
from aimwell.store.warehouse.macros import MACROS, Binding, Setting, expand

Catalog = Mapping[str, TableFacts]
_CUT_PREFIX = "cut_"


@dataclass(frozen=True, slots=True)
class Binder:
    """Compiles authored SQL for one cut of one warehouse.

    relations: further names that authored SQL may read, each with the physical table behind it; whoever passes them
    vouches that they hold nothing from after the cut.
    """

    catalog: Catalog
    cut: Cut
    dialect: Dialect
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def bind(self, query: str | exp.Expr, relations: Mapping[str, str] | None = None) -> exp.Select:
        """The statement behind an authored query, ready for the engine; raises Refused with the remedy."""
        tree = parse(query) if isinstance(query, str) else _select(query.copy())
        names = relations or {}
        _check(tree)
        visible = _visible_ctes(tree)
        read = self._rename_tables(tree, visible, names)
        tree = self._expand_macros(tree)
        return _with_cuts(tree, {name: cut_table(self.catalog[name], self.cut) for name in read})

    def _rename_tables(
        self, tree: exp.Select, visible: Mapping[int, frozenset[str]], relations: Mapping[str, str]
    ) -> list[str]:
        """Point every table at its cut; returns the canonical tables that are read, in a fixed order."""
        read: set[str] = set()
        for table in list(tree.find_all(exp.Table)):
            ctes = visible[id(table)]
            name = table.name.lower()
            alias = table.alias or name
            if name in ctes:
                continue
            if name in relations:
                physical = relations[name]
            elif name in self.catalog:
                read.add(name)
                physical = _CUT_PREFIX + name
            else:
                raise Refused(
                    f"The query reads {table.sql(dialect='duckdb')!r}, which is not there",
                    expected=f"one of {', '.join(sorted([*self.catalog, *relations])) or '(no table is loaded yet)'}",
                    remedy="Load a source that fills it." if name in TABLES else "Read canonical tables only.",
                )
            table.set("this", exp.to_identifier(physical))
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        return sorted(read)

    def _expand_macros(self, tree: exp.Select) -> exp.Select:
        binding = Binding(self.cut, self.settings, self.dialect, self._earliest())

        def step(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Anonymous) and node.name.lower() in MACROS:
                inner = [argument.transform(step, copy=False) for argument in node.expressions]
                return expand(exp.Anonymous(this=node.this, expressions=inner), binding)
            return node

        return _select(tree.transform(step, copy=False))  # the tree is the binder's own copy

    def _earliest(self) -> datetime:
        """The first instant in the data, or the cut if there is none: a day earlier, so that offsets are settled."""
        found = [facts.earliest for facts in self.catalog.values() if facts.earliest]
        return min([*found, to_store(self.cut.as_of)]) - timedelta(days=1)


def parse(sql: str) -> exp.Select:
    """One authored SELECT as a tree; raises Refused for anything else."""
    try:
        statements = [tree for tree in sqlglot.parse(sql, read="duckdb") if tree is not None]
    except (ParseError, TokenError) as error:
        raise Refused(f"The query cannot be read as SQL: {error}", seen=sql) from error
    if len(statements) != 1:
        raise Refused("Authored SQL is exactly one SELECT", seen=f"{len(statements)} statements")
    return _select(statements[0])


def _select(tree: exp.Expr) -> exp.Select:
    if not isinstance(tree, exp.Select):
        raise Refused(
            "Authored SQL is one SELECT", seen=type(tree).__name__.upper(), remedy="Write unions inside a CTE."
        )
    if not tree.expressions:
        raise Refused("The query selects nothing", remedy="Name at least one column.")
    return tree


def _check(tree: exp.Select) -> None:
    for node in tree.walk():
        check_node(node)


def _visible_ctes(tree: exp.Select) -> dict[int, frozenset[str]]:
    """For each table reference, the CTEs that it can mean: those defined before it, at the top of the query.

    A CTE cannot mean itself or a later one (engines would then read a physical table of that name), and a WITH inside
    a sub-select is refused, since its names would not be visible outside of it.
    """
    own = tree.args.get("with_")
    if any(inner is not own for inner in tree.find_all(exp.With)):
        raise Refused("A WITH stands at the top of the query only", remedy="Move the CTE to the top.")
    visible: dict[int, frozenset[str]] = {}
    defined: frozenset[str] = frozenset()
    for cte in own.expressions if own else []:
        name = cte.alias.lower()
        if name in TABLES or name.startswith(_CUT_PREFIX):
            raise Refused(
                f"A CTE must not be called {name!r}", remedy="Canonical names and cut_… are taken; rename it."
            )
        if name in defined:
            raise Refused(f"Two CTEs are called {name!r}", remedy="Rename one of them.")
        visible |= {id(table): defined for table in cte.find_all(exp.Table)}
        defined |= {name}
    for table in tree.find_all(exp.Table):
        visible.setdefault(id(table), defined)
    return visible


def _with_cuts(tree: exp.Select, cuts: Mapping[str, exp.Select]) -> exp.Select:
    own = tree.args.get("with_")
    ctes = [
        exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(_CUT_PREFIX + name)))
        for name, query in cuts.items()
    ] + (list(own.expressions) if own else [])
    if ctes:
        tree.set("with_", exp.With(expressions=ctes))
    return tree
