"""What the report gathers of a decision: beside the plan what came of the last one, with reasons from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert
from tests.ledgers import empty_ledger
from tests.strategy.decisions.town import LATER, NOW, buy, decision, kept, town

from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.journeys import journey_version, listening
from aimwell.store.ledger.schema.outbox import intent
from aimwell.strategy.decisions.deciding import decide
from aimwell.web.report.plans import plan_story


def _refused(ledger: Ledger, customer: str) -> None:
    """A journey that reads the decision planned a letter for the customer, and the cap held it back."""
    version = {"id": 1, "journey": "offers", "number": 1, "content": "{}", "digest": "", "applied_by": ""}
    planned = {"planned_at": NOW + timedelta(days=1), "changed_at": NOW + timedelta(days=1), "attempts": 0}
    place = {"enrolment_id": 1, "version_id": 1, "node": "n", "visit": 1, "step": 1, "shard": 1, "channel": "mail"}
    words = {"key": "k", "customer_id": customer, "journey": "offers", "state": "not_sent", "reason": "cap"}
    with ledger.writing() as connection:
        connection.execute(insert(journey_version), version | {"applied_at": NOW})
        connection.execute(insert(listening), {"signal": "changed:decision:autumn", "version_id": 1, "node": "@"})
        connection.execute(insert(intent), words | place | planned | {"content": "c", "purpose": "marketing"})


def test_the_ledger_says_why_messages_of_the_last_decision_were_not_sent(tmp_path: Path) -> None:
    with town(tmp_path, 400) as workshop, empty_ledger() as ledger:
        decide(decision(explore=0), workshop, NOW, currency="GBP")
        letters = [row["customer_id"] for row in kept(workshop) if row["treatment"] == "letter"]
        buy(workshop, lambda number, treatment: 1.0)
        _refused(ledger, letters[0])
        plan = decide(decision(explore=0), workshop, LATER, currency="GBP")

        def unsent(known: Ledger | None) -> Mapping[str, int]:
            found = plan_story(workshop, decision(explore=0), plan, {}, known).afterwards
            assert found is not None
            return {each.channel: each for each in found.channels}["mail"].contacts.unsent

        assert unsent(ledger) == {"not_asked": len(letters) - 1, "cap": 1}
        assert unsent(None) == {"not_recorded": len(letters)}
