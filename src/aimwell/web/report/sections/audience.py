"""Whom to contact: the best of a list, with the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence

from aimwell.core.text import Text
from aimwell.insight.predictions import Scored, Scoring
from aimwell.web.report.blocks import Block, Cell, Sentence, Table
from aimwell.web.report.formats import between, cleft, count, listed, money, same, share

_SHOWN = 10
_UNKNOWN = Text("—", "—")


def audience_blocks(scoring: Scoring, title: Text, currency: str, files: Sequence[str]) -> list[Block]:
    """The first of the list as a table, and where the whole of it lies."""
    amounts = any(each.typical is not None for each in scoring.audience)
    rows = [_row(each, currency, amounts=amounts) for each in scoring.audience[:_SHOWN]]
    if not rows:
        return [Sentence(Text(f"{title.zh}：没有名单。", f"{title.en}: no list."))]
    value = (
        Text("预计金额（10 人中 8 人在此之间）", "expected (8 of 10 within)")
        if amounts
        else Text("概率", "probability")
    )
    where = listed([same(name) for name in files])
    return [
        Table(
            [Text("名次", "rank"), Text("客户", "customer"), value, Text("主要因为", "mainly because")],
            rows,
            title=Text(f"{title.zh}：名单最前 {len(rows)} 人", f"{title.en}: the first {len(rows)} of the list"),
            numbers=frozenset({0, 2} if amounts else {0}),
            note=Text(
                f"全部 {count(scoring.people)} 人已打分；名单前 {count(len(scoring.audience))} 人见 {where.zh}。",
                f"All {count(scoring.people)} were scored; the first {count(len(scoring.audience))} are in {where.en}.",
            ),
        )
    ]


def _row(each: Scored, currency: str, *, amounts: bool) -> list[Text | Cell]:
    if amounts:
        figure = money(each.value, currency, 0)
        if each.low is not None and each.high is not None:
            figure += f" ({between(money(each.low, currency, 0), money(each.high, currency, 0))})"
        value = Cell(same(figure))
    else:
        value = Cell(same(share(each.value)), bar=each.value)
    words = cleft([reason.text for reason in each.reasons]) if each.reasons else _UNKNOWN
    return [same(str(each.rank)), same(each.customer_id), value, words]
