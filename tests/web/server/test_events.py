"""Events sent by HTTP: kept before they are answered, judged one by one, refused with a clear word."""

from __future__ import annotations

import gzip
import json
import re
import socket
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.server.desks import PAGE_SECRET, SERVER, SERVER_SECRET, SHOP, Site, now, running_site, track

from aimwell.store.intake.batches import MAX_BODY_BYTES
from aimwell.web.server.desk import Desk
from aimwell.web.server.limits import Pace


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def lasting_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


_numbers = count()


def batch(*messages: object) -> dict[str, object]:
    return {"batch": list(messages), "sentAt": now().isoformat()}


CALLS: dict[str, dict[str, object]] = {
    "identify": {"userId": "u1", "traits": {"email": "li@example.com"}},
    "track": {"userId": "u1", "event": "Paid"},
    "page": {"anonymousId": "a1", "name": "Home"},
    "screen": {"anonymousId": "a1"},
    "group": {"userId": "u1", "groupId": "g1"},
    "alias": {"userId": "u1", "previousId": "a1"},
}


@pytest.mark.parametrize("kind", CALLS)
def test_each_call_has_its_address_and_the_short_one_of_the_browser_library(lasting_site: Site, kind: str) -> None:
    before = lasting_site.newest()
    for path in (kind, kind[0]):
        answer = lasting_site.post(f"/v1/{path}", {**CALLS[kind], "messageId": path})
        assert answer.status_code == 200
        result = {"status": "accepted", "messageId": path}
        assert answer.json() == {"success": True, "accepted": 1, "duplicate": 0, "rejected": 0, "results": [result]}
    kept = lasting_site.stored(after=before)
    assert [(row.kind, row.source, row.trusted) for row in kept] == [(kind, "crm", True)] * 2


@pytest.mark.parametrize("path", ["batch", "import", "b"])
def test_a_batch_is_answered_message_by_message(site: Site, path: str) -> None:
    site.post("/v1/track", track("old"))
    answer = site.post(f"/v1/{path}", batch(track("a"), {"type": "track"}, track("a"), track("old"), track("b")))
    body = answer.json()
    assert (answer.status_code, body["success"]) == (200, True)
    assert [item["status"] for item in body["results"]] == [
        "accepted",
        "rejected",
        "duplicate",
        "duplicate",
        "accepted",
    ]
    assert (body["accepted"], body["duplicate"], body["rejected"]) == (2, 2, 1)
    assert body["results"][1]["reason"] == "no_id"
    assert [row.message_id for row in site.stored()] == ["old", "a", "b"]
    assert [(row["source"], row["reason"]) for row in site.refused()] == [("crm", "no_id")]


def test_an_empty_batch_is_fine(site: Site) -> None:
    assert site.post("/v1/batch", batch()).json()["results"] == []


