"""`aimwell effect …`: whom a treatment changes; learn it from lots, score everybody, explain, govern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from aimwell.cli.audience_files import write_table
from aimwell.cli.command import group, session_of
from aimwell.cli.console import FAILED, Session, told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language, Text
from aimwell.insight import effects, predictions
from aimwell.insight.effects import Effect, EffectCard, Moved
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.store.workspace import Workspace

EFFECT = group("effect", "Whom a treatment changes: learn it from what was drawn by lot, score, explain, govern.")
_app = EFFECT.app

Name = Annotated[str, typer.Argument(help="Name of the effect")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date or instant; by default the end of the data")]
Seed = Annotated[int, typer.Option(help="Seed of everything random")]
Arm = Annotated[str | None, typer.Option("--arm", help="Only this arm; by default each beside the control group")]
Out = Annotated[Path | None, typer.Option(help="Write the list to a .csv or .parquet file")]
Top = Annotated[int, typer.Option(help="How many of the best of each arm to list with reasons")]
Version = Annotated[str | None, typer.Option(help="By default the version in use")]
Why = Annotated[str, typer.Option(help="The reason, kept in the record")]


def _definition(workspace: Workspace, name: str) -> Effect:
    known = workspace.definitions(Effect)
    if name not in known:
        raise BadQuestion(
            f"There is no effect {name!r}",
            expected=f"one of {', '.join(known) or '(none)'}",
            remedy=f"Write effects/{name}.yaml: `aimwell schema effect` says what belongs into it.",
        )
    return known[name]


@dataclass(frozen=True, slots=True)
class _Standing:
    """An effect of the workspace: its arms, the version in use, and by arm what that found."""

    name: str
    label: str
    arms: tuple[str, ...]
    in_use: str | None
    found: Mapping[str, str]


@_app.command("list")
def list_all(context: typer.Context) -> None:
    """List the effects of the workspace with the version in use and what it found."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        found: list[_Standing] = []
        with open_workshop(workspace) as workshop:
            for name, definition in workspace.definitions(Effect).items():
                used = predictions.champion(workshop, effects.effect_key(name))
                said = effects.stored_effect_card(workspace.folder, name, used).said if used else {}
                verdicts = {arm: text.said(language) for arm, text in said.items()}
                title, arms = definition.title.said(language), definition.treatment.names
                found.append(_Standing(name, title, arms, used, verdicts))
        session.json(found)
        session.table(
            _LIST[language],
            [
                [each.name, each.label, ", ".join(each.arms), each.in_use, "; ".join(each.found.values())]
                for each in found
            ],
        )


@_app.command("train")
def train(context: typer.Context, name: Name, as_of: AsOf = None, seed: Seed = 0) -> None:
    """Learn an effect from its experiments, judge it, and put it into use unless the one in use is proven better."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language, definition = session.speaks(workspace), _definition(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            result = effects.train_effect(definition, workshop, instant, seed=seed, progress=progress)
        session.json({"version": result.version, "in_use": result.in_use, "why": result.why, "card": result.card})
        _show(session, result.card, language)
        session.say(f"{result.version}: {result.why.said(language)}")


@_app.command("refit")
def refit(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names of effects; by default all")] = None,
    as_of: AsOf = None,
    seed: Seed = 0,
) -> None:
    """Learn anew the effects for which there is a new experiment, and say for each what was done and why."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language = session.speaks(workspace)
        asked = {name: _definition(workspace, name) for name in names or list(workspace.definitions(Effect))}
        with open_workshop(workspace) as workshop, session.progress("refit") as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            found = effects.refit_effects(asked, workshop, instant, seed=seed, progress=progress)
        session.json(found)
        rows = [[each.prediction, each.done, each.in_use, each.why.said(language)] for each in found]
        session.table(_REFIT[language], rows)
        if any(each.done == "failed" for each in found):
            raise typer.Exit(FAILED)


@_app.command("drift")
def drift(
    context: typer.Context,
    name: Name,
    before: Annotated[str, typer.Option(help="Earlier date")],
    now: Annotated[str | None, typer.Option(help="Later date; by default the end of the data")] = None,
) -> None:
    """Say which features of the people whom an effect is about have moved between two dates."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language, question = session.speaks(workspace), _definition(workspace, name).question()
        with open_workshop(workspace) as workshop:
            then, later = (as_of_instant(workspace, workshop.warehouse, given) for given in (before, now))
            result = predictions.measure_drift(question, workshop, then, later)
        session.json(result)
        moved = [
            [each.column, each.label.said(language), each.drift.psi, each.drift.verdict.value]
            for each in result.columns[:20]
        ]
        session.table(_DRIFT[language], moved)


@_app.command("card")
def card(context: typer.Context, name: Name, version: Version = None) -> None:
    """Print the card of a version: what was drawn by lot, what was found, what a ranking is worth, and the limits."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop:
            chosen = effects.stored_effect(definition, workshop, version).version
        found = effects.stored_effect_card(workspace.folder, name, chosen)
        session.json(found)
        session.say(found.markdown(session.speaks(workspace)))


