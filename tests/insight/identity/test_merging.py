from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from tests.insight.identity.books import NOW, SETTINGS, absorb_all, customers, dump, empty, tell
from tests.insight.identity.letters import letters, message

from aimwell.core.errors import BadQuestion
from aimwell.core.keys import shard_of
from aimwell.insight.identity.merging import Union, merge, merge_customers, moving_tables
from aimwell.insight.identity.resolution import ANONYMOUS, USER, Node
from aimwell.insight.identity.settling import join, undo
from aimwell.store.ledger.consents import set_consent
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema import STATE
from aimwell.store.ledger.schema.enrolments import cursor, enrolment
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.ledger.schema.people import consent, customer, identifier, membership, profile

few = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

HELD = ("customer", "identifier", "profile", "consent", "membership")


def person(ledger: Ledger, *names: str) -> None:
    with ledger.writing() as connection:
        for name in names:
            row = {"customer_id": name, "shard": shard_of(name), "zone": "UTC", "held_out": False, "created_at": 5}
            connection.execute(insert(customer), [row])


def enrol(ledger: Ledger, number: int, who: str, journey: str = "welcome", **given_: Any) -> None:
    row: dict[str, Any] = {
        "id": number, "journey": journey, "version_id": 1, "customer_id": who, "shard": shard_of(who), "cause": "api",
        "number": 1, "entered_at": number, "state": "active", "held_out": False, "node": "n", "visit": 1, "step": 1,
        "moves": 0, "at": 10, "due_at": 99, "timer_at": 99,
    }  # fmt: skip
    with ledger.writing() as connection:
        connection.execute(insert(enrolment), [row | given_])


def plan(ledger: Ledger, key: str, enrolment_id: int, who: str, state: str, contacted_at: int | None = None) -> None:
    row = {
        "key": key, "enrolment_id": enrolment_id, "journey": "welcome", "version_id": 1, "node": "n", "visit": 1,
        "step": 1, "customer_id": who, "shard": shard_of(who), "channel": "sms", "content": "c",
        "purpose": "marketing", "planned_at": 1, "due_at": 50, "state": state, "contacted_at": contacted_at,
        "changed_at": 1,
    }  # fmt: skip
    with ledger.writing() as connection:
        connection.execute(insert(intent), [row])


def said(ledger: Ledger, who: str, *, granted: bool, at: int, channel: str = "sms") -> None:
    from aimwell.store.ledger.columns import instant

    with ledger.writing() as connection:
        set_consent(connection, who, channel, "marketing", granted=granted, at=instant(at), source="page")


def united(ledger: Ledger, kept: str, gone: str) -> int:
    with ledger.writing() as connection:
        merge(connection, kept, gone, because={"by": "test"}, at=NOW)
    return last(ledger)


def last(ledger: Ledger) -> int:
    return max(int(row["id"]) for row in dump(ledger, "merge")["merge"])


def test_every_table_with_a_customer_goes_with_him(ledger: Ledger) -> None:
    combined = {"customer", "profile", "consent", "membership"}
    tables = {table.name for table in STATE.sorted_tables if "customer_id" in table.columns}
    assert {table.name for table in moving_tables()} == tables - combined
    assert all(STATE.tables[name].primary_key.columns for name in tables)


def test_the_stricter_consent_holds_and_only_a_newer_word_lifts_it(ledger: Ledger) -> None:
    person(ledger, "a", "b")
    said(ledger, "a", granted=True, at=20)
    said(ledger, "b", granted=False, at=10)
    united(ledger, "a", "b")
    said(ledger, "a", granted=True, at=20)  # the same word again, as a replay has it
    said(ledger, "a", granted=True, at=15)
    assert [(row["customer_id"], row["granted"]) for row in dump(ledger, "consent")["consent"]] == [("a", False)]
    said(ledger, "a", granted=True, at=21)
    assert dump(ledger, "consent")["consent"][0]["granted"]