def test_the_write_key_may_stand_in_the_header_or_in_the_body(site: Site) -> None:
    def send(name: str, headers: dict[str, str], **body: object) -> int:
        answer = site.client.post("/v1/track", json={**track(name), **body}, headers=headers)
        return int(answer.status_code)

    assert send("basic", SERVER) == 200
    assert send("bearer", {"Authorization": f"Bearer {SERVER_SECRET}"}) == 200
    assert send("body", {}, writeKey=PAGE_SECRET) == 200
    assert [row.source for row in site.stored()] == ["crm", "crm", "shop-page"]
    assert [row.trusted for row in site.stored()] == [True, True, False]
    for headers in (
        {},
        {"Authorization": "Basic !!"},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Digest x"},
    ):
        assert send("none", headers) == 401
    assert send("none", {"Authorization": "Bearer nobody"}, writeKey=PAGE_SECRET) == 401  # the header counts
    assert send("none", {}, writeKey=7) == 401
    answer = site.client.post("/v1/track", json=track("none"))
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unknown_key"
    assert len(site.stored()) == 3


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"batch": [}', "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b'{"batch": 7}', "no_batch"),
        (b"{}", "no_batch"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_400(lasting_site: Site, content: bytes, code: str) -> None:
    before = lasting_site.newest()
    answer = lasting_site.client.post("/v1/batch", content=content, headers=SERVER)
    assert (answer.status_code, answer.json()["code"], answer.json()["success"]) == (400, code, False)
    assert lasting_site.newest() == before


def test_a_body_that_is_too_large_is_a_413_packed_or_not(site: Site) -> None:
    large = json.dumps(batch(track("a", properties={"a": "x" * MAX_BODY_BYTES}))).encode()
    bomb = gzip.compress(b"0" * 50_000_000)
    endless = iter([b" " * 1_000_000] * 10)
    sent: list[tuple[bytes | Iterator[bytes], dict[str, str]]] = [(large, {}), (bomb, {"Content-Encoding": "gzip"})]
    for content, headers in [*sent, (endless, {})]:
        answer = site.client.post("/v1/batch", content=content, headers={**SERVER, **headers})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    with socket.create_connection((site.client.base_url.host, site.client.base_url.port or 0)) as raw:
        raw.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ")
        raw.sendall(SERVER_SECRET.encode() + b"\r\nContent-Length: 99999999999\r\n\r\n{")
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")  # what is announced is not waited for
    many = site.post("/v1/batch", {"batch": [{}] * 2_501})
    assert (many.status_code, many.json()["code"]) == (413, "too_many_messages")


def test_packed_bodies_are_unpacked_and_damaged_ones_refused(site: Site) -> None:
    packed = gzip.compress(json.dumps(batch(track("a"))).encode())

    def send(content: bytes, encoding: str = "gzip") -> tuple[int, str]:
        answer = site.client.post("/v1/batch", content=content, headers={**SERVER, "Content-Encoding": encoding})
        return answer.status_code, answer.json().get("code", "")

    assert send(packed) == (200, "")
    assert send(packed[:-4]) == (400, "bad_gzip")
    assert send(packed + b"x") == (400, "bad_gzip")
    assert send(b"{}") == (400, "bad_gzip")
    assert send(zlib.compress(b"{}"), "br") == (415, "unknown_encoding")
    assert [row.message_id for row in site.stored()] == ["a"]


def test_bad_messages_are_kept_with_their_reason_and_the_others_pass(site: Site) -> None:
    long_ago, soon = "1970-01-01T00:00:00Z", (now() + timedelta(hours=1)).isoformat()
    bad = {
        "too_many_keys": {"type": "identify", "userId": "u", "traits": {f"trait{n}": n for n in range(10_000)}},
        "bad_text": track("n", properties={"name": "a\x00b"}),
        "before_floor": track("p", timestamp=long_ago),
        "from_future": track("f", timestamp=soon),
        "bad_timestamp": track("t", timestamp=1_772_352_000),
        "bad_number": track("b", properties={"n": 10**30}),
        "not_an_object": "track",
        "unknown_type": {"type": "<script>alert(1)</script>", "userId": "u"},
    }
    # without sentAt: with it, a clock that is wrong by a known length would be put right
    answer = site.post("/v1/batch", {"batch": [*bad.values(), track("good")]})
    assert answer.status_code == 200
    assert [item.get("reason", "") for item in answer.json()["results"]] == [*bad, ""]
    assert [row["reason"] for row in site.refused()] == list(bad)
    assert json.loads(site.refused()[1]["content"])["properties"] == {"name": "a\x00b"}  # nothing is lost
    assert [row.message_id for row in site.stored()] == ["good"]
    too_large = site.post("/v1/track", track("l", properties={"a": "x" * 40_000}))
    assert too_large.json()["results"][0]["reason"] == "too_large"
    alone = site.post("/v1/identify", {"userId": "u", "traits": {f"trait{n}": n for n in range(10_000)}})
    assert (alone.status_code, alone.json()["results"][0]["reason"]) == (200, "too_many_keys")


def test_a_device_whose_clock_stands_in_1970_or_in_the_future_is_put_right(site: Site) -> None:
    for name, clock in (("dead", "1970-01-01T00:10:00Z"), ("ahead", "2099-01-01T00:10:00Z")):
        sent, happened = clock, clock.replace("00:10", "00:03")
        assert site.post("/v1/track", track(name, timestamp=happened, sentAt=sent)).json()["accepted"] == 1
    for row in site.stored():
        assert abs(now() - timedelta(minutes=7) - row.occurred_at) < timedelta(minutes=1)
        assert row.stated_at is not None


def test_what_a_client_sent_never_comes_back_as_a_page(site: Site) -> None:
    evil = "<script>alert('x')</script>&amp;"
    answers = [
        site.post("/v1/track", track(evil)),
        site.post("/v1/track", track("m", timestamp=evil)),
        site.post("/v1/batch", {"batch": [{"type": evil}]}),
        site.client.post("/v1/track", content=evil.encode(), headers=SERVER),
        site.client.get(f"/v1/projects/{evil}/settings"),
        site.client.get(f"/{evil}"),
    ]
    for answer in answers:
        assert not set(b"<>&") & set(answer.content)
        assert answer.headers["content-type"].endswith("json")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert answers[0].json()["results"][0]["messageId"] == evil


def test_pages_may_use_the_key_that_lists_their_origin(site: Site) -> None:
    def send(origin: str, secret: str) -> tuple[int, str | None]:
        """As sendBeacon does: plain text, so that the browser need not ask before."""
        content = json.dumps({**track(origin + secret), "writeKey": secret})
        headers = {"Origin": origin, "Content-Type": "text/plain;charset=UTF-8"}
        answer = site.client.post("/v1/t", content=content, headers=headers)
        return answer.status_code, answer.headers.get("access-control-allow-origin")

    assert send(SHOP, PAGE_SECRET) == (200, SHOP)
    assert send("https://evil.example", PAGE_SECRET) == (403, None)
    assert send("null", PAGE_SECRET) == (403, None)
    assert send(SHOP, SERVER_SECRET) == (403, SHOP)  # a server's key has no place in a page
    assert len(site.stored()) == 1


def test_browsers_that_ask_before_they_send_are_answered(site: Site) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-retry-count"}
    allowed = site.client.options("/v1/t", headers={"Origin": SHOP, **asked})
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == SHOP
    named = allowed.headers["access-control-allow-headers"]
    assert {"authorization", "content-type", "x-retry-count"} <= set(re.split(r",\s*", named))
    assert allowed.headers["vary"] == "Origin"
    refused = site.client.options("/v1/t", headers={"Origin": "https://evil.example", **asked})
    assert "access-control-allow-origin" not in refused.headers


def test_the_browser_library_gets_its_settings(site: Site) -> None:
    answer = site.client.get(f"/v1/projects/{PAGE_SECRET}/settings", headers={"Origin": SHOP})
    destination = answer.json()["integrations"]["Segment.io"]
    assert (destination["apiKey"], destination["apiHost"]) == (
        PAGE_SECRET,
        f"{site.client.base_url.netloc.decode()}/v1",
    )
    assert destination["protocol"] == "http"
    assert answer.headers["access-control-allow-origin"] == SHOP
    for secret in (SERVER_SECRET, "nobody"):  # a server's key is not confirmed to browsers
        assert site.client.get(f"/v1/projects/{secret}/settings").status_code == 404


def test_who_sends_too_much_is_told_when_to_come_again(tmp_path: Path) -> None:
    with running_site(tmp_path, pace=Pace(per_second=0.5, burst=2)) as site:
        assert site.post("/v1/batch", batch(*(track(f"m{n}") for n in range(3)))).json()["accepted"] == 3
        answer = site.post("/v1/track", track("late"))
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
        assert 1 <= int(answer.headers["retry-after"]) <= 2
        other = site.client.post("/v1/track", json={**track("page"), "writeKey": PAGE_SECRET}, headers={"Origin": SHOP})
        assert other.status_code == 200  # another key is not held up
        held = site.client.post("/v1/t", json={"batch": [], "writeKey": PAGE_SECRET}, headers={"Origin": SHOP})
        assert held.headers["access-control-expose-headers"] == "Retry-After"


def test_when_the_inbox_is_full_the_sender_is_told_to_come_again(tmp_path: Path) -> None:
    with running_site(tmp_path, capacity=2) as site, ThreadPoolExecutor() as pool:
        with site.ledger.writing_events():
            first = pool.submit(site.post, "/v1/batch", batch(track("a"), track("b")))
            while not site.inbox.load.waiting:
                pass
            answer = site.post("/v1/track", track("c"))
            assert (answer.status_code, answer.json()["code"]) == (429, "inbox_full")
            assert answer.headers["retry-after"] == "1"
        assert first.result().status_code == 200
        assert site.post("/v1/track", track("c")).json()["accepted"] == 1


def test_when_nothing_can_be_written_nothing_is_acknowledged(site: Site) -> None:
    with site.ledger.writing_events() as connection:
        connection.exec_driver_sql("ALTER TABLE message RENAME TO away")
    answer = site.post("/v1/track", track("a"))
    assert (answer.status_code, answer.json()["code"]) == (503, "not_kept")
    assert int(answer.headers["retry-after"]) > 0
    with site.ledger.writing_events() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO message")
    assert site.post("/v1/track", track("a")).json()["results"][0]["status"] == "accepted"


def test_who_waits_too_long_for_the_commit_is_told_so_and_sends_again_without_harm(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Desk._keep, "__defaults__", (0.05,))
    with site.ledger.writing_events():
        answer = site.post("/v1/track", track("a"))
        assert (answer.status_code, answer.json()["code"]) == (503, "slow")
    while site.inbox.load.waiting:
        pass
    monkeypatch.undo()
    assert site.post("/v1/track", track("a")).json()["results"][0]["status"] == "duplicate"


def test_an_error_of_our_own_is_answered_as_a_problem_and_acknowledges_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimwell.web.server.desk.parse_batch", lambda *_, **__: 1 / 0)
    answer = site.post("/v1/batch", batch(track("a")))
    assert (answer.status_code, answer.json()["code"], answer.json()["success"]) == (500, "broken", False)
    monkeypatch.undo()
    assert site.post("/v1/batch", batch(track("a"))).json()["accepted"] == 1


def test_health_says_whether_events_can_be_kept(site: Site) -> None:
    assert site.client.get("/healthz").json() == {"status": "ok"}
    site.inbox.stop()
    answer = site.client.get("/healthz")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert site.post("/v1/track", track("a")).status_code == 503
    site.inbox.start()


def test_the_numbers_are_those_of_what_happened(site: Site) -> None:
    site.post("/v1/batch", batch(track("a"), track("b"), track("a"), {"type": "track"}))
    site.post("/v1/track", track("a"))
    site.client.post("/v1/track", json=track("x"))
    text = site.client.get("/metrics").text
    values = dict(re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", text, re.MULTILINE))
    assert values['aimwell_events_accepted_total{source="crm"}'] == "2"
    assert values['aimwell_events_duplicate_total{source="crm"}'] == "2"
    assert values['aimwell_events_rejected_total{source="crm",reason="no_id"}'] == "1"
    assert values['aimwell_requests_total{status="200"}'] == "2"
    assert values['aimwell_requests_total{status="401"}'] == "1"
    assert values["aimwell_inbox_waiting"] == "0"
    assert float(values["aimwell_inbox_commit_seconds_total"]) > 0
    assert 0 < float(values["aimwell_inbox_oldest_unread_seconds"]) < 60
    site.read[0] = site.stored()[-1].seq
    assert "aimwell_inbox_oldest_unread_seconds 0\n" in site.client.get("/metrics").text


def test_other_addresses_and_methods_are_refused_as_problems(site: Site) -> None:
    assert (site.client.get("/nothing").status_code, site.client.get("/v1/track").status_code) == (404, 405)
    assert site.client.get("/").json()["code"] == "not_found"


def test_logs_name_no_person_and_no_key(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="aimwell"):
        site.post("/v1/identify", {"userId": "li@example.com", "traits": {"phone": "13800000000"}, "timestamp": "x"})
        site.client.post("/v1/track", json=track("m"), headers={"Authorization": "Bearer some-secret"})
        with site.ledger.writing_events() as connection:
            connection.exec_driver_sql("ALTER TABLE message RENAME TO away")
        site.post("/v1/identify", {"userId": "li@example.com", "traits": {"phone": "13800000000"}})
    said = " ".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records if record.name.startswith("aimwell")
    )
    assert "unknown_key" in said
    assert "not kept" in said
    for secret in ("li@example.com", "13800000000", "some-secret", SERVER_SECRET, "127.0.0.1"):
        assert secret not in said


@settings(max_examples=40)
@given(senders=st.lists(st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), max_size=4), min_size=1, max_size=4))
def test_every_message_is_accepted_once_whatever_is_sent_twice_and_at_once(
    senders: list[list[list[str]]], lasting_site: Site
) -> None:
    begin = f"{next(_numbers)}-"

    def send(requests: list[list[str]]) -> list[str]:
        accepted = []
        for names in requests:
            ids = [begin + name for name in names]
            results = lasting_site.post("/v1/batch", batch(*map(track, ids))).json()["results"]
            assert [item["messageId"] for item in results] == ids
            accepted += [item["messageId"] for item in results if item["status"] == "accepted"]
        return accepted

    with ThreadPoolExecutor(4) as pool:
        told = [name for accepted in pool.map(send, senders) for name in accepted]
    sent = {begin + name for requests in senders for names in requests for name in names}
    assert Counter(told) == Counter(sent)
    kept = [row.message_id for row in lasting_site.stored() if row.message_id.startswith(begin)]
    assert Counter(kept) == Counter(sent)


def test_a_body_larger_than_what_is_read_at_once_is_judged_the_same(site: Site) -> None:
    many = [track(f"m{n}", properties={"a": "x" * 100}) for n in range(1_000)]
    assert site.post("/v1/batch", batch(*many)).json()["accepted"] == 1_000
    assert [row.message_id for row in site.stored()] == [message["messageId"] for message in many]
