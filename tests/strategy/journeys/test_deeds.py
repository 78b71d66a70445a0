"""What each kind of node does to people: chains, tags, scores, leads, other journeys, birthdays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from aimwell.core.definitions import parse_definitions
from aimwell.core.errors import BadQuestion
from aimwell.core.keys import shard_of
from aimwell.store.ledger.clocks import day_number
from aimwell.store.ledger.happenings import Happening, record
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment, knock, passage, task, task_stage
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.ledger.schema.people import customer, profile
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.entry import let_in
from aimwell.strategy.journeys.tasks import Stage, set_stage
from aimwell.strategy.journeys.tick import Ticker

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)
HEAD = """\
objective: activation
entry: {api: true}
re_entry: always
goal: {bought: {event: order}}
within: 900d
hold_out: 0%
"""
CHAIN = """\
start: chain
nodes:
  chain:
    chain:
      channels: [{channel: push, content: a}, {channel: sms, content: b, within: 1d}, {channel: wechat, content: c}]
      within: 2d
      prefer: best
      remember: best
    to: {answered: done, unanswered: lapsed}
  lapsed: {tag: {name: lapsing}, to: done}
  done: {end: {}}
"""


def run(ledger: Ledger, body: str, name: str = "tried", at: datetime = NOW) -> None:
    (found,) = parse_definitions(HEAD + body, "j.yaml", Journey, name=name)
    with ledger.writing() as connection:
        apply_version(connection, found, at, "test")


def come(ledger: Ledger, *names: str, at: datetime = NOW, journey: str = "tried", cause: str = "api:1") -> None:
    with ledger.writing() as connection:
        known = set(connection.scalars(select(customer.c.customer_id)))
        rows = [
            {"customer_id": name, "shard": shard_of(name), "zone": "Asia/Shanghai", "held_out": False, "created_at": at}
            for name in names
            if name not in known
        ]
        if rows:
            connection.execute(insert(customer), rows)
        knocks = [{"journey": journey, "customer_id": name, "cause": cause, "at": at} for name in names]
        connection.execute(insert(knock), knocks)


def tick(ledger: Ledger, at: datetime) -> None:
    with ledger.writing() as connection:
        let_in(connection, at)
    Ticker(ledger).tick(at)


def know(ledger: Ledger, name: str, value: str, *, text: str | None = None, number: float | None = None) -> None:
    with ledger.writing() as connection:
        connection.execute(insert(profile).values(customer_id=name, name=value, text=text, number=number, since=NOW))


def values(ledger: Ledger, name: str) -> dict[str, tuple[str | None, float | None]]:
    with ledger.reading() as connection:
        rows = connection.execute(select(profile).where(profile.c.customer_id == name))
        return {row.name: (row.text, row.number) for row in rows}


def sent(ledger: Ledger, name: str) -> list[tuple[str, datetime]]:
    with ledger.reading() as connection:
        rows = connection.execute(
            select(intent.c.channel, intent.c.planned_at)
            .where(intent.c.customer_id == name)
            .order_by(intent.c.planned_at, intent.c.step)
        )
        return [(channel, at) for channel, at in rows]


def path(ledger: Ledger, name: str, journey: str = "tried") -> list[str]:
    with ledger.reading() as connection:
        rows = select(passage.c.node, passage.c.port).join(enrolment, enrolment.c.id == passage.c.enrolment_id)
        mine = rows.where(enrolment.c.customer_id == name, enrolment.c.journey == journey)
        return [f"{node}:{port}" for node, port in connection.execute(mine.order_by(enrolment.c.id, passage.c.move))]


def answer(
    ledger: Ledger, name: str, channel: str, at: datetime, *, kind: str = "opened", machine: bool = False
) -> None:
    with ledger.writing() as connection:
        row = connection.execute(select(intent).where(intent.c.customer_id == name, intent.c.channel == channel)).one()
        told = {"key": row.key, "kind": kind, "ref": "r", "enrolment_id": row.enrolment_id, "node": row.node}
        more = {"customer_id": name, "at": at, "machine": machine, "recorded_at": at}
        connection.execute(insert(outcome).values(**told, **more))
        record(connection, [Happening(name, f"outcome:tried:{row.node}:{kind}", at, row.key)])


def test_a_chain_tries_each_channel_for_its_time_and_then_gives_up(ledger: Ledger) -> None:
    run(ledger, CHAIN)
    come(ledger, "ann")
    for day in range(7):
        tick(ledger, NOW + day * DAY)
    assert sent(ledger, "ann") == [("push", NOW), ("sms", NOW + 2 * DAY), ("wechat", NOW + 3 * DAY)]
    assert path(ledger, "ann") == ["chain:unanswered", "lapsed:next", "done:end"]
    assert values(ledger, "ann") == {"lapsing": ("true", 1.0)}


def test_who_comes_to_a_chain_again_is_asked_by_all_its_channels_again_whoever_else_is_there(ledger: Ledger) -> None:
    run(ledger, CHAIN.replace("done: {end: {}}", "done: {wait: {for: 1d}, to: chain}"))
    come(ledger, "ann")
    for day in range(9):
        if day == 5:  # ann comes for the second time, bob for the first, in one chunk
            come(ledger, "bob", at=NOW + day * DAY)
        tick(ledger, NOW + day * DAY)
    assert [channel for channel, _ in sent(ledger, "ann")] == ["push", "sms", "wechat", "push", "sms"]
    assert sent(ledger, "bob") == [("push", NOW + 5 * DAY), ("sms", NOW + 7 * DAY), ("wechat", NOW + 8 * DAY)]


def test_one_late_tick_sends_what_ten_timely_ones_send(ledger: Ledger) -> None:
    run(ledger, CHAIN)
    come(ledger, "ann")
    tick(ledger, NOW + 30 * DAY)
    assert sent(ledger, "ann") == [("push", NOW), ("sms", NOW + 2 * DAY), ("wechat", NOW + 3 * DAY)]


def test_whoever_answers_is_asked_no_further_and_is_reached_there_first_next_time(ledger: Ledger) -> None:
    run(ledger, CHAIN)
    come(ledger, "ann")
    for day in range(4):
        tick(ledger, NOW + day * DAY)
    answer(ledger, "ann", "wechat", NOW + 4 * DAY)
    tick(ledger, NOW + 4 * DAY)
    assert path(ledger, "ann") == ["chain:answered", "done:end"]
    assert values(ledger, "ann") == {"best": ("wechat", None)}
    come(ledger, "ann", at=NOW + 9 * DAY, cause="api:2")
    for day in range(9, 13):
        tick(ledger, NOW + day * DAY)
    assert [channel for channel, _ in sent(ledger, "ann")] == ["push", "sms", "wechat", "wechat", "push"]


def test_an_answer_to_an_earlier_message_counts_and_one_by_a_machine_does_not(ledger: Ledger) -> None:
    run(ledger, CHAIN)
    come(ledger, "ann", "bob")
    for day in range(3):
        tick(ledger, NOW + day * DAY)
    answer(ledger, "ann", "push", NOW + 2 * DAY + timedelta(hours=1))
    answer(ledger, "bob", "push", NOW + 2 * DAY + timedelta(hours=1), machine=True)
    for day in range(3, 9):
        tick(ledger, NOW + day * DAY)
    assert path(ledger, "ann") == ["chain:answered", "done:end"]
    assert values(ledger, "ann") == {"best": ("push", None)}
    assert path(ledger, "bob")[0] == "chain:unanswered"


def test_the_answer_comes_before_the_end_of_the_time_at_one_instant(ledger: Ledger) -> None:
    run(ledger, CHAIN)
    come(ledger, "ann")
    tick(ledger, NOW)
    answer(ledger, "ann", "push", NOW + 2 * DAY)
    tick(ledger, NOW + 2 * DAY)
    assert path(ledger, "ann") == ["chain:answered", "done:end"]


@pytest.mark.parametrize("state", ["not_sent", "dead"])
def test_the_next_channel_is_tried_at_once_when_a_message_was_not_sent(ledger: Ledger, state: str) -> None:
    run(ledger, CHAIN)
    come(ledger, "ann")
    tick(ledger, NOW)
    soon = NOW + timedelta(minutes=5)
    with ledger.writing() as connection:
        connection.execute(update(intent).values(state=state, changed_at=soon))
        record(connection, [Happening("ann", "not_sent:tried:chain", soon, "x")])
    tick(ledger, soon)
    assert sent(ledger, "ann") == [("push", NOW), ("sms", soon)]


SCORE = (
    "start: add\nnodes:\n  add: {score: {name: points, add: 40, at_most: 100, start: 5}, to: done}\n  done: {end: {}}\n"
)


def test_a_score_begins_where_it_says_adds_once_per_visit_and_stays_within_its_bounds(ledger: Ledger) -> None:
    run(ledger, SCORE)
    seen = []
    for turn in range(4):
        come(ledger, "ann", at=NOW + turn * DAY, cause=f"api:{turn}")
        tick(ledger, NOW + turn * DAY)
        seen.append(values(ledger, "ann")["points"][1])
    assert seen == [45, 85, 100, 100]


def test_two_enrolments_of_one_customer_in_one_tick_both_add(ledger: Ledger) -> None:
    run(ledger, SCORE)
    come(ledger, "ann", cause="api:1")
    come(ledger, "ann", cause="api:2")
    tick(ledger, NOW)
    assert values(ledger, "ann")["points"] == (None, 85.0)


def test_a_value_set_in_one_journey_wakes_who_waits_for_it_in_another(ledger: Ledger) -> None:
    wait = "{wait: {event: {tag: city, is: 上海}, at_most: 50d}, to: {happened: done, timeout: done}}"
    waiting = f"start: w\nnodes:\n  w: {wait}\n  done: {{end: {{}}}}\n"
    run(ledger, waiting, "waits")
    run(ledger, "start: t\nnodes:\n  t: {tag: {name: city, value: 上海}, to: done}\n  done: {end: {}}\n")
    come(ledger, "ann", journey="waits")
    come(ledger, "ann")
    tick(ledger, NOW)
    tick(ledger, NOW)
    assert path(ledger, "ann", "waits") == ["w:happened", "done:end"]


@pytest.mark.parametrize(
    ("tag", "kept"), [("{name: plan, clear: true}", (None, None)), ("{name: plan, value: 3}", (None, 3.0))]
)
def test_a_tag_is_taken_back_or_set_and_a_later_word_stays(
    ledger: Ledger, tag: str, kept: tuple[str | None, float | None]
) -> None:
    run(ledger, f"start: t\nnodes:\n  t: {{tag: {tag}, to: done}}\n  done: {{end: {{}}}}\n")
    come(ledger, "ann", "bob")
    know(ledger, "ann", "plan", text="gold")
    know(ledger, "bob", "plan", text="gold")
    with ledger.writing() as connection:
        connection.execute(update(profile).where(profile.c.customer_id == "bob").values(stated_at=NOW + DAY))
    tick(ledger, NOW)
    assert values(ledger, "ann")["plan"] == kept
    assert values(ledger, "bob")["plan"] == ("gold", None)


LEAD = """\
start: call
nodes:
  call: {lead: {title: Wants a loan, owner: sales}, to: wait}
  wait:
    wait: {any: [{task: {node: call, stage: done}}, {task: {node: call, stage: rejected}}], at_most: 20d}
    to: {happened: how, timeout: done}
  how: {branch: {if: {task: {node: call, stage: rejected}}}, to: {yes: rest, no: done}}
  rest: {wait: {for: 3d}, to: call}
  done: {end: {}}
