"""`aimwell value`: what customers may still bring, one or all of them, with ranges; RFM groups as the simple face."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from aimwell.cli.audience_files import write_table
from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import Session, told
from aimwell.core.text import Language, Text
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.insight.prospects.prospects import Cell, Prospects, foretell_prospects

VALUE = Commands("value", typer.Typer(), top_level=True)

_HEAD = Text(
    "截至 {as_of}，{people:,} 位买过的客户。未来 {days} 天预期 {orders:,.0f} 个购买日，消费 {spend:,.2f} {currency}。",
    "As of {as_of}, {people:,} customers have bought. In the next {days} days {orders:,.0f} days with orders and "
    "{spend:,.2f} {currency} of spend are expected.",
)
_TOTAL = Text(
    "未来三年价值（折现，消费额的 {kept:g}%）合计 {value:,.2f} {currency}，80% 区间 {low:,.2f} 至 {high:,.2f}。",
    "Value of three years (discounted, {kept:g}% of the spend): {value:,.2f} {currency} in all, 80 % interval "
    "{low:,.2f} to {high:,.2f}.",
)
_LIMITS = Text(
    "区间只含客户的运气与模型参数，不含季节、竞争与市场变化。",
    "The interval knows the luck of customers and the doubt about the models, not seasons, competitors or the market.",
)
_LEARNT = {
    True: Text(
        "已用较早时段学得的修正（Pareto/NBD 与提升树）。",
        "Corrected by what followed earlier moments (Pareto/NBD and boosted trees).",
    ),
    False: Text(
        "买家太少或历史太短，未学修正：只由 Pareto/NBD 推断。",
        "Too few buyers or too short a history to learn a correction: by Pareto/NBD alone.",
    ),
}
_ONE = Text(
    "{customer}：第 {place:,} 名（共 {people:,} 人），{cell}\n"
    "  仍活跃的概率 {alive:.0%}；未来 {days} 天会买的概率 {buying:.0%}\n"
    "  未来 {days} 天预期 {orders:.2f} 个购买日，消费 {spend:,.2f} {currency}\n"
    "  三年价值 {value:,.2f} {currency}，80% 的可能未来在 {low:,.2f} 至 {high:,.2f}",
    "{customer}: place {place:,} of {people:,}, {cell}\n"
    "  still active with a chance of {alive:.0%}; buys in the next {days} days with one of {buying:.0%}\n"
    "  in the next {days} days {orders:.2f} days with orders and {spend:,.2f} {currency} of spend are expected\n"
    "  value of three years {value:,.2f} {currency}; 80 % of the possible futures bring {low:,.2f} to {high:,.2f}",
)
_BEST = {
    "en": [
        "",
        "customer",
        "active still",
        "buys",
        "days with orders",
        "spend",
        "value",
        "80 % from",
        "to",
        "RFM group",
    ],
    "zh": ["", "客户", "仍活跃", "会买", "购买日", "消费", "价值", "80% 下限", "上限", "RFM 客群"],
}
_CELLS = {
    "en": ["RFM group", "customers", "active still", "value", "each", "of all value"],
    "zh": ["RFM 客群", "人数", "仍活跃", "价值", "人均", "占全部价值"],
}
_NO_CELL = Text("无 RFM 客群", "in no RFM group")
_WRITTEN = Text("全部 {count:,} 位客户写入 {out}", "All {count:,} customers are in {out}")


@VALUE.app.command("value")
def value(
    context: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Customer id; by default everybody")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Date; by default the end of the data")] = None,
    days: Annotated[int, typer.Option(help="Days ahead for purchases and spend", min=1)] = 364,
    top: Annotated[int, typer.Option(help="How many of the most valuable to show", min=0)] = 10,
    out: Annotated[Path | None, typer.Option(help="Write everybody to a .csv or .parquet file")] = None,
) -> None:
    """Say what customers may still bring: chance to be active, purchases, spend, lifetime value with its range."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        language, currency = session.speaks(workspace), workspace.settings.currency
        with open_workshop(workspace) as workshop, session.progress("value") as progress:
            instant = as_of_instant(workspace, workshop.warehouse, as_of)
            progress("models", 0.1)
            found = foretell_prospects(workshop, instant, days=days)
        if out:
            write_table(_listed(found, currency), out)
        if customer is not None:
            row = found.of(customer)
            session.json({"as_of": instant, "days": days, "currency": currency, "people": found.rows.num_rows, **row})
            _say_one(session, found, row, currency, language)
        else:
            session.json(_as_json(found, currency, top, out))
            _say(session, found, currency, language, top)
        if out:
            session.say(_WRITTEN.format(count=found.rows.num_rows, out=out).said(language))


