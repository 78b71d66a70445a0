"""E-mail against a real mail server on loopback: what each of its answers means, and what goes over the line."""

from __future__ import annotations

import email
import email.policy
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.delivery.channels.parcels import parcel
from tests.delivery.channels.peers import SECRET, Mailroom, mail_peer

from aimwell.core.errors import BadDefinition
from aimwell.delivery.catalogue import configured
from aimwell.delivery.channel import Receipt
from aimwell.delivery.channels.email import EMAIL, Email, EmailSettings
from aimwell.delivery.letters import message_id, stuffed, written


def opened(port: int, **changed: Any) -> Email:
    values = {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "shop@example.org", "timeout_seconds": 5}
    return EMAIL.open(EmailSettings.model_validate(values | changed), Path())


def sent(mailroom: Mailroom, *addresses: str, **changed: Any) -> list[Receipt]:
    with mail_peer(mailroom) as port:
        channel = opened(port, **changed)
        receipts = channel.send([parcel(f"{n}:a:1:0", address) for n, address in enumerate(addresses)])
        channel.close()
    return list(receipts)


def letter(envelope: Envelope) -> EmailMessage:
    content = envelope.original_content
    assert content is not None
    read = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_a_letter_has_both_parts_its_names_and_a_message_id_of_its_key() -> None:
    mailroom = Mailroom()
    with mail_peer(mailroom) as port:
        channel = opened(port, sender_name="千面小店", reply_to="help@example.org")
        one = parcel("7:a:1:0", "ann@example.org", subject="您好，安 — ünï", text=".dot\n\n中文", html="<p>中文</p>")
        (receipt,) = channel.send([one])
        channel.close()
    assert receipt.result == "accepted"
    (envelope,) = mailroom.envelopes
    read = letter(envelope)
    assert read["Subject"] == "您好，安 — ünï"
    assert read["From"].addresses[0].display_name == "千面小店"
    assert str(read["Reply-To"]) == "help@example.org"
    assert read["Message-ID"] == message_id("7:a:1:0", "shop@example.org")
    assert read["Date"].datetime == one.at
    plain, page = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert plain.get_content().splitlines() == [".dot", "", "中文"]
    assert page.get_content().rstrip() == "<p>中文</p>"
    assert (envelope.original_content or b"").isascii()
    assert max(map(len, (envelope.original_content or b"").split(b"\r\n"))) <= 998


def test_one_line_serves_a_whole_batch_and_the_next() -> None:
    mailroom = Mailroom()
    with mail_peer(mailroom) as port:
        channel = opened(port)
        for start in (0, 10):
            receipts = channel.send([parcel(f"{n}:a:1:0", "ann@example.org") for n in range(start, start + 10)])
            assert {receipt.result for receipt in receipts} == {"accepted"}
        channel.close()
    assert (mailroom.connections, len(mailroom.envelopes)) == (1, 20)


@pytest.mark.parametrize(
    ("answer", "result", "dead"),
    [
        ("550 5.1.1 no such person", "refused", True),
        ("550 no such person", "refused", True),
        ("553 bad mailbox name", "refused", True),
        ("550 5.7.1 you are on a block list", "refused", False),
        ("552 5.2.2 mailbox full", "refused", False),
        ("550 5.2.1 mailbox closed", "refused", True),
        ("450 4.2.0 greylisted, try again later", "failed", False),
        ("452 too many recipients", "failed", False),
        ("421 shutting down", "failed", False),
    ],
)
def test_what_the_server_says_of_a_recipient_is_told_as_what_it_means(answer: str, result: str, *, dead: bool) -> None:
    mailroom = Mailroom()
    mailroom.recipient = lambda address: answer if address.startswith("bob") else "250 OK"
    first, second, third = sent(mailroom, "ann@example.org", "bob@example.org", "cid@example.org")
    assert (first.result, third.result) == ("accepted", "accepted")
    assert (second.result, second.bad_address) == (result, dead)
    assert answer[:3] in second.detail
    assert len(mailroom.envelopes) == 2


@pytest.mark.parametrize(
    ("answer", "result"),
    [("554 5.7.1 looks like spam", "refused"), ("451 try again", "failed"), ("550 5.1.1 odd", "refused")],
)
def test_what_the_server_says_of_the_text_never_condemns_the_address(answer: str, result: str) -> None:
    mailroom = Mailroom()
    mailroom.data = lambda envelope: answer
    (receipt,) = sent(mailroom, "ann@example.org")
    assert (receipt.result, receipt.bad_address) == (result, False)


