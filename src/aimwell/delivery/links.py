"""Links of a message that tell who followed them: rewritten with a signed token, read back, machines told from people.

A token carries the key of the message, the number of the link and how many links there are; the signature covers these
and the target, so that nobody can make our address lead somewhere else (an open redirect) or click for another person.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from aimwell.core.errors import BadInput

Purpose = Literal["link", "open", "unsubscribe", "onsite"]
_LETTERS: Mapping[Purpose, str] = {"link": "l", "open": "o", "unsubscribe": "u", "onsite": "s"}
_SIGNED_BYTES = 16
_SHORTEST_SECRET = 16
_LONGEST_TOKEN = 2_000

# An address in running text: up to a blank, a quote or Chinese punctuation; a full stop after it is not part of it.
_IN_TEXT = re.compile(r"https?://[^\s<>\"'，。！？；：、（）《》「」【】“”‘’]+", re.IGNORECASE)
_TRAILING = ".,;:!?*_~'\""
_ANCHOR = re.compile(
    r"""(<(?:a|area)\b(?:[^>"']|"[^"]*"|'[^']*')*?\shref\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


class BadToken(BadInput):
    """A link that was followed does not carry our signature: it was cut off, changed or made up."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What a token says: the message, which link (from 1; 0 for the picture) of how many, and where it leads."""

    key: str
    purpose: Purpose
    number: int
    of: int
    target: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """The parts with their links rewritten, and the targets by number from 1."""

    parts: Mapping[str, str]
    targets: tuple[str, ...]


class Links:
    """Makes and reads the tracked links of one workspace.

    base: where our pages are, such as https://go.example.org/t.   secret: at least 16 bytes that nobody else knows.
    """

    def __init__(self, base: str, secret: bytes) -> None:
        if len(secret) < _SHORTEST_SECRET:
            raise BadInput(
                "The secret of tracked links is too short", expected=f"{_SHORTEST_SECRET} bytes", seen=str(len(secret))
            )
        if urlsplit(base).scheme not in {"http", "https"} or not urlsplit(base).netloc:
            raise BadInput("The address of tracked links is none", expected="https://host/path", seen=base)
        self._base, self._secret = base.rstrip("/"), secret

    def __repr__(self) -> str:
        return f"Links({self._base!r})"

    def track(self, key: str, parts: Mapping[str, str], *, pixel: bool = True) -> Tracked:
        """Rewrite the links of the parts `text`, `link` and `html`, and put the picture of opening into `html`.

        The same target gets the same number everywhere in a message. Untouched: addresses that are ours already (the
        one for unsubscribing), `mailto:`, `tel:`, places on the page, and all other parts.
        """
        found: dict[str, int] = {}
        for name, text in parts.items():
            _walk(name, text, lambda target: self._noted(found, target))
        tokens = {
            target: self.address("link", key, number=number, of=len(found), target=target)
            for target, number in found.items()
        }
        rewritten = {name: _walk(name, text, lambda target: tokens.get(target, target)) for name, text in parts.items()}
        if pixel and "html" in rewritten:
            picture = html.escape(self.address("open", key, number=0, of=len(found), target=""), quote=True)
            rewritten["html"] = _with_picture(rewritten["html"], picture)
        return Tracked(rewritten, tuple(found))

    def unsubscribe(self, key: str) -> str:
        """The address by which the reader of a message unsubscribes, for the part `unsubscribe`."""
        return self.address("unsubscribe", key, number=0, of=0, target="")

    def onsite(self, customer_id: str) -> str:
        """The address at which a customer's page fetches on-site messages; whoever has it reads them."""
        return self.address("onsite", customer_id, number=0, of=0, target="")

    def address(self, purpose: Purpose, key: str, *, number: int, of: int, target: str) -> str:
        """An address of ours with a signed token; the target is said openly, so that a reader sees where it leads."""
        payload = f"{number}.{of}.{key}".encode()
        token = f"{_plain64(payload)}.{_plain64(self._signature(purpose, payload, target))}"
        tail = f"?to={quote(target, safe='')}" if target else ""
        return f"{self._base}/{_LETTERS[purpose]}/{token}{tail}"

    def read(self, purpose: Purpose, token: str, target: str = "") -> Followed:
        """What a followed address says: its token, and what stood in `to`. Raises BadToken unless both are ours."""
        try:
            if len(token) > _LONGEST_TOKEN:
                raise ValueError("too long")
            said, _, signature = token.partition(".")
            payload = _bytes64(said)
            if not hmac.compare_digest(_bytes64(signature), self._signature(purpose, payload, target)):
                raise ValueError("not signed")
            number, of, key = payload.decode().split(".", 2)
            return Followed(key, purpose, int(number), int(of), target)
        except (ValueError, NotBase64) as error:
            raise BadToken("This link is not one of ours", expected="a link as it was sent", seen=token[:40]) from error

    def _signature(self, purpose: Purpose, payload: bytes, target: str) -> bytes:
        said = b"\n".join([purpose.encode(), payload.hex().encode(), target.encode("utf-8", "surrogatepass")])
        return hmac.new(self._secret, said, hashlib.sha256).digest()[:_SIGNED_BYTES]

    def _noted(self, found: dict[str, int], target: str) -> str:
        if not target.startswith(f"{self._base}/"):
            found.setdefault(target, len(found) + 1)
        return target


def _walk(name: str, text: str, change: Callable[[str], str]) -> str:
    """A part with each of its links changed."""
    if name == "html":
        return _ANCHOR.sub(lambda found: _anchor(found, change), text)
    if name == "link":
        return change(text) if _IN_TEXT.fullmatch(text) else text
    if name == "text":
        return _IN_TEXT.sub(lambda found: _address(found[0], change), text)
    return text


def _anchor(found: re.Match[str], change: Callable[[str], str]) -> str:
    target = html.unescape(next(value for value in found.groups()[1:] if value is not None)).strip()
    if not re.match(r"https?://\S+$", target, re.IGNORECASE):
        return found[0]
    return f'{found[1]}"{html.escape(change(target), quote=True)}"'


def _address(written: str, change: Callable[[str], str]) -> str:
    bare = written.rstrip(_TRAILING)
    while bare.endswith(")") and bare.count(")") > bare.count("("):
        bare = bare[:-1].rstrip(_TRAILING)
    return change(bare) + written[len(bare) :] if _host(bare) else written


def _host(address: str) -> str:
    """The host of an address; empty if it is none."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _with_picture(page: str, address: str) -> str:
    picture = f'<img src="{address}" width="1" height="1" alt="" style="display:block;border:0">'
    ends = list(_BODY_END.finditer(page))
    place = ends[-1].start() if ends else len(page)
    return page[:place] + picture + page[place:]


def _plain64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _bytes64(text: str) -> bytes:
    """What was written so, and in no other way: spare bits of the last letter must be empty."""
    content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _plain64(content) != text:
        raise ValueError("not a token")
    return content