def test_the_furthest_enrolment_goes_on_and_the_others_exit_as_merged(ledger: Ledger) -> None:
    person(ledger, "a", "b")
    enrol(ledger, 1, "a", moves=1)
    enrol(ledger, 2, "b", moves=3)
    enrol(ledger, 3, "b", "other")
    enrol(ledger, 4, "b", state="finished", due_at=None)
    plan(ledger, "1:n:1:1", 1, "a", "waiting")
    plan(ledger, "2:n:1:1", 2, "b", "waiting")
    united(ledger, "a", "b")
    rows = {row["id"]: row for row in dump(ledger, "enrolment")["enrolment"]}
    assert {row["customer_id"] for row in rows.values()} == {"a"}
    assert {row["shard"] for row in rows.values()} == {shard_of("a")}
    assert [(rows[n]["state"], rows[n]["reason"]) for n in (1, 2, 3, 4)] == [
        ("exited", "merged"), ("active", None), ("active", None), ("finished", None),
    ]  # fmt: skip
    assert (rows[1]["due_at"], rows[1]["ended_at"] is not None) == (None, True)
    assert rows[2]["due_at"] == rows[2]["at"], "looked at once"
    intents = {row["key"]: (row["state"], row["reason"], row["due_at"]) for row in dump(ledger, "intent")["intent"]}
    assert intents == {"1:n:1:1": ("not_sent", "merged", None), "2:n:1:1": ("waiting", None, 50)}


@pytest.mark.parametrize(("first", "second", "survivor"), [((2, 5), (2, 4), 2), ((2, 4), (2, 4), 1)])
def test_of_two_equally_far_the_one_that_entered_first_goes_on_then_the_smaller_id(
    ledger: Ledger, first: tuple[int, int], second: tuple[int, int], survivor: int
) -> None:
    person(ledger, "a", "b")
    enrol(ledger, 1, "a", moves=first[0], entered_at=first[1])
    enrol(ledger, 2, "b", moves=second[0], entered_at=second[1])
    united(ledger, "a", "b")
    active = [row["id"] for row in dump(ledger, "enrolment")["enrolment"] if row["state"] == "active"]
    assert active == [survivor]


def test_contacts_of_both_count_together_and_memberships_are_united(ledger: Ledger) -> None:
    person(ledger, "a", "b")
    for number, who in enumerate("aabbb"):
        enrol(ledger, number, who, state="finished", due_at=None)
        plan(ledger, f"{number}:n:1:1", number, who, "accepted", contacted_at=number)
    with ledger.writing() as connection:
        row = {"enrolment_id": 3, "node": "n", "customer_id": "b", "at": 1, "machine": False, "recorded_at": 1}
        connection.execute(insert(outcome), [row | {"key": "3:n:1:1", "kind": "opened", "ref": "r"}])
        for who, since in (("a", 7), ("b", 3)):
            connection.execute(insert(membership), [{"customer_id": who, "segment": "vip", "since": since}])
    united(ledger, "a", "b")
    with ledger.reading() as connection:
        contacted = select(intent.c.key).where(intent.c.customer_id == "a", intent.c.contacted_at.is_not(None))
        assert len(connection.execute(contacted).all()) == 5
    assert dump(ledger, "outcome")["outcome"][0]["customer_id"] == "a"
    assert dump(ledger, "membership")["membership"] == [{"customer_id": "a", "segment": "vip", "since": 3}]


PEOPLE = ("a", "b", "c", "d")
ROWS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["x", "y"]), st.integers(1, 4), st.booleans()), max_size=12
)


def furnish(ledger: Ledger, rows: list[tuple[str, str, int, bool]]) -> None:
    """Give people values, consents, memberships, enrolments and contacts."""
    person(ledger, *PEOPLE)
    for number, (who, name, at, yes) in enumerate(
        {(who, name): (who, name, at, yes) for who, name, at, yes in rows}.values()
    ):
        enrol(ledger, number, who, name, moves=at)
        plan(ledger, f"{number}:n:1:1", number, who, "accepted", contacted_at=at)
        with ledger.writing() as connection:
            key = {"customer_id": who, "since": at}
            connection.execute(insert(profile), [key | {"name": name, "text": f"{who}{at}", "number": None}])
            row = {"channel": name, "purpose": "marketing", "granted": yes, "source": f"s{number}"}
            connection.execute(insert(consent), [key | row])
            connection.execute(insert(membership), [key | {"segment": name}])


def owned(ledger: Ledger) -> dict[str, Any]:
    """Everything that the order of merges must not change: the merge log and why, or when, are left out."""
    held = dump(ledger, "profile", "consent", "membership", "intent", "enrolment")
    for row in held["enrolment"]:
        del row["due_at"]
    return held


