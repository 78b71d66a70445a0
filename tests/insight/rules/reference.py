"""A rule answered for one customer at a time, in plain Python, as the words of the rule say: slow and easy to check."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tests.insight.rules.market import PRODUCTS, Facts, Row
from tests.store.warehouse.shop import NEW_YORK

from aimwell.core import rules
from aimwell.core.comparisons import Bounds, Comparison, Window
from aimwell.core.time import add_days, from_store, to_store

DAY = timedelta(days=1)
PRODUCT = {row["product_id"]: row for row in PRODUCTS}


@dataclass
class Reference:
    """Answers rules as of an instant (or, with `until`, in the horizon that begins there)."""

    facts: Facts
    as_of: datetime
    until: datetime | None = None
    segments: Mapping[str, rules.Rule] = field(default_factory=dict)

    def members(self, rule: rules.Rule, among: set[str] | None = None) -> set[str]:
        """Everyone whom the rule matches."""
        return {who for who in self.everyone() if (among is None or who in among) and self.matches(rule, who)}

    def everyone(self) -> set[str]:
        """Those known at the bound; without a customer table, those seen in any table."""
        if self.facts.get("customer"):
            return set(self.customers())
        tables = ("purchase", "event", "touch", "outcome")
        return {row["customer_id"] for name in tables for row in self.rows(name)}

    def customers(self) -> dict[str, Row]:
        bound = to_store(self.until or self.as_of)
        return {
            row["customer_id"]: row
            for row in self.facts.get("customer", [])
            if row.get("created_at") is None or row["created_at"] < bound
        }

    def rows(self, table: str) -> list[Row]:
        """What was known of a table of facts: happened and known before the cut, or happened inside the horizon."""
        known = {"event": "received_at"}.get(table, "known_at")
        cut = to_store(self.as_of)
        if self.until:
            return [row for row in self.facts.get(table, []) if cut <= row["occurred_at"] < to_store(self.until)]
        return [
            row
            for row in self.facts.get(table, [])
            if row["occurred_at"] < cut and (row.get(known) is None or row[known] < cut)
        ]

    def matches(self, rule: rules.Rule, who: str) -> bool:
        if isinstance(rule, rules.AllOf):
            return all(self.matches(part, who) for part in rule.all)
        if isinstance(rule, rules.AnyOf):
            return any(self.matches(part, who) for part in rule.any)
        if isinstance(rule, rules.Not):
            return not self.matches(rule.not_, who)
        if isinstance(rule, rules.Manual):
            return who in rule.manual
        if isinstance(rule, rules.MemberOf):
            return self.is_member(rule.segment, who)
        if isinstance(rule, rules.AttributeIs):
            return self.attribute(rule, who)
        if isinstance(rule, rules.TagIs):
            return compare(rule, self.tag(rule.tag, who))
        if isinstance(rule, rules.ScoreIs):
            return self.scored(rule, who)
        if isinstance(rule, rules.InSequence):
            return self.in_sequence(rule.sequence, who)
        return self.counted(rule, who)

    def is_member(self, segment: str, who: str) -> bool:
        if segment in self.segments:
            return self.matches(self.segments[segment], who)
        changes = [
            row
            for row in self.facts["membership_delta"]
            if row["segment"] == segment and row["customer_id"] == who and row["as_of"] <= to_store(self.as_of)
        ]
        changes.sort(key=lambda row: row["as_of"])
        return bool(changes) and changes[-1]["change"] == "enter"

    def attribute(self, rule: rules.AttributeIs, who: str) -> bool:
        value = self.customers().get(who, {}).get(rule.attribute)
        recent = rule.within is None or (value is not None and self.ago(rule.within) <= value < to_store(self.as_of))
        if not recent:
            return False
        if isinstance(value, datetime):
            value = from_store(value).astimezone(NEW_YORK).date()
        return compare(rule, value)

    def tag(self, name: str, who: str) -> object:
        if not self.facts["purchase"]:
            return None  # a family whose table holds nothing at all says nothing of anyone
        mine = [row for row in self.rows("purchase") if row["customer_id"] == who]
        if name == "lines":
            return len(mine)
        if name == "returned":
            return any(row["amount"] < 0 for row in mine)
        values = [row[{"dearest": "amount", "last_channel": "channel"}[name]] for row in mine]
        known = [value for value in values if value is not None]
        return max(known) if known else None

    def scored(self, rule: rules.ScoreIs, who: str) -> bool:
        known = [
            row
            for row in self.facts["score"]
            if row["prediction"] == rule.score and row["as_of"] <= to_store(self.as_of)
        ]
        latest = max(((row["as_of"], row["version"]) for row in known), default=None)
        run = [row for row in known if (row["as_of"], row["version"]) == latest]
        mine = next((row for row in run if row["customer_id"] == who), None)
        if mine is None or not compare(rule, mine["value"]):
            return False
        inside = rule.top is None or mine["rank"] <= size(rule.top, len(run))
        return inside and (rule.bottom is None or mine["rank"] > len(run) - size(rule.bottom, len(run)))

    def counted(self, rule: Any, who: str) -> bool:
        key = next(iter(type(rule).model_fields))
        body = getattr(rule, key)
        mine = [row for row in self.found(key, body, who) if self.inside(body, row["occurred_at"])]
        if key != "purchases":
            return bool((body.count or Bounds(at_least=1)).hold(len(mine)))
        bought = [row for row in mine if row["amount"] >= 0]
        count = body.count or (None if body.amount or body.products else Bounds(at_least=1))
        asked = [
            (count, len({row["order_id"] for row in bought})),
            (body.amount, sum((row["amount"] for row in mine), Decimal(0))),
            (body.products, len({row["product_id"] for row in bought})),
        ]
        return all(bounds is None or bounds.hold(number) for bounds, number in asked)

    def found(self, key: str, match: Any, who: str) -> list[Row]:
        table = {"purchases": "purchase", "events": "event", "touches": "touch", "outcomes": "outcome"}[key]
        return [row for row in self.rows(table) if row["customer_id"] == who and self.meant(key, match, row)]

    def meant(self, key: str, match: Any, row: Row) -> bool:
        if key == "purchases":
            product = PRODUCT.get(row["product_id"], {})
            asked = [(match.category, product.get("category")), (match.brand, product.get("brand"))]
            asked += [(match.product, row["product_id"]), (match.channel, row["channel"])]
        elif key == "events":
            asked = [(match.name, row["name"]), (match.channel, row["channel"])]
            if not all(has_property(row["properties"], name, wanted) for name, wanted in match.where.items()):
                return False
        elif key == "touches":
            asked = [(match.campaign, row["campaign"]), (match.channel, row["channel"])]
        else:
            asked = [(match.kind, row["kind"])]
            if match.campaign or match.channel:
                touch = next((t for t in self.rows("touch") if t["touch_id"] == row["touch_id"]), None)
                if touch is None or not self.meant("touches", match, touch):
                    return False
        return all(words is None or value in words for words, value in asked)

    def in_sequence(self, body: rules.Steps, who: str) -> bool:
        """Tries every chain of rows, one per step, each strictly later than the one before."""
        chains: list[tuple[datetime, datetime]] = []
        for number, step in enumerate(body.steps):
            key = next(iter(type(step).model_fields))
            at = [
                row["occurred_at"]
                for row in self.found(key, getattr(step, key), who)
                if self.inside(body, row["occurred_at"]) and (key != "purchases" or row["amount"] >= 0)
            ]
            if number == 0:
                chains = [(moment, moment) for moment in at]
            else:
                chains = [(first, moment) for first, last in chains for moment in at if moment > last]
        return any(body.span is None or last - first <= body.span for first, last in chains)

    def inside(self, window: Window, moment: datetime) -> bool:
        if window.within is not None:
            return moment < self.ago(-window.within) if self.until else moment >= self.ago(window.within)
        since = window.since is None or moment >= self.moment(window.since)
        return since and (window.until is None or moment < self.moment(window.until))

    def moment(self, given: timedelta | date) -> datetime:
        if isinstance(given, date):
            return to_store(datetime.combine(given, time.min, tzinfo=NEW_YORK))
        return self.ago(given)

    def ago(self, length: timedelta) -> datetime:
        if length % DAY:
            return to_store(self.as_of) - length
        return to_store(add_days(self.as_of, -(length // DAY), NEW_YORK))


def size(portion: str | int, scored: int) -> int:
    if isinstance(portion, int):
        return portion
    return math.ceil(Decimal(portion.removesuffix("%")) * scored / 100)


def has_property(text: str | None, name: str, wanted: Comparison) -> bool:
    value = (json.loads(text) if text else {}).get(name)
    asked = [wanted.is_, wanted.is_not, wanted.above]
    if any(isinstance(number, int | float) for number in asked):
        value = value if isinstance(value, int | float) else None
    elif value is not None:
        value = str(value)
    return compare(wanted, value)


def compare(rule: Any, value: Any) -> bool:
    """Each comparison as its description says; nothing but `known: false` holds of the unknown."""
    tests: dict[str, Callable[[Any], bool]] = {
        "at_least": lambda bound: value >= bound,
        "at_most": lambda bound: value <= bound,
        "above": lambda bound: value > bound,
        "below": lambda bound: value < bound,
        "is_": lambda bound: value == bound,
        "is_not": lambda bound: value != bound,
        "in_": lambda options: value in options,
        "not_in": lambda options: value not in options,
        "contains": lambda text: text in value,
        "between": lambda pair: pair[0] <= value <= pair[1],
    }
    if getattr(rule, "known", None) is not None and (value is not None) is not rule.known:
        return False
    given = {name: getattr(rule, name, None) for name in tests}
    return all(bound is None or (value is not None and tests[name](bound)) for name, bound in given.items())
