"""The channels that keep their messages themselves: local mailbox and on-site messages, their readers and reports."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.delivery.channels.parcels import NOW, parcel

from aimwell.core.errors import BadQuestion
from aimwell.delivery.channels.mailbox import MAILBOX, MailboxSettings, follow, letters, read
from aimwell.delivery.channels.onsite import ONSITE, OnsiteSettings, poll, report

HOUR = timedelta(hours=1)


def fill_mailbox(place: Path, count: int) -> None:
    box = MAILBOX.open(MailboxSettings(), place)
    box.send([parcel(f"{n}:a:1:0", f"c{n % 2}", simulated=n == 0, text=f"Letter {n}") for n in range(count)])
    box.close()


def test_letters_are_listed_newest_first_page_by_page(tmp_path: Path) -> None:
    fill_mailbox(tmp_path, 5)
    first = letters(tmp_path, limit=3)
    assert [letter.parts["text"] for letter in first] == ["Letter 4", "Letter 3", "Letter 2"]
    assert [letter.number for letter in letters(tmp_path, before=first[-1].number)] == [2, 1]
    assert [letter.simulated for letter in letters(tmp_path)] == [False] * 4 + [True]
    assert letters(tmp_path, customer_id="nobody") == []
    assert first[0].sent_at == NOW


def test_an_empty_mailbox_has_no_letters(tmp_path: Path) -> None:
    assert letters(tmp_path) == []
    with pytest.raises(BadQuestion, match="no letter"):
        read(tmp_path, "7", NOW)


def test_reading_and_following_are_reported_once(tmp_path: Path) -> None:
    fill_mailbox(tmp_path, 1)
    for hour in range(2):
        assert read(tmp_path, "0:a:1:0", NOW + HOUR * (hour + 1)).parts["text"] == "Letter 0"
        follow(tmp_path, "0:a:1:0", "https://a.example/", NOW + HOUR * (hour + 2))
    follow(tmp_path, "0:a:1:0", "https://b.example/", NOW)
    reports, mark = MAILBOX.collect(MailboxSettings(), tmp_path, 0)
    assert [(one.kind, one.at) for one in reports] == [
        ("delivered", NOW),
        ("opened", NOW + HOUR),
        ("clicked", NOW + 2 * HOUR),
        ("clicked", NOW),
    ]
    assert len({one.ref for one in reports}) == 4
    assert letters(tmp_path)[0].opened_at == NOW + HOUR
    assert MAILBOX.collect(MailboxSettings(), tmp_path, mark) == ([], mark)


def test_a_letter_sent_again_keeps_its_first_words(tmp_path: Path) -> None:
    box = MAILBOX.open(MailboxSettings(), tmp_path)
    box.send([parcel("1:a:1:0", text="first"), parcel("1:a:1:0", text="second")])
    box.send([parcel("1:a:1:0", text="third")])
    assert [letter.parts["text"] for letter in letters(tmp_path)] == ["first"]
    assert len(MAILBOX.collect(MailboxSettings(), tmp_path, 0)[0]) == 1
    box.close()


def put_messages(place: Path, count: int = 5, **settings: int) -> None:
    channel = ONSITE.open(OnsiteSettings(**settings), place)
    channel.send([parcel(f"{n}:a:1:0", "c1", text=f"Message {n}") for n in range(count)])
    channel.close()


def test_a_page_gets_the_newest_messages_of_its_customer(tmp_path: Path) -> None:
    put_messages(tmp_path)
    shown = poll(tmp_path, "c1", NOW + HOUR)
    assert [message.parts["text"] for message in shown] == ["Message 4", "Message 3", "Message 2"]
    assert not any(message.seen for message in shown)
    assert poll(tmp_path, "c2", NOW + HOUR) == []


def test_what_is_over_clicked_or_not_yet_sent_is_not_shown(tmp_path: Path) -> None:
    put_messages(tmp_path, 2, lifetime_hours=2)
    assert poll(tmp_path, "c1", NOW - HOUR) == []
    assert report(tmp_path, "c1", "1:a:1:0", "clicked", NOW + HOUR)
    assert [message.key for message in poll(tmp_path, "c1", NOW + HOUR)] == ["0:a:1:0"]
    assert poll(tmp_path, "c1", NOW + 2 * HOUR) == []


def test_what_the_page_says_is_reported_once_and_clicking_is_seeing(tmp_path: Path) -> None:
    put_messages(tmp_path, 1)
    poll(tmp_path, "c1", NOW)
    poll(tmp_path, "c1", NOW + HOUR)
    for _ in range(2):
        assert report(tmp_path, "c1", "0:a:1:0", "clicked", NOW + HOUR)
        assert report(tmp_path, "c1", "0:a:1:0", "seen", NOW + 2 * HOUR)
    reports, _ = ONSITE.collect(OnsiteSettings(), tmp_path, 0)
    assert [(one.kind, one.at) for one in reports] == [
        ("delivered", NOW),
        ("opened", NOW + HOUR),
        ("clicked", NOW + HOUR),
    ]


def test_nobody_reports_on_the_message_of_another_customer(tmp_path: Path) -> None:
    put_messages(tmp_path, 1)
    assert not report(tmp_path, "c2", "0:a:1:0", "seen", NOW)
    assert not report(tmp_path, "c1", "9:a:1:0", "seen", NOW)
    assert ONSITE.collect(OnsiteSettings(), tmp_path, 0) == ([], 0)


def test_marks_lead_through_many_reports(tmp_path: Path) -> None:
    fill_mailbox(tmp_path, 25)
    seen, mark = [], 0
    while (found := MAILBOX.collect(MailboxSettings(), tmp_path, mark))[0]:
        seen += [one.key for one in found[0]]
        mark = found[1]
    assert len(seen) == len(set(seen)) == 25