@few
@given(rows=ROWS, order=st.permutations([("a", "b"), ("b", "c"), ("c", "d")]))
def test_chains_of_merges_end_alike_whatever_their_order(
    ledger: Ledger, rows: list[tuple[str, str, int, bool]], order: list[tuple[str, str]]
) -> None:
    ends = []
    for pairs in ([("a", "b"), ("b", "c"), ("c", "d")], order):
        empty(ledger)
        furnish(ledger, rows)
        now = {name: name for name in PEOPLE}
        for one, other in pairs:
            kept, gone = sorted((now[one], now[other]))
            united(ledger, kept, gone)
            now = {name: kept if owner == gone else owner for name, owner in now.items()}
        ends.append(owned(ledger))
    assert ends[0] == ends[1]
    assert {row["customer_id"] for row in ends[0]["intent"]} <= {"a"}


@few
@given(rows=ROWS)
def test_all_at_once_is_the_same_as_one_by_one(ledger: Ledger, rows: list[tuple[str, str, int, bool]]) -> None:
    empty(ledger)
    furnish(ledger, rows)
    for gone in "bcd":
        united(ledger, "a", gone)
    one_by_one = owned(ledger)
    empty(ledger)
    furnish(ledger, rows)
    with ledger.writing() as connection:
        merge_customers(connection, [Union("a", gone, {}) for gone in "bcd"], NOW)
    assert owned(ledger) == one_by_one


@few
@given(rows=ROWS)
def test_undo_gives_back_what_a_merge_took(ledger: Ledger, rows: list[tuple[str, str, int, bool]]) -> None:
    empty(ledger)
    furnish(ledger, rows)
    before = dump(ledger, *HELD, "intent")
    owners = {row["id"]: row["customer_id"] for row in dump(ledger, "enrolment")["enrolment"]}
    number = united(ledger, "a", "b")
    with ledger.writing() as connection:
        undo(connection, number, settings=SETTINGS, at=NOW)
    assert dump(ledger, *HELD, "intent") == before
    assert {row["id"]: row["customer_id"] for row in dump(ledger, "enrolment")["enrolment"]} == owners


@few
@given(messages=letters(10), extra=st.integers(0, 3))
def test_undo_parts_the_people_and_the_same_messages_never_join_them_again(
    ledger: Ledger, messages: list[Any], extra: int
) -> None:
    empty(ledger)
    tell(ledger, *messages)
    log = [row for row in dump(ledger, "merge")["merge"] if row["undone_at"] is None]
    if not log:
        return
    chosen = log[extra % len(log)]
    with ledger.writing() as connection:
        undo(connection, chosen["id"], settings=SETTINGS, at=NOW)
    apart = customers(ledger)
    sides = [
        {apart[Node(*node)] for node in json.loads(chosen["before"])[side]} for side in ("members", "kept_members")
    ]
    assert not sides[0] & sides[1]
    with ledger.reading() as connection:
        assert set(connection.scalars(select(customer.c.customer_id))) == set(apart.values())
    with ledger.writing() as connection:
        connection.execute(update(cursor).values(position=0))
    absorb_all(ledger)
    assert customers(ledger) == apart


def test_undo_gives_back_identity_profile_and_consent_of_two_who_signed_in(ledger: Ledger) -> None:
    tell(ledger, message(1, "identify", device="d1", traits={"plan": "free", "consent": {"sms": False}}))
    tell(ledger, message(2, "identify", "ann", traits={"plan": "gold", "consent": {"sms": True}}))
    before = dump(ledger, *HELD)
    tell(ledger, message(3, "identify", "ann", "d1"))
    assert customers(ledger) == {Node(ANONYMOUS, "d1"): "ann", Node(USER, "ann"): "ann"}
    assert [row["granted"] for row in dump(ledger, "consent")["consent"]] == [False]
    log = dump(ledger, "merge")["merge"][0]
    assert (log["kept"], log["gone"]) == ("ann", "anon:d1")
    assert json.loads(log["because"])["link"] == ["anonymous_id", "d1", "user_id", "ann"]
    with ledger.writing() as connection:
        undo(connection, log["id"], settings=SETTINGS, at=NOW)
    assert dump(ledger, *HELD) == before


def test_what_was_refused_while_they_were_one_holds_for_both(ledger: Ledger) -> None:
    tell(ledger, message(1, "identify", "ann"), message(2, "identify", "bob"))
    tell(ledger, message(3, "alias", "ann", previous="bob"))
    said(ledger, "ann", granted=False, at=9_000_000)
    with ledger.writing() as connection:
        undo(connection, last(ledger), settings=SETTINGS, at=NOW)
    refused = [(row["customer_id"], row["granted"]) for row in dump(ledger, "consent")["consent"]]
    assert refused == [("ann", False), ("bob", False)]


