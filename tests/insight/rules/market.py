"""Random tiny markets and random rules about them, for tests that compare the compiler with a plain reference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st
from tests.store.warehouse.shop import NEW_YORK, rows

from aimwell.core.tables import TABLES
from aimwell.core.text import Text
from aimwell.core.time import add_days, to_store
from aimwell.insight.features.family import Column, Family, query_family
from aimwell.store.warehouse.cut import TableFacts
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.warehouse import Warehouse

Row = dict[str, Any]


def few(count: int) -> settings:
    """So many examples, since each builds a warehouse; many more under the profile `thorough`."""
    usual = 100
    asked = settings().max_examples
    return settings(max_examples=count if asked <= usual else count * asked // usual)


Facts = Mapping[str, Sequence[Row]]

# Daylight saving ended on 5 November 2017 in New York: windows of more than three days reach across it.
AS_OF = datetime(2017, 11, 8, tzinfo=NEW_YORK)
CUSTOMERS = ("ann", "bob", "cem", "dee", "eva")
PRODUCTS: list[Row] = [
    {"product_id": "tea", "category": "drinks", "brand": "own"},
    {"product_id": "cup", "category": "ware", "brand": "own"},
    {"product_id": "ale", "category": "drinks", "brand": None},
]
SCORED = pa.schema(
    {
        "prediction": pa.string(),
        "version": pa.string(),
        "customer_id": pa.string(),
        "as_of": pa.timestamp("us"),
        "raw": pa.float64(),
        "value": pa.float64(),
        "rank": pa.int64(),
    }
)
CHANGED = pa.schema(
    {"segment": pa.string(), "customer_id": pa.string(), "change": pa.string(), "as_of": pa.timestamp("us")}
)

HABITS: Family = query_family(
    "habits",
    "transaction",
    Text("习惯", "Habits"),
    needs=("purchase.amount",),
    columns=(
        Column("lines", Text("购买行数", "Lines"), "integer", Text("行数", "Lines bought"), empty=0),
        Column("dearest", Text("最贵一行", "Dearest line"), "money", Text("最高金额", "Highest amount")),
        Column("last_channel", Text("最后渠道", "Last channel"), "text", Text("最大渠道名", "Greatest channel name")),
        Column("returned", Text("退过货", "Returned"), "boolean", Text("退过货", "Brought back"), empty=False),
    ),
    sql="SELECT customer_id, count(*) AS lines, max(amount) AS dearest, max(channel) AS last_channel, "
    "bool_or(amount < 0) AS returned FROM purchase GROUP BY customer_id",
)


def market(facts: Facts, engine: Engine | None = None) -> Warehouse:
    """A warehouse that holds the facts; tables that are not named are not loaded."""
    chosen = engine or DuckEngine(threads=1)
    for name, given in facts.items():
        if name == "score":
            chosen.write(name, pa.Table.from_pylist(list(given), schema=SCORED))
        elif name == "membership_delta":
            chosen.write(name, pa.Table.from_pylist(list(given), schema=CHANGED))
        elif name == "customer":
            known = rows(name, *[{key: value for key, value in row.items() if key != "vip"} for row in given])
            chosen.write(name, known.append_column("vip", pa.array([row.get("vip") for row in given], pa.bool_())))
        else:
            chosen.write(name, rows(name, *given))
    return Warehouse(chosen, NEW_YORK, _facts=_catalog(facts))


def _catalog(facts: Facts) -> dict[str, TableFacts]:
    """What the warehouse would find out about its tables, without asking (which costs more than all rules)."""
    found: dict[str, TableFacts] = {}
    for name, given in facts.items():
        if name in TABLES:
            columns = (*TABLES[name].names, *(["vip"] if name == "customer" else []))
            filled = frozenset(key for row in given for key, value in row.items() if value is not None)
            found[name] = TableFacts(TABLES[name], columns, filled, len(given))
    return found


def before(days: int, shift: timedelta = timedelta(0)) -> datetime:
    """The stored instant so many local days before the cut, shifted."""
    return to_store(add_days(AS_OF, -days, NEW_YORK)) + shift


_SHIFTS = [timedelta(0), timedelta(microseconds=1), timedelta(microseconds=-1), timedelta(hours=1), timedelta(hours=-1)]
instants = st.builds(before, st.integers(-2, 9), st.sampled_from(_SHIFTS))
people = st.sampled_from(CUSTOMERS)
channels = st.sampled_from(["app", "shop", None])
late = st.sampled_from([None, None, None, before(1), before(-1)])


def _table(*columns: st.SearchStrategy[Row], size: int = 8) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.one_of(*columns), max_size=size)


def _numbered(given: list[Row], key: str) -> list[Row]:
    return [{**row, key: f"{key}{number}"} for number, row in enumerate(given)]


customers = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": people,
            "city": st.sampled_from(["york", "bath", None]),
            "risk_level": st.sampled_from([1, 2, 3, None]),
            "birth_date": st.sampled_from([date(1980, 5, 1), date(1990, 5, 1), None]),
            "created_at": st.one_of(st.none(), instants),
            "vip": st.sampled_from([True, False, None]),
        }
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: row["customer_id"],
)
purchases = _table(
    st.fixed_dictionaries(
        {
            "order_id": st.sampled_from(["o1", "o2", "o3", "o4"]),
            "customer_id": people,
            "product_id": st.sampled_from(["tea", "cup", "ale", "gone"]),
            "occurred_at": instants,
            "amount": st.sampled_from([Decimal(5), Decimal(10), Decimal(0), Decimal(-5)]),
            "channel": channels,
            "known_at": late,
        }
    )
).map(lambda given: _numbered(given, "line"))
events = _table(
    st.fixed_dictionaries(
        {
            "customer_id": people,
            "name": st.sampled_from(["visit", "open"]),
            "occurred_at": instants,
            "channel": channels,
            "properties": st.sampled_from([None, *map(json.dumps, [{"n": 1}, {"n": 2.5}, {"n": "x"}, {"w": "a"}])]),
            "received_at": late,
        }
    )
).map(lambda given: _numbered(given, "event_id"))
touches = _table(
    st.fixed_dictionaries(
        {"customer_id": people, "campaign": st.sampled_from(["c1", "c2"]), "channel": channels, "occurred_at": instants}
    ),
    size=5,
).map(lambda given: _numbered(given, "touch_id"))
outcomes = _table(
    st.fixed_dictionaries(
        {
            "customer_id": people,
            "touch_id": st.sampled_from(["touch_id0", "touch_id1", "touch_id2", None]),
            "kind": st.sampled_from(["opened", "redeemed"]),
            "occurred_at": instants,
        }
    ),
    size=5,
).map(lambda given: _numbered(given, "outcome_id"))


@st.composite
def scores(draw: st.DrawFn) -> list[Row]:
    """Two scorings of one prediction at different instants, ranked."""
    found: list[Row] = []
    for version, days in (("1", 3), ("2", draw(st.sampled_from([-1, 0, 2])))):
        scored = draw(st.permutations(CUSTOMERS))[: draw(st.integers(0, 5))]
        found += [
            {"prediction": "churn", "version": version, "customer_id": who, "as_of": before(days), "raw": 0.0}
            | {"value": 0.9 - 0.2 * place, "rank": place + 1}
            for place, who in enumerate(scored)
        ]
    return found


@st.composite
def changes(draw: st.DrawFn) -> list[Row]:
    """Entering and leaving of one recorded segment, each customer in turn."""
    found: list[Row] = []
    for who in CUSTOMERS:
        days = sorted(draw(st.lists(st.integers(-1, 5), max_size=3, unique=True)), reverse=True)
        found += [
            {"segment": "recorded", "customer_id": who, "change": ("enter", "leave")[turn % 2], "as_of": before(day)}
            for turn, day in enumerate(days)
        ]
    return found


@st.composite
def markets(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Everything that rules can speak of."""
    return {
        "product": PRODUCTS,
        "purchase": draw(purchases),
        "event": draw(events),
        "touch": draw(touches),
        "outcome": draw(outcomes),
        "score": draw(scores()),
        "membership_delta": draw(changes()),
        "customer": draw(customers),
    }


