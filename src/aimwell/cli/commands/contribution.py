"""`aimwell contribution`: what customers, segments and products brought, and the proof that it adds up to the books."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from aimwell.cli.audience_files import write_table
from aimwell.cli.command import Commands, session_of
from aimwell.cli.console import Session, told
from aimwell.core.errors import BadQuestion
from aimwell.core.text import Language, Text
from aimwell.core.time import local_day, parse_instant
from aimwell.insight.contribution.contribution import NOBODY
from aimwell.insight.contribution.statement import VIEWS, By, Statement, open_account, segments_at
from aimwell.insight.opening import as_of_instant, open_workshop
from aimwell.insight.segments.definition import Segment
from aimwell.store.workspace import Workspace

CONTRIBUTION = Commands("contribution", typer.Typer(), top_level=True)

_NONE = {
    "customer": Text("（未触达任何人的花费）", "(spend that reached nobody)"),
    "segment": Text("（不在任何人群）", "(in no segment)"),
    "product": Text("（不属于任何商品）", "(of no product)"),
}
_HEAD = Text(
    "{since} 至 {until}（不含），{count:,} 行，币种 {currency}",
    "{since} until {until} (excluded), {count:,} rows, in {currency}",
)
_COLUMNS = {
    "en": ["", "margin", "incentives", "contacts", "contribution"],
    "zh": ["", "毛利", "优惠", "触达", "贡献"],
}
_BETWEEN = Text("… 中间 {count:,} 行，合计 {amount}", "… {count:,} rows between, {amount} in all")
_SUM = Text("合计", "sum")
_PROOF = Text(
    "核对：逐行账面 {books} {currency} = 各行合计 {shared} {currency}，差 {gap}。",
    "Check: the books, line by line, {books} {currency} = the rows together {shared} {currency}; difference {gap}.",
)
_UNKNOWN = Text(
    "{lines:,} 行购买中有 {unknown:,} 行不知毛利，按 0 计：贡献被低估。",
    "Of {lines:,} lines bought {unknown:,} have no margin and count as 0: what they brought is understated.",
)
_ASSUMED = Text(
    "{lines:,} 行购买中有 {unknown:,} 行不知毛利，假定为折前价的 {percent:g}%。",
    "Of {lines:,} lines bought {unknown:,} have no margin; {percent:g}% of the price before discounts is assumed.",
)
_WRITTEN = Text("全部 {count:,} 行写入 {out}", "All {count:,} rows are in {out}")


@CONTRIBUTION.app.command("contribution")
def contribution(
    context: typer.Context,
    by: Annotated[str, typer.Option(help="customer, segment or product")] = "segment",
    since: Annotated[str | None, typer.Option(help="First day; by default 364 days before the end")] = None,
    until: Annotated[str | None, typer.Option(help="The day after the last; by default the end of the data")] = None,
    segment: Annotated[list[str] | None, typer.Option(help="Only these segments; by default all, built before")] = None,
    margin_percent: Annotated[
        float | None, typer.Option(help="Margin to assume where none is known, per cent of the price before discounts")
    ] = None,
    top: Annotated[int, typer.Option(help="How many of the best and of the worst to show", min=1)] = 10,
    out: Annotated[Path | None, typer.Option(help="Write all of them to a .csv or .parquet file")] = None,
) -> None:
    """Margin less incentives less contacts, by customer, segment or product, adding up to the books to the cent."""
    session = session_of(context)
    with told(session):
        workspace = session.workspace()
        view = _view(by, segment or [])
        with open_workshop(workspace) as workshop:
            end = as_of_instant(workspace, workshop.warehouse, until)
            begin = parse_instant(since, workspace.zone) if since else None
            known = list(workspace.definitions(Segment))
            members = segments_at(workshop, end, known, segment or []) if view == "segment" else None
            account = open_account(
                workshop,
                end,
                currency=workspace.settings.currency,
                since=begin,
                assumed_percent=margin_percent,
            )
        found = account.state(view, members)
        if out:
            write_table(found.rows, out)
        session.json(_as_json(found, workspace, top, out))
        _say(session, found, workspace, top)
        if out:
            session.say(_WRITTEN.format(count=found.rows.num_rows, out=out).said(session.speaks(workspace)))


def _view(by: str, segments: list[str]) -> By:
    if by not in VIEWS:
        raise BadQuestion(f"Nothing is stated by {by!r}", expected=f"--by {', '.join(VIEWS)}")
    if segments and by != "segment":
        raise BadQuestion("Segments are stated by segment", expected="--segment with --by segment", seen=f"--by {by}")
    return by


def _ends(rows: pa.Table, top: int) -> tuple[pa.Table, pa.Table]:
    """The best and the worst rows; no row is in both."""
    best = rows.slice(0, top)
    worst = rows.slice(max(top, rows.num_rows - top))
    return best, worst


def _as_json(found: Statement, workspace: Workspace, top: int, out: Path | None) -> dict[str, object]:
    best, worst = _ends(found.rows, top)
    return {
        "by": found.by,
        "since": local_day(found.period.since, workspace.zone),
        "until": local_day(found.period.until, workspace.zone),
        "currency": found.currency,
        "sum": {"contribution": found.shared.contribution, "parts": found.shared},
        "books": {"contribution": found.books.contribution, "parts": found.books},
        "proven": found.proven,
        "lines": found.lines,
        "lines_without_margin": found.unknown,
        "assumed_margin": found.assumed,
        "rows": found.rows.num_rows,
        "best": best.to_pylist(),
        "worst": worst.to_pylist(),
        "written": str(out) if out else None,
    }


def _say(session: Session, found: Statement, workspace: Workspace, top: int) -> None:
    language = session.speaks(workspace)
    since, until = (local_day(each, workspace.zone) for each in (found.period.since, found.period.until))
    head = {"since": since, "until": until, "count": found.rows.num_rows, "currency": found.currency}
    session.say(_HEAD.format(**head).said(language))
    best, worst = _ends(found.rows, top)
    left = found.rows.num_rows - best.num_rows - worst.num_rows
    shown = [_row(found, row, language) for row in best.to_pylist()]
    if left:
        rest = sum(found.rows.slice(best.num_rows, left).column("contribution").to_pylist(), Decimal(0))
        shown.append([_BETWEEN.format(count=left, amount=f"{rest:,.2f}").said(language), "", "", "", f"{rest:,.2f}"])
    shown += [_row(found, row, language) for row in worst.to_pylist()]
    total = found.shared
    amounts = [f"{each:,.2f}" for each in (total.margin, total.incentives, total.contacts, total.contribution)]
    session.table(_COLUMNS[language], [*shown, [_SUM.said(language), *amounts]])
    gap = f"{total.contribution - found.books.contribution:.2f}"
    proof = {"books": f"{found.books.contribution:,.2f}", "shared": f"{total.contribution:,.2f}", "gap": gap}
    session.say(_PROOF.format(currency=found.currency, **proof).said(language))
    if found.unknown:
        counts = {"lines": found.lines, "unknown": found.unknown}
        said = _UNKNOWN if found.assumed is None else _ASSUMED
        session.say(said.format(percent=100 * (found.assumed or 0), **counts).said(language))


def _row(found: Statement, row: dict[str, object], language: Language) -> list[object]:
    name = str(row[found.key])
    title = row.get("name")
    said = f"{name} {title}" if title else name
    amounts = [f"{row[each]:,.2f}" for each in ("margin", "incentives", "contacts", "contribution")]
    return [_NONE[found.by].said(language) if name == NOBODY else said, *amounts]
