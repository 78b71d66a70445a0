"""The tables of the schema are the sum of the revisions, on both databases; data outlive each of them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, event, func, insert, inspect, select, text, update
from tools.migrations import COMMAND, first_revision

from aimwell.core.errors import Unavailable
from aimwell.store.ledger import ledger as opening_ledger
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.migrations.chain import EVENTS_CHAIN, STATE_CHAIN, Chain
from aimwell.store.ledger.schema.inbox import message
from aimwell.store.ledger.schema.people import customer

CHAINS = [pytest.param(STATE_CHAIN, id="state"), pytest.param(EVENTS_CHAIN, id="events")]
NOW = datetime(2026, 3, 1, tzinfo=UTC)

SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "0002_fake"
down_revision = "{first}"


def upgrade():
    with op.batch_alter_table("customer") as customer:
        customer.add_column(sa.Column("nickname", sa.Text(), nullable=False, server_default="none"))
        customer.alter_column("language", existing_type=sa.Text(), nullable=False, server_default="zh")


def downgrade():
    with op.batch_alter_table("customer") as customer:
        customer.alter_column("language", existing_type=sa.Text(), nullable=True, server_default=None)
        customer.drop_column("nickname")
"""


@pytest.fixture
def emptied(ledger: Ledger) -> Ledger:
    """A ledger without any table."""
    for chain in (STATE_CHAIN, EVENTS_CHAIN):
        with writing(ledger, chain) as connection:
            chain.tables.drop_all(connection)
            connection.execute(text(f"DROP TABLE {chain.version_table}"))
    return ledger


@pytest.fixture
def second(tmp_path: Path) -> Chain:
    """The chain of the state with one more revision."""
    folder = tmp_path / "revisions"
    folder.mkdir()
    (folder / "v0002_fake.py").write_text(SECOND.format(first=STATE_CHAIN.head))
    return Chain(STATE_CHAIN.name, STATE_CHAIN.tables, (*STATE_CHAIN.folders, folder))


def writing(ledger: Ledger, chain: Chain) -> AbstractContextManager[Connection]:
    return ledger.writing() if chain is STATE_CHAIN else ledger.writing_events()


