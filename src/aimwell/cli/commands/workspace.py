"""`aimwell init`, `check` and `schema`: make a workspace, check every definition in it, publish JSON Schemas."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import told
from aimwell.cli.definition_kinds import check_all, check_names, kinds, schema_of
from aimwell.cli.examples import example_folder, example_names
from aimwell.cli.journeys import read_journeys
from aimwell.cli.messages import check_messages
from aimwell.cli.recommended import in_report
from aimwell.core.errors import BadDefinition, BadQuestion
from aimwell.core.text import Language, Text
from aimwell.store.workspace import SETTINGS_FILE, open_workspace

WORKSPACE = Commands("workspace", typer.Typer(), top_level=True)

_READY = Text(
    "工作区「{name}」已建好：{folder}\n下一步：cd {folder}，然后 aimwell source check '数据文件*.csv' --save。",
    "Workspace {name!r} is ready in {folder}.\nNext: cd {folder}, then `aimwell source check 'FILES*.csv' --save`.",
)
_READY_EXAMPLE = Text(
    "工作区「{name}」已建好：{folder}\n下一步：cd {folder}，然后 aimwell run。",
    "Workspace {name!r} is ready in {folder}.\nNext: cd {folder}, then `aimwell run`.",
)
_CHINESE = {"CN", "HK", "MO", "TW"}

_TEMPLATE = """\
# The settings of this workspace. Definitions stand in YAML files in the folders beside it.
name = "{name}"
currency = "{currency}"      # ISO 4217
timezone = "{timezone}"      # IANA; its days count
country = "{country}"        # ISO 3166, for holidays
language = "{language}"      # zh or en

[warehouse]
engine = "duckdb"            # or "spark"
path = "warehouse.duckdb"

[settings]
# thresholds and tiers that definitions and features read, such as
# value_tier_high = 1000
"""


@WORKSPACE.app.command("init")
def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to make")],
    example: Annotated[str | None, typer.Option(help=f"Start from an example: {', '.join(example_names())}")] = None,
    name: Annotated[str | None, typer.Option(help="Name; by default the folder's")] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code")] = "CNY",
    timezone: Annotated[str, typer.Option(help="IANA timezone")] = "Asia/Shanghai",
    country: Annotated[str, typer.Option(help="ISO 3166 code; decides the language too, unless one is given")] = "CN",
) -> None:
    """Make a workspace: a folder with aimwell.toml and a place for every kind of definition."""
    session = session_of(context)
    with told(session):
        if (folder / SETTINGS_FILE).exists():
            raise BadQuestion(f"{folder} is already a workspace", remedy="Choose another folder, or work in it.")
        folder.mkdir(parents=True, exist_ok=True)
        if example:
            shutil.copytree(example_folder(example), folder, dirs_exist_ok=True)
        else:
            text = _TEMPLATE.format(
                name=(name or folder.resolve().name).replace('"', "'"),
                currency=currency,
                timezone=timezone,
                country=country,
                language=session.language or _language_of(country),
            )
            (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")
        try:
            made = open_workspace(folder)
        except BadDefinition:
            if not example:
                (folder / SETTINGS_FILE).unlink()
            raise
        for kind in kinds().values():
            (folder / kind.folder).mkdir(exist_ok=True)
        session.json({"workspace": str(made.folder), "name": made.settings.name})
        ready = _READY_EXAMPLE if example else _READY
        session.say(ready.format(name=made.settings.name, folder=made.folder).said(session.speaks(made)))


@WORKSPACE.app.command("check")
def check(context: typer.Context) -> None:
    """Check every definition of the workspace and list all problems, with file and line."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        found = check_all(workspace)
        in_report(workspace)
        check_messages(workspace)
        check_names(workspace)
        read_journeys(workspace)
        session.json({"definitions": {kind: sorted(names) for kind, names in found.items()}})
        session.table(
            ["kind", "definitions"], [[kind, ", ".join(sorted(names)) or "—"] for kind, names in found.items()]
        )


@WORKSPACE.app.command("schema")
def schema(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="Kind of definition, such as segment")],
) -> None:
    """Print the JSON Schema of a kind of definition."""
    session = session_of(context)
    with told(session):
        typer.echo(schema_of(kind))


def _language_of(country: str) -> Language:
    return "zh" if country.upper() in _CHINESE else "en"
