"""The canonical tables of the warehouse: their columns, keys and two clocks.

A *fact* happened at an instant (`occurred`) and became known at another (`known`, by default the same). A *fact of a
day* belongs to a local calendar day and is complete when that day has ended. A *state* has versions: rows of one key,
each valid from the instant it became known; what a row leaves empty it does not change. A state row without a known
instant is *timeless*: taken as always known, and named as such wherever it is used. A *forecast* is about a day that
may lie ahead: known when issued, or, when nobody issued it, seen when its day has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "integer", "number", "money", "instant", "day", "boolean", "json"]
Shape = Literal["fact", "day_fact", "state", "forecast"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical table: its name, kind and meaning."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table: what a row means, which columns it has, its key and its clocks.

    `masked` names instants inside a state row that may lie after the cut and are then unknown (NULL).
    `required` names columns without which a row is rejected.
    """

    name: str
    meaning: str
    shape: Shape
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: tuple[str, ...]
    occurred: str | None = None
    known: str = "known_at"
    masked: tuple[str, ...] = ()
    references: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


_KNOWN = ("known_at", "instant", "when this row became known; empty: as it occurred, or (states) timeless")


def _table(
    name: str,
    shape: Shape,
    meaning: str,
    columns: list[tuple[str, Kind, str]],
    *,
    key: str,
    required: str,
    occurred: str | None = None,
    known: str = "known_at",
    masked: str = "",
    references: dict[str, str] | None = None,
) -> Table:
    declared = [Column(*column) for column in columns]
    if known == "known_at":
        declared.append(Column("known_at", "instant", _KNOWN[2]))
    return Table(
        name=name,
        meaning=meaning,
        shape=shape,
        columns=tuple(declared),
        key=tuple(key.split()),
        required=tuple(required.split()),
        occurred=occurred,
        known=known,
        masked=tuple(masked.split()),
        references=references or {},
    )


