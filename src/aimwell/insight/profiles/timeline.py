"""What happened with one customer lately: orders, touches, answers, events and feedback, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlglot import exp

from aimwell.core.text import Text
from aimwell.core.time import from_store
from aimwell.insight.features.basis import parsed
from aimwell.store.warehouse.history import History

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: when, what kind of thing, and in words; an amount where money moved."""

    occurred_at: datetime
    kind: str
    what: Text
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """A table that tells of customers, the query of its last rows, and how one of them is said."""

    table: str
    query: exp.Select
    say: Callable[[Row], Text]


def happenings(history: History, customer_id: str, last: int) -> tuple[Happening, ...]:
    """The last things known of a customer before the history's cut; at equal instants by kind and words."""
    found: list[Happening] = []
    for source in _SOURCES:
        if history.has(source.table):
            own = exp.EQ(this=exp.column("customer_id"), expression=exp.Literal.string(customer_id))
            newest = source.query.where(own).order_by("at_instant DESC").limit(last)
            for row in history.to_arrow(newest).to_pylist():
                when = from_store(row["at_instant"])
                found.append(Happening(when, source.table, source.say(row), row.get("amount")))
    found.sort(key=lambda each: (-each.occurred_at.timestamp(), each.kind, each.what.en))
    return tuple(found[:last])


def _order(row: Row) -> Text:
    place = f" · {row['place']}" if row["place"] else ""
    if row["returned"]:
        return Text(f"退货 {row['lines']} 行{place}", f"returned {row['lines']} lines{place}")
    return Text(f"购买 {row['lines']} 行{place}", f"bought {row['lines']} lines{place}")


def _touch(row: Row) -> Text:
    about = " · ".join(str(row[name]) for name in ("campaign", "channel") if row[name])
    return Text(f"触达 {about}".strip(), f"contacted {about}".strip())


def _outcome(row: Row) -> Text:
    kinds = {
        "delivered": "送达",
        "opened": "打开",
        "clicked": "点击",
        "joined": "参与",
        "shared": "分享",
        "bought": "购买",
        "redeemed": "核销",
        "unsubscribed": "退订",
        "complained": "投诉",
    }
    kind = str(row["kind"])
    return Text(f"响应：{kinds.get(kind, kind)}", f"answered: {kind}")


def _event(row: Row) -> Text:
    return Text(f"事件：{row['name']}", f"event: {row['name']}")


def _feedback(row: Row) -> Text:
    rating = f" · {row['rating']:g}" if isinstance(row["rating"], float) else ""
    return Text(f"反馈 {row['source'] or ''}{rating}".strip(), f"feedback {row['source'] or ''}{rating}".strip())


_SOURCES = (
    _Source(
        "purchase",
        parsed(
            """
            SELECT
                order_id,
                min(occurred_at) AS at_instant,
                CAST(sum(amount) AS DECIMAL(18, 2)) AS amount,
                sum(amount) < 0 AS returned,
                count(*) AS lines,
                min(place) AS place
            FROM purchase
            GROUP BY order_id
            """
        ),
        _order,
    ),
    _Source("touch", parsed("SELECT occurred_at AS at_instant, campaign, channel FROM touch"), _touch),
    _Source("outcome", parsed("SELECT occurred_at AS at_instant, kind FROM outcome"), _outcome),
    _Source("event", parsed("SELECT occurred_at AS at_instant, name FROM event"), _event),
    _Source("feedback", parsed("SELECT occurred_at AS at_instant, source, rating FROM feedback"), _feedback),
)