def test_what_changed_after_the_merge_stays_with_the_one_who_was_kept(ledger: Ledger) -> None:
    tell(ledger, message(1, "identify", "ann"), message(2, "identify", "bob", traits={"plan": "free", "age": 30}))
    tell(ledger, message(3, "alias", "ann", previous="bob"))
    tell(ledger, message(4, "identify", "ann", traits={"plan": "gold"}))
    with ledger.writing() as connection:
        undo(connection, last(ledger), settings=SETTINGS, at=NOW)
    values = {(row["customer_id"], row["name"]): row["text"] for row in dump(ledger, "profile")["profile"]}
    assert values == {("ann", "plan"): "gold", ("bob", "plan"): "free", ("bob", "age"): None}


def test_a_late_message_moves_a_device_with_all_that_it_brought(ledger: Ledger) -> None:
    """The tablet seemed Bob's; an earlier sign-in, that arrives late, makes it Ann's."""
    tell(ledger, message(1, "identify", device="tablet", traits={"plan": "free"}))
    enrol(ledger, 7, "anon:tablet")
    tell(ledger, message(3, "identify", "bob", "tablet"))
    assert dump(ledger, "enrolment")["enrolment"][0]["customer_id"] == "bob"
    (absorbed,) = tell(ledger, message(2, "identify", "ann", "tablet"))
    assert customers(ledger)[Node(ANONYMOUS, "tablet")] == "ann"
    assert dump(ledger, "enrolment")["enrolment"][0]["customer_id"] == "ann"
    assert [(row["customer_id"], row["text"]) for row in dump(ledger, "profile")["profile"]] == [("ann", "free")]
    assert (absorbed.partings, absorbed.merges) == (1, 1)


def test_the_refusal_of_a_customer_goes_with_whoever_leaves_him(ledger: Ledger) -> None:
    tell(ledger, message(2, "identify", "bob", "tablet", traits={"consent": False}))
    tell(ledger, message(1, "identify", "ann", "tablet"))
    refused = {row["customer_id"] for row in dump(ledger, "consent")["consent"] if not row["granted"]}
    assert refused == {"ann", "bob"}


def test_an_undone_merge_cannot_be_undone_again_nor_one_that_never_was(ledger: Ledger) -> None:
    tell(ledger, message(1, "page", device="d1"), message(2, "track", "ann"))
    tell(ledger, message(3, "identify", "ann", "d1"))
    number = last(ledger)
    with ledger.writing() as connection:
        undo(connection, number, settings=SETTINGS, at=NOW)
        with pytest.raises(BadQuestion, match="undone already"):
            undo(connection, number, settings=SETTINGS, at=NOW)
        with pytest.raises(BadQuestion, match="no such merge"):
            undo(connection, 999, settings=SETTINGS, at=NOW)


def test_two_people_are_joined_by_hand_also_after_an_undo(ledger: Ledger) -> None:
    tell(ledger, message(1, "track", "ann"), message(2, "track", "bob"))
    for _ in itertools.repeat(None, 2):
        with ledger.writing() as connection:
            join(connection, "bob", "ann", settings=SETTINGS, at=NOW, by="member:1")
        assert set(customers(ledger).values()) == {"ann"}
        with ledger.writing() as connection:
            undo(connection, last(ledger), settings=SETTINGS, at=NOW)
        assert set(customers(ledger).values()) == {"ann", "bob"}
    with ledger.writing() as connection, pytest.raises(BadQuestion, match="Nobody is known as zoe"):
        join(connection, "zoe", "ann", settings=SETTINGS, at=NOW, by="member:1")


def test_identifiers_put_by_others_go_with_the_customer_and_come_back(ledger: Ledger) -> None:
    tell(ledger, message(1, "track", "ann"), message(2, "track", "bob"))
    row = {"kind": "card", "value": "77", "customer_id": "bob", "verified": True, "first_seen": 1, "last_seen": 1}
    with ledger.writing() as connection:
        connection.execute(insert(identifier), [row | {"source": "bank"}])
    tell(ledger, message(3, "alias", "ann", previous="bob"))

    def owner() -> str:
        rows = dump(ledger, "identifier")["identifier"]
        return next(str(each["customer_id"]) for each in rows if each["kind"] == "card")

    assert owner() == "ann"
    with ledger.writing() as connection:
        undo(connection, last(ledger), settings=SETTINGS, at=NOW)
    assert owner() == "bob"