@_app.command("score")
def score(
    context: typer.Context, name: Name, as_of: AsOf = None, arm: Arm = None, top: Top = 20, out: Out = None
) -> None:
    """Score everybody, keep the scores, and list whom each arm changes most, with the reasons in words."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language, definition = session.speaks(workspace), _definition(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            stored = effects.stored_effect(definition, workshop)
            scores = effects.score_effect(definition, workshop, instant, progress=progress)
            result = effects.told(scores, stored, top=top, treatment=arm)
        if out:
            write_table(effects.audience_rows(result.audience, language), out)
        session.json(result)
        for each in result.treatments:
            session.say(_SAID.format(arm=each.treatment, average=each.average).said(language))
            session.say(each.said.said(language))
        _list(session, result.audience, language)
        done = _DONE.format(people=f"{result.people:,}", version=result.version).said(language)
        session.say(f"{done} {out}" if out else done)


@_app.command("depths")
def depths(context: typer.Context, name: Name, as_of: AsOf = None, top: Top = 20, out: Out = None) -> None:
    """Say which depth of a discount each customer is to get: by person only where that is proven to pay."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language, definition = session.speaks(workspace), _definition(workspace, name)
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            scores = effects.score_effect(definition, workshop, instant, progress=progress)
        report = effects.stored_effect_card(workspace.folder, name, scores.version).depths
        rows = effects.depth_list(definition, scores, report)
        if out:
            write_table(rows, out)
        first = rows.slice(0, top).to_pylist()
        session.json({"version": scores.version, "report": report, "people": rows.num_rows, "list": first})
        if report:
            session.say(report.said.said(language))
        session.table(_DEPTHS[language], [list(row.values()) for row in first])


@_app.command("explain")
def explain(
    context: typer.Context,
    name: Name,
    customers: Annotated[list[str], typer.Argument(help="Customer ids")],
    as_of: AsOf = None,
    arm: Arm = None,
) -> None:
    """Say why a treatment changes these customers more or less than others."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        with open_workshop(workspace) as workshop:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            stored = effects.stored_effect(definition, workshop)
            scores = effects.score_effect(definition, workshop, instant, customers=customers)
            arms = [arm] if arm else list(scores.treatments)
            found = [each for one in arms for each in effects.explain_effect(scores, stored, one)]
        session.json(found)
        _list(session, found, session.speaks(workspace))


@_app.command("life")
def life(context: typer.Context, name: Name) -> None:
    """Show everything that happened to the versions of an effect."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        with open_workshop(workspace) as workshop:
            events = predictions.life(workshop, effects.effect_key(_definition(workspace, name).name))
        session.json(events)
        session.table(
            _LIFE[session.speaks(workspace)],
            [[f"{event.at:%Y-%m-%d %H:%M}", event.action, event.version, event.why] for event in events],
        )


@_app.command("promote")
def promote(
    context: typer.Context,
    name: Name,
    version: Annotated[str, typer.Argument(help="Version to put into use")],
    why: Why,
) -> None:
    """Put a version into use by hand."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        key = effects.effect_key(_definition(workspace, name).name)
        with open_workshop(workspace) as workshop:
            now = as_of_instant(workspace, workshop.warehouse, None)
            event = predictions.promote(workshop, key, version, at=now, why=why)
        session.json(event)
        session.say(_IN_USE.format(version=event.version).said(session.speaks(workspace)))


@_app.command("roll-back")
def roll_back(context: typer.Context, name: Name, why: Why) -> None:
    """Put the version that was in use before back into use."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        key = effects.effect_key(_definition(workspace, name).name)
        with open_workshop(workspace) as workshop:
            now = as_of_instant(workspace, workshop.warehouse, None)
            event = predictions.roll_back(workshop, key, at=now, why=why)
        session.json(event)
        session.say(_IN_USE.format(version=event.version).said(session.speaks(workspace)))


def _show(session: Session, found: EffectCard, language: Language) -> None:
    for evidence, judged in zip(found.evidence, found.judged, strict=True):
        session.say(_SAID.format(arm=evidence.treatment, average=evidence.average).said(language))
        session.say(found.said[evidence.treatment].said(language))
        session.table(
            _FIGURES[language],
            [
                [metric.label.said(language), str(metric.model), str(metric.baseline), str(metric.difference)]
                for metric in judged.metrics
            ],
        )
    for note in found.notes:
        session.say(note.said(language))


def _list(session: Session, audience: tuple[Moved, ...] | list[Moved], language: Language) -> None:
    if not audience:
        return
    rows = effects.audience_rows(audience, language)
    words = _COLUMNS[language]
    heads = [words.get(column.rstrip("_0123456789"), column) for column in rows.column_names]
    session.table(heads, [list(row.values()) for row in rows.to_pylist()])


_LIST = {
    "en": ["effect", "label", "arms", "in use", "found"],
    "zh": ["效果", "名称", "分组", "现用版本", "结论"],
}
_DEPTHS = {"en": ["customer", "arm", "depth", "profit more"], "zh": ["客户", "分组", "深度", "多赚"]}
_REFIT = {"en": ["effect", "done", "in use", "why"], "zh": ["效果", "结果", "现用版本", "原因"]}
_DRIFT = {"en": ["feature", "label", "PSI", "verdict"], "zh": ["特征", "名称", "PSI", "结论"]}
_LIFE = {"en": ["at", "action", "version", "why"], "zh": ["时间", "动作", "版本", "原因"]}
_FIGURES = {
    "en": ["figure", "ranked by effect", "ranked by response", "difference"],
    "zh": ["指标", "按效果排序", "按响应率排序", "差"],
}
_COLUMNS = {
    "en": {"without": "without it", "reason": "because"},
    "zh": {
        "treatment": "分组",
        "rank": "名次",
        "customer_id": "客户",
        "effect": "效果",
        "low": "下限",
        "high": "上限",
        "without": "不给时",
        "reason": "主要因为",
    },
}
_SAID = Text("{arm}：平均效果 {average}", "{arm}: average effect {average}")
_DONE = Text("已为 {people} 人打分，版本 {version}。", "{people} scored by {version}.")
_IN_USE = Text("现用版本：{version}。", "{version} is in use.")
