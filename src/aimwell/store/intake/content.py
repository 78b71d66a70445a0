"""The content of a message: what JSON may hold so that every store can keep it, and how it is written as text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from aimwell.store.intake.rejections import Unfit

MAX_MESSAGE_BYTES = 32 * 1024
"""Segment's limit of one message (HTTP API: 32 KB). Measured as compact UTF-8 JSON, shared context included."""

MAX_DEPTH = 20
"""Objects and lists inside each other, the message itself being the first. Ours: a cart in a context needs 5; deep
nesting serves nobody and stops parsers."""

MAX_KEYS = 2_000
"""Keys of all objects of a message together. Ours: an order of 150 lines with a dozen fields each fits."""

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1
"""Integers that some 64-bit type of the stores can hold; ids of machines come as signed or unsigned ones."""

NOTHING: Mapping[str, object] = MappingProxyType({})
"""An object without keys, for fields that are missing."""

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_ONLY_DIGITS = bytes(48 if 48 <= code < 58 else 32 for code in range(256))
_LONG_NUMBER = b"0" * 19  # any integer with fewer digits fits into 64 bits
_SHORTEST_KEY = len('"":0,')
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def read_json(body: bytes) -> tuple[object, bool]:
    """The value of UTF-8 JSON, and whether it is plain: no text or number in it can be one that stores refuse.

    Plain is what the strict and quick reader takes (it refuses NaN, Infinity and half surrogate pairs) and what has
    neither an escaped NUL nor 19 digits in a row; of anything else every value must be looked at. Both readers give
    equal values. Raises ValueError or RecursionError for what is no JSON.

    >>> read_json(b'{"a": [1, "x"]}')
    ({'a': [1, 'x']}, True)
    >>> read_json(b"[NaN]")
    ([nan], False)
    """
    try:
        value = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return json.loads(body.decode("utf-8-sig")), False
    return value, b"\\u0000" not in body and _LONG_NUMBER not in body.translate(_ONLY_DIGITS)


def check_message(fields: Mapping[str, object], *, plain: bool) -> None:
    """Refuse a message that a store could not keep, or that is too large.

    plain: every value came from a body that `read_json` calls plain. Then counting brackets and colons in the message's
    text, which cannot count too few, mostly shows that it fits without a visit of each value.
    Raises Unfit at the first breach.
    """
    if plain and _surely_fits(_encode(fields)):
        return
    check_content(fields)
    if (size := len(write_json(fields).encode())) > MAX_MESSAGE_BYTES:
        raise Unfit("too_large", f"{size} bytes, at most {MAX_MESSAGE_BYTES}")


def _surely_fits(text: bytes) -> bool:
    # the two writers spell some numbers with a character more or less, hence the half
    size = len(text)
    return (
        size <= MAX_MESSAGE_BYTES // 2
        and text.count(b"{") + text.count(b"[") <= MAX_DEPTH
        and (size <= MAX_KEYS * _SHORTEST_KEY or text.count(b":") <= MAX_KEYS)
    )


def check_content(root: object) -> None:
    """Refuse what a store could not keep: depth, number of keys, texts and numbers are checked, level by level.

    Raises Unfit at the first breach. Cost: one visit of each value, no recursion.
    """
    level, keys = [root], 0
    for _ in range(MAX_DEPTH):
        nested: list[object] = []
        for container in level:
            if isinstance(container, dict):
                keys += len(container)
                if keys > MAX_KEYS:
                    raise Unfit("too_many_keys", f"more than {MAX_KEYS} keys")
                nested.extend(_check_keys(container))
            elif isinstance(container, list):
                nested.extend(container)
        level = [value for value in nested if isinstance(value, dict | list)]
        for value in nested:
            _check_scalar(value)
        if not level:
            return
    raise Unfit("too_deep", f"more than {MAX_DEPTH} levels")


def write_json(value: object) -> str:
    """Compact JSON text of checked content, in the order in which the keys came."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def write_object(value: Mapping[str, object], *, plain: bool) -> str:
    """Compact JSON text of a checked object, by the quick writer if its content is plain; the values are the same."""
    if not value:
        return "{}"
    return _encode(value).decode() if plain else write_json(value)


def write_canonical(value: object) -> str:
    """JSON text that is equal for equal content, whatever the order of its keys."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def write_kept(value: object) -> str:
    """ASCII text of unchecked content, for the record of what was rejected; empty if there is no way to write it.

    >>> write_kept({"name": "\\x00"})
    '{"name":"\\\\u0000"}'
    """
    if isinstance(value, dict):
        value = {key: inner for key, inner in value.items() if key != "writeKey"}
    try:
        return json.dumps(value, separators=(",", ":"))[:MAX_MESSAGE_BYTES]
    except (TypeError, ValueError, RecursionError):
        return ""


def _check_keys(container: Mapping[object, object]) -> Iterable[object]:
    for key in container:
        if not isinstance(key, str):
            raise Unfit("bad_field", f"a key is a {type(key).__name__}, not a text")
        _check_text(key)
    return container.values()


def _check_scalar(value: object) -> None:
    if value is None or isinstance(value, dict | list):
        return
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Unfit("bad_number", "NaN or Infinity")
    elif isinstance(value, int):
        if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            raise Unfit("bad_number", "an integer beyond 64 bits")
    else:
        raise Unfit("bad_field", f"a {type(value).__name__} is no JSON value")


def _check_text(text: str) -> None:
    if found := _UNKEEPABLE.search(text):
        raise Unfit("bad_text", f"{found[0]!r} at character {found.start() + 1} of a text")
