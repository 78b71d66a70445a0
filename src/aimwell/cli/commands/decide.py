"""`aimwell decide NAME`: which treatment for whom within a budget; afterwards, what happened beside the plan."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import Session, told
from aimwell.cli.happened import money, say_afterwards
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language, Text
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.workspace import Workspace
from aimwell.strategy.decisions.afterwards import compare
from aimwell.strategy.decisions.deciding import activate_decision, decide, value_name
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.gains import BASES
from aimwell.strategy.decisions.plan import DecisionPlan, Line
from aimwell.strategy.decisions.rows import REASONS

_EVERY = 4
"""Of the points of the curve, so many are one line."""

DECIDE = Commands("decide", typer.Typer(), top_level=True)

_HEAD = Text(
    "{name}，截至 {as_of}：{people:,} 人，其中对照组 {held_out:,} 人，无需触达 {untreated:,} 人",
    "{name} as of {as_of}: {people:,} customers, {held_out:,} held out, {untreated:,} best left alone",
)
_MONEY = Text(
    "预算 {budget}，将花费 {cost:,.2f} {currency}；预期净增益 {net:,.2f}（距上限至多 {gap:,.2f}）",
    "budget {budget}, to cost {cost:,.2f} {currency}; net gain expected {net:,.2f}, at most {gap:,.2f} below the best",
)
_COLUMNS = {
    "en": ["", "customers", "by lot", "cost", "expected value", "80 % from", "to", "gain"],
    "zh": ["", "人数", "抽签", "成本", "预期增值", "80% 下限", "上限", "增益"],
}
_CURVE = {
    "en": ["spend", "net gain expected", "net gain measured (80 %)", "the same by lot"],
    "zh": ["花费", "预期净增益", "实测净增益（80%）", "随机发放"],
}
_MEASURED = Text(
    "过去 {choices:,} 个带概率的选择实测：在本计划的花费下净增益 {here}，比随机发放多 {ahead}",
    "measured by {choices:,} earlier choices of known probability: net gain {here} at this plan's spend, {ahead} more "
    "than the same by lot",
)
_CELLS = {
    "en": ["stage", "value", "customers", "mostly", "share", "cost", "written table"],
    "zh": ["阶段", "价值", "人数", "多数获得", "占比", "成本", "人工表"],
}
_WRITTEN = Text(
    "按人工表：花费 {cost:,.2f}，预期净增益 {net:,.2f}；本决策：{ours:,.2f}",
    "by the written table: cost {cost:,.2f}, net gain expected {net:,.2f}; by the decision: {ours:,.2f}",
)
_ACTIVE = Text(
    "旅程可用 {value} 读取；{changed:,} 个值有变化", "journeys read it as {value}; {changed:,} values changed"
)


@DECIDE.app.command("decide")
def decide_for(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the decision")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="Date; by default the end of the data")] = None,
    afterwards: Annotated[
        str | None, typer.Option("--afterwards", help="Compare the last decision with what happened until this date")
    ] = None,
    activate: Annotated[bool, typer.Option("--activate", help="Let journeys read what was decided")] = False,
) -> None:
    """Decide who gets which treatment, or nothing, within the budget; keep it, and print the plan."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        definition = _definition(workspace, name)
        language, currency = session.speaks(workspace), workspace.settings.currency
        with open_workshop(workspace) as workshop, session.progress(name) as progress:
            if afterwards:
                until = as_of_instant(workspace, workshop.warehouse, afterwards)
                with workspace.ledger() as ledger:
                    found = compare(definition, workshop, until, ledger)
                session.json(found)
                say_afterwards(session, found, currency, language)
                return
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            plan = decide(definition, workshop, instant, currency=currency, progress=progress)
            changed = _activate(workspace, workshop, plan) if activate else None
        session.json({"plan": plan, "activated": changed})
        _say_plan(session, plan, language)
        if changed is not None:
            session.say(_ACTIVE.format(value=value_name(name), changed=changed).said(language))


def _definition(workspace: Workspace, name: str) -> Decision:
    known = workspace.definitions(Decision)
    if name not in known:
        raise BadQuestion(f"There is no decision {name!r}", expected=f"one of {', '.join(known) or '(none)'}")
    return known[name]


def _activate(workspace: Workspace, workshop: Workshop, plan: DecisionPlan) -> int:
    with workspace.ledger() as ledger:
        return activate_decision(workshop, ledger, plan.decision, plan.as_of)


def _say_plan(session: Session, plan: DecisionPlan, language: Language) -> None:
    as_of = f"{plan.as_of:%Y-%m-%d}"
    head = {"people": plan.people, "held_out": plan.held_out, "untreated": plan.untreated}
    session.say(_HEAD.format(name=plan.decision, as_of=as_of, **head).said(language))
    budget = "∞" if plan.budget is None else f"{plan.budget:,.2f}"
    money = {"cost": plan.total.cost, "currency": plan.currency, "net": plan.net, "gap": plan.gap}
    session.say(_MONEY.format(budget=budget, **money).said(language))
    session.table(_COLUMNS[language], [_row(line, language) for line in (*plan.treatments, plan.total)])
    for warning in plan.warnings:
        session.say(warning.said(language))
    for line in plan.treatments:
        if line.told is not None:
            session.say(f"{line.label.said(language)}: {line.told.said(language)}")
    session.table(_COLUMNS[language], [_row(line, language) for line in plan.channels])
    _say_curve(session, plan, language)
    session.table(["", ""], [[REASONS[each].said(language), count] for each, count in plan.reasons.items()])
    if plan.cells:
        rows = [
            [
                each.stage,
                each.value,
                each.customers,
                each.mostly,
                f"{each.share:.0%}",
                f"{each.spend:,.2f}",
                each.written,
            ]
            for each in plan.cells.cells
        ]
        session.table(_CELLS[language], rows)
        written = {"cost": plan.cells.written_spend, "net": plan.cells.written_net, "ours": plan.cells.net}
        session.say(_WRITTEN.format(**written).said(language))


def _say_curve(session: Session, plan: DecisionPlan, language: Language) -> None:
    """What earlier choices measured of the curve, or why they did not."""
    if plan.unmeasured is not None:
        session.say(plan.unmeasured.said(language))
    found = plan.measured
    if found is None:
        return
    here, ahead = money(found.here), money(found.ahead)
    session.say(_MEASURED.format(choices=found.choices, here=here, ahead=ahead).said(language))
    spends, nets = zip(*plan.curve, strict=True)
    rows: list[list[object]] = [
        [f"{spend:,.0f}", f"{np.interp(spend, spends, nets):,.0f}", money(net), f"{lot.value:,.0f}"]
        for (spend, net), (_, lot) in list(zip(found.points, found.by_lot, strict=True))[::_EVERY]
    ]
    session.table(_CURVE[language], rows)


def _row(line: Line, language: Language) -> list[object]:
    numbers = [f"{each:,.2f}" for each in (line.cost, line.value.value, line.value.low, line.value.high)]
    basis = BASES[line.basis].said(language) if line.basis else ""
    return [line.label.said(language), line.customers, line.by_lot, *numbers, basis]