def described(connection: Connection) -> list[tuple[object, ...]]:
    """Every table, index and constraint as the database itself tells it."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"))
    else:
        rows = connection.execute(
            text(
                "SELECT 'column', table_name, column_name, ordinal_position::text, data_type, is_nullable,"
                " column_default FROM information_schema.columns WHERE table_schema = 'public'"
                " UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '', '' FROM pg_indexes"
                " WHERE schemaname = 'public'"
                " UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '',"
                " '' FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2, 3"
            )
        )
    return [tuple(row) for row in rows]


def differences(connection: Connection, chain: Chain) -> list[object]:
    """What Alembic would still change so that the database has the tables of the schema."""
    other = EVENTS_CHAIN if chain is STATE_CHAIN else STATE_CHAIN
    foreign = {*other.tables.tables, other.version_table, chain.version_table}

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name not in foreign

    options = {"include_name": ours, "compare_server_default": True, "version_table": chain.version_table}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), chain.tables))


@pytest.mark.parametrize("chain", CHAINS)
def test_the_first_revision_is_made_from_the_schema_of_today(chain: Chain) -> None:
    for name, text_ in first_revision(chain).items():
        path = chain.folders[0] / name
        assert path.exists(), f"The tables of the ledger have changed. Type: {COMMAND}"
        assert path.read_text(encoding="utf-8") == text_, f"The tables of the ledger have changed. Type: {COMMAND}"


@pytest.mark.parametrize("chain", CHAINS)
def test_the_schema_is_the_sum_of_the_migrations(emptied: Ledger, chain: Chain) -> None:
    with writing(emptied, chain) as connection:
        chain.upgrade(connection)
        assert differences(connection, chain) == [], f"The tables of the ledger have changed. Type: {COMMAND}"
        assert chain.standing(connection) == chain.head


@pytest.mark.parametrize("chain", CHAINS)
def test_making_the_tables_at_once_gives_exactly_what_the_revisions_give(emptied: Ledger, chain: Chain) -> None:
    with writing(emptied, chain) as connection:
        chain.create(connection)
        at_once = described(connection)
        chain.downgrade(connection, "base")
        assert set(inspect(connection).get_table_names()) <= {chain.version_table}
        connection.execute(text(f"DROP TABLE {chain.version_table}"))
        chain.upgrade(connection)
        assert described(connection) == at_once


def test_a_second_revision_comes_and_goes_and_the_data_stay(ledger: Ledger, second: Chain) -> None:
    row = {"shard": 1, "zone": "UTC", "language": "en", "held_out": False, "created_at": NOW}
    with ledger.writing() as connection:
        connection.execute(insert(customer), [{"customer_id": name, **row} for name in ("a", "b")])
        before = described(connection)
    with ledger.writing() as connection:
        second.upgrade(connection)
        assert second.standing(connection) == second.head == "0002_fake"
        assert connection.scalars(text("SELECT nickname FROM customer")).all() == ["none", "none"]
        assert connection.scalars(select(customer.c.created_at)).all() == [NOW, NOW]
        if ledger.backend == "sqlite":
            assert "WITHOUT ROWID" in str([row for row in described(connection) if row[1] == "customer"])
    with ledger.writing() as connection:
        second.downgrade(connection, STATE_CHAIN.head)
        assert second.standing(connection) == STATE_CHAIN.head
        assert connection.scalar(select(func.count()).select_from(customer)) == 2
        assert [row[:3] for row in described(connection)] == [row[:3] for row in before]
        assert differences(connection, STATE_CHAIN) == []


def test_an_older_ledger_is_migrated_on_opening_and_copied_before(
    ledger_place: Path | str, second: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_ledger(ledger_place)
    row = {"shard": 1, "zone": "UTC", "held_out": False, "created_at": NOW}
    with first.writing() as connection:
        connection.execute(insert(customer), [{"customer_id": "a", **row, "language": "en"}])
    first.close()
    monkeypatch.setattr(opening_ledger, "STATE_CHAIN", second)
    later = open_ledger(ledger_place)
    with later.reading() as connection:
        assert second.standing(connection) == "0002_fake"
        assert connection.execute(text("SELECT customer_id, nickname FROM customer")).all() == [("a", "none")]
    later.close()
    if isinstance(ledger_place, Path):
        copies = sorted(path.name for path in ledger_place.glob("*.before-*"))
        assert copies == ["state.db.before-0002_fake"]
        with closing(sqlite3.connect(ledger_place / copies[0])) as copy:
            assert copy.execute("SELECT customer_id FROM customer").fetchall() == [("a",)]
            assert copy.execute("SELECT version_num FROM ledger_state_version").fetchall() == [(STATE_CHAIN.head,)]
    monkeypatch.undo()
    with pytest.raises(Unavailable, match=r"newer Aimwell.*0002_fake.*Upgrade"):
        open_ledger(ledger_place)


def test_a_migration_that_fails_leaves_everything_as_it_was(
    ledger_place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_ledger(ledger_place)
    with opened.reading() as connection:
        before = described(connection)
    folder = tmp_path / "failing"
    folder.mkdir()
    fails = "    op.drop_table('nowhere')\n\n\ndef downgrade"
    broken = SECOND.format(first=STATE_CHAIN.head).replace("def downgrade", fails)
    (folder / "v0002_fake.py").write_text(broken)
    chain = Chain("state", STATE_CHAIN.tables, (*STATE_CHAIN.folders, folder))
    monkeypatch.setattr(opening_ledger, "STATE_CHAIN", chain)
    with pytest.raises(Exception, match="nowhere"):
        open_ledger(ledger_place)
    monkeypatch.undo()
    with opened.reading() as connection:
        assert described(connection) == before
        assert STATE_CHAIN.standing(connection) == STATE_CHAIN.head
    opened.close()


def test_a_ledger_between_releases_or_without_a_version_is_refused_with_the_remedy(ledger_place: Path | str) -> None:
    ledger = open_ledger(ledger_place)
    version = text(f"UPDATE {STATE_CHAIN.version_table} SET version_num = '0001_00000000'")
    with ledger.writing() as connection:
        connection.execute(version)
    with pytest.raises(Unavailable, match="unreleased Aimwell.*0001_00000000.*begin a new one"):
        open_ledger(ledger_place)
    with ledger.writing() as connection:
        connection.execute(text(f"DROP TABLE {STATE_CHAIN.version_table}"))
    with pytest.raises(Unavailable, match="does not say of which version"):
        open_ledger(ledger_place)
    ledger.close()


def test_opening_what_is_up_to_date_writes_nothing_waits_for_nobody_and_needs_no_alembic(tmp_path: Path) -> None:
    holder = open_ledger(tmp_path)
    opened = (
        "import sys, time; from aimwell.store.ledger.ledger import open_ledger; began = time.perf_counter();"
        "open_ledger(sys.argv[1]).close(); print(time.perf_counter() - began, 'alembic' in sys.modules)"
    )
    with holder.writing() as connection, holder.writing_events():
        connection.execute(update(customer).values(language="zh"))
        told = subprocess.run([sys.executable, "-c", opened, str(tmp_path)], capture_output=True, text=True, check=True)
    seconds, alembic = told.stdout.split()
    assert alembic == "False"
    assert float(seconds) < 5  # a writer that it waited for would have held it for ever
    holder.close()


def test_opening_asks_few_questions(ledger_place: Path | str) -> None:
    open_ledger(ledger_place).close()
    asked: list[str] = []
    from sqlalchemy import Engine

    event.listen(Engine, "before_cursor_execute", record := lambda _c, _u, statement, *_: asked.append(statement))
    try:
        began = time.perf_counter()
        ledger = open_ledger(ledger_place)
        took = time.perf_counter() - began
    finally:
        event.remove(Engine, "before_cursor_execute", record)
    ledger.close()
    assert {statement.split()[0].upper() for statement in asked} <= {"SELECT", "BEGIN", "PRAGMA", "SHOW"}
    assert len(asked) < 20
    assert took < 5


def test_several_processes_may_open_an_empty_ledger_at_once(ledger_place: Path | str) -> None:
    command = [sys.executable, "-c", "import sys; from aimwell.store.ledger.ledger import open_ledger;"
               "open_ledger(sys.argv[1]).close()", str(ledger_place)]  # fmt: skip
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in running] == [("", 0)] * 3
    ledger = open_ledger(ledger_place)
    with ledger.reading() as connection:
        assert STATE_CHAIN.standing(connection) == STATE_CHAIN.head
    with ledger.reading_events() as connection:
        assert connection.scalar(select(func.count()).select_from(message)) == 0
    ledger.close()


def test_the_head_is_the_end_of_the_chain(second: Chain) -> None:
    from alembic.script import ScriptDirectory

    for chain in (STATE_CHAIN, EVENTS_CHAIN, second, replace(second)):
        folders = [str(folder) for folder in chain.folders]
        script = ScriptDirectory(folders[0], version_locations=folders)
        assert script.get_heads() == [chain.head]
        assert [step.revision[:4] for step in script.walk_revisions()] == sorted(
            {step.revision[:4] for step in script.walk_revisions()}, reverse=True
        )
