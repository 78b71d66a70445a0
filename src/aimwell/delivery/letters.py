"""A parcel written as an e-mail: headers that nothing can be added to, text and HTML, one-click unsubscribing."""

from __future__ import annotations

import re
from base64 import b64encode, encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b

from aimwell.delivery.channel import Parcel

ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f]{1,64}@[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f]{1,255}")
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f\x85\u2028\u2029]+")
_ADDRESS_OF_WEB = re.compile(r"https?://[!-~]{1,980}")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LONGEST_WORD = 500
_WORD_BYTES = 42


class Unwritable(ValueError):
    """No e-mail can be made of this parcel; bad_address says that it is for its address."""

    def __init__(self, words: str, *, bad_address: bool = False) -> None:
        super().__init__(words)
        self.bad_address = bad_address


def message_id(key: str, sender: str) -> str:
    """The Message-ID of a key: the same for each repetition of a message.

    >>> message_id("1:offer:1:0", "shop@example.org")
    '<9dfb9842957461623f33aa977e34f9ed@example.org>'
    """
    return f"<{blake2b(key.encode(), digest_size=16).hexdigest()}@{sender.rpartition('@')[2]}>"


def ascii_address(address: str) -> str:
    """The address as servers take it, a Chinese domain in its ASCII form.

    Raises Unwritable for what is no address, and for letters beyond ASCII before the @, which few servers take.

    >>> ascii_address("ann@例え.jp")
    'ann@xn--r8jz45g.jp'
    """
    if not ADDRESS.fullmatch(address):
        raise Unwritable("the address is no e-mail address", bad_address=True)
    name, _, domain = address.rpartition("@")
    try:
        return f"{name.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise Unwritable("the address cannot be written in ASCII", bad_address=True) from error


def written(parcel: Parcel, sender: str, sender_name: str, reply_to: str | None) -> bytes:
    """The message as it goes over the line, with CRLF at the end of every line; raises Unwritable.

    Parts: subject, text and html (at least one of them), sender_name, unsubscribe (an https address). Written here and
    not by the standard library's `EmailMessage`, which took some 80 times as long for the same letter.
    """
    parts = parcel.parts
    bodies = [(kind, parts.get(name, "")) for name, kind in (("text", "plain"), ("html", "html"))]
    given = [(kind, body) for kind, body in bodies if body.strip()]
    if not given:
        raise Unwritable("lacks both the parts 'text' and 'html'")
    headers = [
        f"From: {_mailbox(_line(parts.get('sender_name', '') or sender_name), sender)}",
        f"To: {_mailbox('', parcel.address)}",
        f"Subject: {_words(_line(parts['subject']))}",
        f"Date: {format_datetime(parcel.at or datetime.now(UTC))}",
        f"Message-ID: {message_id(parcel.key, sender)}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ]
    if reply_to:
        headers.append(f"Reply-To: {_mailbox('', reply_to)}")
    headers += _unsubscribing(parts.get("unsubscribe", ""))
    return "\r\n".join(headers).encode("ascii") + b"\r\n" + _content(given, parcel.key)


def _content(given: Sequence[tuple[str, str]], key: str) -> bytes:
    """The bodies with their headers: one, or both as alternatives. No encoded line can look like the boundary."""
    written_parts = [_body(kind, body) for kind, body in given]
    if len(written_parts) == 1:
        return written_parts[0]
    boundary = f"=_{blake2b(key.encode(), digest_size=12).hexdigest()}".encode()
    head = b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n'
    return head + b"".join(b"--" + boundary + b"\r\n" + part for part in written_parts) + b"--" + boundary + b"--\r\n"


def _body(kind: str, body: str) -> bytes:
    """One body, in quoted-printable if it is mostly ASCII and in base64 if not: short lines, never 8 bits."""
    content = (_LINE_ENDS.sub("\r\n", body.rstrip("\r\n")) + "\r\n").encode()
    if len(content) < 1.5 * len(body) + 2:
        encoding, encoded = "quoted-printable", b2a_qp(content, istext=True)
    else:
        encoding, encoded = "base64", encodebytes(content).replace(b"\n", b"\r\n")
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + encoded


def _words(text: str) -> str:
    """Text of a header: as it is if it is plain, else as encoded words (RFC 2047), folded."""
    if text.isascii() and text.isprintable() and "=?" not in text:
        return text
    pieces, piece = [], ""
    for letter in text:
        if len((piece + letter).encode()) > _WORD_BYTES:
            pieces.append(piece)
            piece = ""
        piece += letter
    return "\r\n ".join(f"=?utf-8?b?{b64encode(one.encode()).decode()}?=" for one in [*pieces, piece])


def stuffed(letter: bytes) -> bytes:
    """A message ready for DATA: line ends are CRLF, a dot that begins a line is doubled, the last line is a dot."""
    lines = _LINE_END.split(letter)
    if lines[-1] == b"":
        lines.pop()
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b"\r\n.\r\n"


def _unsubscribing(link: str) -> list[str]:
    """The headers of RFC 2369 and RFC 8058, put in as they are: a long address must not be folded or encoded."""
    link = link.strip()
    if not link:
        return []
    if not _ADDRESS_OF_WEB.fullmatch(link) or "<" in link or ">" in link:
        raise Unwritable("the part 'unsubscribe' is no address of a page")
    one_click = ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if link.startswith("https://") else []
    return [f"List-Unsubscribe: <{link}>", *one_click]


def _mailbox(name: str, address: str) -> str:
    plain = ascii_address(address)
    if not name:
        return plain
    if name.isascii() and name.isprintable() and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"\r\n <{plain}>'
    return f"{_words(name)}\r\n <{plain}>"


def _line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()[:_LONGEST_WORD]
