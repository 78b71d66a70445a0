"""A proposed source as YAML that a person reads and completes: one line a column, open choices as comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

Mapped = str | Mapping[str, object]


@dataclass
class Draft:
    """One table of a proposal; a column with several mappings is open, and written as comments to choose from."""

    table: str
    columns: dict[str, list[tuple[Mapped, str]]] = field(default_factory=dict)
    attributes: dict[str, Mapped] = field(default_factory=dict)
    where: str | None = None
    deduplicate: Mapping[str, object] | None = None

    def put(self, name: str, mapped: Mapped) -> None:
        """Map a column."""
        self.columns[name] = [(mapped, "")]


def write_yaml(read: Mapping[str, object], drafts: Sequence[Draft], remarks: Sequence[str] = ()) -> str:
    """The text of a source file."""
    lines = [f"# {remark}" for remark in remarks]
    lines.append("read:")
    lines += [f"  {key}: {_flow(value)}" for key, value in read.items()]
    lines.append("tables:")
    for draft in drafts:
        lines += _table(draft)
    return "\n".join(lines) + "\n"


def _table(draft: Draft) -> list[str]:
    lines = [f"  - table: {draft.table}", "    columns:"]
    for name, choices in draft.columns.items():
        if len(choices) > 1:
            lines.append("      # choose one of the two:")
        for mapped, remark in choices:
            mark = "# " if len(choices) > 1 else ""
            lines.append(f"      {mark}{name}: {_flow(mapped)}" + (f" # {remark}" if remark else ""))
    if draft.attributes:
        lines.append("    attributes:")
        lines += [f"      {name}: {_flow(mapped)}" for name, mapped in draft.attributes.items()]
    if draft.where:
        lines.append(f"    where: {_flow(draft.where)}")
    if draft.deduplicate:
        lines.append(f"    deduplicate: {_flow(dict(draft.deduplicate))}")
    return lines


def _flow(value: object) -> str:
    """A value on one line, quoted where YAML needs it."""
    plain = dict(value) if isinstance(value, Mapping) else value
    text = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, sort_keys=False, width=1_000)
    return text.removesuffix("...\n").strip()