"""


def move(ledger: Ledger, stage: Stage, at: datetime) -> str:
    with ledger.writing() as connection:
        key: str = connection.scalars(select(task.c.key).where(task.c.stage == "open")).one()
        assert set_stage(connection, key, stage, at, who="li", note="no answer")
        assert not set_stage(connection, key, stage, at, who="li")
        return key


def test_a_lead_that_sales_rejects_comes_back_and_a_new_one_is_made_later(ledger: Ledger) -> None:
    run(ledger, LEAD)
    come(ledger, "ann")
    tick(ledger, NOW)
    first = move(ledger, "rejected", NOW + DAY)
    tick(ledger, NOW + DAY)
    assert path(ledger, "ann") == ["call:next", "wait:happened", "how:yes"]
    tick(ledger, NOW + 4 * DAY)
    assert path(ledger, "ann")[3:] == ["rest:next", "call:next"]
    second = move(ledger, "done", NOW + 5 * DAY)
    tick(ledger, NOW + 5 * DAY)
    assert path(ledger, "ann")[5:] == ["wait:happened", "how:no", "done:end"]
    assert first != second
    with ledger.writing() as connection:
        assert connection.execute(select(task_stage.c.stage, task_stage.c.who, task_stage.c.note)).all() == [
            ("rejected", "li", "no answer"),
            ("done", "li", "no answer"),
        ]
        with pytest.raises(BadQuestion, match="is rejected and cannot become open"):
            set_stage(connection, first, "open", NOW, who="li")
        with pytest.raises(BadQuestion, match="no lead or task 'x'"):
            set_stage(connection, "x", "open", NOW, who="li")


def test_entering_another_journey_starts_it_with_the_key_as_its_cause(ledger: Ledger) -> None:
    run(ledger, "start: done\nnodes: {done: {end: {}}}\n", "second")
    run(ledger, "start: e\nnodes:\n  e: {enter: {journey: second}, to: done}\n  done: {end: {}}\n")
    come(ledger, "ann")
    tick(ledger, NOW)
    tick(ledger, NOW)
    assert path(ledger, "ann", "second") == ["done:end"]
    with ledger.reading() as connection:
        first, second = connection.execute(
            select(enrolment.c.id, enrolment.c.cause).order_by(enrolment.c.journey.desc())
        )
        assert second.cause == f"enter:{first.id}:e:1:1"


BIRTHDAYS: Mapping[str, tuple[date, int, datetime]] = {
    "still to come this year": (date(1990, 7, 9), 0, datetime(2026, 7, 9, 1, tzinfo=UTC)),
    "past already": (date(1990, 1, 9), 0, datetime(2027, 1, 9, 1, tzinfo=UTC)),
    "this very day, later": (date(1969, 3, 3), 0, datetime(2026, 3, 3, 1, tzinfo=UTC)),
    "a week ahead": (date(1990, 7, 9), -7, datetime(2026, 7, 2, 1, tzinfo=UTC)),
    "a week after a day that is over": (date(1990, 2, 27), 7, datetime(2026, 3, 6, 1, tzinfo=UTC)),
    "29 February in another year": (date(2000, 2, 29), 0, datetime(2027, 2, 28, 1, tzinfo=UTC)),
    "28 February": (date(1900, 2, 28), 0, datetime(2027, 2, 28, 1, tzinfo=UTC)),
}


def birthday(days: int = 0) -> str:
    date_of = f"{{attribute: born, yearly: true, days: {days}}}"
    return f"start: w\nnodes:\n  w: {{wait: {{date: {date_of}}}, to: done}}\n  done: {{end: {{}}}}\n"


def due_at(ledger: Ledger, name: str) -> datetime | None:
    with ledger.reading() as connection:
        found: datetime | None = connection.scalar(select(enrolment.c.due_at).where(enrolment.c.customer_id == name))
        return found


@pytest.mark.parametrize(("born", "days", "due"), BIRTHDAYS.values(), ids=BIRTHDAYS)
def test_a_birthday_comes_when_the_day_returns(ledger: Ledger, born: date, days: int, due: datetime) -> None:
    come(ledger, "ann", "bob")
    know(ledger, "ann", "born", number=float(day_number(born)))
    run(ledger, birthday(days))
    tick(ledger, NOW)
    assert due_at(ledger, "ann") == due
    assert path(ledger, "bob") == ["w:unknown", "done:end"]


def test_29_february_is_kept_on_its_own_day_in_a_leap_year(ledger: Ledger) -> None:
    later = datetime(2028, 1, 5, tzinfo=UTC)
    come(ledger, "ann", at=later)
    know(ledger, "ann", "born", number=float(day_number(date(2000, 2, 29))))
    run(ledger, birthday(), at=later)
    tick(ledger, later)
    assert due_at(ledger, "ann") == datetime(2028, 2, 29, 1, tzinfo=UTC)


def test_who_comes_from_a_timezone_that_was_new_waits_for_the_time_there(ledger: Ledger) -> None:
    run(ledger, 'start: w\nnodes:\n  w: {wait: {until: {time: "10:00"}}, to: done}\n  done: {end: {}}\n')
    come(ledger, "ann")
    tick(ledger, NOW)
    assert due_at(ledger, "ann") == datetime(2026, 3, 3, 2, tzinfo=UTC)
