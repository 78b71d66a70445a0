"""The list of every feature as a page: `docs/features.md` is what this module writes, and a test keeps it so.

`python -m aimwell.insight.features.listing docs/features.md` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from aimwell.core.text import Text
from aimwell.insight.features.family import TAG_FAMILIES, Column, Family
from aimwell.insight.features.library import Library, library

_HEAD = """# Features and tags · 特征与标签

Every feature that comes with the product, by the eight tag families. A workspace has those whose needs its data meet;
`aimwell tags` says which, and what the others lack. *Live* families can be computed for a few customers at once,
*batch* families need everyone. A label with `*` is inferred; its meaning says from what. Beside these, a workspace
brings its own attributes (`own_…`), the share of spend of its largest departments (`department_…_share`), and its own
[tags](tags.md).

This page is written by `python -m aimwell.insight.features.listing docs/features.md`; a test fails when it is stale.
"""


def as_markdown(chosen: Library) -> str:
    """The page: families, columns, what they need and mean, and the thresholds with their defaults."""
    return "\n".join([_HEAD, *_summary(chosen), *_families(chosen), *_thresholds(chosen), ""])


def _summary(chosen: Library) -> Iterator[str]:
    yield "| family | 标签族 | features | meanings |"
    yield "|---|---|---|---|"
    for name, label in TAG_FAMILIES.items():
        columns = [column for family in _of(name, chosen) for column in family.columns]
        meanings = {column.measure or column.name for column in columns}
        yield f"| {label.en} | {label.zh} | {len(columns)} | {len(meanings)} |"
    yield ""
    yield "Windows of one measure (`spend_28d`, `spend_84d`) are one meaning."
    yield ""


def _families(chosen: Library) -> Iterator[str]:
    for name, label in TAG_FAMILIES.items():
        yield f"## {label.en} · {label.zh}"
        yield ""
        for family in _of(name, chosen):
            yield from _family(family)


def _family(family: Family) -> Iterator[str]:
    given = f"; given with the question: {_code(family.given)}" if family.given else ""
    yield f"### {family.label.en} · {family.label.zh}"
    yield ""
    yield f"`{family.name}`, {family.freshness}, needs {_code(family.needs)}{given}"
    yield ""
    yield "| feature | label | 名称 | unit | meaning | 含义 |"
    yield "|---|---|---|---|---|---|"
    yield from (_column(column) for column in family.columns)
    yield ""


def _column(column: Column) -> str:
    mark = "*" if column.inferred else ""
    unit = column.kind if not column.unit.en else f"{column.unit.en} · {column.unit.zh}"
    meaning = Text(column.meaning.zh, column.meaning.en)
    if column.needs:
        needs = _code(column.needs)
        meaning = Text(f"{meaning.zh}（需要 {needs}）", f"{meaning.en} (needs {needs})")
    cells = [f"`{column.name}`", column.label.en + mark, column.label.zh + mark, unit, meaning.en, meaning.zh]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _thresholds(chosen: Library) -> Iterator[str]:
    yield "## Thresholds · 门槛"
    yield ""
    yield "Set under `[settings]` in `aimwell.toml`; without it the default holds."
    yield ""
    yield "| setting | default | meaning | 含义 |"
    yield "|---|---|---|---|"
    for each in chosen.thresholds:
        yield f"| `{each.name}` | {each.default} | {each.meaning.en} | {each.meaning.zh} |"


def _of(tag_family: str, chosen: Library) -> list[Family]:
    return [family for family in chosen.families.values() if family.tag_family == tag_family]


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_markdown(library()), encoding="utf-8")
