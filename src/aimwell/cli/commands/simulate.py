"""`aimwell simulate`: months of a market with known truth, decided week by week by Aimwell and by its rivals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import Session, told
from aimwell.core.text import Language, Text
from aimwell.simulation.loop.contest import LABELS, Comparison, Contest, Season, hold
from aimwell.simulation.loop.joint import play_through_ledger
from aimwell.simulation.loop.policies.learning import Learning
from aimwell.simulation.regimes.regime import load_regimes

SIMULATE = Commands("simulate", typer.Typer(), top_level=True)

_HEAD = Text(
    "模拟市场（非真实数据）：{customers:,} 位客户，{days} 天，种子 {seeds}；规则文件第 {version} 版 {digest}",
    "Simulated market (not real): {customers:,} customers, {days} days, seeds {seeds}; regimes v{version}, {digest}",
)
_COLUMNS = {
    "en": ["policy", "gained", "of the oracle", "profit", "spent", "messages", "left", "Aimwell ahead by"],
    "zh": ["策略", "净增益", "占全知者", "利润", "花费", "消息数", "退订人数", "Aimwell 领先"],
}
_VERDICTS = {
    "ahead": Text("领先", "ahead"),
    "level": Text("持平", "level"),
    "behind": Text("落后", "behind"),
    "one seed": Text("仅一个种子，无区间", "one seed, no interval"),
}
_NOTE = Text(
    "金额为元，按种子平均；净增益：相对于什么都不发，已去除购买的运气；区间为 95%，按种子配对。",
    "CNY, mean over seeds; gained: above sending nothing, luck of purchases taken out; 95 % intervals, paired by seed.",
)

_CARRIED = Text(
    "模拟（非真实数据）：{messages:,} 条消息经旅程与发件箱发出，全部到达市场；{left:,} 人退订；"
    "净增益 {gained:,.0f} 元；未发出：{reasons}",
    "Simulated (not real): {messages:,} messages went through journey and outbox, and the market got each of them; "
    "{left:,} people unsubscribed; gained {gained:,.0f} CNY; not sent: {reasons}",
)


@SIMULATE.app.command("simulate")
def simulate(
    context: typer.Context,
    customers: Annotated[int, typer.Option(help="Customers on the first day")] = 5_000,
    days: Annotated[int, typer.Option(help="Days that are played")] = 180,
    seeds: Annotated[int, typer.Option(help="Markets of each regime, with seeds 1, 2, …")] = 1,
    regime: Annotated[list[str] | None, typer.Option(help="A frozen regime, may be repeated; default all")] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="Aimwell alone, through journeys and outbox of a ledger made in this new folder")
    ] = None,
) -> None:
    """Months of a market whose truth is known: Aimwell beside everyone, an expert's rule, propensity and an oracle."""
    session = session_of(context)
    with told(session):
        names = regime or list(load_regimes().regime)
        if ledger is not None:
            _carry(session, ledger, names, customers, days, seeds)
            return
        with session.progress("simulate") as progress:
            found = hold(names, customers=customers, days=days, seeds=range(1, seeds + 1), progress=progress)
        session.json(found)
        _say(session, found, session.speaks())


def _carry(session: Session, folder: Path, regimes: list[str], customers: int, days: int, seed: int) -> None:
    """One market, through the product: of several regimes the first, with the last of the seeds."""
    with session.progress("simulate") as progress:
        found = play_through_ledger(
            folder, regimes[0], Learning(seed=seed), customers=customers, days=days, seed=seed, progress=progress
        )
    session.json(found)
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(found.not_sent.items())) or "0"
    said = _CARRIED.format(messages=found.accepted, left=found.run.left, gained=found.run.gained / 100, reasons=reasons)
    session.say(said.said(session.speaks()))


def _say(session: Session, found: Contest, language: Language) -> None:
    seeds = ", ".join(str(seed) for seed in found.seeds)
    head = _HEAD.format(
        customers=found.customers, days=found.days, seeds=seeds, version=found.version, digest=found.digest[:12]
    )
    session.say(head.said(language))
    for season in found.seasons:
        label = load_regimes().regime[season.regime].label
        title = f"\n{season.regime} · {Text(label.zh, label.en).said(language)}"
        session.table(_COLUMNS[language], _rows(season, language), title=title)
    session.say(_NOTE.said(language))


def _rows(season: Season, language: Language) -> list[list[object]]:
    ahead = {each.other: _said(each, language) for each in season.comparisons}
    return [
        [
            LABELS[each.policy].said(language),
            round(each.gained),
            "" if each.share is None else f"{each.share:.1%}",
            round(each.profit),
            round(each.spent),
            round(each.messages),
            round(each.left),
            ahead.get(each.policy, ""),
        ]
        for each in season.standings
    ]


def _said(each: Comparison, language: Language) -> str:
    verdict = _VERDICTS[each.verdict].said(language)
    if each.interval is None:
        return f"{each.ahead:+,.0f} ({verdict})"
    return f"{each.ahead:+,.0f} [{each.interval.low:+,.0f}, {each.interval.high:+,.0f}] {verdict}"
