"""`aimwell tags`: which features and tags there are, what they mean, and which the data cannot carry."""

from __future__ import annotations

from collections import defaultdict

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import told
from aimwell.core.text import Text
from aimwell.insight.features.coverage import coverage
from aimwell.insight.features.family import TAG_FAMILIES
from aimwell.insight.opening import as_of_instant, open_workshop

_THERE = Text("{there} 个标签可用，{gone} 个缺数据。", "{there} tags have their data, {gone} lack some.")
_LACKING = Text("缺 {needs}：{tags}", "Without {needs}: {tags}")

TAGS = Commands("tags", typer.Typer(), top_level=True)


@TAGS.app.command("tags")
def tags(context: typer.Context) -> None:
    """List every tag with its family, label and meaning, and say what is missing for those without data."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        rows: list[list[object]] = []
        without: defaultdict[str, list[str]] = defaultdict(list)
        found: list[dict[str, object]] = []
        with open_workshop(workspace) as workshop:
            features = workshop.described(as_of_instant(workspace, workshop.warehouse, None))
            for covered in coverage(features):
                family = covered.family
                for column in family.columns:
                    lacks = covered.lacking or covered.without.get(column.name, ())
                    said = TAG_FAMILIES[family.tag_family].said(language)
                    if lacks:
                        without[", ".join(lacks)].append(column.name)
                    else:
                        rows.append([said, column.name, column.label.said(language), column.unit.said(language)])
                    found.append(
                        {
                            "name": column.name,
                            "family": family.name,
                            "tag_family": family.tag_family,
                            "label": column.label,
                            "meaning": column.meaning,
                            "unit": column.unit,
                            "kind": column.kind,
                            "missing": list(lacks),
                        }
                    )
        session.json(found)
        session.table(["family", "tag", "label", "unit"], sorted(rows, key=lambda row: str(row[0])))
        for needs, names in sorted(without.items()):
            session.say(_LACKING.format(needs=needs, tags=", ".join(names)).said(language))
        gone = sum(map(len, without.values()))
        session.say(_THERE.format(there=len(rows), gone=gone).said(language))
