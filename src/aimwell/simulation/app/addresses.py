"""Names and addresses of simulated people: each can be told apart from a real one, and leads back to the person.

Telephone numbers begin with 100, which no network in China gives to anybody; e-mail goes to `.example` (RFC 2606).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_DIGITS = 8
_FORMS: Mapping[str, str] = {
    "user_id": "A",
    "anonymous_id": "simulated-visitor-",
    "push_token": "simulated-token-",
    "phone": "+86100",
    "wechat": "simulated-openid-",
    "email": "a",
}
_HOST = "@customers.example"
_READ = re.compile(rf"(?:{'|'.join(re.escape(form) for form in _FORMS.values())})(\d{{{_DIGITS}}})(?:{_HOST})?")

ADDRESS_KINDS: Mapping[str, str] = {"push": "push_token", "sms": "phone", "wechat": "wechat", "email": "email"}
"""The kind of identifier to which each channel sends."""


def address(kind: str, person: int) -> str:
    """The identifier of a person of one kind.

    >>> address("email", 12), address("phone", 12), address("user_id", 12)
    ('a00000012@customers.example', '+8610000000012', 'A00000012')
    """
    return f"{_FORMS[kind]}{person:0{_DIGITS}}{_HOST if kind == 'email' else ''}"


def addresser(kind: str) -> Callable[[int], str]:
    """As `address`, for many of one kind."""
    form, host = _FORMS[kind], _HOST if kind == "email" else ""
    return lambda person: f"{form}{person:0{_DIGITS}}{host}"


def person_of(text: str) -> int | None:
    """The person behind an identifier of any kind; None if it is nobody's here.

    >>> person_of("simulated-token-00000012"), person_of("ann@example.com")
    (12, None)
    """
    found = _READ.fullmatch(text)
    return int(found[1]) if found else None
