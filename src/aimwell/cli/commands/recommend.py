"""`aimwell recommend …`: which product for which customer; make the lists, and judge them day by day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aimwell.cli.audience_files import write_table
from aimwell.cli.command import group, session_of
from aimwell.cli.console import Session, told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.store.workspace import Workspace
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.evaluation import DAYS, Evaluation, evaluate
from aimwell.strategy.recommenders.generator import generators
from aimwell.strategy.recommenders.judging import Slice
from aimwell.strategy.recommenders.making import recommend
from aimwell.strategy.recommenders.models import note_judged, version_of

RECOMMEND = group("recommend", "Which product for which customer: lists with reasons, judged day by day.")
_app = RECOMMEND.app

Name = Annotated[str, typer.Argument(help="Name of the recommender")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date or instant; by default the end of the data")]
Seed = Annotated[int, typer.Option(help="Seed of everything random")]


def _definition(workspace: Workspace, name: str) -> Recommender:
    known = workspace.definitions(Recommender)
    if name not in known:
        raise BadQuestion(f"There is no recommender {name!r}", expected=f"one of {', '.join(known) or '(none)'}")
    return known[name]


@_app.command("list")
def list_all(context: typer.Context) -> None:
    """List the recommenders of the workspace, and the generators of candidates that there are."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        found = [
            {"name": name, "label": each.title.said(language), "level": each.level, "line": each.stands_in}
            for name, each in workspace.definitions(Recommender).items()
        ]
        known = [
            {"name": name, "label": each.label.said(language), "meaning": each.meaning.said(language)}
            for name, each in generators().items()
        ]
        session.json({"recommenders": found, "generators": known})
        session.table(["recommender", "label", "level", "line"], [list(each.values()) for each in found])
        session.table(["generator", "label", "meaning"], [list(each.values()) for each in known])


@_app.command("make")
def make(
    context: typer.Context,
    name: Name,
    customers: Annotated[list[str] | None, typer.Argument(help="Whose lists to show; by default some")] = None,
    as_of: AsOf = None,
    show: Annotated[int, typer.Option(help="How many lists to show where no customer is named")] = 3,
    out: Annotated[Path | None, typer.Option(help="Write the shown lists to a .csv or .parquet file")] = None,
    seed: Seed = 0,
) -> None:
    """Make everybody's list from what is known, keep them, and show some with reasons in words."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            result = recommend(
                definition, workshop, instant, customers=customers or (), show=show, seed=seed, progress=progress
            )
        rows = result.to_arrow(language)
        if out:
            write_table(rows, out)
        session.json(result)
        session.table(rows.column_names, [list(each.values()) for each in rows.to_pylist()])
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in result.kinds.items())
        if result.version:
            session.say(f"{'Learnt' if result.learnt else 'Read again'}: version {result.version}")
        session.say(
            f"{result.recommended:,} recommendations to {result.people:,} customers ({kinds}), "
            f"{result.violations} against a limit; nothing eligible for {result.empty:,}."
        )


@_app.command("evaluate")
def judge(
    context: typer.Context,
    name: Name,
    as_of: AsOf = None,
    days: Annotated[int, typer.Option(help="How many of the last days are judged")] = DAYS,
    without: Annotated[list[str] | None, typer.Option(help="A generator to do without, to see its worth")] = None,
    seed: Seed = 0,
) -> None:
    """Judge a recommender on the last days, each by what was known before it, beside what needs no model."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            result = evaluate(
                definition, workshop, instant, days=days, less=without or (), seed=seed, progress=progress
            )
            version = version_of(definition, workshop, instant, seed)
            if version and not without:
                note_judged(workshop.folder, name, version, result)
        session.json(result)
        _show(session, result, session.speaks(workspace), definition.list_size)


def _show(session: Session, result: Evaluation, language: Language, k: int) -> None:
    session.say(
        f"{result.lists:,} lists of {result.customers:,} customers on {len(result.days)} days, "
        f"{result.days[0]} to {result.days[-1]}; {result.proposed:.1%} of what was bought had been proposed."
    )
    for each in result.slices:
        session.table(
            ["ranked by", "AUC", "log loss", "MRR", f"recall@{k}", f"nDCG@{k}", f"MAP@{k}", "nDCG: model ahead by"],
            _lines(each, language),
            title=f"{each.label.said(language)}: {each.bought:,} of {each.choices:,} pairs, {each.lists:,} lists",
        )


def _lines(each: Slice, language: Language) -> list[list[object]]:
    names = ("auc", "log_loss", "reciprocal_rank", "recall", "ndcg", "average_precision")
    return [
        [
            way.label.said(language),
            *(way.figures[name].value if name in way.figures else None for name in names),
            str(way.ahead["ndcg"]) if "ndcg" in way.ahead else None,
        ]
        for way in each.ways
    ]
