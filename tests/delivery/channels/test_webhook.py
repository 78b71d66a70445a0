"""Webhooks against a real server on loopback: signed, limited, and never led inside the own network."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.delivery.channels.parcels import parcel
from tests.delivery.channels.peers import SECRET, Answer, WebPeer, web_peer

from aimwell.core.errors import BadDefinition
from aimwell.delivery.catalogue import configured
from aimwell.delivery.channel import Receipt
from aimwell.delivery.channels.webhook import MOST_BODY, WEBHOOK, WebhookSettings
from aimwell.delivery.guarded import Forbidden, Unresolved, checked_address, public


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebPeer]:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with web_peer() as running:
        yield running


def posted(
    url: str, *, allowed: tuple[str, ...] = ("127.0.0.1",), timeout: float = 2.0, text: str = "Hello"
) -> Receipt:
    settings = WebhookSettings(url=url, secret_env="HOOK_SECRET", allowed_hosts=allowed, timeout_seconds=timeout)
    (receipt,) = WEBHOOK.open(settings, Path()).send([parcel("7:a:1:0", "c1", text=text)])
    return receipt


def led_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name leads to these addresses, one answer after the other; returns the names that were asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_message_is_posted_as_signed_json(peer: WebPeer) -> None:
    assert posted(f"{peer.url}/in?shop=1").result == "accepted"
    (call,) = peer.calls
    assert (call.method, call.path) == ("POST", "/in?shop=1")
    said = json.loads(call.body)
    assert said["key"] == "7:a:1:0"
    assert said["parts"]["text"] == "Hello"
    stamp = call.headers["Aimwell-Timestamp"]
    assert abs(int(stamp) - time.time()) < 5
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + call.body, hashlib.sha256).hexdigest()
    assert call.headers["Aimwell-Signature"] == f"v1={expected}"
    assert call.headers["Idempotency-Key"] == "7:a:1:0"
    assert call.headers["Host"] == f"127.0.0.1:{peer.port}"


@pytest.mark.parametrize(
    ("status", "result"),
    [(204, "accepted"), (301, "refused"), (400, "refused"), (410, "refused"), (408, "failed"), (429, "failed"),
     (500, "failed"), (503, "failed"), (504, "unknown")],
)  # fmt: skip
def test_each_status_is_told_as_what_it_means(peer: WebPeer, status: int, result: str) -> None:
    peer.answer = lambda call: Answer(status, b"" if status == 204 else b"words", {"Retry-After": "7"})
    receipt = posted(peer.url)
    assert receipt.result == result
    assert receipt.retry_after == (7.0 if result == "failed" else None)


def test_redirects_are_not_followed(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(307, b"", {"Location": f"{peer.url}/inside"})
    assert "redirects are not followed" in posted(f"{peer.url}/out").detail
    assert [call.path for call in peer.calls] == ["/out"]


def test_no_answer_in_time_is_unknown(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(wait=1.0)
    begun = time.perf_counter()
    assert posted(peer.url, timeout=0.3).result == "unknown"
    assert time.perf_counter() - begun < 0.9


def test_an_answer_that_drips_is_cut_off_when_the_time_is_over(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(body=b"x" * 40, drip=0.1)
    begun = time.perf_counter()
    posted(peer.url, timeout=0.5)
    assert time.perf_counter() - begun < 1.5


def test_a_peer_that_hangs_up_leaves_it_unknown(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(hang_up=True)
    assert posted(peer.url).result == "unknown"
    assert len(peer.calls) == 1


def test_a_peer_that_is_not_there_failed_before_anything_was_sent(peer: WebPeer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert posted(f"http://127.0.0.1:{port}/").result == "failed"


def test_a_long_answer_is_not_read_to_its_end(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(500, b"x" * 3_000_000)
    receipt = posted(peer.url)
    assert receipt.result == "failed"
    assert len(receipt.detail) < 400


def test_a_message_that_is_too_large_is_not_posted(peer: WebPeer) -> None:
    assert posted(peer.url, text="x" * MOST_BODY).result == "refused"
    assert peer.calls == []


def test_an_answer_that_repeats_our_secret_is_redacted(peer: WebPeer) -> None:
    peer.answer = lambda call: Answer(400, f"bad secret {SECRET}".encode())
    assert SECRET not in posted(peer.url).detail


INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
    "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.0.1", "240.0.0.1",
    "::1", "::", "fe80::1", "fe80::1%1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:7f00:1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, peer: WebPeer, address: str) -> None:
    led_to(monkeypatch, address)
    receipt = posted("https://evil.example/")
    assert receipt.result == "refused"
    assert "leads inside" in receipt.detail
    assert peer.calls == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost"],
)
def test_no_way_of_writing_loopback_gets_through(peer: WebPeer, host: str) -> None:
    receipt = posted(f"https://{host}:{peer.port}/", allowed=())
    assert receipt.result in {"refused", "failed"}
    assert "leads inside" in receipt.detail or "resolved" in receipt.detail
    assert peer.calls == []


def test_a_name_with_one_public_and_one_inside_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    led_to(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(Forbidden, match=r"10\.0\.0\.1"):
        checked_address("both.example", 443)


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch, peer: WebPeer
) -> None:
    """A name that changes its mind between check and connection (rebinding) finds nobody: it is asked only once."""
    asked = led_to(monkeypatch, "8.8.8.8")
    reached: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        reached.append(address)
        led_to(monkeypatch, "127.0.0.1")
        raise ConnectionRefusedError("as planned")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert posted(f"https://rebind.example:{peer.port}/").result == "failed"
    assert (asked, reached) == (["rebind.example"], [("8.8.8.8", peer.port)])
    assert peer.calls == []


def test_a_host_is_allowed_by_its_exact_name_only(peer: WebPeer) -> None:
    assert posted(f"http://localhost:{peer.port}/", allowed=("localhost",)).result == "accepted"
    assert posted(f"https://localhost:{peer.port}/", allowed=("ocalhost", "local", "127.0.0.1")).result == "refused"


def test_a_name_that_leads_nowhere_fails(peer: WebPeer) -> None:
    with pytest.raises(Unresolved):
        checked_address("nowhere.invalid", 443)
    assert posted("https://nowhere.invalid/").result == "failed"
    assert posted(f"https://{'a' * 70}.example/").result == "failed"


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://",
        "https://ann:pw@shop.example/",
        "https://a.example/\r\nX: y",
        "https://a.example:99999/",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_cannot_be_used_are_refused_in_the_settings(url: str) -> None:
    with pytest.raises(BadDefinition, match="channels.hook"):
        configured({"hook": {"kind": "webhook", "url": url, "secret_env": "HOOK_SECRET"}})
