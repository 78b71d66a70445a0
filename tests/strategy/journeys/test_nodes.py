"""The contract of every kind of node, whoever wrote it: a new file is covered the moment it exists."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import event, func, insert, select, update
from tests.ledgers import empty_ledger

from aimwell.core.keys import shard_of
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import addition, enrolment, knock, task
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import customer, profile
from aimwell.strategy.journeys.applying import apply_version, written
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.entry import let_in
from aimwell.strategy.journeys.kinds import node_kinds
from aimwell.strategy.journeys.node import NodeKind
from aimwell.strategy.journeys.tick import Ticked, Ticker

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
KINDS = sorted(node_kinds())


def journey_of(kind: NodeKind[Any]) -> Journey:
    """A journey of that node alone, with its example, every port leading to the end."""
    settings = kind.settings.model_validate(kind.example)
    to = dict.fromkeys((*kind.ports(settings), *kind.optional_ports(settings)), "done")
    return Journey.model_validate(
        {
            "name": "tried",
            "objective": "activation",
            "entry": {"api": True},
            "goal": {"bought": {"event": "order"}},
            "within": "30d",
            "hold_out": "0%",
            "start": "here",
            "nodes": {"here": {kind.name: dict(kind.example), "to": to}, "done": {"end": {}}},
        }
    )


def put_in(ledger: Ledger, journey: Journey, people: int) -> None:
    with ledger.writing() as connection:
        rows = [
            {
                "customer_id": f"c{i}",
                "shard": shard_of(f"c{i}"),
                "zone": "Asia/Shanghai",
                "held_out": False,
                "created_at": NOW,
            }
            for i in range(people)
        ]
        connection.execute(insert(customer), rows)
        apply_version(connection, journey, NOW, "test")
        knocks = [{"journey": "tried", "customer_id": row["customer_id"], "cause": "api:1", "at": NOW} for row in rows]
        connection.execute(insert(knock), knocks)
        let_in(connection, NOW)


@contextmanager
def statements(ledger: Ledger) -> Iterator[list[str]]:
    """The texts of the statements that run while the block does."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        seen.append(text)

    event.listen(ledger.state, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(ledger.state, "before_cursor_execute", note)


def written_rows(ledger: Ledger) -> dict[str, int]:
    with ledger.reading() as connection:
        tables = (intent, task, addition, profile)
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def die_in_a_tick(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        Ticker(ledger).move_chunk(connection, micros(NOW), Ticked())
        raise RuntimeError("killed")


@pytest.mark.parametrize("name", KINDS)
def test_every_setting_has_a_description_and_the_example_comes_back_as_it_was(name: str) -> None:
    kind = node_kinds()[name]
    schema = kind.settings.model_json_schema()
    assert [key for key, value in schema.get("properties", {}).items() if not value.get("description")] == []
    assert kind.label.zh
    assert kind.about.zh
    settings = kind.settings.model_validate(kind.example)
    dumped = settings.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert kind.settings.model_validate(json.loads(json.dumps(dumped))) == settings
    whole = journey_of(kind)
    assert Journey.model_validate(json.loads(written(whole))["journey"]) == whole


@pytest.mark.parametrize("name", KINDS)
def test_the_ports_differ_and_every_one_leads_on(name: str) -> None:
    kind = node_kinds()[name]
    settings = kind.settings.model_validate(kind.example)
    ports = [*kind.ports(settings), *kind.optional_ports(settings)]
    assert len(set(ports)) == len(ports)
    assert not {"~", "moved"} & set(ports)


@pytest.mark.parametrize("name", KINDS)
def test_a_thousand_people_take_as_many_statements_as_one(name: str) -> None:
    counts = []
    for people in (1, 1_000):
        with empty_ledger() as ledger:
            put_in(ledger, journey_of(node_kinds()[name]), people)
            with statements(ledger) as seen:
                Ticker(ledger).tick(NOW)
            counts.append(len(seen))
        assert not [text for text in seen if re.search(r"\bnow\(|current_(time|date)|julianday|random\(", text, re.I)]
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("name", KINDS)
def test_coming_again_to_what_was_done_writes_nothing_again(name: str, ledger: Ledger) -> None:
    put_in(ledger, journey_of(node_kinds()[name]), 20)
    Ticker(ledger).tick(NOW)
    first = written_rows(ledger)
    again = {"state": "active", "reason": None, "ended_at": None, "node": "here", "visit": 0, "at": NOW, "due_at": NOW}
    with ledger.writing() as connection:
        connection.execute(update(enrolment).values(again))
    Ticker(ledger).tick(NOW)
    assert written_rows(ledger) == first
    with ledger.reading() as connection:
        causes = select(knock.c.customer_id, func.count(knock.c.cause.distinct())).group_by(knock.c.customer_id)
        assert {count for _, count in connection.execute(causes)} <= {1}


@pytest.mark.parametrize("name", KINDS)
def test_a_tick_that_dies_leaves_nothing_and_the_next_does_it_all(name: str, ledger: Ledger) -> None:
    put_in(ledger, journey_of(node_kinds()[name]), 5)
    with pytest.raises(RuntimeError, match="killed"):
        die_in_a_tick(ledger)
    assert set(written_rows(ledger).values()) == {0}
    Ticker(ledger).tick(NOW)
    with ledger.reading() as connection:
        assert connection.scalar(select(func.count()).where(enrolment.c.visit == 0)) == 0


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_reads_a_clock(name: str) -> None:
    source = inspect.getsource(inspect.getmodule(type(node_kinds()[name])))  # type: ignore[arg-type]
    assert not re.search(r"\.now\(|\.today\(|utcnow|time\.time|func\.random|import random", source)


@pytest.mark.postgres
@pytest.mark.parametrize("name", KINDS)
def test_both_databases_do_the_same(name: str, ledger: Ledger, postgres_url: str) -> None:
    server = open_ledger(postgres_url)
    try:
        for each in (ledger, server):
            put_in(each, journey_of(node_kinds()[name]), 30)
            for days in (0, 1, 2, 3, 4):
                Ticker(each).tick(NOW + timedelta(days=days))
        assert written_rows(ledger) == written_rows(server)
        rows = []
        for each in (ledger, server):
            with each.reading() as connection:
                columns = (enrolment.c.id, enrolment.c.state, enrolment.c.node, enrolment.c.at, enrolment.c.due_at)
                rows.append(connection.execute(select(*columns).order_by(enrolment.c.id)).all())
        assert rows[0] == rows[1]
    finally:
        server.close()


def test_the_published_schema_takes_what_we_take_and_refuses_what_we_refuse() -> None:
    schema = Journey.model_json_schema()
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    for name in KINDS:
        journey = journey_of(node_kinds()[name]).model_dump(mode="json", by_alias=True, exclude_defaults=True)
        assert [error.message for error in check.iter_errors(journey)] == [], name
    good = journey_of(node_kinds()["send"]).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    spoiled: list[dict[str, object]] = [
        {"nodes": {"here": {"finish": {}}}},
        {"nodes": {"here": {"send": {"channel": "push"}}}},
        {"nodes": {"here": {"wait": {"event": {"opens": "here"}, "at_most": "1d"}}}},
        {"goal": {"bought": {"event": "order", "opened": "here"}}},
        {"objective": "fame"},
    ]
    for each in spoiled:
        whole = {**good, **each}
        assert list(check.iter_errors(whole)), each
        with pytest.raises(ValueError, match=r"\w"):
            Journey.model_validate(whole)
