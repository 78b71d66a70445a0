"""Small stories of calls, schedules, new versions and merges, told to product and reference, and looked at by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection
from tests.strategy.journeys.reference_plain import Plain
from tests.strategy.journeys.reference_product import Picture, Product, in_a_world
from tests.strategy.journeys.reference_stories import (
    Answers,
    Applies,
    Calls,
    Changes,
    Consents,
    Fails,
    Happens,
    Joins,
    Merges,
    Moves,
    Pauses,
    Step,
    Story,
    Ticks,
)

from aimwell.store.ledger.ledger import Ledger
from aimwell.strategy.journeys.definition import Journey

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
TRIES = [{"channel": each, "content": "hello"} for each in ("push", "sms", "wechat")]
PUSH = {"send": {"channel": "push", "content": "hello"}, "to": "rest"}
REST = {"wait": {"for": "10d"}, "to": "over"}
MARRIED = Merges("ann", "bo", BEGIN + 2 * DAY)


def journey(nodes: dict[str, object], start: str, **more: object) -> Journey:
    written = {
        "name": "one",
        "objective": "activation",
        "entry": [{"event": "joined"}, {"api": True}],
        "hold_out": "0%",
        "goal": {"won": {"event": "bought"}},
        "within": "30d",
        "start": start,
        "nodes": {**nodes, "over": {"end": {}}},
    }
    return Journey.model_validate(written | more)


def chain(**more: object) -> dict[str, object]:
    settings = {"channels": TRIES, "within": "1d", **more}
    return {"chain": {"chain": settings, "to": {"answered": "over", "unanswered": "over"}}}


def told(ledger: Ledger, first: Journey, *steps: Step, people: tuple[str, ...] = ("ann", "bo")) -> Picture:
    """What both say at the end of a story; they must agree after each tick."""
    story = Story(BEGIN, dict.fromkeys(people, "UTC"), [first], steps)
    pictures: list[Picture] = []

    def tell(connection: Connection) -> None:
        product, plain = Product(ledger, connection, 100), Plain.begin(story)
        product.begin(story)
        for step in steps:
            product.tell(step)
            plain.tell(step)
            if isinstance(step, Ticks):
                pictures.append(product.picture())
                assert pictures[-1] == plain.picture()

    in_a_world(ledger, tell)
    return pictures[-1]


def joins(who: str, at: datetime = BEGIN) -> Step:
    return Happens(who, "joined", at, f"{who} {at}")


def asked(picture: Picture) -> list[tuple[str, timedelta]]:
    return sorted(((row[2], row[4] - BEGIN) for row in picture["intents"]), key=lambda each: each[1])


def states(picture: Picture) -> dict[str, str | None]:
    return {row[4]: row[8] for row in picture["enrolments"]}


def test_whoever_was_moved_within_a_chain_is_asked_by_what_was_not_tried_after_one_more_wait(ledger: Ledger) -> None:
    first = journey(chain(), "chain")
    second = first.model_copy(update={"layout": {"chain": (1.0, 1.0)}})
    moves: list[Step] = [Applies(second, BEGIN + 1.5 * DAY), Moves("one", (1, 2), {}, BEGIN + 1.5 * DAY)]
    ticks = [Ticks(BEGIN + hours * DAY / 4) for hours in range(6, 20)]
    picture = told(ledger, first, joins("ann"), Ticks(BEGIN), Ticks(BEGIN + DAY), *moves, *ticks, people=("ann",))
    assert asked(picture) == [("push", 0 * DAY), ("sms", DAY), ("wechat", 2.5 * DAY)]


def test_an_answer_from_before_a_move_counts_as_of_the_move(ledger: Ledger) -> None:
    first = journey(chain(), "chain")
    second = first.model_copy(update={"layout": {"chain": (1.0, 1.0)}})
    moves: list[Step] = [Applies(second, BEGIN + DAY / 2), Moves("one", (1, 2), {}, BEGIN + DAY / 2)]
    late = Answers(0, "opened", BEGIN + DAY / 4, False, "late")
    picture = told(ledger, first, joins("ann"), Ticks(BEGIN), *moves, late, Ticks(BEGIN + DAY), people=("ann",))
    passed = [(row[6], row[4] - BEGIN, row[5] - BEGIN) for row in picture["passages"] if row[2] == "chain"]
    assert passed == [("moved", 0 * DAY, DAY / 2), ("answered", DAY / 2, DAY / 2)]


def test_a_move_by_a_map_acts_at_the_new_node_and_asks_nothing_twice(ledger: Ledger) -> None:
    first = journey({"push": PUSH, "rest": REST}, "push")
    again = {"wait": {"for": "1d"}, "to": "sms"}
    sms = {"send": {"channel": "sms", "content": "again"}, "to": "over"}
    second = journey({"push": {**PUSH, "to": "again"}, "again": again, "sms": sms}, "push")
    moves: list[Step] = [Applies(second, BEGIN + DAY), Moves("one", (1, 2), {"rest": "push"}, BEGIN + DAY)]
    picture = told(ledger, first, joins("ann"), Ticks(BEGIN), *moves, Ticks(BEGIN + 3 * DAY), people=("ann",))
    assert asked(picture) == [("push", 0 * DAY), ("sms", 2 * DAY)]
    assert [row[6] for row in picture["passages"]] == ["next", "moved", "next", "next", "next", "end"]


def test_of_two_in_one_journey_who_are_one_the_furthest_goes_on(ledger: Ledger) -> None:
    first = journey({"push": PUSH, "rest": {"wait": {"for": "1d"}, "to": "later"}, "later": {**REST}}, "push")
    steps: list[Step] = [
        joins("bo"),
        joins("ann", BEGIN + 1.5 * DAY),
        Ticks(BEGIN + 1.75 * DAY),
        MARRIED,
        Ticks(BEGIN + 2 * DAY),
    ]
    picture = told(ledger, first, *steps)
    rows = {(row[6] - BEGIN) / DAY: (row[3], row[7], row[8]) for row in picture["enrolments"]}
    assert rows == {0: ("ann", "active", None), 1.5: ("ann", "exited", "merged")}
    by_entry = sorted((row[4] - BEGIN, row[1], row[6], row[7]) for row in picture["intents"])
    assert by_entry == [(0 * DAY, "ann", "waiting", None), (1.5 * DAY, "ann", "not_sent", "merged")]


def test_what_one_of_two_did_ends_the_journey_of_the_other_once_they_are_one(ledger: Ledger) -> None:
    bought = Happens("bo", "bought", BEGIN + DAY, "b")
    steps: list[Step] = [joins("ann"), Ticks(BEGIN), bought, Ticks(BEGIN + DAY), MARRIED, Ticks(BEGIN + 2 * DAY)]
    (row,) = told(ledger, journey({"push": PUSH, "rest": REST}, "push"), *steps)["enrolments"]
    assert (row[7], row[8], row[9]) == ("finished", "goal", BEGIN + DAY)


@pytest.mark.parametrize(("one", "other"), [(True, False), (False, True)])
def test_a_refusal_of_either_holds_for_both_until_a_newer_word(ledger: Ledger, one: bool, other: bool) -> None:
    words: list[Step] = [Consents("ann", "sms", one, BEGIN), Consents("bo", "sms", other, BEGIN + DAY), MARRIED]
    first = journey({"push": PUSH, "rest": REST}, "push")
    picture = told(ledger, first, *words, Ticks(BEGIN + 2 * DAY))
    assert picture["consents"] == [("ann", "sms", False, BEGIN + DAY)]
    newer = Consents("ann", "sms", True, BEGIN + 3 * DAY)
    picture = told(ledger, first, *words, newer, Ticks(BEGIN + 3 * DAY))
    assert picture["consents"] == [("ann", "sms", True, BEGIN + 3 * DAY)]


def test_a_new_version_knows_of_no_event_that_nobody_asked_for_before(ledger: Ledger) -> None:
    first = journey({"push": PUSH, "rest": REST}, "push")
    second = journey({"push": PUSH, "rest": REST}, "push", exits={"gone": {"event": "refunded"}})
    early, late = (Happens("ann", "refunded", BEGIN + days * DAY, f"{days}") for days in (1, 3))
    moves: list[Step] = [Applies(second, BEGIN + 2 * DAY), Moves("one", (1, 2), {}, BEGIN + 2 * DAY)]
    steps = [joins("ann"), Ticks(BEGIN), early, *moves, Ticks(BEGIN + 2 * DAY)]
    assert states(told(ledger, first, *steps)) == {"event:joined:ann 2026-03-02 09:00:00+00:00": None}
    assert states(told(ledger, first, *steps, late, Ticks(BEGIN + 3 * DAY))) == {
        "event:joined:ann 2026-03-02 09:00:00+00:00": "gone"
    }


def test_a_call_lets_in_once_for_each_request(ledger: Ledger) -> None:
    calls = [Calls("one", ("ann", "who"), BEGIN, request) for request in ("r", "r", "s")]
    picture = told(ledger, journey({"push": PUSH, "rest": REST}, "push"), *calls, Ticks(BEGIN))
    assert [row[4] for row in picture["enrolments"]] == ["api:r"]
    assert {(row[1], row[2], row[4]) for row in picture["refusals"]} == {
        *(("who", f"api:{request}", "unknown_customer") for request in ("r", "s")),
        ("ann", "api:s", "entered_before"),
    }


def test_a_schedule_calls_late_but_not_for_what_passed_while_the_journey_was_paused(ledger: Ledger) -> None:
    daily = {"schedule": {"time": "10:00", "segment": "vip", "zone": "customer"}}
    first = journey({"push": {**PUSH, "to": "over"}}, "push", entry=daily, re_entry="after_end")
    steps: list[Step] = [
        *(Joins("ann", "vip", BEGIN, True), Ticks(BEGIN + 2 * DAY)),
        *(Pauses("one", "paused"), Ticks(BEGIN + 4 * DAY), Pauses("one", "running"), Ticks(BEGIN + 5 * DAY)),
    ]
    entered = {(row[6] - BEGIN) / timedelta(hours=1) for row in told(ledger, first, *steps)["enrolments"]}
    assert entered == {1, 24 * 4 + 1}


def test_the_preferred_channel_goes_first_as_the_tag_is_when_the_next_is_asked_for(ledger: Ledger) -> None:
    first = journey(chain(prefer="best"), "chain")
    steps: list[Step] = [
        *(Changes("ann", "best", "wechat", BEGIN), joins("ann"), Ticks(BEGIN)),
        *(Changes("ann", "best", "sms", BEGIN), Fails(0, BEGIN + DAY / 2), Ticks(BEGIN + DAY), Ticks(BEGIN + 2 * DAY)),
    ]
    picture = told(ledger, first, *steps, people=("ann",))
    assert asked(picture) == [("wechat", 0 * DAY), ("sms", DAY / 2), ("push", 1.5 * DAY)]


@pytest.mark.parametrize(
    ("born", "expected"),
    [(date(2000, 2, 29), date(2027, 2, 28)), (date(1984, 3, 2), date(2026, 3, 2)), (date(1850, 1, 1), None)],
)
def test_a_yearly_date_returns_now_or_later_or_is_unknown(ledger: Ledger, born: date, expected: date | None) -> None:
    wait = {"wait": {"date": {"attribute": "due", "yearly": True}}, "to": {"next": "over", "unknown": "over"}}
    steps: list[Step] = [Changes("ann", "due", born, BEGIN), joins("ann"), Ticks(BEGIN)]
    picture = told(ledger, journey({"wait": wait}, "wait"), *steps, people=("ann",))
    (row,) = picture["enrolments"]
    if expected is None or expected == BEGIN.date():
        assert [each[6] for each in picture["passages"]] == ["unknown" if expected is None else "next", "end"]
    else:
        assert (row[7], row[15].date()) == ("active", expected)
