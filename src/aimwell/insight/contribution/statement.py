"""A statement of contribution: one view of it over a period, the best first, with its sum and the proof of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.time import Period, add_days, local_day
from aimwell.insight.contribution.contribution import Contribution, contribution, verify_contribution
from aimwell.insight.contribution.ledgers import Books, count_books, read_books
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.segments.membership import members_at, sizes

By = Literal["customer", "segment", "product"]
VIEWS: tuple[By, ...] = get_args(By)
ASSUMED = "assumed_margin_percent"
"""The setting that says which margin to assume of what has none, in per cent of its price before discounts."""
YEAR = 364
_NAMES = "SELECT product_id, name FROM product"


@dataclass(frozen=True, slots=True)
class Amounts:
    """Margin, incentives and contacts, and what is left of the first."""

    margin: Decimal
    incentives: Decimal
    contacts: Decimal

    @property
    def contribution(self) -> Decimal:
        """Margin less incentives less contacts."""
        return self.margin - self.incentives - self.contacts


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One view of what was brought in a period, all of it in the currency of the workspace.

    rows: `customer_id`, `segment` or `product_id`, of products their `name`; margin, incentives, contacts,
    contribution, currency; the highest contribution first, ties by id. The name is empty for what belongs to none.
    shared: the sum of the rows.   books: the same summed straight over the tables, without any sharing.
    lines, unknown: lines bought, and those without a margin.   assumed: their margin as a share of the price before
    discounts; None: counted as 0.
    """

    by: By
    period: Period
    currency: str
    rows: pa.Table
    shared: Amounts
    books: Amounts
    lines: int
    unknown: int
    assumed: float | None

    @property
    def key(self) -> str:
        """The column that names the rows."""
        return str(self.rows.column_names[0])

    @property
    def proven(self) -> bool:
        """Whether the rows add up to the books to the cent."""
        return self.shared == self.books


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """The books of a period shared out, from which every view is stated.

    names: of products, as far as they are known.
    """

    period: Period
    currency: str
    books: Books
    straight: tuple[int, int, int]
    found: Contribution
    assumed: float | None
    names: Mapping[str, str]

    def state(self, by: By, members: Mapping[str, Sequence[str]] | None = None) -> Statement:
        """One view.

        members: the customers of each segment, for the view by segment.
        Raises BadQuestion if a view does not add up to the books.
        """
        rows = self._rows(by, members or {})
        verify_contribution(rows, self.books)
        order = [("contribution", "descending"), (rows.column_names[0], "ascending")]
        rows = rows.sort_by(order)
        if by == "product":
            ids = rows.column("product_id").to_pylist()
            rows = rows.add_column(1, "name", pa.array([self.names.get(each) for each in ids], pa.string()))
        rows = rows.append_column("currency", pa.array([self.currency] * rows.num_rows, pa.string()))
        return Statement(
            by,
            self.period,
            self.currency,
            rows,
            Amounts(
                *(pc.sum(rows.column(name)).as_py() or Decimal(0) for name in ("margin", "incentives", "contacts"))
            ),
            Amounts(*(Decimal(part).scaleb(-2) for part in self.straight)),
            int(pc.sum(self.books.lines.column("lines")).as_py() or 0),
            int(pc.sum(self.books.lines.column("unknown")).as_py() or 0),
            self.assumed,
        )

    def _rows(self, by: By, members: Mapping[str, Sequence[str]]) -> pa.Table:
        if by == "segment":
            return self.found.by_segment(members)
        return self.found.by_customer() if by == "customer" else self.found.by_product()


def open_account(
    workshop: Workshop,
    until: datetime,
    *,
    currency: str,
    since: datetime | None = None,
    assumed_percent: float | None = None,
) -> Account:
    """The books from an instant (by default 364 days before the end) until another, shared out.

    assumed_percent: the margin of lines without one, in per cent of their price before discounts; by default as the
    setting `assumed_margin_percent` says, else 0 and counted.
    Raises NotEnoughData when nothing happened in the period or no margin is known, BadQuestion when the period does not
    last some whole days.
    """
    zone = workshop.warehouse.zone
    begin = add_days(until, -YEAR, zone) if since is None else since
    days = _days(workshop, begin, until)
    history = workshop.history(until)
    said = history.settings.get(ASSUMED) if assumed_percent is None else assumed_percent
    assumed = None if said is None else _share(said)
    books = read_books(history, days, assumed)
    if books.empty:
        raise NotEnoughData(
            f"Nothing was bought and nobody contacted from {local_day(begin, zone)} until {local_day(until, zone)}",
            expected="purchases in the period",
            seen="none",
            remedy="Choose another period: --since and --until; the end is not in it.",
        )
    named = history.has("product", "product_id", "name")
    names = history.to_arrow(_NAMES).to_pylist() if named else []
    return Account(
        Period(begin, until),
        currency,
        books,
        count_books(history, days, assumed),
        contribution(books),
        assumed,
        {row["product_id"]: row["name"] for row in names if row["name"]},
    )


def segments_at(
    workshop: Workshop, until: datetime, known: Sequence[str], chosen: Sequence[str] = ()
) -> dict[str, list[str]]:
    """The members of segments at an instant, as recorded by then.

    known: the segments that are defined.   chosen: of these; by default all that were ever built.
    Raises BadQuestion for a segment that is not there or was never built, NotEnoughData when nobody is recorded in any.
    """
    for name in chosen:
        if name not in known:
            raise BadQuestion(f"There is no segment {name!r}", expected=f"one of {', '.join(known) or '(none)'}")
    engine = workshop.warehouse.engine
    built = sizes(engine)
    names = list(chosen) or [name for name in known if name in built]
    found = {name: members_at(engine, name, until) for name in names}
    if not any(found.values()):
        raise NotEnoughData(
            f"Nobody is recorded in any segment by {local_day(until, workshop.warehouse.zone)}",
            expected="segments built by then",
            seen=f"{', '.join(names) or 'none'}",
            remedy="Build them: `aimwell segment refresh`, with --as-of for an earlier day.",
        )
    return found


def _days(workshop: Workshop, since: datetime, until: datetime) -> int:
    zone = workshop.warehouse.zone
    days = (local_day(until, zone) - local_day(since, zone)).days
    if days < 1 or add_days(until, -days, zone) != since:
        raise BadQuestion(
            "A period of the books lasts some whole days",
            expected="--since before --until, both at the same time of day",
            seen=f"{since.isoformat()} to {until.isoformat()}",
        )
    return days


def _share(percent: object) -> float:
    if isinstance(percent, bool) or not isinstance(percent, int | float):
        raise BadQuestion(f"{ASSUMED} is a number", expected="0 to 100 per cent", seen=repr(percent))
    return float(percent) / 100
