"""What was acknowledged is in the inbox, each message once, in the order of commit, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from aimwell.core.errors import BadQuestion
from aimwell.store.intake.messages import Message
from aimwell.store.intake.rejections import Rejected
from aimwell.store.ledger.arrivals import _COMMIT_ORDER, ROWS_AT_ONCE, StoredMessage, last_seq, oldest_after, read_after
from aimwell.store.ledger.inbox import Arrival, Inbox, InboxFull, NotKept
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.inbox import message, refused_message

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def call(message_id: str, **fields: object) -> Message:
    """A small track call."""
    nobody = dict.fromkeys(("anonymous_id", "previous_id", "group_id", "stated_at"))
    said: dict[str, object] = dict(
        nobody, message_id=message_id, kind="track", name="Paid", user_id="u1", occurred_at=NOW, received_at=NOW
    )
    said.update(dict.fromkeys(("traits", "context", "integrations"), "{}"), properties='{"城市":"上海"}')
    said.update(fields)
    return Message(**said)  # type: ignore[arg-type]


def arrival(*ids: str, received_at: datetime = NOW, refused: tuple[Rejected, ...] = ()) -> Arrival:
    return Arrival("web", False, received_at, [call(name, received_at=received_at) for name in ids], refused)


def stored(ledger: Ledger) -> list[StoredMessage]:
    with ledger.reading_events() as connection:
        return read_after(connection, 0, 1_000_000)


def test_messages_are_kept_once_and_read_in_the_order_of_their_commit(ledger: Ledger) -> None:
    with Inbox(ledger) as inbox:
        assert inbox.submit(arrival("a", "b")).result() == (True, True)
        assert inbox.submit(arrival("b", "c", "c", "a")).result() == (False, True, False, False)
    rows = stored(ledger)
    assert [row.message_id for row in rows] == ["a", "b", "c"]
    assert [row.seq for row in rows] == sorted({row.seq for row in rows})
    kept = rows[0]
    assert (kept.source, kept.trusted, kept.name, kept.properties) == ("web", False, "Paid", '{"城市":"上海"}')
    assert (kept.occurred_at, kept.stated_at, kept.received_at) == (NOW, None, NOW)
    with ledger.reading_events() as connection:
        assert [row.message_id for row in read_after(connection, rows[0].seq, 1)] == ["b"]
        assert last_seq(connection) == rows[-1].seq
        assert oldest_after(connection, rows[1].seq) == NOW
        assert oldest_after(connection, rows[2].seq) is None


def test_an_empty_inbox_has_no_last_number_and_answers_an_empty_arrival(ledger: Ledger) -> None:
    with Inbox(ledger) as inbox:
        assert inbox.submit(arrival()).result() == ()
    with ledger.reading_events() as connection:
        assert last_seq(connection) == 0
        assert read_after(connection, 0, 10) == []


def test_groups_of_every_size_keep_order_and_verdicts(ledger: Ledger) -> None:
    sizes = [1, 2, 3, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 2 * ROWS_AT_ONCE + 77]
    with Inbox(ledger) as inbox:
        for size in sizes:
            names = [f"{size}-{number}" for number in range(size)]
            again = inbox.submit(arrival(*names, *names[::-1]))
            assert again.result() == (True,) * size + (False,) * size
    expected = [f"{size}-{number}" for size in sizes for number in range(size)]
    assert [row.message_id for row in stored(ledger)] == expected


def test_what_was_refused_is_kept_with_its_reason(ledger: Ledger) -> None:
    rejected = Rejected("bad_text", "'\\x00' at character 1 of a text", '{"name":"\\u0000"}')
    with Inbox(ledger) as inbox:
        assert inbox.submit(arrival("a", refused=(rejected, rejected, rejected))).result() == (True,)
    with ledger.reading_events() as connection:
        rows = connection.execute(select(refused_message)).all()
    assert [(row.source, row.received_at, row.reason, row.detail, row.content) for row in rows] == [
        ("web", NOW, rejected.reason, rejected.detail, rejected.content)
    ] * 3


def test_pruning_removes_what_is_old_and_read_and_never_what_is_unread(ledger: Ledger) -> None:
    old, rejected = NOW - timedelta(days=31), Rejected("no_id", "track needs userId or anonymousId")
    with Inbox(ledger) as inbox:
        inbox.submit(arrival("a", "b", "c", received_at=old, refused=(rejected,))).result()
        inbox.submit(arrival("d", refused=(rejected,))).result()
        seqs = {row.message_id: row.seq for row in stored(ledger)}
        gone = inbox.prune(NOW, read_up_to=seqs["b"])
        assert (gone.messages, gone.refused) == (2, 1)
        assert [row.message_id for row in stored(ledger)] == ["c", "d"]
        assert inbox.submit(arrival("a", "c", "d")).result() == (True, False, False)
        assert inbox.prune(NOW, read_up_to=10**6).messages == 1  # c; d and the new a are within the window
        assert max(seqs.values()) < stored(ledger)[-1].seq  # no number is given twice


def test_pruning_goes_on_until_nothing_old_is_left(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aimwell.store.ledger.inbox.PRUNED_AT_ONCE", 2)
    with Inbox(ledger, window=timedelta(days=1)) as inbox:
        inbox.submit(arrival(*"abcde", received_at=NOW - timedelta(days=2))).result()
        assert inbox.prune(NOW, read_up_to=10**6).messages == 5


def test_several_inboxes_on_one_ledger_commit_in_the_order_of_their_numbers(ledger: Ledger) -> None:
    seen: list[int] = []
    done = threading.Event()

    def follow() -> None:
        """Read by cursor as consumers do; a number that appears behind the cursor is lost for good."""
        while True:
            ended = done.is_set()
            with ledger.reading_events() as connection:
                rows = read_after(connection, seen[-1] if seen else 0, 100)
            seen.extend(row.seq for row in rows)
            if ended and not rows:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    with Inbox(ledger) as one, Inbox(ledger) as two:
        futures = [inbox.submit(arrival(f"{n}", f"{n}-{i}")) for n in range(60) for i, inbox in enumerate((one, two))]
        wait(futures)
    done.set()
    reader.join()
    assert sum(verdict for future in futures for verdict in future.result()) == 180
    assert seen == [row.seq for row in stored(ledger)]


def test_when_the_database_cannot_write_nothing_is_acknowledged_and_the_next_ones_are_kept(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.events.dispose()
    pages = {"most": 60}
    event.listen(ledger.events, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages['most']}"))
    with Inbox(ledger) as inbox:
        large = Arrival("web", True, NOW, [call(f"m{n}", properties='{"a":"' + "x" * 30_000 + '"}') for n in range(20)])
        with pytest.raises(NotKept, match="SQLITE_FULL") as caught:
            inbox.submit(large).result()
        assert "xxx" not in str(caught.value)  # no content of people in what is said and logged
        assert stored(ledger) == []
        pages["most"] = 10_000
        ledger.events.dispose()
        assert all(inbox.submit(large).result())
        assert inbox.load.failures == 1
    ledger.close()


def test_one_arrival_that_cannot_be_kept_does_no_harm_to_the_others_of_its_group(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    poison = Arrival("web", True, NOW, [call("p", user_id="\x00")])  # the intake refuses it; PostgreSQL would too
    with Inbox(ledger) as inbox, ledger.writing_events() as connection:
        connection.execute(message.delete())
        connection.execute(select(func.pg_advisory_xact_lock(_COMMIT_ORDER)))  # the first waits, the others group
        first, second, third = (inbox.submit(each) for each in (arrival("a"), poison, arrival("b")))
        connection.commit()
        assert (first.result(), third.result()) == ((True,), (True,))
        with pytest.raises(NotKept, match="DataError"):
            second.result()
    ledger.close()


def test_a_full_inbox_takes_nothing_more_and_room_comes_back(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with Inbox(ledger, capacity=3) as inbox:
        with ledger.writing_events():  # nobody else can commit now
            first = inbox.submit(arrival("a", "b"))
            with pytest.raises(InboxFull, match="2 messages wait"):
                inbox.submit(arrival("c", "d"))
            second = inbox.submit(arrival("e"))
            assert inbox.load.waiting == 3
        assert (first.result(), second.result()) == ((True, True), (True,))
        assert inbox.submit(arrival("c", "d", "f", "g")).result() == (True,) * 4  # larger than the queue, but alone
    assert sorted(row.message_id for row in stored(ledger)) == list("abcdefg")
    ledger.close()


def test_stopping_commits_what_waits_and_takes_nothing_after(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    inbox = Inbox(ledger)
    with pytest.raises(NotKept, match="not running"):
        inbox.submit(arrival("a"))
    with inbox:
        with pytest.raises(BadQuestion):
            inbox.start()
        futures = [inbox.submit(arrival(f"m{number}")) for number in range(50)]
    assert all(future.done() and future.result() == (True,) for future in futures)
    with pytest.raises(NotKept, match="not running"):
        inbox.submit(arrival("a"))
    assert len(stored(ledger)) == 50
    ledger.close()


def test_a_submission_that_was_given_up_before_its_turn_is_not_kept(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with Inbox(ledger) as inbox:
        with ledger.writing_events():
            first = inbox.submit(arrival("a"))
            while inbox.load.waiting and not first.running():
                pass
            second = inbox.submit(arrival("b"))
            assert second.cancel()
        assert first.result() == (True,)
    assert [row.message_id for row in stored(ledger)] == ["a"]
    ledger.close()


def test_senseless_settings_are_refused(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for settings_ in ({"capacity": 0}, {"window": timedelta(0)}):
        with pytest.raises(BadQuestion):
            Inbox(ledger, **settings_)
    ledger.close()


@settings(max_examples=25)
@given(
    senders=st.lists(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=5), min_size=1, max_size=4)
)
def test_every_accepted_message_is_there_exactly_once_however_submitters_interleave(
    senders: list[list[list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    ledger = open_ledger(tmp_path_factory.mktemp("inbox"))
    accepted: list[str] = []

    def send(requests: list[list[str]]) -> None:
        for names in requests:
            verdicts = inbox.submit(arrival(*names)).result()
            accepted.extend(name for name, new in zip(names, verdicts, strict=True) if new)

    with Inbox(ledger) as inbox:
        threads = [threading.Thread(target=send, args=(requests,)) for requests in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sent = {name for requests in senders for names in requests for name in names}
    assert Counter(accepted) == Counter(sent)
    assert Counter(row.message_id for row in stored(ledger)) == Counter(sent)
    ledger.close()
