"""Values of the profile that nodes set: everybody of a chunk in a few statements, and whoever listens is woken."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from aimwell.core.comparisons import Scalar
from aimwell.insight.identity.traits import Value, type_value
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.happenings import record_from
from aimwell.store.ledger.schema.people import profile
from aimwell.store.ledger.scratch import lay_out
from aimwell.store.ledger.writes import insert_new_from
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Micros, Scene
from aimwell.strategy.journeys.predicates import plain

said = Table(
    "said_by_node",
    MetaData(),
    Column("customer_id", Text, primary_key=True),
    Column("text", Text),
    Column("number", Float),
    Column("at", Instant, nullable=False),
    Column("ref", Text, nullable=False, comment="key of the node's deed"),
    prefixes=["TEMPORARY"],
)
_COLUMNS = ("customer_id", "text", "number", "at", "ref")


def typed(value: Scalar | None) -> Value:
    """A value as text and number, in the shape in which traits are kept; None takes it back."""
    found = type_value(value.isoformat() if isinstance(value, date) else value)
    if found is None:
        raise ValueError("a text of at most 1,000 characters")
    return found


def set_values(
    scene: Scene,
    rows: ColumnElement[bool],
    name: str,
    *,
    text: ColumnElement[Any],
    number: ColumnElement[Any],
    at: Micros,
    ref: ColumnElement[str],
) -> None:
    """Set one value for everyone in these rows, as of each row's instant; a later word that is known already stays.

    Of several rows of one customer the latest counts (at one instant, the one with the greatest key).
    """
    order = func.row_number().over(partition_by=moving.c.customer_id, order_by=(at.desc(), ref.desc()))
    each = select(
        moving.c.customer_id,
        cast(text, Text).label("text"),
        cast(number, Float).label("number"),
        at.label("at"),
        ref.label("ref"),
        order.label("place"),
    ).where(rows)
    found = each.subquery()
    last = select(*(found.c[column] for column in _COLUMNS)).where(found.c.place == 1)
    say(scene.connection, name, last)


def say(connection: Connection, name: str, words: Select[*tuple[Any, ...]]) -> None:
    """Make words (customer, text, number, instant, ref; one per customer) the profile's value of that name."""
    lay_out(connection, said)
    connection.execute(insert(said).from_select(list(_COLUMNS), words))
    theirs = and_(profile.c.customer_id == said.c.customer_id, profile.c.name == name)
    stated = func.coalesce(plain(profile.c.stated_at), plain(profile.c.since))
    later = exists().where(
        theirs, case((stated < plain(profile.c.since), plain(profile.c.since)), else_=stated) > said.c.at
    )
    connection.execute(delete(said).where(later))
    same = and_(profile.c.text.is_not_distinct_from(said.c.text), profile.c.number.is_not_distinct_from(said.c.number))
    nothing = and_(said.c.text.is_(None), said.c.number.is_(None))
    changed = select(said.c.customer_id, literal(f"changed:{name}"), said.c.at, said.c.ref).where(
        ~exists().where(theirs, same), ~and_(nothing, ~exists().where(theirs))
    )
    record_from(connection, changed)
    connection.execute(
        update(profile)
        .values(
            text=said.c.text,
            number=said.c.number,
            since=case((same, profile.c.since), else_=said.c.at),
            stated_at=said.c.at,
        )
        .where(theirs)
    )
    columns = ["customer_id", "name", "text", "number", "since", "stated_at"]
    new = select(said.c.customer_id, literal(name), said.c.text, said.c.number, said.c.at, said.c.at)
    insert_new_from(connection, profile, columns, new.where(~nothing))
