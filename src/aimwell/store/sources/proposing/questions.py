"""What a proposal must ask instead of guessing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aimwell.core.text import Text
from aimwell.store.sources.proposing.matching import Match
from aimwell.store.sources.proposing.sniffing import Sniffed
from aimwell.store.sources.proposing.values import Guess

DAY_FIRST, MONTH_FIRST = "day_first", "month_first"
KEEP, LEAVE_OUT = "keep", "leave_out"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that only a person knows: its name (the key of an answer), what is asked, and the answers.

    default: the answer that is taken when none is given; None when nothing can be loaded without one.
    """

    name: str
    asked: Text
    answers: Mapping[str, Text]
    default: str | None = None


def questions(sniffed: Sniffed, guesses: Mapping[str, Guess], match: Match) -> list[Question]:
    """Everything about a match that the values leave open."""
    used = {match.columns[name]: name for name in match.columns}
    found = [*_dates(sniffed, guesses, used), *_decimals(guesses, sniffed), *_codes(sniffed, match)]
    if "order_id" in match.made:
        asked = Text(
            "没有订单号:把同一客户同一时间的行当作一单吗?",
            "There is no order number: are the rows of one customer at one time one order?",
        )
        found.append(Question("order_id", asked, {"yes": Text("是", "yes")}, "yes"))
    return found


def _dates(sniffed: Sniffed, guesses: Mapping[str, Guess], used: Mapping[str, str]) -> Iterator[Question]:
    for raw in used:
        if guesses[raw].either is None:
            continue
        example = str(sniffed.values(raw)[0])
        yield Question(
            f"date:{raw}",
            Text("{raw} 的 {example}:日还是月在前?", "{raw}: is the day or the month first in {example}?").format(
                raw=raw, example=example
            ),
            {DAY_FIRST: Text("日在前", "day first"), MONTH_FIRST: Text("月在前", "month first")},
        )


def _decimals(guesses: Mapping[str, Guess], sniffed: Sniffed) -> Iterator[Question]:
    open_ones = [raw for raw, guess in guesses.items() if guess.decimal is None]
    told = {guess.decimal for guess in guesses.values() if guess.meaning == "number" and guess.decimal}
    if not open_ones or "," in told:
        return
    example = str(sniffed.values(open_ones[0])[0])
    yield Question(
        "decimal",
        Text(
            "{raw} 中的 {example}:逗号是千分位还是小数点?",
            "{raw}: does the comma in {example} part thousands or decimals?",
        ).format(raw=open_ones[0], example=example),
        {".": Text("千分位", "thousands"), ",": Text("小数点", "decimals")},
    )


def _codes(sniffed: Sniffed, match: Match) -> Iterator[Question]:
    """Codes without any digit among product ids that have some: postage, fees, samples."""
    raw = match.columns.get("product_id")
    if match.table.name != "purchase" or raw is None:
        return
    codes = {str(value).strip() for value in sniffed.values(raw)}
    wordy = sorted(code for code in codes if not any(sign.isdigit() for sign in code))
    if not wordy or len(wordy) > 0.2 * len(codes):
        return
    shown = ", ".join(wordy[:5])
    yield Question(
        "codes",
        Text(f"{shown} 是商品吗(也可能是邮费、手续费)?", f"Are {shown} products, or postage and fees?"),
        {KEEP: Text("保留", "products: keep them"), LEAVE_OUT: Text("不是商品,过滤", "no products: leave them out")},
        KEEP,
    )


def wordy_codes(sniffed: Sniffed, raw: str) -> list[str]:
    """The product codes without any digit."""
    return sorted({c for c in (str(v).strip() for v in sniffed.values(raw)) if not any(s.isdigit() for s in c)})
