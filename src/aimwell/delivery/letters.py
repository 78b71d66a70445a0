"""A parcel written as an e-mail: headers that nothing can be added to, text and HTML, one-click unsubscribing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import blake2b

from aimwell.delivery.channel import Parcel

ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f]{1,64}@[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f]{1,255}")
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f\x85\u2028\u2029]+")
_ADDRESS_OF_WEB = re.compile(r"https?://[!-~]{1,1900}")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LONGEST_WORD = 500


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

    Parts: subject, text and html (at least one of them), sender_name, unsubscribe (an https address).
    """
    parts = parcel.parts
    text, html = parts.get("text", ""), parts.get("html", "")
    if not text.strip() and not html.strip():
        raise Unwritable("lacks both the parts 'text' and 'html'")
    letter = EmailMessage(policy=SMTP)
    letter["From"] = _mailbox(_line(parts.get("sender_name", "") or sender_name), sender)
    letter["To"] = _mailbox("", ascii_address(parcel.address))
    letter["Subject"] = _line(parts["subject"])
    letter["Date"] = format_datetime(parcel.at or datetime.now(UTC))
    letter["Message-ID"] = message_id(parcel.key, sender)
    letter["Auto-Submitted"] = "auto-generated"
    if reply_to:
        letter["Reply-To"] = _mailbox("", reply_to)
    if text.strip():
        letter.set_content(text, cte=_encoding(text))
        if html.strip():
            letter.add_alternative(html, subtype="html", cte=_encoding(html))
    else:
        letter.set_content(html, subtype="html", cte=_encoding(html))
    head, _, body = letter.as_bytes().partition(b"\r\n\r\n")
    return b"\r\n".join([head, *_unsubscribing(parts.get("unsubscribe", "")), b"", body])


def stuffed(letter: bytes) -> bytes:
    """A message ready for DATA: line ends are CRLF, a dot that begins a line is doubled, the last line is a dot."""
    lines = _LINE_END.split(letter)
    if lines[-1] == b"":
        lines.pop()
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b"\r\n.\r\n"


def _unsubscribing(link: str) -> list[bytes]:
    """The headers of RFC 2369 and RFC 8058, put in as they are: a long address must not be folded or encoded."""
    link = link.strip()
    if not link:
        return []
    if not _ADDRESS_OF_WEB.fullmatch(link) or "<" in link or ">" in link:
        raise Unwritable("the part 'unsubscribe' is no address of a page")
    headers = [f"List-Unsubscribe: <{link}>".encode()]
    if link.startswith("https://"):
        headers.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return headers


def _mailbox(name: str, address: str) -> Address:
    return Address(display_name=name, addr_spec=ascii_address(address))


def _line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()[:_LONGEST_WORD]


def _encoding(text: str) -> str:
    """Quoted-printable for mostly ASCII, base64 for the rest: never lines that are too long, never 8 bits."""
    return "quoted-printable" if sum(map(str.isascii, text)) > len(text) / 2 else "base64"
