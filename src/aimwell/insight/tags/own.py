"""The tags that a workspace writes without code: read, checked together, and ready to join the library."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from aimwell.core.errors import BadDefinition, BadQuestion
from aimwell.core.problems import Problem
from aimwell.core.rules import MemberOf, Rule, ScoreIs, TagIs, leaves
from aimwell.core.tables import TABLES
from aimwell.insight.features.basis import digest
from aimwell.insight.features.library import Library, library
from aimwell.insight.rules.comparing import compared, value_kind
from aimwell.insight.tags.compile import family_of
from aimwell.insight.tags.definition import Listing, Tag
from aimwell.insight.tags.formula import columns_of, parse_formula
from aimwell.insight.tags.lists import ManualList, read_list
from aimwell.insight.tags.reading import Place, Written, read_written
from aimwell.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class OwnTags:
    """The checked tags of a workspace, each after those that it is made from, with their lists.

    library: the tags of code and these together.
    """

    definitions: Mapping[str, Tag]
    lists: Mapping[str, ManualList]
    library: Library

    def of(self, whose: str) -> dict[str, Tag]:
        """The tags of customers, products or channels."""
        return {name: tag for name, tag in self.definitions.items() if tag.of == whose}


def own_tags(workspace: Workspace, base: Library | None = None) -> OwnTags:
    """The tags that a workspace writes, joined to a library (by default that of all families).

    Raises BadDefinition with every problem of every tag, with file and line: what is wrong by itself, names that are
    taken, features that do not exist, tags made from each other in a circle, rows of lists that cannot be read.
    """
    known = library() if base is None else base
    written = read_written(workspace.folder)
    lists = {
        name: _list_of(tag.manual, written.places[name], workspace.folder, written.problems)
        for name, tag in written.tags.items()
        if tag.manual is not None
    }
    for tag in written.tags.values():
        written.problems += _wrong_names(tag, written, known)
    ordered = _in_order(written)
    if written.problems:
        raise BadDefinition(sorted(written.problems, key=lambda each: (each.file, each.line or 0, each.path)))
    joined, things = known, _things(written.tags, lists)
    for name in ordered:
        tag = written.tags[name]
        if tag.of == "customer":
            joined = joined.with_families(family_of(tag, joined, lists.get(name), things))
    return OwnTags({name: written.tags[name] for name in ordered}, lists, joined)


def _things(tags: Mapping[str, Tag], lists: Mapping[str, ManualList]) -> str:
    """What the tags of products say, in few letters: rules read them, and change with them."""
    told = [tag.model_dump_json() for _, tag in sorted(tags.items()) if tag.of == "product"]
    return digest([*told, *(lists[name].mark for name in sorted(lists) if tags[name].of == "product")])


def _list_of(listing: Listing, where: Place, root: Path, problems: list[Problem]) -> ManualList:
    """The entries of a list; a file that cannot be found is a problem of the tag, a bad row one of the file."""
    listed, wrong = read_list(listing, root)
    for each in wrong:
        told = where.problem(("manual", "file"), f"{each.file}: {each.message}", each.remedy)
        problems.append(told if each.line is None else each)
    return listed


def made_from(tag: Tag) -> list[tuple[str, tuple[str | int, ...]]]:
    """The tags (of a product: the columns) that a tag is made from, each with the place where it says so."""
    if tag.formula is not None:
        return [(name, ("formula",)) for name in columns_of(parse_formula(tag.formula))]
    return [
        (leaf.tag, (*inside, *path))
        for inside, rule in placed_rules(tag)
        for path, leaf in leaves(rule)
        if isinstance(leaf, TagIs)
    ]


def placed_rules(tag: Tag) -> list[tuple[tuple[str | int, ...], Rule]]:
    """The rules of a tag, each with its place in the definition."""
    if tag.tiers is not None:
        return [(("tiers", number, "when"), tier.when) for number, tier in enumerate(tag.tiers)]
    return [(("rule",), tag.rule)] if tag.rule is not None else []


def _wrong_names(tag: Tag, written: Written, base: Library) -> Iterator[Problem]:
    """Names that are taken, names that do not exist, and comparisons that do not fit what they name."""
    where, found = written.places[tag.name], written.tags
    if tag.of == "customer" and tag.name in base.owners:
        owner = base.owners[tag.name].name
        yield where.problem(("name",), f"{tag.name!r} is already a tag, of the family {owner}", "Choose another name.")
    own = {name for name in written.places if name not in found or found[name].of == "customer"}
    known = set(TABLES["product"].names) if tag.of == "product" else {*base.owners, *own}
    for name, place in made_from(tag):
        if name not in known:
            close = difflib.get_close_matches(name, known, 3)
            what = "column of the product table" if tag.of == "product" else "tag"
            remedy = f"Did you mean {', '.join(close)}?" if close else "List them with `aimwell tags`."
            yield where.problem(place, f"there is no {what} {name!r}", remedy)
    for inside, rule in placed_rules(tag):
        for path, reason in _refused(rule):
            yield where.problem((*inside, *path), reason, "Write a segment instead.")
        for path, leaf in leaves(rule):
            if isinstance(leaf, TagIs) and (leaf.tag in found or leaf.tag in base.owners):
                kind = found[leaf.tag].values if leaf.tag in found else base.column(leaf.tag).kind
                yield from _unfit(leaf, kind, where, (*inside, *path))


def _refused(rule: Rule) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Leaves that a tag must not ask: scores and segments are made from tags, and so come after them."""
    for path, leaf in leaves(rule):
        if isinstance(leaf, ScoreIs | MemberOf):
            what = "scores" if isinstance(leaf, ScoreIs) else "segments"
            yield path, f"a tag cannot ask for {what}, which are made from tags"


def _unfit(leaf: TagIs, kind: str, where: Place, path: tuple[str | int, ...]) -> Iterator[Problem]:
    try:
        compared(exp.null(), value_kind(kind), leaf, f"the tag {leaf.tag!r}")
    except BadQuestion as bad:
        yield where.problem(path, f"{bad.what}; expected {bad.expected}" if bad.expected else bad.what, bad.remedy)


def _in_order(written: Written) -> list[str]:
    """The names of the tags, each after those that it is made from; a circle is a problem of its first member."""
    ordered: list[str] = []
    told: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in ordered:
            return
        if name in path:
            circle = path[path.index(name) :]
            if not told & set(circle):
                told.update(circle)
                chain = " → ".join([*circle, name])
                message = f"tags are made from each other in a circle: {chain}"
                written.problems.append(written.places[min(circle)].problem((), message, "Break it."))
            return
        tag = written.tags[name]
        for above, _ in made_from(tag) if tag.of == "customer" else ():
            if above in written.tags and written.tags[above].of == "customer":
                visit(above, (*path, name))
        ordered.append(name)

    for name in sorted(written.tags):
        visit(name, ())
    return ordered
