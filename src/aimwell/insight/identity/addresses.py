"""Addresses as identifiers: the same mailbox or telephone written in two ways is one value."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 254
"""Characters of an address: the longest e-mail address that SMTP can carry (RFC 5321, with its brackets 256)."""

_DIGITS = re.compile(r"\+?[0-9]{5,15}")
_FILLING = re.compile(r"[\s().\-/]")


def normalise(kind: str, value: object, calling_code: str | None = None) -> str | None:
    """The value under which an address is kept, or None if it is no address of that kind.

    kind: `email`, `phone`, or any other, which is taken as it is but for blanks around it.
    calling_code: digits of the country whose numbers are written without one, such as 86.
    >>> normalise("email", " Ann@Example.COM ")
    'ann@example.com'
    >>> normalise("phone", "(0)138 0013-8000", "86")
    '+8613800138000'
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFKC", value).strip()
    if not text or len(text) > LONGEST:
        return None
    if kind == "email":
        return _email(text)
    return _phone(text, calling_code) if kind == "phone" else text


def _email(text: str) -> str | None:
    name, at, host = text.rpartition("@")
    fits = at and name and host and "@" not in name and not re.search(r"\s", text)
    return text.lower() if fits else None


def _phone(text: str, calling_code: str | None) -> str | None:
    digits = _FILLING.sub("", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not digits.startswith("+") and calling_code:
        digits = f"+{calling_code}{digits.lstrip('0')}"
    return digits if _DIGITS.fullmatch(digits) else None