def test_a_line_lost_after_the_message_leaves_it_unknown_and_the_next_one_goes() -> None:
    mailroom = Mailroom()
    mailroom.hang_up_after_data = True
    with mail_peer(mailroom) as port:
        channel = opened(port)
        (first,) = channel.send([parcel("1:a:1:0", "ann@example.org")])
        mailroom.hang_up_after_data = False
        (second,) = channel.send([parcel("2:a:1:0", "ann@example.org")])
        channel.close()
    assert (first.result, second.result) == ("unknown", "accepted")
    assert "after the message" in first.detail


def test_a_greylisted_letter_is_taken_the_second_time() -> None:
    mailroom = Mailroom()
    seen: list[str] = []

    def wait_once(address: str) -> str:
        seen.append(address)
        return "250 OK" if len(seen) > 1 else "451 4.7.1 wait"

    mailroom.recipient = wait_once
    with mail_peer(mailroom) as port:
        channel = opened(port)
        results = [channel.send([parcel("1:a:1:0", "ann@example.org")])[0].result for _ in range(2)]
        channel.close()
    assert results == ["failed", "accepted"]


def test_a_server_that_went_away_between_batches_costs_nothing() -> None:
    mailroom = Mailroom()
    with mail_peer(mailroom) as port:
        channel = opened(port)
        channel.send([parcel("1:a:1:0", "ann@example.org")])
        assert channel._line is not None
        channel._line.close()
        (receipt,) = channel.send([parcel("2:a:1:0", "ann@example.org")])
        channel.close()
    assert receipt.result == "accepted"


def test_a_server_that_is_down_fails_all_and_is_tried_once() -> None:
    with mail_peer(Mailroom()) as port:
        pass
    channel = opened(port)
    receipts = channel.send([parcel(f"{n}:a:1:0", "ann@example.org") for n in range(3)])
    assert {receipt.result for receipt in receipts} == {"failed"}
    assert "no connection" in receipts[0].detail


@pytest.mark.parametrize(
    "address",
    [
        "ann",
        "ann@",
        "@example.org",
        "a b@example.org",
        "ann@example.org\r\nRCPT TO:<x@y.z>",
        "<ann@example.org>",
        "安@例.cn",
    ],
)
def test_what_is_no_address_is_refused_as_a_dead_one(address: str) -> None:
    (receipt,) = sent(Mailroom(), address)
    assert (receipt.result, receipt.bad_address) == ("refused", True)


def test_a_chinese_domain_is_written_in_ascii() -> None:
    mailroom = Mailroom()
    (receipt,) = sent(mailroom, "ann@例子.cn")
    assert receipt.result == "accepted"
    assert mailroom.envelopes[0].rcpt_tos == ["ann@xn--fsqu00a.cn"]


def test_one_click_unsubscribing_is_offered_with_its_address_unbroken() -> None:
    link = "https://go.example.org/u/" + "x" * 300
    one = parcel("1:a:1:0", "ann@example.org", unsubscribe=link)
    text = written(one, "shop@example.org", "", None)
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in text
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in text
    plain = written(
        replace(one, parts={**one.parts, "unsubscribe": "http://a.example/u"}), "shop@example.org", "", None
    )
    assert b"List-Unsubscribe-Post" not in plain
    with pytest.raises(ValueError, match="unsubscribe"):
        written(replace(one, parts={**one.parts, "unsubscribe": "https://a>\r\nBcc: x"}), "shop@example.org", "", None)


def test_a_letter_without_words_is_refused() -> None:
    with mail_peer(Mailroom()) as port:
        channel = opened(port)
        (receipt,) = channel.send([parcel("1:a:1:0", "ann@example.org", text="", html=" ")])
        channel.close()
    assert (receipt.result, receipt.bad_address) == ("refused", False)


def test_simulated_customers_get_nothing_outside() -> None:
    mailroom = Mailroom()
    with mail_peer(mailroom) as port:
        (receipt,) = opened(port).send([parcel("1:a:1:0", "ann@example.org", simulated=True)])
    assert receipt.result == "refused"
    assert "simulat" in receipt.detail
    assert mailroom.envelopes == []


