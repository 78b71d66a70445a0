"""`aimwell prediction …`: judge, learn, score, explain and govern the predictions of a workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from aimwell.cli.audience_files import write_table
from aimwell.cli.command import group, session_of
from aimwell.cli.console import FAILED, Session, told
from aimwell.core.errors import BadQuestion
from aimwell.core.progress import part
from aimwell.core.text import Language
from aimwell.insight import predictions
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.insight.predictions import Backtest, FlatScoring, Prediction, Refit, Scoring, Workshop
from aimwell.insight.predictions.card import verdict
from aimwell.store.workspace import Workspace

PREDICTION = group("prediction", "Questions about the future of customers: judge, learn, score, explain, govern.")
_app = PREDICTION.app

Name = Annotated[str, typer.Argument(help="Name of the prediction")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date or instant; by default the end of the data")]
Seed = Annotated[int, typer.Option(help="Seed of everything random")]


def _instant(workspace: Workspace, workshop: Workshop, definition: Prediction, given: str | None) -> datetime:
    """The instant that was asked for; by default the end of the data, and now for a flat file, which has no days."""
    if definition.flat is not None and given is None:
        return datetime.now(UTC)
    return as_of_instant(workspace, workshop.warehouse, given)


def _refuse_flat(definition: Prediction, what: str) -> None:
    if definition.flat is not None:
        raise BadQuestion(
            f"{definition.name} is about a flat file, and {what}",
            remedy=f"Score its rows: `aimwell prediction score {definition.name} --file NEW.csv`.",
        )


def _definition(workspace: Workspace, name: str) -> Prediction:
    known = workspace.definitions(Prediction)
    if name not in known:
        raise BadQuestion(f"There is no prediction {name!r}", expected=f"one of {', '.join(known) or '(none)'}")
    return known[name]


@_app.command("list")
def list_all(context: typer.Context) -> None:
    """List the predictions with the version in use and when each is due to be learnt anew."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        found: list[dict[str, object]] = []
        with open_workshop(workspace) as workshop:
            for name, definition in workspace.definitions(Prediction).items():
                used = predictions.champion(workshop, name)
                due = predictions.due(definition, workshop, _instant(workspace, workshop, definition, None))
                found.append(
                    {
                        "name": name,
                        "label": definition.title.said(language),
                        "kind": definition.kind,
                        "in_use": used,
                        "due": due.due,
                        "last": due.last,
                        "next": due.following,
                    }
                )
        session.json(found)
        session.table(
            ["prediction", "label", "kind", "in use", "due"],
            [[row["name"], row["label"], row["kind"], row["in_use"], _when(row["due"], row["next"])] for row in found],
        )


@_app.command("backtest")
def backtest(context: typer.Context, name: Name, as_of: AsOf = None, seed: Seed = 0) -> None:
    """Judge a prediction in order of time on held-out dates, beside its baseline, without keeping a model."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            instant = _instant(workspace, workshop, definition, as_of)
            result = predictions.backtest(definition, workshop, instant, seed=seed, progress=progress)
        session.json(result)
        _show(session, result, session.speaks(workspace))


@_app.command("train")
def train(context: typer.Context, name: Name, as_of: AsOf = None, seed: Seed = 0) -> None:
    """Learn a prediction, judge it, and put it into use unless the one in use is better."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            instant = _instant(workspace, workshop, definition, as_of)
            result = predictions.train(definition, workshop, instant, seed=seed, progress=progress)
        language = session.speaks(workspace)
        session.json(result)
        _show(session, result.backtest, language)
        session.say(f"{result.version}: {result.why.said(language)}")


@_app.command("score")
def score(
    context: typer.Context,
    name: Name,
    as_of: AsOf = None,
    campaign: Annotated[str | None, typer.Option(help="The planned campaign, for questions about campaigns")] = None,
    top: Annotated[int, typer.Option(help="How many of the best to list with reasons")] = 20,
    file: Annotated[Path | None, typer.Option(help="For a flat file: the file whose rows to score")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the list to a .csv or .parquet file; of a file all rows")
    ] = None,
) -> None:
    """Score everybody, or all rows of a file, and list the best with the reasons in words."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            if file is not None:
                result: Scoring | FlatScoring = predictions.score_file(
                    definition, workshop, _found(workspace, file), top=top
                )
            else:
                _refuse_flat(definition, "has nobody to score as of a day")
                instant = as_of_instant(workspace, workshop.warehouse, as_of)
                result = predictions.score(definition, workshop, instant, campaign=campaign, top=top, progress=progress)
        rows = result.to_arrow(language)
        if out:
            write_table(rows, out)
        session.json(result)
        _table(session, rows.slice(0, top))
        session.say(f"{result.people:,} scored by {result.version}" + (f"; list in {out}" if out else ""))


def _found(workspace: Workspace, file: Path) -> Path:
    """The file itself, or the one of that name in the workspace."""
    inside = workspace.folder / file
    return inside if not file.is_file() and inside.is_file() else file


@_app.command("refit")
def refit(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names of predictions; by default all")] = None,
    as_of: AsOf = None,
    seed: Seed = 0,
) -> None:
    """Learn anew what is due by its schedule, and say for each what was done, why, and when it is due next."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        wanted = names or list(workspace.definitions(Prediction))
        asked = {name: _definition(workspace, name) for name in wanted}
        found: list[Refit] = []
        with open_workshop(workspace) as workshop, session.progress("refit") as progress:
            for number, (name, definition) in enumerate(asked.items()):
                here = part(progress, number / len(asked), (number + 1) / len(asked))
                instant = _instant(workspace, workshop, definition, as_of)
                found += predictions.refit({name: definition}, workshop, instant, seed=seed, progress=here)
        session.json(found)
        session.table(
            ["prediction", "done", "in use", "next", "why"],
            [
                [each.prediction, each.done, each.in_use, _day(each.following), each.why.said(language)]
                for each in found
            ],
        )
        if any(each.done == "failed" for each in found):
            raise typer.Exit(FAILED)


