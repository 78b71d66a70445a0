"""SMS against a real HTTP server on loopback: what is sent, what its answers mean, and which reports are believed."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.delivery.channels.parcels import parcel
from tests.delivery.channels.peers import SECRET, Answer, Call, WebPeer, web_peer

from aimwell.core.errors import BadDefinition
from aimwell.delivery.catalogue import configured
from aimwell.delivery.channel import BadCallback, Receipt, Request
from aimwell.delivery.channels.sms import SMS, Sms, SmsSettings
from aimwell.delivery.signing import sign

PHONE = "+86 138-0000-0000"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebPeer]:
    monkeypatch.setenv("SMS_TOKEN", SECRET)
    monkeypatch.setenv("SMS_CALLBACK", SECRET)
    with web_peer() as running:
        yield running


def opened(peer: WebPeer, **changed: Any) -> Sms:
    values = {"url": f"{peer.url}/send", "timeout_seconds": 2.0}
    return SMS.open(SmsSettings.model_validate(values | changed), Path())


def sent(peer: WebPeer, **changed: Any) -> Receipt:
    channel = opened(peer, **changed)
    (receipt,) = channel.send([parcel("7:a:1:0", PHONE, text="您好 {key} {secret}")])
    channel.close()
    return receipt


def test_the_request_is_made_as_described_and_no_value_is_read_as_a_placeholder(peer: WebPeer) -> None:
    receipt = sent(
        peer,
        url=f"{peer.url}/v1/{{sender}}/messages?to={{address}}",
        headers={"Authorization": "Bearer {secret}"},
        secret_env="SMS_TOKEN",
        sender="千面",
        body={"to": ["{address}"], "message": {"text": "{text}"}, "ttl": 60},
        idempotency_header="X-Key",
        answer={"ref": "data.0.id"},
    )
    (call,) = peer.calls
    assert receipt == Receipt("7:a:1:0", "accepted", None)
    assert json.loads(call.body) == {"to": [PHONE], "message": {"text": "您好 {key} {secret}"}, "ttl": 60}
    assert call.headers["authorization" if "authorization" in call.headers else "Authorization"] == f"Bearer {SECRET}"
    assert call.path == "/v1/%E5%8D%83%E9%9D%A2/messages?to=%2B86%20138-0000-0000"
    assert call.headers["X-Key"] == "7%3Aa%3A1%3A0"


def test_a_form_is_sent_with_basic_authentication(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(body=b'{"data": [{"id": 12}]}')
    receipt = sent(peer, form=True, user="me", secret_env="SMS_TOKEN", answer={"ref": "data.0.id"})
    assert receipt.provider_ref == "12"
    (call,) = peer.calls
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert call.body.startswith(b"to=%2B86")
    assert call.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("status", "result"), [(200, "accepted"), (302, "refused"), (400, "refused"), (404, "refused"), (429, "failed"),
                           (500, "failed"), (503, "failed"), (504, "unknown")],
)  # fmt: skip
def test_each_status_is_told_as_what_it_means(peer: WebPeer, status: int, result: str) -> None:
    peer.answer = lambda call: Answer(status, b'{"id": "m"}', {"Retry-After": "30", "Location": "/x"})
    receipt = sent(peer)
    assert receipt.result == result
    assert receipt.retry_after == (30.0 if result == "failed" else None)
    assert len(peer.calls) == 1


@pytest.mark.parametrize(
    ("body", "result", "dead"),
    [
        ({"code": 0, "id": 5}, "accepted", False),
        ({"code": "F1", "msg": "busy"}, "failed", False),
        ({"code": "N1", "msg": "forbidden words"}, "refused", False),
        ({"code": "D1", "msg": "no such number"}, "refused", True),
        ({"odd": 1}, "unknown", False),
        ("not json", "unknown", False),
    ],
)
def test_codes_inside_of_a_good_status_are_read(peer: WebPeer, body: Any, result: str, *, dead: bool) -> None:
    peer.answer = lambda call: Answer(body=json.dumps(body).encode())
    answer = {"code": "code", "words": "msg", "refused_codes": ["N1"], "dead_codes": ["D1"]}
    receipt = sent(peer, answer=answer)
    assert (receipt.result, receipt.bad_address) == (result, dead)
    if isinstance(body, dict) and "msg" in body:
        assert body["msg"] in receipt.detail


def test_a_time_out_after_the_provider_took_it_is_unknown(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(wait=0.8)
    begun = time.perf_counter()
    assert sent(peer, timeout_seconds=0.2).result == "unknown"
    assert time.perf_counter() - begun < 0.7
    assert len(peer.calls) == 1


def test_a_provider_that_hangs_up_leaves_it_unknown_and_is_not_asked_twice(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(hang_up=True)
    assert sent(peer).result == "unknown"
    assert len(peer.calls) == 1


def test_a_provider_that_is_not_there_failed_before_anything_was_sent(peer: WebPeer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert sent(peer, url=f"http://127.0.0.1:{port}/").result == "failed"
    assert sent(peer, url="http://nowhere.invalid/").result == "failed"


@pytest.mark.parametrize("address", ["ann", "12", "+", "138\r\n000000", "tel:138000000", "1" * 40])
def test_what_is_no_number_is_refused_as_a_dead_one(peer: WebPeer, address: str) -> None:
    channel = opened(peer)
    (receipt,) = channel.send([parcel("1:a:1:0", address)])
    channel.close()
    assert (receipt.result, receipt.bad_address, peer.calls) == ("refused", True, [])


def test_simulated_customers_get_nothing_outside(peer: WebPeer) -> None:
    channel = opened(peer)
    assert channel.send([parcel("1:a:1:0", PHONE, simulated=True)])[0].result == "refused"
    channel.close()
    assert peer.calls == []


def test_a_provider_that_can_be_asked_tells_taken_from_never_taken(peer: WebPeer) -> None:
    def answer(call: Call) -> Answer:
        return Answer({"/m/a": 200, "/m/b": 404, "/m/c": 500}[call.path])

    peer.answer = answer
    channel = opened(peer, look_up_url=f"{peer.url}/m/{{key}}")
    told = {receipt.key: receipt.result for receipt in channel.look_up(["a", "b", "c"])}
    channel.close()
    assert told == {"a": "accepted", "b": "failed"}


def test_an_answer_that_repeats_our_secret_is_redacted(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(401, f"bad token {SECRET}".encode())
    assert SECRET not in sent(peer, secret_env="SMS_TOKEN").detail


def test_a_secret_in_an_address_is_refused_since_addresses_are_logged() -> None:
    with pytest.raises(BadDefinition, match="logged"):
        configured({"sms": {"url": "https://sms.example/?key={secret}", "secret_env": "SMS_TOKEN"}})


def test_abilities_follow_the_settings(peer: WebPeer) -> None:
    plain = SMS.abilities(SmsSettings(url=peer.url))
    assert (plain.idempotent, plain.tells, sorted(plain.signals)) == (False, False, ["clicked"])
    callback = {"secret_env": "SMS_CALLBACK"}
    full = {"url": peer.url, "idempotency_header": "K", "look_up_url": peer.url, "callback": callback}
    able = SMS.abilities(SmsSettings.model_validate(full))
    assert (able.idempotent, able.tells) == (True, True)
    assert "delivered" in able.signals
    assert "opened" not in able.signals


CALLBACK = SmsSettings.model_validate(
    {
        "url": "https://sms.example/",
        "callback": {
            "secret_env": "SMS_CALLBACK",
            "items": "reports",
            "key": "ours",
            "at": "time",
            "statuses": {"DELIVRD": "delivered", "UNDELIV": "bounced"},
        },
    }
)


def request(content: object, *, at: float | None = None, secret: str = SECRET, **headers: str) -> Request:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    stamp = str(int(at if at is not None else time.time()))
    return Request({"x-timestamp": stamp, "X-SIGNATURE": f"sha256={sign(secret, stamp, body)}", **headers}, body)


@pytest.mark.usefixtures("peer")
def test_signed_reports_are_read_in_order_and_other_words_passed_over() -> None:
    items = [
        {"id": "m1", "ours": "7:a:1:0", "status": "DELIVRD", "time": "2026-03-01T10:00:00+08:00"},
        {"id": "m2", "status": "UNDELIV", "time": 1_772_000_000},
        {"id": "m3", "status": "ENROUTE"},
        {"status": "DELIVRD"},
        "odd",
        None,
    ]
    first, second = SMS.read_callback(CALLBACK, request({"reports": items}))
    assert (first.kind, first.key, first.provider_ref, first.ref) == ("delivered", "7:a:1:0", "m1", "m1-DELIVRD")
    assert first.at == datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert (second.kind, second.at) == ("bounced", datetime.fromtimestamp(1_772_000_000, UTC))


@pytest.mark.usefixtures("peer")
@pytest.mark.parametrize(
    ("posted", "message"),
    [
        (request({"reports": []}, secret="other"), "signed"),
        (request({"reports": []}, at=1_000_000_000), "too old"),
        (request({"reports": []}, at=9_999_999_999), "future"),
        (Request({}, b"{}"), "signed"),
        (request(b"{"), "cannot be read"),
        (request(b"\xff"), "cannot be read"),
        (request(b"[" * 100_000), "cannot be read"),
        (request({"reports": 3}), "no list"),
        (request(b"x" * 1_100_000), "too large"),
    ],
)  # fmt: skip
def test_reports_that_are_forged_old_or_unreadable_are_not_believed(posted: Request, message: str) -> None:
    with pytest.raises(BadCallback, match=message):
        SMS.read_callback(CALLBACK, posted)


@pytest.mark.usefixtures("peer")
def test_a_report_from_the_future_is_dated_now() -> None:
    posted = request({"reports": [{"id": "m", "status": "DELIVRD", "time": "2999-01-01T00:00:00Z"}]})
    (report,) = SMS.read_callback(CALLBACK, posted)
    assert abs((report.at - datetime.now(UTC)).total_seconds()) < 60


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.sampled_from(["DELIVRD", "1e999", "m"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "status", "time", "ours", "reports"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(content=JSON)
def test_no_signed_content_makes_reading_raise_anything_but_a_bad_callback(content: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMS_CALLBACK", SECRET)
        try:
            reports = SMS.read_callback(CALLBACK, request({"reports": content}))
        except BadCallback:
            return
    assert all(report.key or report.provider_ref for report in reports)
