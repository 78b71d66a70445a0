"""Tracked links: every link told apart, nothing forged, nothing else of the message touched."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimwell.core.errors import BadInput
from aimwell.delivery.links import BadToken, Followed, Links, Purpose

LINKS = Links("https://go.example/t/", b"0123456789abcdef")
OTHERS = Links("https://go.example/t/", b"0123456789abcdeX")
KEY = "7:offer:1:0"


def taken_apart(address: str) -> tuple[str, str, str]:
    """Letter, token and target of an address, as a web server would see them."""
    parts = urlsplit(address)
    _, _, letter, token = parts.path.split("/")
    return letter, token, parse_qs(parts.query).get("to", [""])[0]


def followed(address: str, purpose: Purpose = "link") -> Followed:
    letter, token, target = taken_apart(address)
    assert letter == purpose[0]
    return LINKS.read(purpose, token, target)


def addresses(text: str) -> list[str]:
    return re.findall(r"https://go\.example/t/[!#-;=?-~]+", html.unescape(text))


def test_links_of_text_are_rewritten_and_read_back() -> None:
    text = "看 https://a.example/x?y=1，再看（https://b.example/）。 Or http://c.example/a_(b). Bye"
    tracked = LINKS.track(KEY, {"text": text})
    assert tracked.targets == ("https://a.example/x?y=1", "https://b.example/", "http://c.example/a_(b)")
    read = [followed(address.rstrip(".")) for address in addresses(tracked.parts["text"])]
    assert read == [Followed(KEY, "link", n, 3, target) for n, target in enumerate(tracked.targets, 1)]
    plain = re.sub(r"https://go\.example/t/\S*?to=([\w%.~-]+)", "LINK", tracked.parts["text"])
    assert plain.startswith("看 LINK，再看（LINK）。 Or LINK")


def test_links_of_html_keep_everything_around_them() -> None:
    page = (
        '<html><body><a class="b" href="https://a.example/?a=1&amp;b=2" title=">">A</a>'
        "<A HREF='https://b.example/'>B</A> <a href=https://c.example/x>C</a> <link href=\"https://d.example/s.css\">"
        '<a href="mailto:x@y.z">m</a><a href="tel:+1">t</a><a href="#top">u</a><a data-href="https://e.example">e</a>'
        "https://plain.example/</body></html>"
    )
    tracked = LINKS.track(KEY, {"html": page, "subject": "https://a.example/"})
    assert tracked.targets == ("https://a.example/?a=1&b=2", "https://b.example/", "https://c.example/x")
    assert tracked.parts["subject"] == "https://a.example/"
    found = addresses(tracked.parts["html"])
    assert [followed(address).number for address in found[:3]] == [1, 2, 3]
    assert followed(found[3], "open") == Followed(KEY, "open", 0, 3, "")
    kept = [
        '<link href="https://d.example/s.css">',
        'title=">">A</a>',
        'href="mailto:x@y.z"',
        'href="#top"',
        ">https://plain.example/<",
    ]
    assert all(piece in tracked.parts["html"] for piece in kept)
    assert tracked.parts["html"].endswith("</body></html>")


def test_the_same_target_has_one_number_in_all_parts() -> None:
    page = '<a href="https://b.example/">x</a><a href="https://a.example/">y</a>'
    tracked = LINKS.track(
        KEY, {"text": "https://a.example/ https://a.example/", "html": page, "link": "https://a.example/"}
    )
    assert tracked.targets == ("https://a.example/", "https://b.example/")
    assert followed(tracked.parts["link"]).number == 1


def test_our_own_addresses_and_messages_without_links_stay_as_they_are() -> None:
    own = LINKS.unsubscribe(KEY)
    tracked = LINKS.track(
        KEY, {"text": f"bye {own}", "html": f'<a href="{own}">bye</a>', "link": "app://x"}, pixel=False
    )
    assert tracked.parts == {"text": f"bye {own}", "html": f'<a href="{own}">bye</a>', "link": "app://x"}
    assert tracked.targets == ()
    assert followed(own, "unsubscribe").key == KEY
    twice = LINKS.track(KEY, LINKS.track(KEY, {"text": "https://a.example/"}).parts)
    assert twice.targets == ()


def test_a_changed_target_is_refused_so_that_nobody_is_led_astray() -> None:
    _, token, target = taken_apart(LINKS.track(KEY, {"link": "https://a.example/"}).parts["link"])
    for wrong in ("https://evil.example/", target + "x", ""):
        with pytest.raises(BadToken):
            LINKS.read("link", token, wrong)


def test_a_token_serves_one_purpose_and_one_workspace() -> None:
    _, token, _ = taken_apart(LINKS.unsubscribe(KEY))
    assert LINKS.read("unsubscribe", token).key == KEY
    with pytest.raises(BadToken):
        LINKS.read("open", token)
    with pytest.raises(BadToken):
        OTHERS.read("unsubscribe", token)


def test_the_secret_is_long_and_never_shown() -> None:
    with pytest.raises(BadInput, match="too short"):
        Links("https://go.example", b"short")
    with pytest.raises(BadInput, match="https://host/path"):
        Links("go.example", b"0123456789abcdef")
    assert "0123" not in repr(LINKS)


MADE_UP = st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9_-]{1,30}\.[A-Za-z0-9_-]{22}", fullmatch=True)


@given(token=MADE_UP, target=st.text(max_size=20))
def test_no_made_up_token_is_believed(token: str, target: str) -> None:
    with pytest.raises(BadToken):
        LINKS.read("link", token, target)


@given(key=st.text(st.characters(codec="utf-8"), max_size=40), place=st.integers(0, 60))
def test_a_token_with_one_letter_changed_is_not_believed(key: str, place: int) -> None:
    _, token, target = taken_apart(LINKS.address("link", key, number=3, of=4, target="https://a.example/é?q=1#x"))
    assert LINKS.read("link", token, target) == Followed(key, "link", 3, 4, "https://a.example/é?q=1#x")
    index = place % len(token)
    changed = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
    with pytest.raises(BadToken):
        LINKS.read("link", changed, target)


WORDS = st.sampled_from(
    ["看 ", "https://a.b/x", "http://c.d", "，", ".", ")", " ", "\n", "https://", "HTTPS://E.F/?q=1&r=(2)", "x"]
)
PIECES = st.sampled_from(["<a ", "href=", '"', "https://a.b/", ">", "</a>", "'", "</body>", " ", "<!--", "&amp;"])


@given(text=st.lists(WORDS, max_size=12).map("".join))
def test_tracking_changes_nothing_of_a_text_but_its_links(text: str) -> None:
    tracked = LINKS.track(KEY, {"text": text}).parts["text"]
    restored = re.sub(r"https://go\.example/t/[!-~]+?\?to=([\w%.~-]*)", lambda found: unquote(found[1]), tracked)
    assert restored == text


@given(page=st.lists(PIECES, max_size=25).map("".join))
def test_no_page_however_broken_makes_tracking_raise(page: str) -> None:
    tracked = LINKS.track(KEY, {"html": page})
    assert tracked.parts["html"].count("<img") == 1
