"""What was said about people becomes their profile: the last word holds, in whatever order the words arrive."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, and_, bindparam, func, select, update

from aimwell.insight.identity.evidence import StatedConsent, StatedValue, rank
from aimwell.insight.identity.holdings import LOCALITY, Record, stated_at
from aimwell.insight.identity.resolution import Node
from aimwell.insight.identity.scratch import ask_customers, asked_customer, asked_value, fill, plain
from aimwell.insight.identity.traits import Value
from aimwell.store.ledger.columns import instant
from aimwell.store.ledger.consents import ConsentStatement, set_consents
from aimwell.store.ledger.happenings import Happening
from aimwell.store.ledger.schema.people import customer, profile
from aimwell.store.ledger.writes import put

_Place = tuple[str, str]


def state_consents(connection: Connection, consents: Iterable[StatedConsent], customers: Mapping[Node, str]) -> int:
    """Take consents from messages; returns how many changed what holds."""
    return set_consents(
        connection,
        [
            ConsentStatement(customers[said.actor], said.channel, said.purpose, said.granted, said.at, said.message_id)
            for said in consents
        ],
    )


def state_values(
    connection: Connection,
    values: Iterable[StatedValue],
    customers: Mapping[Node, str],
    *,
    most: int,
    listened: Collection[str],
    left_out: Counter[str],
) -> list[Happening]:
    """Take profile values from messages; returns the changes that somebody listens for.

    A value said earlier never replaces one said later; said again it is only noted when. A customer gets at most
    `most` attributes; further ones are counted in `left_out`.
    """
    said: defaultdict[_Place, list[StatedValue]] = defaultdict(list)
    for stated in values:
        said[customers[stated.actor], stated.name].append(stated)
    if not said:
        return []
    current = _read_current(connection, said)
    for place in _surplus(connection, said.keys() - current.keys(), most):
        left_out["too_many_attributes"] += len(said.pop(place))
    rows: dict[_Place, Record] = {}
    changes: list[tuple[_Place, StatedValue]] = []
    for place, words in said.items():
        row = current.get(place)
        after = _fold(row, words, place, changes)
        if after is not None and after != row:
            rows[place] = after
    put(connection, profile, [{"customer_id": who, "name": name, **row} for (who, name), row in sorted(rows.items())])
    _keep_locality(connection, rows)
    signals = ((f"changed:{name}", who, word) for (who, name), word in changes)
    return [
        Happening(who, signal, instant(word.at), word.message_id) for signal, who, word in signals if signal in listened
    ]


def _fold(
    row: Record | None, words: Sequence[StatedValue], place: _Place, changes: list[tuple[_Place, StatedValue]]
) -> Record | None:
    """The row after these words, in the order of their time."""
    for word in sorted(words, key=lambda each: (each.at, rank(each.value))):
        before = None if row is None else Value(row["text"], row["number"])
        if row is not None and before is not None and (word.at, rank(word.value)) <= (stated_at(row), rank(before)):
            continue
        same = row is not None and before == word.value
        since = row["since"] if row is not None and same else word.at
        row = {"text": word.value.text, "number": word.value.number, "since": since, "stated_at": word.at}
        if not same and (before is not None or word.value != Value(None, None)):
            changes.append((place, word))
    return row


def _read_current(connection: Connection, places: Collection[_Place]) -> dict[_Place, Record]:
    fill(connection, asked_value, [{"customer_id": who, "name": name} for who, name in sorted(places)])
    rest = [column for column in profile.columns if column.name not in ("customer_id", "name")]
    query = select(profile.c.customer_id, profile.c.name, *(plain(column) for column in rest)).join(
        asked_value, and_(profile.c.customer_id == asked_value.c.customer_id, profile.c.name == asked_value.c.name)
    )
    names = [column.name for column in rest]
    return {(who, name): dict(zip(names, held, strict=True)) for who, name, *held in connection.execute(query)}


def _surplus(connection: Connection, new: Collection[_Place], most: int) -> list[_Place]:
    """New attributes beyond the limit; of several that come together the first by name stay."""
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for who, name in sorted(new):
        if name not in LOCALITY:
            wanted[who].append(name)
    if not wanted:
        return []
    ask_customers(connection, wanted)
    query = (
        select(profile.c.customer_id, func.count().label("held"))
        .join(asked_customer, asked_customer.c.customer_id == profile.c.customer_id)
        .group_by(profile.c.customer_id)
    )
    counts = {row.customer_id: row.held for row in connection.execute(query)}
    return [(who, name) for who, names in wanted.items() for name in names[max(0, most - counts.get(who, 0)) :]]


def _keep_locality(connection: Connection, rows: Mapping[_Place, Record]) -> None:
    """Timezone and language are columns of the customer, so that set-based work need not look them up."""
    for name, column in LOCALITY.items():
        statement = update(customer).where(customer.c.customer_id == bindparam("who"))
        values = [{"who": who, "new": row["text"]} for (who, key), row in rows.items() if key == name and row["text"]]
        if values:
            connection.execute(statement.values({column: bindparam("new")}), values)