@_app.command("stages")
def stages(context: typer.Context, name: Name, as_of: AsOf = None) -> None:
    """Count those scored by life stage, and by whether their value rises, is stable or fades."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop:
            result = predictions.life_stages(definition, workshop, as_of_instant(workspace, workshop.warehouse, as_of))
        session.json(result)
        session.table(
            ["stage", "value", "people", "last period", "next period"],
            [
                [
                    predictions.STAGES[cell.stage].said(language),
                    predictions.COURSES[cell.direction].said(language),
                    cell.people,
                    cell.current,
                    cell.expected,
                ]
                for cell in result.cells
            ],
        )


@_app.command("explain")
def explain(
    context: typer.Context,
    name: Name,
    customers: Annotated[list[str], typer.Argument(help="Customer ids")],
    as_of: AsOf = None,
    campaign: Annotated[str | None, typer.Option(help="The planned campaign, for questions about campaigns")] = None,
) -> None:
    """Say why these customers have their score."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        _refuse_flat(definition, "explains nobody by id")
        with open_workshop(workspace) as workshop:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            found = predictions.explain(definition, workshop, instant, customers, campaign=campaign)
        session.json(found)
        _table(session, predictions.audience_table(found, session.speaks(workspace)))


@_app.command("card")
def card(
    context: typer.Context,
    name: Name,
    version: Annotated[str | None, typer.Option(help="By default the version in use")] = None,
) -> None:
    """Print the model card of a version as JSON: question, data, figures, guard findings, limits."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with open_workshop(workspace) as workshop:
            chosen = version or predictions.champion(workshop, name)
        if chosen is None:
            raise BadQuestion(f"No version of {name!r} is in use", remedy=f"Run `aimwell prediction train {name}`.")
        found = predictions.read_card(workspace.folder, name, chosen)
        session.as_json = True
        session.json(found)


@_app.command("life")
def life(context: typer.Context, name: Name) -> None:
    """Show everything that happened to the versions of a prediction."""
    session = session_of(context)
    with told(session):
        with open_workshop(session.workspace()) as workshop:
            events = predictions.life(workshop, name)
        session.json(events)
        session.table(
            ["at", "action", "version", "why"],
            [[f"{event.at:%Y-%m-%d %H:%M}", event.action, event.version, event.why] for event in events],
        )


@_app.command("promote")
def promote(
    context: typer.Context,
    name: Name,
    version: Annotated[str, typer.Argument(help="Version to put into use")],
    why: Annotated[str, typer.Option(help="The reason, kept in the record")],
) -> None:
    """Put a version into use by hand."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop:
            now = _instant(workspace, workshop, definition, None)
            event = predictions.promote(workshop, name, version, at=now, why=why)
        session.json(event)
        session.say(f"{event.version} is in use.")


@_app.command("roll-back")
def roll_back(
    context: typer.Context, name: Name, why: Annotated[str, typer.Option(help="The reason, kept in the record")]
) -> None:
    """Put the version that was in use before back into use."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop:
            now = _instant(workspace, workshop, definition, None)
            event = predictions.roll_back(workshop, name, at=now, why=why)
        session.json(event)
        session.say(f"{event.version} is in use again.")


@_app.command("drift")
def drift(
    context: typer.Context,
    name: Name,
    before: Annotated[str, typer.Option(help="Earlier date")],
    now: Annotated[str | None, typer.Option(help="Later date; by default the end of the data")] = None,
) -> None:
    """Say which features of a prediction have moved between two dates."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        _refuse_flat(definition, "has no two dates to compare")
        language = session.speaks(workspace)
        with open_workshop(workspace) as workshop:
            then, later = (as_of_instant(workspace, workshop.warehouse, given) for given in (before, now))
            result = predictions.measure_drift(definition, workshop, then, later)
        session.json(result)
        session.table(
            ["feature", "label", "PSI", "verdict"],
            [
                [each.column, each.label.said(language), each.drift.psi, each.drift.verdict.value]
                for each in result.columns[:20]
            ],
        )


def _show(session: Session, result: Backtest, language: Language) -> None:
    session.say(verdict(result).said(language))
    session.table(
        ["figure", "model", "low", "high", "baseline", "difference", "proven"],
        [
            [
                metric.label.said(language),
                metric.model.value,
                metric.model.low,
                metric.model.high,
                metric.baseline.value if metric.baseline else None,
                metric.difference.value if metric.difference else None,
                {True: "yes", False: "no", None: "—"}[metric.proven],
            ]
            for metric in result.everybody.metrics
        ],
    )
    for finding in result.findings:
        session.say(f"[{finding.severity}] {finding.text.said(language)}")


def _day(instant: datetime | None) -> str | None:
    return f"{instant:%Y-%m-%d}" if instant else None


def _when(due: object, following: object) -> str:
    """When a prediction is to be learnt anew, in a word or as a day."""
    return "now" if due else str(_day(following) if isinstance(following, datetime) else "—")


def _table(session: Session, rows: pa.Table) -> None:
    session.table(rows.column_names, [list(row.values()) for row in rows.to_pylist()])