@settings(max_examples=150, deadline=None)
@given(
    subject=st.text(st.characters(codec="utf-8"), min_size=1, max_size=120),
    name=st.text(st.characters(codec="utf-8"), max_size=60),
    text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=200),
)
def test_no_subject_and_no_name_adds_a_header(subject: str, name: str, text: str) -> None:
    one = parcel("1:a:1:0", "ann@example.org", subject=f"s{subject}", sender_name=name, text=f"t{text}", html="")
    read = email.message_from_bytes(written(one, "shop@example.org", "", None), policy=email.policy.SMTP)
    assert [name for name in read if name not in {"MIME-Version", "Content-Type", "Content-Transfer-Encoding"}] == [
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"
    ]  # fmt: skip
    assert [address.addr_spec for address in read["From"].addresses] == ["shop@example.org"]
    assert [address.addr_spec for address in read["To"].addresses] == ["ann@example.org"]


def test_headers_smuggled_in_stay_text() -> None:
    mailroom = Mailroom()
    with mail_peer(mailroom) as port:
        channel = opened(port)
        attack = "Hi\r\nBcc: all@example.org\r\n\r\n<script>"
        channel.send([parcel("1:a:1:0", "ann@example.org", subject=attack, sender_name=attack)])
        channel.close()
    read = letter(mailroom.envelopes[0])
    assert read["Bcc"] is None
    assert "Bcc: all@example.org" in read["Subject"]
    assert mailroom.envelopes[0].rcpt_tos == ["ann@example.org"]


def test_dots_and_line_ends_go_over_the_line_as_the_rules_say() -> None:
    assert stuffed(b"a\n.b\r\n..c\rd") == b"a\r\n..b\r\n...c\r\nd\r\n.\r\n"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost, signed by itself, and the server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "ca.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    both = tmp_path / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(private + pem.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return pem, context


def _signed_in(server: object, session: object, envelope: object, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data.password == SECRET.encode(), handled=False)


def test_the_line_is_encrypted_and_the_password_given(
    certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, context = certificate
    mailroom = Mailroom()
    options: dict[str, Any] = {"tls_context": context, "require_starttls": True}
    with mail_peer(mailroom, **options, authenticator=_signed_in, auth_required=True) as port:
        way: dict[str, Any] = {"host": "localhost", "tls": "starttls", "user": "u", "password_env": "SMTP_PASSWORD"}
        monkeypatch.setenv("SMTP_PASSWORD", SECRET)
        trusted = opened(port, ca_file=str(pem), **way)
        (receipt,) = trusted.send([parcel("1:a:1:0", "ann@example.org")])
        trusted.close()
        assert receipt.result == "accepted", receipt
        (untrusted,) = opened(port, **way).send([parcel("2:a:1:0", "ann@example.org")])
        assert untrusted.result == "failed"
        assert "certificate" in untrusted.detail.lower()
        monkeypatch.setenv("SMTP_PASSWORD", "wrong")
        (stranger,) = opened(port, ca_file=str(pem), **way).send([parcel("3:a:1:0", "ann@example.org")])
        assert stranger.result == "failed"
        assert "535" in stranger.detail
        assert "wrong" not in stranger.detail
    assert len(mailroom.envelopes) == 1


def test_a_server_without_encryption_is_not_talked_to_where_it_is_asked_for() -> None:
    mailroom = Mailroom()
    (receipt,) = sent(mailroom, "ann@example.org", tls="starttls")
    assert receipt.result == "failed"
    assert "STARTTLS" in receipt.detail
    assert mailroom.envelopes == []


def test_settings_that_would_betray_a_password_or_make_no_sense_are_refused() -> None:
    base: dict[str, object] = {"kind": "email", "host": "mail.example.org", "sender": "shop@example.org"}
    cases: list[tuple[dict[str, object], str]] = [
        ({"user": "u", "password_env": "X", "tls": "none"}, "open line"),
        ({"user": "u"}, "belong together"),
        ({"sender": "shop"}, "no e-mail address"),
        ({"port": 0}, "greater than or equal"),
        ({"password": "x"}, "unknown key 'password'"),
    ]
    for wrong, message in cases:
        with pytest.raises(BadDefinition, match=message):
            configured({"mail": base | wrong})
