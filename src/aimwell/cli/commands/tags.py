"""`aimwell tags`: which features and tags there are, what they mean, and which the data cannot carry."""

from __future__ import annotations

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import told
from aimwell.insight.features.family import TAG_FAMILIES, missing
from aimwell.insight.features.library import library

TAGS = Commands("tags", typer.Typer(), top_level=True)


@TAGS.app.command("tags")
def tags(context: typer.Context) -> None:
    """List every tag with its family, label and meaning, and say what is missing for those without data."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        rows: list[list[object]] = []
        found: list[dict[str, object]] = []
        with workspace.warehouse() as warehouse:
            history = warehouse.history(warehouse.last_instant())
            for family in library().families.values():
                lacking = missing(family.needs, history)
                for column in family.columns:
                    without = lacking or missing(column.needs, history)
                    said = TAG_FAMILIES[family.tag_family].said(language)
                    rows.append([column.name, said, column.label.said(language), ", ".join(without) or "✓"])
                    found.append(
                        {
                            "name": column.name,
                            "family": family.name,
                            "tag_family": family.tag_family,
                            "label": column.label,
                            "meaning": column.meaning,
                            "unit": column.unit,
                            "kind": column.kind,
                            "missing": without,
                        }
                    )
        session.json(found)
        session.table(["tag", "family", "label", "data"], rows)
