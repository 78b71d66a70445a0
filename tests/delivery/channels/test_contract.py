"""What every channel promises, asked of each that is found: a receipt for each parcel, no secret, no surprise."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import BaseModel
from tests.delivery.channels.parcels import parcel
from tests.delivery.channels.peers import PEERS, SECRET, SECRETS, Peer

from aimwell.core.errors import Unavailable
from aimwell.delivery.catalogue import ConfiguredChannel, channel_kinds, configured
from aimwell.delivery.channel import BadCallback, Channel, Parcel, Request

KINDS = sorted(channel_kinds())


@dataclass
class Bench:
    """A channel of a workspace with its peer running."""

    peer: Peer
    configured: ConfiguredChannel
    channel: Channel
    folder: Path

    def parcel(self, key: str = "7:offer:1:0") -> Parcel:
        return parcel(key, self.peer.address)

    def got(self, key: str = "7:offer:1:0") -> int:
        return self.peer.got(self.configured.place(self.folder), key)


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with PEERS[request.param]() as peer:
        made = configured({"way": {"kind": request.param, **peer.settings}})["way"]
        channel = made.open(tmp_path)
        yield Bench(peer, made, channel, tmp_path)
        channel.close()


def test_every_kind_has_a_peer() -> None:
    assert set(PEERS) == set(KINDS), "start the peer of a new channel in peers.py"


def test_each_parcel_gets_one_receipt_and_arrives(bench: Bench) -> None:
    keys = [f"{number}:offer:1:0" for number in range(5)]
    receipts = bench.channel.send([bench.parcel(key) for key in keys])
    assert sorted(receipt.key for receipt in receipts) == keys
    assert {receipt.result for receipt in receipts} == {"accepted"}
    assert all(bench.got(key) for key in keys)


def test_an_empty_batch_is_answered_with_nothing(bench: Bench) -> None:
    assert list(bench.channel.send([])) == []
    assert list(bench.channel.look_up([])) == []


def test_one_bad_parcel_is_refused_and_the_others_go(bench: Bench) -> None:
    first = bench.configured.kind.parts[0]
    good = bench.parcel("good:offer:1:0")
    bad = [
        replace(bench.parcel("a:offer:1:0"), parts={name: text for name, text in good.parts.items() if name != first}),
        replace(bench.parcel("b:offer:1:0"), parts={**good.parts, first: " \n"}),
        replace(bench.parcel("c:offer:1:0"), address=""),
        replace(bench.parcel("d:offer:1:0"), parts={**good.parts, first: "half \ud83d"}),
        replace(bench.parcel("e:offer:1:0"), at=None if good.at is None else good.at.replace(tzinfo=None)),
    ]
    receipts = {receipt.key: receipt for receipt in bench.channel.send([*bad, good])}
    assert set(receipts) == {"good:offer:1:0", *(one.key for one in bad)}
    assert {receipts[one.key].result for one in bad} == {"refused"}
    assert all(receipts[one.key].detail for one in bad)
    assert [receipts[one.key].bad_address for one in bad] == [False, False, True, False, False]
    assert receipts["good:offer:1:0"].result == "accepted"


def test_a_key_given_twice_is_delivered_once_where_the_channel_says_so(bench: Bench) -> None:
    for _ in range(2):
        (receipt,) = bench.channel.send([bench.parcel()])
        assert receipt.result == "accepted"
    assert bench.got() == (1 if bench.configured.abilities.idempotent else 2)


def test_a_channel_that_can_be_asked_tells_the_truth(bench: Bench) -> None:
    bench.channel.send([bench.parcel()])
    told = {receipt.key: receipt.result for receipt in bench.channel.look_up(["7:offer:1:0", "8:offer:1:0"])}
    assert told == ({"7:offer:1:0": "accepted", "8:offer:1:0": "failed"} if bench.configured.abilities.tells else {})


def test_what_was_sent_survives_closing_and_opening_again(bench: Bench) -> None:
    bench.channel.send([bench.parcel()])
    bench.channel.close()
    again = bench.configured.open(bench.folder)
    again.send([bench.parcel("8:offer:1:0")])
    again.close()
    assert bench.got()
    assert bench.got("8:offer:1:0")


def test_closing_twice_does_no_harm(bench: Bench) -> None:
    bench.channel.send([bench.parcel()])
    bench.channel.close()
    bench.channel.close()


def test_no_secret_is_shown(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receipts = bench.channel.send([bench.parcel(), replace(bench.parcel("9:offer:1:0"), address="nobody")])
    shown = [repr(bench.channel), repr(bench.configured), repr(receipts), caplog.text, str(vars(bench.configured.kind))]
    assert not any(SECRET in text for text in shown)


def test_a_secret_that_is_not_there_is_named_but_not_guessed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [str(value) for name, value in bench.peer.settings.items() if name.endswith("_env")]
    for name in SECRETS:
        monkeypatch.delenv(name)
    if wanted:
        with pytest.raises(Unavailable, match=wanted[0]):
            bench.configured.open(bench.folder)
    else:
        bench.configured.open(bench.folder).close()


def test_a_callback_that_nobody_signed_is_not_believed(bench: Bench) -> None:
    with pytest.raises(BadCallback):
        bench.configured.read_callback(Request({}, b'{"id": "x", "status": "delivered"}'))


def test_collecting_goes_on_from_its_mark_and_tells_only_declared_signals(bench: Bench) -> None:
    bench.channel.send([bench.parcel("1:a:1:0"), bench.parcel("2:a:1:0")])
    reports, mark = bench.configured.collect(bench.folder, 0)
    assert {report.kind for report in reports} <= bench.configured.abilities.signals | {"accepted", "refused"}
    assert bench.configured.collect(bench.folder, mark) == ([], mark) or not reports
    assert not {report.key for report in reports} - {"1:a:1:0", "2:a:1:0"}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_says_what_it_is(name: str) -> None:
    kind = channel_kinds()[name]
    assert kind.name == name
    for text in (kind.label, kind.meaning, kind.silent):
        assert text.zh
        assert text.en
    assert kind.parts
    assert kind.batch >= 1
    assert kind.address


@pytest.mark.parametrize("name", KINDS)
def test_every_setting_has_a_description_in_its_schema(name: str) -> None:
    settings = channel_kinds()[name].settings
    assert settings.__doc__
    json.dumps(settings.model_json_schema())
    assert list(_undescribed(settings)) == []


def _undescribed(settings: type[BaseModel]) -> Iterator[str]:
    for name, field in settings.model_fields.items():
        if not field.description:
            yield f"{settings.__name__}.{name}"
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _undescribed(inner)
