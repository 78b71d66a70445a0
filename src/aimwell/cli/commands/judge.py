"""`aimwell judge NAME`: what other choices would have earned, by what was decided and what came of it."""

from __future__ import annotations

from typing import Annotated

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import Session, told
from aimwell.cli.happened import money
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language, Text
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.store.workspace import Workspace
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.judging import Judged, Judgement, judge

JUDGE = Commands("judge", typer.Typer(), top_level=True)

_HEAD = Text(
    "{name}：{runs} 次决策，{choices:,} 个选择，{held_out:,} 个对照；"
    "按实际决策，每人每次 {decided} {currency}（扣除成本）",
    "{name}: {runs} runs, {choices:,} choices, {held_out:,} held out; as decided, each earned {decided} {currency} "
    "after costs",
)
_COLUMNS = {
    "en": ["choice", "judged by", "worth", "cost each", "earned each (95 %)", "more than as decided"],
    "zh": ["策略", "行数", "有效行数", "人均成本", "人均收益（95%）", "比实际决策多"],
}
_WAYS = {
    "en": ["choice", "doubly robust", "switch", "self-normalised"],
    "zh": ["策略", "双重稳健", "切换", "自归一化"],
}


@JUDGE.app.command("judge")
def judge_decision(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the decision whose past choices judge")],
    beside: Annotated[
        list[str] | None,
        typer.Option("--beside", help="Another decision to judge by the same choices; may be repeated"),
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="What is known by this date; by default all")] = None,
) -> None:
    """Estimate what other choices would have earned: the file as it stands, its table, nothing, everyone, others."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition, others = _definition(workspace, name), [_definition(workspace, each) for each in beside or ()]
        language = session.speaks(workspace)
        with open_workshop(workspace) as workshop:
            known = as_of_instant(workspace, workshop.warehouse, as_of)
            found = judge(definition, workshop, known, others)
        session.json(found)
        _say(session, found, workspace.settings.currency, language)


def _definition(workspace: Workspace, name: str) -> Decision:
    known = workspace.definitions(Decision)
    if name not in known:
        raise BadQuestion(f"There is no decision {name!r}", expected=f"one of {', '.join(known) or '(none)'}")
    return known[name]


def _say(session: Session, found: Judgement, currency: str, language: Language) -> None:
    words = {"runs": len(found.runs), "choices": found.choices, "held_out": found.held_out, "currency": currency}
    session.say(_HEAD.format(name=found.decision, decided=money(found.decided), **words).said(language))
    able = [each for each in found.policies if each.refused is None]
    session.table(_COLUMNS[language], [_row(each, language) for each in able])
    several = [each for each in able if len(each.ways) > 1]
    if several:
        rows = [[each.label.said(language), *(money(way) for way in each.ways.values())] for each in several]
        session.table(_WAYS[language], rows)
    for each in found.policies:
        for said in (*each.warnings, *([each.refused] if each.refused else [])):
            session.say(f"{each.label.said(language)}: {said.said(language)}")


def _row(each: Judged, language: Language) -> list[object]:
    label, worth = each.label.said(language), f"{each.effective:,.0f}"
    return [label, each.customers, worth, f"{each.cost:,.2f}", money(each.value), money(each.ahead)]
