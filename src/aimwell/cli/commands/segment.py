"""`aimwell segment …`: who belongs, who came and went, what sets them apart, how they overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from aimwell.cli.audience_files import write_table
from aimwell.cli.command import group, session_of
from aimwell.cli.console import told
from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.insight.rules.words import sentence
from aimwell.insight.segments.definition import SEGMENT_KINDS, Segment
from aimwell.insight.segments.differences import differences_of
from aimwell.insight.segments.membership import members_at, sizes
from aimwell.insight.segments.overlap import overlap
from aimwell.insight.segments.refresh import refresh
from aimwell.store.workspace import Workspace

SEGMENT = group("segment", "Segments: who belongs, who came and went, what sets them apart.")
_app = SEGMENT.app

_LACKING = Text(
    "{segment}：数据里没有 {tags}，规则的这一部分无人满足。",
    "{segment}: the data carry nothing for {tags}, so nobody fits this part of its rule.",
)

AsOf = Annotated[str | None, typer.Option("--as-of", help="Date or instant; by default the end of the data")]
Name = Annotated[str, typer.Argument(help="Name of the segment")]


def _known(workspace: Workspace, name: str) -> Segment:
    found = workspace.definitions(Segment)
    if name not in found:
        raise BadQuestion(f"There is no segment {name!r}", expected=f"one of {', '.join(found) or '(none)'}")
    return found[name]


@_app.command("list")
def list_all(context: typer.Context) -> None:
    """List the segments with kind, last size, and the rule in words."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        definitions = workspace.definitions(Segment)
        with open_workshop(workspace) as workshop:
            known = sizes(workshop.warehouse.engine)
            said = {name: sentence(one.rule, language, workshop.library) for name, one in definitions.items()}
        rows = [
            [name, one.title.said(language), SEGMENT_KINDS[one.kind].said(language), known.get(name), said[name]]
            for name, one in definitions.items()
        ]
        session.json([dict(zip(("name", "label", "kind", "members", "rule"), row, strict=True)) for row in rows])
        session.table(["segment", "label", "kind", "people", "reads as"], rows)


@_app.command("refresh")
def refresh_all(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names of segments; by default all")] = None,
    as_of: AsOf = None,
) -> None:
    """Build segments for everyone; a failed build leaves the last good one."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definitions = workspace.definitions(Segment)
        for name in names or []:
            _known(workspace, name)
        with open_workshop(workspace) as workshop, session.progress("segments") as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            found = refresh(definitions, workshop.described(instant), only=names or None, progress=progress)
        session.json(found)
        session.table(
            ["segment", "people", "share", "entered", "left"],
            [[each.name, each.members, round(each.share, 4), each.entered, each.left] for each in found],
        )
        for each in found:
            if each.lacking:
                said = _LACKING.format(segment=each.name, tags=", ".join(each.lacking))
                session.say(said.said(session.speaks(workspace)))


@_app.command("members")
def members(
    context: typer.Context,
    name: Name,
    as_of: AsOf = None,
    out: Annotated[Path | None, typer.Option(help="Write them to a .csv or .parquet file")] = None,
) -> None:
    """List who belonged at an instant."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        _known(workspace, name)
        with open_workshop(workspace) as workshop:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            found = members_at(workshop.warehouse.engine, name, instant)
        if out:
            write_table(pa.table({"customer_id": pa.array(found, pa.string())}), out)
        session.json({"segment": name, "members": found})
        session.say(f"{len(found):,} in {name}" + (f", written to {out}" if out else ""))


@_app.command("different")
def different(
    context: typer.Context,
    name: Name,
    as_of: AsOf = None,
    top: Annotated[int, typer.Option(help="How many differences to show")] = 10,
) -> None:
    """Say what makes a segment different from everybody else."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        _known(workspace, name)
        with open_workshop(workspace) as workshop:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            found = members_at(workshop.warehouse.engine, name, instant)
            told_apart = differences_of(workshop.described(instant), {name: found})
        if name not in told_apart:
            raise NotEnoughData(
                f"The segment {name!r} has nobody to compare",
                expected="some customers within, and some outside",
                seen="everybody is within" if found else "nobody is within",
                remedy="Narrow its rule." if found else "Refresh it, or widen its rule.",
            )
        result = told_apart[name]
        session.json(result)
        for each in result.top(top):
            session.say(f"- {each.sentence.said(language)}")
        for caution in result.cautions:
            session.say(f"  {caution.said(language)}")


@_app.command("overlap")
def overlaps(context: typer.Context) -> None:
    """Say how segments overlap."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        with open_workshop(workspace) as workshop:
            result = overlap(workshop.warehouse.engine)
        session.json(result)
        session.table(["segment", "people"], [[name, result.sizes[name]] for name in result.names])
        for pair in result.pairs:
            session.say(f"- {pair.sentence.said(language)}")