def _listed(found: Prospects, currency: str) -> pa.Table:
    """Everybody, with the currency and the days that the forecast is about."""
    rows = found.rows.append_column("days", pa.array([found.days] * found.rows.num_rows, pa.int64()))
    return rows.append_column("currency", pa.array([currency] * found.rows.num_rows, pa.string()))


def _as_json(found: Prospects, currency: str, top: int, out: Path | None) -> dict[str, object]:
    return {
        "as_of": found.as_of,
        "days": found.days,
        "currency": currency,
        "people": found.rows.num_rows,
        "orders": found.orders,
        "spend": found.spend,
        "lifetime_value": found.value,
        "kept_percent": found.kept,
        "learnt": found.learnt,
        "best": found.rows.slice(0, top).to_pylist(),
        "groups": found.cells,
        "written": str(out) if out else None,
    }


def _say(session: Session, found: Prospects, currency: str, language: Language, top: int) -> None:
    head = {"as_of": f"{found.as_of:%Y-%m-%d}", "people": found.rows.num_rows, "days": found.days}
    session.say(_HEAD.format(orders=found.orders, spend=found.spend, currency=currency, **head).said(language))
    total = {"value": found.value.value, "low": found.value.low, "high": found.value.high}
    session.say(_TOTAL.format(kept=found.kept, currency=currency, **total).said(language))
    session.say(f"{_LIMITS.said(language)} {_LEARNT[found.learnt].said(language)}")
    if found.cells:
        session.table(_CELLS[language], [_cell(each, language) for each in found.cells])
    labels = {each.name: each.label for each in found.cells}
    rows = found.rows.slice(0, top).to_pylist()
    session.table(_BEST[language], [_best(row, labels, language) for row in rows])


def _cell(each: Cell, language: Language) -> list[object]:
    mean = each.value / each.people
    shares = f"{each.alive:.0%}", f"{each.value:,.2f}", f"{mean:,.2f}", f"{each.held:.1%}"
    return [each.label.said(language), each.people, *shares]


def _best(row: dict[str, object], labels: dict[str, Text], language: Language) -> list[object]:
    chances = [f"{row[name]:.0%}" for name in ("alive_chance", "buying_chance")]
    money = [f"{row[name]:,.2f}" for name in ("spend", "lifetime_value", "value_low", "value_high")]
    cell = labels.get(str(row["rfm_group"]))
    said = cell.said(language) if cell else None
    return [row["place"], row["customer_id"], *chances, f"{row['orders']:,.2f}", *money, said]


def _say_one(session: Session, found: Prospects, row: dict[str, object], currency: str, language: Language) -> None:
    cell = next((each.label for each in found.cells if each.name == row["rfm_group"]), _NO_CELL)
    names = {"alive": "alive_chance", "buying": "buying_chance", "orders": "orders", "spend": "spend"}
    names |= {"value": "lifetime_value", "low": "value_low", "high": "value_high", "place": "place"}
    words = {word: row[name] for word, name in names.items()}
    words |= {"customer": row["customer_id"], "people": found.rows.num_rows, "days": found.days, "currency": currency}
    said = Text(_ONE.zh.format(cell=cell.zh, **words), _ONE.en.format(cell=cell.en, **words))
    session.say(said.said(language))
    session.say(f"{_LIMITS.said(language)} {_LEARNT[found.learnt].said(language)}")