_CUSTOMER = {"customer_id": "customer"}
_BOUGHT = {"customer_id": "customer", "product_id": "product"}

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "customer",
            "state",
            "one person (or household) after identity resolution, with any attribute",
            [
                ("customer_id", "text", "opaque id"),
                ("created_at", "instant", "since when we know this customer"),
                ("birth_date", "day", "date of birth"),
                ("gender", "text", "gender as stated"),
                ("city", "text", "city of residence"),
                ("region", "text", "province or state"),
                ("language", "text", "preferred language, BCP 47"),
                ("timezone", "text", "IANA timezone"),
                ("income_band", "text", "income band, in words or as a range"),
                ("age_band", "text", "age band, where no birth date is known"),
                ("occupation", "text", "occupation"),
                ("education", "text", "level of education"),
                ("household_size", "text", "people in the household"),
                ("household_kind", "text", "composition of the household"),
                ("children", "text", "number of children"),
                ("home_ownership", "text", "owner, renter, …"),
                ("marital_status", "text", "marital status"),
                ("tier", "text", "tier that the company gives"),
                ("risk_level", "integer", "tested tolerance of investment risk, 1 (low) to 5"),
                ("risk_tested_at", "instant", "when the risk level was tested"),
                ("credit_score", "number", "score from a credit bureau or the company's own"),
                ("unit", "text", "owning branch or brand"),
                ("source", "text", "where the customer was won"),
            ],
            key="customer_id",
            required="customer_id",
            masked="risk_tested_at",
        ),
        _table(
            "identifier",
            "state",
            "a name under which a channel knows a customer",
            [
                ("customer_id", "text", "whose"),
                ("kind", "text", "phone, email, device, wechat, member_card, …"),
                ("value", "text", "normalised value"),
                ("first_seen", "instant", "first seen"),
                ("last_seen", "instant", "last seen"),
                ("source", "text", "which source said so"),
                ("confidence", "number", "0 to 1"),
            ],
            key="kind value",
            required="customer_id kind value",
            masked="first_seen last_seen",
            references=_CUSTOMER,
        ),
        _table(
            "event",
            "fact",
            "a timestamped fact about a customer, never edited",
            [
                ("event_id", "text", "unique id"),
                ("customer_id", "text", "who"),
                ("name", "text", "what happened"),
                ("occurred_at", "instant", "when it happened"),
                ("channel", "text", "where"),
                ("session_id", "text", "visit to which it belongs"),
                ("properties", "json", "details"),
                ("received_at", "instant", "when it reached us"),
            ],
            key="event_id",
            required="event_id customer_id name occurred_at",
            occurred="occurred_at",
            known="received_at",
            references=_CUSTOMER,
        ),
        _table(
            "purchase",
            "fact",
            "one line of an order; returns have negative quantity and amount",
            [
                ("order_id", "text", "order, basket or contract"),
                ("line", "text", "line inside the order"),
                ("customer_id", "text", "buyer"),
                ("product_id", "text", "product"),
                ("occurred_at", "instant", "when it was bought"),
                ("quantity", "number", "units, weight or volume: never summed over products"),
                ("amount", "money", "paid by the customer, after discount"),
                ("discount", "money", "reduction, as a positive amount"),
                ("coupon_discount", "money", "the part of the reduction that coupons brought, as a positive amount"),
                ("channel", "text", "shop, app, web, branch, …"),
                ("place", "text", "shop or branch"),
            ],
            key="order_id line",
            required="order_id customer_id occurred_at amount",
            occurred="occurred_at",
            references=_BOUGHT,
        ),
        _table(
            "product",
            "state",
            "what can be bought",
            [
                ("product_id", "text", "id"),
                ("name", "text", "name"),
                ("category", "text", "category"),
                ("subcategory", "text", "finer category"),
                ("department", "text", "coarser category"),
                ("brand", "text", "brand or maker"),
                ("own_brand", "boolean", "whether it is sold under the company's own brand"),
                ("price", "money", "list price"),
                ("margin", "money", "margin per unit"),
                ("risk_level", "integer", "1 (low) to 5"),
                ("term_days", "integer", "term in days"),
                ("available_since", "instant", "on sale since"),
                ("available_until", "instant", "on sale until"),
                ("properties", "json", "details"),
            ],
            key="product_id",
            required="product_id",
            masked="available_until",
        ),
        _table(
            "product_tag",
            "state",
            "a tag that a product carries, from a file or from a tag definition",
            [
                ("product_id", "text", "product"),
                ("tag", "text", "name of the tag"),
                ("value", "text", "true or false, or the value; empty text: none any more"),
                ("source", "text", "who says so"),
            ],
            key="product_id tag",
            required="product_id tag value",
            references={"product_id": "product"},
        ),
        _table(
            "channel_tag",
            "state",
            "a tag that a channel carries, from a file or from a tag definition",
            [
                ("channel", "text", "channel"),
                ("tag", "text", "name of the tag"),
                ("value", "text", "true or false, or the value; empty text: none any more"),
                ("source", "text", "who says so"),
            ],
            key="channel tag",
            required="channel tag value",
        ),
        _table(
            "balance",
            "day_fact",
            "what a customer holds or owes at the end of a day",
            [
                ("customer_id", "text", "whose"),
                ("account", "text", "account"),
                ("kind", "text", "deposit, loan, fund, salary, aum, credit_card, …"),
                ("day", "day", "local day at whose end the amount stands"),
                ("amount", "money", "balance, or flow for kind salary"),
                ("matures_on", "day", "when a deposit or product matures"),
                ("credit_limit", "money", "agreed limit, where there is one"),
                ("overdue_days", "integer", "days overdue, where something is owed"),
            ],
            key="customer_id account kind day",
            required="customer_id kind day amount",
            occurred="day",
            references=_CUSTOMER,
        ),
        _table(
            "offer",
            "state",
            "what may be proposed: product scope, price or discount, cost",
            [
                ("offer_id", "text", "id"),
                ("kind", "text", "discount, coupon, benefit, …"),
                ("scope", "text", "products or categories it is for"),
                ("price", "money", "price"),
                ("discount", "money", "reduction"),
                ("cost", "money", "cost to the company"),
                ("since", "instant", "valid from"),
                ("until", "instant", "valid until"),
            ],
            key="offer_id",
            required="offer_id",
        ),
        _table(
            "touch",
            "fact",
            "one attempted contact",
            [
                ("touch_id", "text", "id"),
                ("customer_id", "text", "who was contacted"),
                ("campaign", "text", "label that groups touches"),
                ("journey", "text", "journey"),
                ("node", "text", "node of the journey"),
                ("offer_id", "text", "what was offered"),
                ("creative_id", "text", "wording or picture"),
                ("channel", "text", "channel"),
                ("occurred_at", "instant", "when"),
                ("probability", "number", "probability with which this was chosen"),
                ("cost", "money", "cost of the contact"),
            ],
            key="touch_id",
            required="touch_id customer_id occurred_at",
            occurred="occurred_at",
            references={"customer_id": "customer", "offer_id": "offer"},
        ),
        _table(
            "outcome",
            "fact",
            "what happened after a touch",
            [
                ("outcome_id", "text", "id; several outcomes of one touch are told apart by it"),
                ("touch_id", "text", "after which touch"),
                ("customer_id", "text", "who"),
                ("kind", "text", "delivered, opened, clicked, joined, shared, bought, redeemed, unsubscribed"),
                ("occurred_at", "instant", "when"),
                ("value", "money", "value"),
            ],
            key="outcome_id",
            required="outcome_id customer_id kind occurred_at",
            occurred="occurred_at",
            references={"customer_id": "customer", "touch_id": "touch"},
        ),
        _table(
            "feedback",
            "fact",
            "what a customer said or answered",
            [
                ("feedback_id", "text", "id"),
                ("customer_id", "text", "who"),
                ("occurred_at", "instant", "when"),
                ("source", "text", "review, call, survey, chat, …"),
                ("text", "text", "words"),
                ("rating", "number", "rating"),
                ("product_id", "text", "about which product"),
                ("language", "text", "language, BCP 47"),
            ],
            key="feedback_id",
            required="feedback_id customer_id occurred_at",
            occurred="occurred_at",
            references=_BOUGHT,
        ),
        _table(
            "spend",
            "day_fact",
            "what advertising cost and brought on a day",
            [
                ("day", "day", "local day"),
                ("channel", "text", "channel"),
                ("campaign", "text", "campaign"),
                ("ad_group", "text", "group"),
                ("keyword", "text", "keyword"),
                ("cost", "money", "cost"),
                ("impressions", "integer", "shown"),
                ("clicks", "integer", "clicked"),
                ("conversions", "number", "converted, as the platform counts"),
                ("value", "money", "value, as the platform counts"),
            ],
            key="day channel campaign ad_group keyword",
            required="day channel cost",
            occurred="day",
        ),
        _table(
            "relation",
            "state",
            "an edge between two things: knowledge graph, households, referrals",
            [
                ("head", "text", "from"),
                ("relation", "text", "kind of edge"),
                ("tail", "text", "to"),
                ("weight", "number", "strength"),
            ],
            key="head relation tail",
            required="head relation tail",
        ),
        _table(
            "coupon",
            "state",
            "a code and a product it is good for",
            [
                ("code", "text", "code"),
                ("product_id", "text", "product it is good for"),
                ("campaign", "text", "campaign that hands it out"),
                ("offer_id", "text", "offer it carries"),
                ("since", "instant", "valid from"),
                ("until", "instant", "valid until"),
            ],
            key="code product_id campaign",
            required="code",
            references={"product_id": "product"},
        ),
        _table(
            "device",
            "state",
            "a device or browser of a customer, with its push token",
            [
                ("device_id", "text", "id"),
                ("customer_id", "text", "whose"),
                ("kind", "text", "ios, android, web, mini_program, …"),
                ("model", "text", "model"),
                ("push_token", "text", "token"),
                ("first_seen", "instant", "first seen"),
                ("last_seen", "instant", "last seen"),
            ],
            key="device_id",
            required="device_id customer_id",
            masked="first_seen last_seen",
            references=_CUSTOMER,
        ),
        _table(
            "account",
            "state",
            "a company to which customers belong",
            [
                ("account_id", "text", "id"),
                ("customer_id", "text", "a person of it"),
                ("name", "text", "name"),
                ("industry", "text", "industry"),
                ("employees", "integer", "people"),
            ],
            key="account_id customer_id",
            required="account_id customer_id",
            references=_CUSTOMER,
        ),
        _table(
            "price",
            "state",
            "price and stock of a product from a known instant on",
            [
                ("product_id", "text", "product"),
                ("place", "text", "where"),
                ("price", "money", "price"),
                ("stock", "number", "units in stock"),
            ],
            key="product_id place",
            required="product_id",
            references={"product_id": "product"},
        ),
        _table(
            "context",
            "forecast",
            "weather, holidays and local events, forecast or seen",
            [
                ("day", "day", "local day it is about"),
                ("place", "text", "city or region"),
                ("kind", "text", "temperature, rain, holiday, event, …"),
                ("value", "number", "value"),
                ("label", "text", "words"),
                ("issued_at", "instant", "when a forecast was issued"),
            ],
            key="day place kind issued_at",
            required="day kind",
            occurred="day",
            known="issued_at",
        ),
    )
}


def table(name: str) -> Table:
    """The canonical table of that name.

    Raises KeyError with the known names; callers at the edge turn it into words.
    """
    try:
        return TABLES[name]
    except KeyError:
        raise KeyError(f"no canonical table {name!r}; there are {', '.join(TABLES)}") from None
