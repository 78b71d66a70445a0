"""Write keys: who may send events, from which pages, and whether what they say of people counts as verified.

Only the digest of a key is kept. A key in a web page is public whatever we do, so it is never `trusted`, and its
origins keep other sites from using it by accident. A key without origins is a server's: browsers are refused.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aimwell.core.errors import BadDefinition, BadQuestion, Unavailable
from aimwell.core.problems import Problem
from aimwell.store.ledger.arrivals import SIMULATION

SHORTEST_SECRET = 16
"""Characters of a key. Digests of shorter ones could be guessed from the file; `new_secret` gives 32."""

ANYWHERE = "*"
"""The origin that lets every page use a key."""

_NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class WriteKey:
    """A key that may send events; every message keeps its name as `source`.

    name: lower-case letters, digits, `_.-`.   key_digest: `sha256:` and 64 hexadecimal digits, see `digest_of`.
    trusted: a secret between servers, so that identifiers which it sends count as verified.
    origins: pages that may use it, such as `https://shop.example`, or `*`; none: no browser may.

    Raises BadQuestion for a name, digest or origin that is none, and for a trusted key that browsers may use.
    """

    name: str
    key_digest: str
    trusted: bool = False
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise BadQuestion(f"{self.name!r} cannot name a write key", expected="lower-case letters, digits, _ . -")
        if self.name == SIMULATION:
            raise BadQuestion(
                f"{self.name!r} cannot name a write key",
                seen="the source of what rehearsals make up, which is kept out of real data",
                remedy="Choose another name.",
            )
        if not _DIGEST.match(self.key_digest):
            raise BadQuestion(f"The digest of write key {self.name!r} is none", expected="sha256: and 64 digits")
        for origin in self.origins:
            if not is_origin(origin):
                raise BadQuestion(f"{origin!r} is no origin", expected="https://shop.example, without a path, or *")
        if self.trusted and self.origins:
            raise BadQuestion(
                f"Write key {self.name!r} cannot be trusted: browsers may use it, so everybody can read it",
                remedy="Use one key for pages and another one for servers.",
            )

    def allows(self, origin: str | None) -> bool:
        """Whether a request with this Origin header (None: it has none, so it comes from no page) may use the key."""
        return origin is None or ANYWHERE in self.origins or origin in self.origins


class KeyRing:
    """All write keys; finds the one that was presented, in a time that does not depend on how much of it is right."""

    def __init__(self, keys: Iterable[WriteKey]) -> None:
        self.keys = tuple(keys)
        for field in ("name", "key_digest"):
            values = [getattr(key, field) for key in self.keys]
            if len(set(values)) != len(values):
                raise BadQuestion(
                    f"Two write keys have the same {field}", seen=", ".join(key.name for key in self.keys)
                )

    def find(self, secret: str | None) -> WriteKey | None:
        """The key that was presented; None if there is no such key."""
        if not secret:
            return None
        presented = digest_of(secret)
        found = None
        for key in self.keys:  # all of them, each compared in constant time
            if hmac.compare_digest(key.key_digest, presented):
                found = key
        return found

    def allows(self, origin: str) -> bool:
        """Whether some key may be used from that origin (a browser asks this before it shows its key)."""
        return any(key.allows(origin) for key in self.keys)


def new_secret() -> str:
    """A new random write key, 32 characters; shown once and kept only as its digest."""
    return secrets.token_urlsafe(24)


def digest_of(secret: str) -> str:
    """What is kept of a key.

    >>> digest_of("a key")[:15]
    'sha256:8fa3aab2'
    """
    return f"sha256:{hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()}"


def is_origin(text: str) -> bool:
    """Whether a text is an origin as browsers send it: scheme, host and maybe a port, nothing more; or `*`."""
    parts = urlsplit(text)
    plain = f"{parts.scheme}://{parts.netloc}"
    return text == ANYWHERE or (parts.scheme in ("http", "https") and bool(parts.hostname) and plain == text)


def key_of(name: str, secret: str, *, trusted: bool = False, origins: Iterable[str] = ()) -> WriteKey:
    """A write key from its secret. Raises BadQuestion for a secret that is too short or has blanks."""
    if len(secret) < SHORTEST_SECRET or re.search(r"\s|:", secret):
        raise BadQuestion(
            f"The secret of write key {name!r} cannot be used",
            expected=f"at least {SHORTEST_SECRET} characters without blanks and colons",
        )
    return WriteKey(name, digest_of(secret), trusted, tuple(origins))


def key_from_environment(
    name: str,
    variable: str,
    *,
    trusted: bool = False,
    origins: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> WriteKey:
    """A write key whose secret stands in a variable of the environment. Raises Unavailable if it is not set."""
    secret = (os.environ if environment is None else environment).get(variable, "")
    if not secret:
        raise Unavailable(f"The secret of write key {name!r} is missing", remedy=f"Set the variable {variable}.")
    return key_of(name, secret, trusted=trusted, origins=origins)


def read_keys(file: Path) -> list[WriteKey]:
    """The write keys of a TOML file: a table for each name, with `key_digest` and maybe `trusted` and `origins`.

    Raises BadDefinition with every problem of the file.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadDefinition([Problem(str(file), None, "", str(error))]) from error
    keys, problems = [], []
    for name, table in tables.items():
        try:
            keys.append(_read_key(name, table))
        except BadQuestion as error:
            problems.append(Problem(str(file), None, name, str(error)))
    if problems:
        raise BadDefinition(problems)
    return keys


def _read_key(name: str, table: object) -> WriteKey:
    if not isinstance(table, dict) or (strange := set(table) - {"key_digest", "trusted", "origins"}):
        seen = f"unknown fields {', '.join(sorted(strange))}" if isinstance(table, dict) else "no table"
        raise BadQuestion(f"Write key {name!r}: {seen}", expected="key_digest, trusted, origins")
    digest, trusted, origins = table.get("key_digest"), table.get("trusted", False), table.get("origins", [])
    texts = isinstance(origins, list) and all(isinstance(origin, str) for origin in origins)
    if not isinstance(digest, str) or not isinstance(trusted, bool) or not texts:
        raise BadQuestion(
            f"Write key {name!r} has a field of the wrong kind", expected="a text, a boolean, a list of texts"
        )
    return WriteKey(name, digest, trusted, tuple(origins))
