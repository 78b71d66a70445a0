"""The set-based tick says of every story what a plain reference says that looks at one customer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event
from tests.ledgers import empty_ledger
from tests.strategy.journeys.reference_plain import Plain
from tests.strategy.journeys.reference_product import Picture, Product, Undone, in_a_world
from tests.strategy.journeys.reference_stories import (
    GRID,
    Answers,
    Changes,
    Happens,
    Joins,
    Step,
    Story,
    Ticks,
    stories,
)

from aimwell.store.ledger.clocks import keep_anniversaries
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.ledger import Ledger
from aimwell.strategy.journeys.definition import Journey, ReEntry

WHOLE = settings().max_examples
CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def examples(few: int) -> settings:
    """So many stories by default (statements are compiled anew for each), and as many as asked for when thorough."""
    return settings(max_examples=WHOLE if WHOLE > 100 else few, suppress_health_check=CHECKS, deadline=None)


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with empty_ledger() as opened:
        with opened.writing() as connection:
            keep_anniversaries(connection)
        yield opened


def differences(product: Picture, plain: Picture) -> dict[str, tuple[list[Any], list[Any]]]:
    """What the product says and the reference does not, and the other way round; short, to be read."""
    return {
        name: ([row for row in rows if row not in plain[name]], [row for row in plain[name] if row not in rows])
        for name, rows in product.items()
        if rows != plain[name]
    }


def told(ledger: Ledger, story: Story, chunk: int) -> None:
    """Tell both a story, and compare what they say after each tick."""

    def tell(connection: Connection) -> None:
        product, plain = Product(ledger, connection, chunk), Plain.begin(story)
        product.begin(story)
        for step in story.steps:
            product.tell(step)
            plain.tell(step)
            if isinstance(step, Ticks):
                assert differences(product.picture(), plain.picture()) == {}

    in_a_world(ledger, tell)


@given(stories(), st.sampled_from((2, 5, 100, 100, 100)))
@examples(5)
def test_the_tick_agrees_with_the_plain_reference_after_every_step(ledger: Ledger, story: Story, chunk: int) -> None:
    told(ledger, story, chunk)


def settled(story: Story, ticks: list[datetime]) -> Story:
    """A story of which everything is known at the beginning, and nobody comes in twice."""
    once = [each.model_copy(update={"re_entry": ReEntry(allowed="never")}) for each in story.journeys]
    known: list[Step] = [
        replace(step, at=story.begin) if isinstance(step, Changes | Joins) else step
        for step in story.steps
        if isinstance(step, Happens | Changes) or (isinstance(step, Joins) and step.member)
    ]
    return Story(story.begin, story.zones, once, [*known, *(Ticks(at) for at in ticks)])


def outcome_of(ledger: Ledger, story: Story, chunk: int) -> Picture:
    """What the product says of a story at its end."""
    pictures: list[Picture] = []

    def tell(connection: Connection) -> None:
        product = Product(ledger, connection, chunk)
        product.begin(story)
        for step in story.steps:
            product.tell(step)
        pictures.append(product.picture())

    in_a_world(ledger, tell)
    return pictures[0]


@given(stories(), st.sampled_from((3, 5)))
@examples(2)
def test_ticking_often_or_rarely_in_large_or_small_chunks_leads_to_the_same(
    ledger: Ledger, story: Story, small: int
) -> None:
    end = story.begin + 240 * GRID
    often = [story.begin + number * timedelta(hours=17) for number in range(1, 7)]
    last = [end] * 3  # who is sent on into another journey comes in at the next tick
    rarely = outcome_of(ledger, settled(story, last), 100)
    assert outcome_of(ledger, settled(story, [*often, *last]), small) == rarely


@given(stories(), st.integers(1, 60))
@examples(2)
def test_a_tick_that_is_interrupted_at_any_statement_leaves_nothing_and_is_done_again(
    ledger: Ledger, story: Story, number: int
) -> None:
    end = story.begin + 240 * GRID
    whole = outcome_of(ledger, settled(story, [end]), 100)

    def tell(connection: Connection) -> None:
        product = Product(ledger, connection, 100)
        product.begin(story := settled_story)
        for step in story.steps[:-1]:
            product.tell(step)
        before, left = product.picture(), [number]

        def cut(*_: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Undone

        event.listen(connection, "before_cursor_execute", cut)
        try:
            with connection.begin_nested():
                product.tick(end)
        except Undone:
            event.remove(connection, "before_cursor_execute", cut)
            assert product.picture() == before
        else:
            event.remove(connection, "before_cursor_execute", cut)
        product.tick(end)
        assert product.picture() == whole

    settled_story = settled(story, [end])
    in_a_world(ledger, tell)


BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def one_journey(nodes: dict[str, object], **more: object) -> Journey:
    written = {
        "name": "one",
        "objective": "activation",
        "entry": {"event": "joined"},
        "hold_out": "0%",
        "goal": {"won": {"event": "bought"}},
        "within": "30d",
        "start": "first",
        "nodes": {**nodes, "over": {"end": {}}},
    }
    return Journey.model_validate(written | more)


def test_a_date_years_ahead_is_waited_for_and_one_long_ago_has_passed(ledger: Ledger) -> None:
    wait = {"wait": {"date": {"attribute": "due"}}, "to": {"next": "over", "passed": "over", "unknown": "over"}}
    steps: list[Step] = [
        Changes("ann", "due", date(2029, 3, 2), BEGIN),
        Changes("bo", "due", date(1990, 3, 2), BEGIN),
        *(Happens(each, "joined", BEGIN, "first") for each in ("ann", "bo", "cy")),
        Ticks(BEGIN),
    ]
    zones = dict.fromkeys(("ann", "bo", "cy"), "Europe/Berlin")
    picture = outcome_of(ledger, Story(BEGIN, zones, [one_journey({"first": wait})], steps), 100)
    assert {row[6] for row in picture["passages"]} == {"passed", "unknown", "end"}
    (waits,) = (row[15] for row in picture["enrolments"] if row[3] == "ann")
    assert abs(waits - datetime(2029, 3, 2, 8, tzinfo=UTC)) <= timedelta(hours=1)


def test_each_customer_waits_for_a_date_of_their_own(ledger: Ledger) -> None:
    wait = {"wait": {"date": {"attribute": "due"}}, "to": "over"}
    days = {"ann": date(2026, 3, 5), "bo": date(2026, 3, 9), "cy": date(2026, 3, 7)}
    steps: list[Step] = [
        *(Changes(each, "due", day, BEGIN) for each, day in days.items()),
        *(Happens(each, "joined", BEGIN, "first") for each in days),
        Ticks(BEGIN),
    ]
    picture = outcome_of(ledger, Story(BEGIN, dict.fromkeys(days, "UTC"), [one_journey({"first": wait})], steps), 2)
    assert {row[3]: row[15].date() for row in picture["enrolments"]} == days


def test_an_open_made_by_a_machine_is_no_answer(ledger: Ledger) -> None:
    nodes: dict[str, object] = {
        "first": {"send": {"channel": "push", "content": "hello"}, "to": "wait"},
        "wait": {
            "wait": {"event": {"opened": "first"}, "at_most": "1d"},
            "to": {"happened": "over", "timeout": "over"},
        },
    }
    begin: list[Step] = [Happens("ann", "joined", BEGIN, "first"), Ticks(BEGIN)]
    for machine, port in ((True, "timeout"), (False, "happened")):
        steps = [*begin, Answers(0, "opened", BEGIN + GRID, machine, "r"), Ticks(BEGIN + timedelta(days=2))]
        picture = outcome_of(ledger, Story(BEGIN, {"ann": "UTC"}, [one_journey(nodes)], steps), 100)
        assert port in {row[6] for row in picture["passages"]}


def test_what_is_dated_a_little_ahead_is_looked_at_when_its_instant_has_come(ledger: Ledger) -> None:
    wait = {"wait": {"event": {"event": "opened_app"}, "at_most": "9d"}, "to": {"happened": "over", "timeout": "over"}}
    minutes = timedelta(minutes=3)
    steps: list[Step] = [
        Happens("ann", "joined", BEGIN, "first"),
        Ticks(BEGIN),
        Happens("ann", "opened_app", BEGIN + minutes, "ahead"),
        Ticks(BEGIN + minutes / 2),
        Ticks(BEGIN + minutes),
    ]
    picture = outcome_of(ledger, Story(BEGIN, {"ann": "UTC"}, [one_journey({"first": wait})], steps), 100)
    assert [(row[7], row[9]) for row in picture["enrolments"]] == [("finished", BEGIN + minutes)]
    assert micros(BEGIN + minutes) == micros(picture["passages"][0][5])


def test_a_tag_that_was_taken_back_is_unknown(ledger: Ledger) -> None:
    cases = [{"port": "unlike", "if": {"tag": "mark", "is_not": "sms"}}]
    nodes: dict[str, object] = {
        "first": {"tag": {"name": "mark", "value": "push"}, "to": "back"},
        "back": {"tag": {"name": "mark", "clear": True}, "to": "gone"},
        "gone": {"branch": {"if": {"tag": "mark", "known": False}}, "to": {"yes": "differs", "no": "over"}},
        "differs": {"branch": {"cases": cases}, "to": {"unlike": "over", "otherwise": "over"}},
    }
    steps: list[Step] = [Happens("ann", "joined", BEGIN, "first"), Ticks(BEGIN)]
    picture = outcome_of(ledger, Story(BEGIN, {"ann": "UTC"}, [one_journey(nodes)], steps), 100)
    assert [row[6] for row in picture["passages"]] == ["next", "next", "yes", "otherwise", "end"]


def test_a_late_answer_counts_from_the_last_message_of_a_chain_on(ledger: Ledger) -> None:
    tries = [{"channel": "push", "content": "hello"}, {"channel": "sms", "content": "hello"}]
    chain = {"chain": {"channels": tries, "within": "1d"}, "to": {"answered": "over", "unanswered": "over"}}
    day = timedelta(days=1)
    steps: list[Step] = [
        Happens("ann", "joined", BEGIN, "first"),
        Ticks(BEGIN),
        Ticks(BEGIN + day),
        Answers(0, "opened", BEGIN + day / 8, False, "late"),
        Ticks(BEGIN + day * 1.1),
    ]
    picture = outcome_of(ledger, Story(BEGIN, {"ann": "UTC"}, [one_journey({"first": chain})], steps), 100)
    assert [row[4] for row in picture["intents"]] == [BEGIN, BEGIN + day]
    assert [(row[6], row[5]) for row in picture["passages"]] == [("answered", BEGIN + day), ("end", BEGIN + day)]


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("happened", "ended"),
    [
        ([("opened_app", DAY / 8)], (None, DAY / 8, "happened")),
        ([("opened_app", DAY)], (None, DAY, "happened")),
        ([("opened_app", DAY + timedelta(microseconds=1))], (None, DAY, "timeout")),
        ([("opened_app", DAY / 8), ("bought", DAY / 8)], ("goal", DAY / 8, None)),
        ([("closed", DAY / 8), ("bought", DAY / 8)], ("goal", DAY / 8, None)),
        ([("closed", DAY / 12), ("bought", DAY / 8)], ("closed", DAY / 12, None)),
        ([("bought", DAY)], ("goal", DAY, None)),
    ],
)
def test_at_one_instant_come_goal_exit_event_timer(
    ledger: Ledger, happened: list[tuple[str, timedelta]], ended: tuple[str | None, timedelta, str | None]
) -> None:
    wait = {"wait": {"event": {"event": "opened_app"}, "at_most": "1d"}, "to": {"happened": "over", "timeout": "over"}}
    journey = one_journey({"first": wait}, exits={"closed": {"event": "closed"}})
    events: list[Step] = [Happens("ann", name, BEGIN + after, name) for name, after in happened]
    steps: list[Step] = [Happens("ann", "joined", BEGIN, "first"), *events, Ticks(BEGIN + 2 * DAY)]
    story = Story(BEGIN, {"ann": "UTC"}, [journey], steps)
    told(ledger, story, 100)
    picture = outcome_of(ledger, story, 100)
    ports = [row[6] for row in picture["passages"] if row[2] == "first"]
    (row,) = picture["enrolments"]
    assert (row[8], row[9] - BEGIN, ports[0] if ports else None) == ended
