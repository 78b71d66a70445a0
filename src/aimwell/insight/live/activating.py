"""Puts what insight finds where journeys and channels read it: customers, memberships and values of the ledger.

Memberships come as changes: who entered and who left since the last time, each with the happening that lets people
into journeys or out of them. A segment that is asked for the first time comes whole and without happenings: nobody
enters a segment by our beginning to look. The place reached is kept in the ledger with the changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, select
from sqlglot import exp

from aimwell.core.keys import shard_of, share_of
from aimwell.core.time import from_store, to_store
from aimwell.insight.identity.addresses import normalise
from aimwell.insight.identity.resolution import USER
from aimwell.insight.predictions.score import TABLE as SCORE
from aimwell.insight.profiles.build import PROFILE
from aimwell.insight.segments.membership import CHANGES, MEMBERSHIP, last_builds
from aimwell.store.ledger.columns import instant, micros
from aimwell.store.ledger.happenings import Happening, listened, record
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor
from aimwell.store.ledger.schema.people import customer, identifier, membership, profile
from aimwell.store.ledger.writes import insert_new, put
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.warehouse import Warehouse

_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Activated:
    """What was brought into the ledger."""

    entered: int = 0
    left: int = 0
    values: int = 0
    customers: int = 0


def activate_memberships(warehouse: Warehouse, ledger: Ledger, segments: Collection[str], now: datetime) -> Activated:
    """Bring the changes of these segments since the last time into the ledger, oldest first.

    segments: those that journeys ask for.   now: from when on people enter a segment of an empty warehouse.
    Each segment's changes of one build are one transaction.
    """
    built = last_builds(warehouse.engine)
    entered = left = 0
    for name in sorted(segments):
        with ledger.reading() as connection:
            place = _place(connection, name)
        if place is None:
            if name in built:
                entered += _take_whole(warehouse, ledger, name, built[name])
            elif not any(
                facts.rows for facts in warehouse.catalog.values()
            ):  # nobody is there yet: whoever comes enters
                with ledger.writing() as connection:
                    _keep_place(connection, name, now)
            continue
        for as_of, changes in _changes_since(warehouse, name, place):
            came = [customer_id for customer_id, change in changes if change == "enter"]
            went = [customer_id for customer_id, change in changes if change == "leave"]
            with ledger.writing() as connection:
                _apply(connection, name, as_of, came, went)
                _keep_place(connection, name, as_of)
            entered, left = entered + len(came), left + len(went)
    return Activated(entered=entered, left=left)


def _take_whole(warehouse: Warehouse, ledger: Ledger, name: str, as_of: datetime) -> int:
    """Everyone who belongs to the segment as of its last build."""
    members = exp.select("customer_id", "since").from_(MEMBERSHIP).where(_named(name))
    count = 0
    with ledger.writing() as connection:
        for batch in warehouse.engine.batches(members, _CHUNK):
            rows = [
                {"customer_id": row["customer_id"], "segment": name, "since": from_store(row["since"])}
                for row in batch.to_pylist()
            ]
            count += insert_new(connection, membership, rows)
        _keep_place(connection, name, as_of)
    return count


def _changes_since(
    warehouse: Warehouse, name: str, place: datetime
) -> Iterator[tuple[datetime, list[tuple[str, str]]]]:
    later = exp.GT(this=exp.column("as_of"), expression=instant_literal(to_store(place)))
    query = exp.select("customer_id", "change", "as_of").from_(CHANGES).where(_named(name), later)
    rows = warehouse.engine.to_arrow(query.order_by("as_of", "customer_id")).to_pylist()
    by_build: dict[datetime, list[tuple[str, str]]] = {}
    for row in rows:
        by_build.setdefault(from_store(row["as_of"]), []).append((row["customer_id"], row["change"]))
    yield from by_build.items()


def _apply(connection: Connection, name: str, as_of: datetime, came: Sequence[str], went: Sequence[str]) -> None:
    put(connection, membership, [{"customer_id": each, "segment": name, "since": as_of} for each in came])
    if went:
        theirs = and_(membership.c.customer_id == bindparam("gone"), membership.c.segment == name)
        connection.execute(delete(membership).where(theirs), [{"gone": each} for each in went])
    ref = str(micros(as_of))
    changes = [("enter", each) for each in came] + [("leave", each) for each in went]
    heard = listened(connection)
    record(
        connection,
        [Happening(who, f"{what}:{name}", as_of, ref) for what, who in changes if f"{what}:{name}" in heard],
    )


def activate_findings(warehouse: Warehouse, ledger: Ledger, names: Collection[str]) -> Activated:
    """Bring tags of the last profile and the last scores of predictions into the ledger, as far as they are new.

    names: those that journeys ask for; a name that is neither a tag of the profile nor a scored prediction comes with
    messages, or from nowhere. A value counts since the instant of the profile or of the scoring.
    """
    standing = set(warehouse.engine.tables())
    tags = set(warehouse.engine.columns(PROFILE)) - {"customer_id", "as_of"} if PROFILE in standing else set()
    changed = 0
    for name in sorted(names):
        found = _tag_query(warehouse, name) if name in tags else None
        if found is None and SCORE in standing:
            found = _score_query(warehouse, name)
        if found is None:
            continue
        query, as_of = found
        consumer = f"value:{name}"
        with ledger.reading() as connection:
            place = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == consumer))
        if place is not None and place >= micros(as_of):
            continue
        changed += activate_values(warehouse, ledger, {name: query}, as_of).values
        with ledger.writing() as connection:
            put(connection, cursor, [{"consumer": consumer, "position": micros(as_of)}])
    return Activated(values=changed)


def _tag_query(warehouse: Warehouse, name: str) -> tuple[exp.Select, datetime] | None:
    as_of = _last(warehouse, PROFILE)
    value = exp.alias_(exp.column(name, quoted=True), "value")
    return (exp.select("customer_id", value).from_(PROFILE).where(_at(as_of)), as_of) if as_of else None


def _score_query(warehouse: Warehouse, name: str) -> tuple[exp.Select, datetime] | None:
    mine = exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(name))
    as_of = _last(warehouse, SCORE, mine)
    return (exp.select("customer_id", "value").from_(SCORE).where(mine.copy(), _at(as_of)), as_of) if as_of else None


def _last(warehouse: Warehouse, table: str, *conditions: exp.Expr) -> datetime | None:
    query = exp.select(exp.alias_(exp.Max(this=exp.column("as_of")), "last")).from_(table).where(*conditions)
    last = warehouse.engine.to_arrow(query).column("last")[0].as_py()
    return None if last is None else from_store(last)


def _at(as_of: datetime) -> exp.Expr:
    return exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(as_of)))


def activate_values(
    warehouse: Warehouse, ledger: Ledger, queries: Mapping[str, exp.Select], as_of: datetime
) -> Activated:
    """Bring values of customers (tags, scores) into the ledger's profile, those that changed.

    queries: by the name of the value, each giving customer_id and value (a number, a text or a truth).
    as_of: since when a changed value counts.
    """
    changed = 0
    for name, query in sorted(queries.items()):
        for batch in warehouse.engine.batches(query, _CHUNK):
            rows = {row["customer_id"]: row["value"] for row in batch.to_pylist()}
            with ledger.writing() as connection:
                changed += _keep_values(connection, name, rows, as_of)
    return Activated(values=changed)


def _keep_values(connection: Connection, name: str, values: Mapping[str, Any], as_of: datetime) -> int:
    """Write the values that differ from those that are there, with the happenings that follow."""
    known: dict[str, tuple[str | None, float | None]] = {}
    ids = sorted(values)
    for start in range(0, len(ids), 500):
        query = select(profile.c.customer_id, profile.c.text, profile.c.number).where(
            profile.c.name == name, profile.c.customer_id.in_(ids[start : start + 500])
        )
        known |= {row.customer_id: (row.text, row.number) for row in connection.execute(query)}
    rows = []
    for who, value in values.items():
        stated = _typed(value)
        if stated != (None, None) and known.get(who) != stated:
            rows.append({"customer_id": who, "name": name, "text": stated[0], "number": stated[1], "since": as_of})
    put(connection, profile, rows)
    signal = f"changed:{name}"
    if rows and signal in listened(connection):
        record(connection, [Happening(str(row["customer_id"]), signal, as_of, str(micros(as_of))) for row in rows])
    return len(rows)


def _typed(value: Any) -> tuple[str | None, float | None]:  # noqa: ANN401 (whatever a tag holds)
    if value is None:
        return None, None
    if isinstance(value, bool):
        return None, float(value)
    if isinstance(value, str):
        return value, None
    return None, float(value)


def activate_customers(
    warehouse: Warehouse, ledger: Ledger, *, zone: str, hold_out: float, kinds: Iterable[str] = ("email", "phone")
) -> Activated:
    """Make the customers of the warehouse known to the ledger, each under its id, with the addresses that are loaded.

    zone: timezone of those of whom none is known.   hold_out: share of customers who get no marketing at all.
    """
    count = 0
    for query in _known(warehouse):
        for batch in warehouse.engine.batches(query, _CHUNK):
            rows = [_customer_row(row, zone, hold_out) for row in batch.to_pylist()]
            with ledger.writing() as connection:
                count += insert_new(connection, customer, rows)
                insert_new(connection, identifier, [_named_by(row["customer_id"], row["created_at"]) for row in rows])
    _activate_addresses(warehouse, ledger, tuple(kinds))
    return Activated(customers=count)


def _known(warehouse: Warehouse) -> Iterator[exp.Select]:
    """Who is known and what is known of them; those last of whom there are only purchases or events."""
    for table in ("customer", "purchase", "event"):
        present = warehouse.engine.columns(table)
        columns = [name for name in ("customer_id", "created_at", "language", "timezone") if name in present]
        if "customer_id" in present:
            wanted = columns if table == "customer" else ["customer_id"]
            some = exp.Not(this=exp.Is(this=exp.column("customer_id"), expression=exp.Null()))
            yield exp.select(*wanted).distinct().from_(table).where(some)


def _named_by(customer_id: object, since: object) -> dict[str, object]:
    """The identifier under which the company knows a customer whom it has loaded."""
    return {
        "kind": USER,
        "value": customer_id,
        "customer_id": customer_id,
        "verified": True,
        "first_seen": since,
        "last_seen": since,
        "source": "warehouse",
    }


def _customer_row(row: Mapping[str, Any], zone: str, hold_out: float) -> dict[str, object]:
    who = row["customer_id"]
    created = row.get("created_at")
    return {
        "customer_id": who,
        "shard": shard_of(who),
        "zone": row.get("timezone") or zone,
        "language": row.get("language"),
        "held_out": share_of("hold-out", who) < hold_out,
        "created_at": from_store(created) if created else instant(0),
    }


def _activate_addresses(warehouse: Warehouse, ledger: Ledger, kinds: tuple[str, ...]) -> None:
    """What the table `identifier` of the warehouse has of these kinds; the company's own data count as verified."""
    if "identifier" not in warehouse.engine.tables():
        return
    query = exp.select("customer_id", "kind", "value", "first_seen", "last_seen").from_("identifier")
    for batch in warehouse.engine.batches(query.where(exp.column("kind").isin(*kinds)), _CHUNK):
        rows = []
        for row in batch.to_pylist():
            value = normalise(row["kind"], row["value"])
            if value is not None:
                first, last = (
                    from_store(row[name]) if row[name] else instant(0) for name in ("first_seen", "last_seen")
                )
                rows.append(
                    {
                        "kind": row["kind"],
                        "value": value,
                        "customer_id": row["customer_id"],
                        "verified": True,
                        "first_seen": first,
                        "last_seen": last,
                        "source": "warehouse",
                    }
                )
        with ledger.writing() as connection:
            insert_new(connection, identifier, rows)


def _place(connection: Connection, segment: str) -> datetime | None:
    found = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == f"segment:{segment}"))
    return None if found is None else instant(found)


def _keep_place(connection: Connection, segment: str, as_of: datetime) -> None:
    put(connection, cursor, [{"consumer": f"segment:{segment}", "position": micros(as_of)}])


def _named(segment: str) -> exp.Expr:
    return exp.EQ(this=exp.column("segment"), expression=exp.Literal.string(segment))
