"""The same words to the database, in its other dialect: what identity does must not depend on where the ledger is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.insight.identity.books import NOW, SETTINGS, absorb_all, customers, dump, post
from tests.insight.identity.letters import message

from aimwell.insight.identity.evidence import IdentityMessage
from aimwell.insight.identity.settling import undo
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import cursor

pytestmark = pytest.mark.postgres

TABLES = ("customer", "identifier", "link", "profile", "consent", "consent_log", "merge", "happening", "cursor")


@pytest.fixture
def ledgers(postgres_url: str, tmp_path: Path) -> Iterator[list[Ledger]]:
    opened = [open_ledger(tmp_path), open_ledger(postgres_url)]
    yield opened
    for ledger in opened:
        ledger.close()


def story() -> list[IdentityMessage]:
    """Visitors sign in, share devices and addresses, are joined by an alias, and one message comes late."""
    mail: dict[str, object] = {"email": "a@x.cn", "email_verified": True}
    office: dict[str, object] = {"email": "office@x.cn", "email_verified": True}
    return [
        message(1, "page", device="d1", context={"timezone": "Europe/Paris", "locale": "fr-FR"}),
        message(2, "identify", device="d1", traits={"plan": "free", "consent": {"sms": False}}),
        message(4, "identify", "bob", "d1", traits={**mail, "plan": "gold", "consent": {"sms": True}}),
        message(5, "identify", "Cy", "d1", traits=office),
        message(3, "identify", "dee", "d1", traits=office),
        message(6, "identify", "ann", traits=mail),
        message(7, "identify", "eve", traits=office),
        message(8, "alias", "cy", previous="Cy"),
        message(9, "identify", "cy", "d2", at=9),
        message(10, "identify", "Cy", "d2", at=9),
        message(11, "track", device="d3", context={"consent": {"*": {"service": True}}}),
    ]


@pytest.mark.parametrize("limit", [1, 4])
def test_both_databases_end_alike_also_after_a_replay_and_an_undo(ledgers: list[Ledger], limit: int) -> None:
    ends = []
    for each in ledgers:
        post(each, story())
        absorb_all(each, limit=limit)
        stages = [customers(each), dump(each, *TABLES)]
        with each.writing() as connection:
            connection.execute(update(cursor).values(position=0))
        absorb_all(each, limit=limit)
        stages.append(customers(each))
        newest = max(int(row["id"]) for row in dump(each, "merge")["merge"] if row["undone_at"] is None)
        with each.writing() as connection:
            undo(connection, newest, settings=SETTINGS, at=NOW)
        ends.append([*stages, customers(each), dump(each, *TABLES)])
    for ours, theirs in zip(*ends, strict=True):
        for part in ours:
            assert ours[part] == theirs[part]
        assert ours == theirs