lengths = st.sampled_from(["1d", "3d", "5d", "26h", "2h"])
days_ago = st.sampled_from(["7d", "6d", "4d", date(2017, 11, 4)])
later_ago = st.sampled_from(["2d", "1d", "3h", date(2017, 11, 6)])
windows: st.SearchStrategy[Row] = st.one_of(
    st.just({}),
    lengths.map(lambda length: {"within": length}),
    days_ago.map(lambda since: {"since": since}),
    later_ago.map(lambda until: {"until": until}),
    st.tuples(days_ago, later_ago).map(lambda pair: {"since": pair[0], "until": pair[1]}),
)
counts = st.one_of(
    st.sampled_from([{"at_least": 1}, {"at_least": 2}, {"is": 0}, {"below": 2}, {"above": 1}, {"is_not": 1}]),
    st.sampled_from([{"between": [1, 2]}, {"at_least": 0}, {"at_most": 1}, {"at_least": 1, "below": 3}]),
)
amounts = st.sampled_from([{"at_least": 10}, {"below": 5}, {"at_most": 0}, {"between": [5, 10]}, {"above": -1}])


def _optional(**choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries({}, optional=choices)


def _joined(*parts: st.SearchStrategy[Row]) -> st.SearchStrategy[Row]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


purchase_matches = _optional(
    category=st.sampled_from(["drinks", ["ware"], ["drinks", "ware"]]),
    brand=st.just("own"),
    product=st.sampled_from(["tea", ["cup", "gone"]]),
    channel=st.just("app"),
)
event_matches = _joined(
    st.fixed_dictionaries({"name": st.sampled_from(["visit", "open", ["visit", "open"]])}),
    _optional(
        channel=st.just("app"),
        where=st.sampled_from(
            [{"n": 1}, {"n": {"above": 1}}, {"n": {"known": True}}, {"w": "a"}, {"w": {"is_not": "b"}}, {"n": "x"}]
        ),
    ),
)
touch_matches = _optional(campaign=st.sampled_from(["c1", ["c1", "c2"]]), channel=st.just("app"))
outcome_matches = _joined(touch_matches, _optional(kind=st.sampled_from(["opened", "redeemed"])))
steps = st.one_of(
    purchase_matches.map(lambda body: {"purchases": body}),
    event_matches.map(lambda body: {"events": body}),
    outcome_matches.map(lambda body: {"outcomes": body}),
    touch_matches.map(lambda body: {"touches": body}),
)
attributes = st.sampled_from(
    [
        {"attribute": "city", "is": "york"},
        {"attribute": "city", "is_not": "york"},
        {"attribute": "city", "not_in": ["york", "hull"]},
        {"attribute": "city", "contains": "at"},
        {"attribute": "city", "known": False},
        {"attribute": "risk_level", "at_least": 2},
        {"attribute": "risk_level", "in": [1, 3]},
        {"attribute": "birth_date", "below": date(1985, 1, 1)},
        {"attribute": "created_at", "within": "3d"},
        {"attribute": "created_at", "at_least": date(2017, 11, 5)},
        {"attribute": "vip", "is": True},
        {"attribute": "vip", "is_not": True},
    ]
)
tags = st.sampled_from(
    [
        {"tag": "lines", "at_least": 1},
        {"tag": "lines", "below": 2},
        {"tag": "lines", "known": True},
        {"tag": "dearest", "above": 5},
        {"tag": "dearest", "is_not": 10},
        {"tag": "dearest", "known": False},
        {"tag": "last_channel", "in": ["app"]},
        {"tag": "returned", "is": False},
    ]
)
cuts = st.sampled_from(
    [
        {"score": "churn", "top": "40%"},
        {"score": "churn", "top": 1},
        {"score": "churn", "bottom": "34%"},
        {"score": "churn", "at_least": 0.5},
        {"score": "churn", "below": 0.5, "top": 4},
    ]
)


def behaviours_in(window: st.SearchStrategy[Row]) -> st.SearchStrategy[Row]:
    """Leaves about facts, in such windows."""
    ordered = st.lists(steps, min_size=2, max_size=3).map(lambda found: {"steps": found})
    return st.one_of(
        _joined(purchase_matches, window, _optional(count=counts, amount=amounts, products=counts)).map(
            lambda body: {"purchases": body}
        ),
        _joined(event_matches, window, _optional(count=counts)).map(lambda body: {"events": body}),
        _joined(touch_matches, window, _optional(count=counts)).map(lambda body: {"touches": body}),
        _joined(outcome_matches, window, _optional(count=counts)).map(lambda body: {"outcomes": body}),
        _joined(ordered, window, _optional(span=lengths)).map(lambda body: {"sequence": body}),
    )


behaviours = behaviours_in(windows)
label_behaviours = behaviours_in(
    st.one_of(
        st.just({}),
        lengths.map(lambda length: {"within": length}),
        st.just({"since": date(2017, 11, 9)}),
        st.just({"until": date(2017, 11, 9)}),
    )
)
known_leaves: st.SearchStrategy[Row] = st.one_of(
    attributes,
    tags,
    cuts,
    st.sampled_from(["recorded", "inlined"]).map(lambda name: {"segment": name}),
    st.lists(st.sampled_from([*CUSTOMERS, "nobody"]), min_size=1, max_size=3).map(lambda ids: {"manual": ids}),
)


def trees(leaf: st.SearchStrategy[Row]) -> st.SearchStrategy[Row]:
    """Random rules over such leaves, as plain values."""
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
            inner.map(lambda part: {"not": part}),
        ),
        max_leaves=5,
    )


plain_rules = trees(st.one_of(behaviours, known_leaves))
