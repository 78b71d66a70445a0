"""Contribution: what segments and products brought, the best and the worst, and that it adds up to the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from aimwell.core.text import Text
from aimwell.insight.contribution.statement import Statement
from aimwell.web.report.blocks import Block, Cell, Figure, Figures, Sentence, Table, Tone
from aimwell.web.report.formats import count, day, money, same, share

_SHOWN = 10
_NO_SEGMENT = Text("（不在任何人群）", "(in no segment)")
_NO_PRODUCT = Text("（不属于任何商品）", "(of no product)")
_NAMES = {"segment": Text("人群", "segment"), "product": Text("商品", "product")}
_RULE = Text(
    "贡献＝毛利－优惠－触达。一人在几个人群里就平分到各群；触达花费按他所买商品的毛利分摊。",
    "Contribution = margin − incentives − contacts. Who is in several segments counts alike in each; contacts are "
    "shared over the products that a customer bought, by margin.",
)


@dataclass(frozen=True, slots=True)
class ContributionStory:
    """What products brought and, where segments were built, what these brought.

    titles: of segments, by name.
    """

    products: Statement
    segments: Statement | None = None
    titles: Mapping[str, Text] = field(default_factory=dict)


def contribution_blocks(story: ContributionStory, zone: ZoneInfo) -> list[Block]:
    """The sum and its proof first, then segments, then the best and the worst products."""
    products, views = story.products, [each for each in (story.segments, story.products) if each is not None]
    blocks: list[Block] = [_figures(products, zone), _proof(views)]
    if products.unknown:
        blocks.append(_margins(products))
    blocks.append(Sentence(_RULE))
    if story.segments is not None:
        title = Text("各人群带来多少？", "What did each segment bring?")
        blocks.append(_table(story.segments, story.segments.rows.to_pylist(), title, story.titles))
    rows = products.rows.to_pylist()
    best, worst = rows[:_SHOWN], rows[max(_SHOWN, len(rows) - _SHOWN) :]
    blocks.append(_table(products, best, Text("带来最多的商品", "Products that brought most"), {}))
    if worst:
        blocks.append(_table(products, worst[::-1], Text("带来最少的商品", "Products that brought least"), {}))
    return blocks


def _figures(found: Statement, zone: ZoneInfo) -> Figures:
    total, currency = found.shared, found.currency
    since, until = day(found.period.since, zone), day(found.period.until, zone)
    return Figures(
        [
            Figure(
                same(money(total.contribution, currency, 0)),
                Text("贡献", "contribution"),
                Text(f"{since.zh}起，{until.zh}前", f"from {since.en}, before {until.en}"),
            ),
            Figure(same(money(total.margin, currency, 0)), Text("毛利（未扣优惠）", "margin before discounts")),
            Figure(
                same(money(total.incentives, currency, 0)),
                Text("优惠", "incentives"),
                _of_margin(total.incentives, total.margin),
            ),
            Figure(
                same(money(total.contacts, currency, 0)),
                Text("触达与投放", "contacts and campaigns"),
                _of_margin(total.contacts, total.margin),
            ),
        ]
    )


def _of_margin(part: Decimal, margin: Decimal) -> Text | None:
    if margin <= 0:
        return None
    said = share(part / margin)
    return Text(f"占毛利的 {said}", f"{said} of the margin")


def _proof(views: Sequence[Statement]) -> Sentence:
    """What the tables say line by line, beside what each view adds up to."""
    found = views[0]
    books = money(found.books.contribution, found.currency)
    sums = [(_NAMES[each.by], money(each.shared.contribution, found.currency)) for each in views]
    zh = "，".join(f"各{name.zh}合计 {amount}" for name, amount in sums)
    en = ", ".join(f"{name.en}s together {amount}" for name, amount in sums)
    equal = all(each.proven for each in views)
    verdict = Text("一分不差", "equal to the cent") if equal else Text("两者不符", "they differ")
    said = Text(
        f"账面逐行相加 {books}；{zh}：{verdict.zh}。", f"Line by line the books say {books}; {en}: {verdict.en}."
    )
    return Sentence(said, "ok" if equal else "danger", Text("核对", "Check"))


def _margins(found: Statement) -> Sentence:
    part = share(found.unknown / found.lines)
    if found.assumed is None:
        said = Text(
            f"{part} 的购买行（{count(found.unknown)} 行）不知毛利，按 0 计：贡献被低估。",
            f"{part} of the lines bought ({count(found.unknown)}) have no margin and count as 0: what they brought is "
            "understated.",
        )
    else:
        assumed = share(found.assumed)
        said = Text(
            f"{part} 的购买行（{count(found.unknown)} 行）不知毛利，假定为折前价的 {assumed}。",
            f"{part} of the lines bought ({count(found.unknown)}) have no margin; {assumed} of the price before "
            "discounts is assumed.",
        )
    return Sentence(said, "warn", Text("毛利", "Margins"))


def _table(found: Statement, rows: Sequence[Mapping[str, object]], title: Text, titles: Mapping[str, Text]) -> Table:
    most = max((_amount(row, "contribution") for row in rows), default=Decimal(0))
    return Table(
        [
            _NAMES[found.by],
            Text("毛利", "margin"),
            Text("优惠", "incentives"),
            Text("触达", "contacts"),
            Text("贡献", "contribution"),
        ],
        [_row(found, row, most, titles) for row in rows],
        title=title,
        numbers=frozenset({1, 2, 3, 4}),
    )


def _row(found: Statement, row: Mapping[str, object], most: Decimal, titles: Mapping[str, Text]) -> list[Text | Cell]:
    name = str(row[found.key])
    none = _NO_SEGMENT if found.by == "segment" else _NO_PRODUCT
    title = (titles.get(name) or same(str(row.get("name") or name))) if name else none
    brought = _amount(row, "contribution")
    parts = [same(money(_amount(row, each), found.currency)) for each in ("margin", "incentives", "contacts")]
    said = same(money(brought, found.currency))
    tone: Tone = "danger" if brought < 0 else "plain"
    return [title, *parts, Cell(said, bar=float(brought / most) if brought > 0 else None, tone=tone)]


def _amount(row: Mapping[str, object], name: str) -> Decimal:
    value = row[name]
    return value if isinstance(value, Decimal) else Decimal(0)
