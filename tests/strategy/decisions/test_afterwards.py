"""What came of a decision by channel: who was reached, why others were not, and what each channel caused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import insert
from tests.ledgers import empty_ledger
from tests.strategy.decisions.town import LATER, NOW, buy, decision, kept, town

from aimwell.core.time import to_store
from aimwell.insight.effects.kept import Run, keep_scores
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.ledger.schema.journeys import journey_version, listening
from aimwell.store.ledger.schema.outbox import intent
from aimwell.strategy.decisions.afterwards import Afterwards, compare, last_compared
from aimwell.strategy.decisions.contacts import Contacts, Sendings, contacts_of, sendings
from aimwell.strategy.decisions.deciding import decide

PEOPLE = 4000


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with town(tmp_path, PEOPLE) as opened:
        yield opened


def worth(number: int, treatment: str) -> float:
    """Letters bring what they promise; calls nothing at all."""
    return 4 * number / PEOPLE if treatment == "letter" else 0.0


def told(workshop: Workshop, **words: Any) -> Afterwards:
    decide(decision(**words), workshop, NOW, currency="GBP")
    buy(workshop, worth)
    return compare(decision(**words), workshop, LATER)


def test_each_channel_is_told_what_it_caused_by_those_of_its_kind_who_were_held_out(workshop: Workshop) -> None:
    found = {each.channel: each for each in told(workshop, explore=0, budget=3000).channels}
    rows = kept(workshop)
    letters = [row for row in rows if row["treatment"] == "letter"]
    truth = sum(worth(int(row["customer_id"][1:]), "letter") for row in letters)
    mail, phone = found["mail"], found["phone"]
    assert mail.customers == len(letters)
    assert mail.planned.value == pytest.approx(truth)
    assert mail.happened is not None
    assert mail.happened.low < truth < mail.happened.high
    # Purchases before the decision take off the habit: with it the interval would be ten times as wide.
    assert mail.happened.high - mail.happened.low < truth / 5
    assert phone.planned.value == pytest.approx(1.5 * phone.customers)
    assert phone.happened is not None
    assert phone.happened.high < phone.planned.value / 2
    assert mail.compared == sum(row["held_out"] and row["aim"] == "letter" for row in rows)


def test_a_measured_gain_is_never_called_assumed_afterwards_however_unsure_it_is(workshop: Workshop) -> None:
    letter = {"channel": "mail", "cost": 1, "gain": {"effect": "post", "times": 10}}
    call = {"channel": "phone", "cost": 1, "gain": {"amount": 1.5}}
    names = [f"c{number:05d}" for number in range(PEOPLE)]
    effect = np.arange(PEOPLE) / PEOPLE
    details = {
        "customer_id": names,
        "effect_name": ["post"] * PEOPLE,
        "treatment": ["letter"] * PEOPLE,
        **dict.fromkeys(("effect", "low", "high"), effect),
        "error": np.ones(PEOPLE),
        "differs": [True] * PEOPLE,
        "money": [False] * PEOPLE,
    }
    keep_scores(workshop, Run("post", "letter", "v1", NOW), effect, pa.table(details))
    found = told(workshop, explore=0, budget=None, treatments={"letter": letter, "call": call})
    assert {each.channel: each.assumed for each in found.channels} == {"mail": False, "phone": True}
    mail = next(each for each in found.channels if each.channel == "mail")
    assert mail.planned.high - mail.planned.value > mail.planned.value  # told with its error, which is above it
    assert {row["basis"] for row in kept(workshop)} == {"experiment", "assumed", ""}


def test_those_held_out_have_the_aim_that_others_like_them_got(workshop: Workshop) -> None:
    decide(decision(explore=0), workshop, NOW, currency="GBP")
    rows = kept(workshop)
    differ = [row for row in rows if not row["held_out"] and row["aim"] != row["treatment"]]
    assert len(differ) <= 1  # the customer at whom the money runs out
    aimed = {row["customer_id"] for row in rows if row["aim"] == "letter"}
    assert aimed == {row["customer_id"] for row in rows if row["customer_id"] >= min(aimed)}
    assert {row["dealt"] for row in rows} == {""}


def test_what_lots_deal_is_kept_for_everyone_who_may_get_it(workshop: Workshop) -> None:
    letter = {"channel": "mail", "cost": 1, "gain": {"tag": "promise"}, "who": {"attribute": "city", "is": "York"}}
    call = {"channel": "phone", "cost": 1, "gain": {"amount": 1.5}}
    decide(decision(treatments={"letter": letter, "call": call}, budget=2000), workshop, NOW, currency="GBP")
    dealt = {(int(row["customer_id"][1:]) % 5 > 0, row["dealt"]) for row in kept(workshop)}
    assert dealt == {(True, "letter call"), (False, "call")}


def test_touches_and_answers_are_counted_with_why_others_have_none(workshop: Workshop) -> None:
    decide(decision(explore=0), workshop, NOW, currency="GBP")
    who = [row["customer_id"] for row in kept(workshop) if row["treatment"] == "letter"]
    other = next(row["customer_id"] for row in kept(workshop) if row["treatment"] == "nothing")
    day = to_store(NOW + timedelta(days=1))
    touches = [  # the last three do not count: by another journey, too early, and to somebody who was to get nothing
        (who[0], "mail", "offers", day),
        (who[0], "mail", "offers", day),
        (who[1], "mail", "offers", day),
        (who[2], "mail", "news", day),
        (who[3], "mail", "offers", to_store(NOW - timedelta(days=1))),
        (other, "mail", "offers", day),
    ]
    engine = workshop.warehouse.engine
    columns = zip(*touches, strict=True)
    named = dict(zip(("customer_id", "channel", "journey", "occurred_at"), map(list, columns), strict=True))
    named |= {"touch_id": [f"t{number}" for number in range(6)], "cost": [0.5] * 6}
    named["occurred_at"] = pa.array(named["occurred_at"], pa.timestamp("us"))
    engine.write("touch", pa.table(named))
    late = to_store(LATER + timedelta(days=1))
    answers = {
        "outcome_id": ["1", "2", "3", "4"],
        "touch_id": ["t0", "t1", "t2", "t0"],
        "customer_id": [who[0], who[0], who[1], who[0]],
        "kind": ["opened", "opened", "opened", "clicked"],
        "occurred_at": pa.array([day, day, day, late], pa.timestamp("us")),
    }
    engine.write("outcome", pa.table(answers))
    why = Sendings(frozenset({"offers"}), {(who[2], "mail"): "consent", (who[3], "phone"): "cap"})
    found = contacts_of(workshop, "autumn", NOW, LATER, why)
    unsent = {"not_asked": len(who) - 3, "consent": 1}
    assert found == {"mail": Contacts(2, 3, 1.5, unsent, {"opened": 2})}
    blind = contacts_of(workshop, "autumn", NOW, LATER)["mail"]
    assert (blind.reached, blind.unsent) == (3, {"not_recorded": len(who) - 3})


def test_a_run_is_compared_by_itself_once_its_time_is_up(workshop: Workshop) -> None:
    told(workshop)
    assert last_compared(decision(), workshop, LATER - timedelta(seconds=1)) is None
    found = last_compared(decision(outcome={"within": "28d", "times": 0.5}), workshop, LATER)
    whole = compare(decision(), workshop, LATER)
    assert found is not None
    assert found.happened is not None
    assert whole.happened is not None
    assert found.happened.value == pytest.approx(whole.happened.value / 2)


def test_without_a_hold_out_no_channel_is_credited_with_anything(workshop: Workshop) -> None:
    found = told(workshop, hold_out=0)
    assert [each.happened for each in found.channels] == [None, None]
    assert found.said[0].en.startswith("Nobody was held out")


def test_the_ledger_knows_which_journeys_read_a_decision_and_why_they_did_not_send() -> None:
    def planned(who: str, journey: str, state: str, reason: str | None, at: int) -> dict[str, object]:
        moment = NOW + timedelta(days=at)
        word = {"key": f"{who}{journey}{at}", "customer_id": who, "journey": journey, "state": state, "reason": reason}
        place = {"enrolment_id": 1, "version_id": 1, "node": "n", "visit": 1, "step": 1, "shard": 1, "channel": "mail"}
        rest = {"content": "c", "purpose": "marketing", "attempts": 0, "planned_at": moment, "changed_at": moment}
        return word | place | rest

    with empty_ledger() as ledger, ledger.writing() as connection:
        for number, (journey, value) in enumerate([("offers", "decision:autumn"), ("news", "decision:winter")]):
            version = {"id": number, "journey": journey, "number": 1, "content": "{}", "digest": "", "applied_by": ""}
            connection.execute(insert(journey_version), version | {"applied_at": NOW})
            connection.execute(insert(listening), {"signal": f"changed:{value}", "version_id": number, "node": "@"})
        messages = [
            planned("ann", "offers", "not_sent", "cap", 1),
            planned("ann", "offers", "not_sent", "consent", 2),
            planned("bob", "offers", "waiting", None, 1),
            planned("cem", "offers", "accepted", None, 1),
            planned("dan", "news", "not_sent", "cap", 1),
            planned("eve", "offers", "not_sent", "cap", 28),
        ]
        connection.execute(insert(intent), messages)
        found = sendings(connection, "decision:autumn", NOW, LATER)
    assert found == Sendings(frozenset({"offers"}), {("ann", "mail"): "consent", ("bob", "mail"): "waiting"})
