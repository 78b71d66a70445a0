"""The official libraries of Segment work unchanged when they are pointed at us."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copy
from typing import Any
from urllib.parse import urlencode

import pytest
from segment.analytics.client import Client
from tests.web.server.desks import SERVER_SECRET, Site, now, running_site
from tools.peers import get_chromium, get_node, get_packages

from aimwell.store.intake.messages import KINDS
from aimwell.store.ledger.arrivals import StoredMessage, read_after
from aimwell.store.ledger.inbox import Inbox
from aimwell.store.ledger.ledger import open_ledger
from aimwell.web.server.events import event_api
from aimwell.web.server.keys import key_of
from aimwell.web.server.run import serving

SOURCES = Path(__file__).parent / "libraries"
PAGE_KEY = "key-of-a-page-012345"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as running:
        yield running


def by_kind(rows: list[StoredMessage]) -> dict[str, StoredMessage]:
    assert len({row.message_id for row in rows}) == len(rows)
    return {row.kind: row for row in rows}


@pytest.mark.parametrize("packed", [False, True])
def test_the_library_for_python_works_unchanged(site: Site, *, packed: bool) -> None:
    failures: list[object] = []
    client = Client(
        SERVER_SECRET,
        host=str(site.client.base_url).rstrip("/"),
        gzip=packed,
        on_error=lambda *said: failures.append(said),
        max_retries=2,
    )
    client.identify("u-python", {"email": "li@example.com", "城市": "上海"})
    client.track("u-python", "付款", {"amount": 12, "at": now()})
    client.page("u-python", "Catalogue", "Shoes")
    client.screen("u-python", None, "Home")
    client.group("u-python", "acme", {"industry": "retail"})
    client.alias("a-python", "u-python")
    client.shutdown()
    assert failures == []
    rows = by_kind(site.stored())
    assert set(rows) == set(KINDS)
    assert json.loads(rows["identify"].traits) == {"email": "li@example.com", "城市": "上海"}
    assert (rows["track"].name, rows["track"].user_id) == ("付款", "u-python")
    assert (rows["alias"].previous_id, rows["alias"].user_id) == ("a-python", "u-python")
    assert json.loads(rows["track"].context)["library"]["name"] == "analytics-python"


def test_the_library_for_python_is_told_why_it_was_refused(site: Site) -> None:
    failures: list[Any] = []
    url = str(site.client.base_url).rstrip("/")
    client = Client("a-key-that-nobody-has", host=url, on_error=lambda error, _: failures.append(error), max_retries=1)
    client.track("u", "Paid")
    client.shutdown()
    assert [(failure.status, failure.code) for failure in failures] == [(401, "unknown_key")]
    assert "write key" in str(failures[0])


@pytest.mark.browser
def test_the_library_for_node_works_unchanged(site: Site) -> None:
    command = [get_node(), SOURCES / "send.cjs", get_packages(), str(site.client.base_url), SERVER_SECRET]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[]", "")
    rows = by_kind(site.stored())
    assert set(rows) == set(KINDS)
    assert json.loads(rows["identify"].traits) == {"email": "li@example.com", "城市": "上海"}
    assert json.loads(rows["track"].properties) == {"total": 27.5, "html": "<b>"}
    assert (rows["page"].anonymous_id, rows["group"].group_id) == ("a-node", "acme")
    assert all(row.trusted and row.message_id.startswith("node-next-") for row in rows.values())


@contextmanager
def shop(folder: Path) -> Iterator[str]:
    """A web shop with the browser library in its page; gives its origin."""
    copy(SOURCES / "page.html", folder / "page.html")
    copy(get_packages() / "@segment" / "analytics-next" / "dist" / "umd" / "index.js", folder / "index.js")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Requests are not printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def visit(url: str) -> tuple[list[str], list[str]]:
    """Open a page in a real browser; what its library could not send, and what the browser complained of."""
    from playwright.sync_api import sync_playwright

    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=get_chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        failures: list[str] = page.evaluate("window.sent")
        page.goto("about:blank")  # leaving the page flushes what waits
        browser.close()
    return failures, complaints


@pytest.mark.browser
@pytest.mark.parametrize("batching", [False, True])
def test_the_library_for_browsers_works_unchanged_from_a_page_of_another_origin(
    tmp_path: Path, *, batching: bool
) -> None:
    ledger = open_ledger(tmp_path / "ledger")
    (tmp_path / "shop").mkdir()
    with shop(tmp_path / "shop") as origin:
        api = event_api(Inbox(ledger), [key_of("page", PAGE_KEY, origins=[origin])])
        with serving(api) as url:
            asked = urlencode({"key": PAGE_KEY, "url": url, **({"batching": "1"} if batching else {})})
            assert visit(f"{origin}/page.html?{asked}") == ([], [])
    with ledger.reading_events() as connection:
        rows = by_kind(read_after(connection, 0, 100))
    ledger.close()
    assert set(rows) == set(KINDS)
    viewed, catalogue = rows["track"], rows["page"]
    assert (viewed.name, json.loads(viewed.properties)) == ("Viewed", {"product": "鞋", "price": 199.5})
    assert (catalogue.name, json.loads(catalogue.properties)["title"]) == ("Shoes", "鞋店")
    assert viewed.anonymous_id
    assert viewed.anonymous_id == catalogue.anonymous_id
    assert rows["identify"].user_id == "u-browser"
    assert {row.source for row in rows.values()} == {"page"}
    assert not any(row.trusted for row in rows.values())
