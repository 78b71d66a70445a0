"""The list of every kind of channel as a page: `docs/channels.md` is what this module writes, and a test keeps it so.

`python -m aimwell.delivery.listing docs/channels.md` writes it anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aimwell.delivery.catalogue import channel_kinds
from aimwell.delivery.channel import ChannelKind

_HEAD = """# Channels · 渠道

A channel is a way to reach people. A workspace names its channels in `aimwell.toml`; each table says what `kind` plays
it, by default its own name. A workspace that names none has the local mailbox: nobody outside gets anything.

```toml
[channels.email]
host = "smtp.example.org"
user = "shop"
password_env = "SMTP_PASSWORD"   # the name of an environment variable; secrets never stand in files
sender = "shop@example.org"

[channels.push]
kind = "simulated"
plays = "push"
```

`aimwell check` tells every mistake at once, with its line.

## What becomes of a message

- **accepted**: the provider has it; its reports are awaited.
- **refused**: it will never take it. The detail says why; an address that is dead is suppressed.
- **failed**: it does not have it and may take it later; it is tried again, not before the provider asked for.
- **unknown**: it may or may not have it: the line was lost or no answer came in time. Never a blind repetition: it
  is looked up, or sent again under its key where the provider honours keys, or waits for a person.

HTTP channels read a status so: 2xx accepted; 408, 421, 423, 425, 429 and 5xx failed (`Retry-After` is kept, at most a
day); 504 unknown, since a gateway waited in vain and what is behind it may have acted; redirects and other 4xx refused.
A mail server's 4xx is failed and its 5xx refused; an address is called dead only if the server says so of the recipient
(`5.1.x`, `5.2.1`, or a bare 550, 551, 553), never for what it says of the text or of us.

Each message has a key, the same at every repetition. It is the provider's idempotency key, and the Message-ID of an
e-mail is made from it. Messages of simulated customers are refused by channels that reach real people, e-mail and SMS:
made-up addresses may have owners.

## What counts as an answer

A channel can tell only its *signals*, and a journey may branch on nothing else. *Clicked* is told by our own links:
each link of a message carries a signed token with the message's key and the link's number, and leads on to its target,
which the signature covers. *Opened* is told by a picture in e-mails with HTML. Requests that no person made are marked
`machine` and never count towards a goal: anything but GET, clients that ask ahead (`Sec-Purpose: prefetch`), known
scanners, link previews and tools, clients without a name, clicks within two seconds of delivery, and all links (two or
more) followed within ten seconds of delivery.
"""
_FOOT = """
This page is written by `python -m aimwell.delivery.listing docs/channels.md`; a test fails when it is stale. How to
add a channel is in [CONTRIBUTING](../CONTRIBUTING.md#add-a-channel).
"""


def as_markdown(kinds: Mapping[str, ChannelKind]) -> str:
    """The page: what channels share, then each kind with its settings, signals, and what it cannot tell."""
    return "\n".join([_HEAD, "## The kinds · 种类", "", *_summary(kinds), *_kinds(kinds), _FOOT.strip(), ""])


def _summary(kinds: Mapping[str, ChannelKind]) -> Iterator[str]:
    yield "| kind | label | 名称 | sends to | signals | keys honoured | can be asked |"
    yield "|---|---|---|---|---|---|---|"
    for name, kind in kinds.items():
        keys, asked = _yes(kind.idempotent), _yes(kind.tells)
        cells = [f"`{name}`", kind.label.en, kind.label.zh, f"`{kind.address}`", _signals(kind), keys, asked]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "Settings may change the last two, the address and the signals: see each kind."
    yield ""


def _kinds(kinds: Mapping[str, ChannelKind]) -> Iterator[str]:
    for name, kind in kinds.items():
        yield f"### {kind.label.en} · {kind.label.zh}"
        yield ""
        yield f"`{name}`: {kind.meaning.en} · {kind.meaning.zh}"
        yield ""
        first, *others = kind.parts
        yield f"- Parts of content: `{first}` (required){''.join(f', `{part}`' for part in others)}"
        if kind.longest:
            longest = ", ".join(f"`{part}` {length:,}" for part, length in kind.longest.items())
            yield f"- Characters at most (who writes more is warned): {longest}"
        yield f"- Signals: {_signals(kind)}"
        yield f"- Cannot tell · 无法得知: {kind.silent.en} · {kind.silent.zh}"
        yield ""
        if kind.settings.model_fields:
            yield "| setting | default | meaning |"
            yield "|---|---|---|"
            yield from _settings(kind.settings, "")
            yield ""


def _settings(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = _model_in(field)
        yield f"| `{prefix}{name}` | {_default(field, inner)} | {(field.description or '').replace('|', '&#124;')} |"
        if inner is not None:
            yield from _settings(inner, f"{prefix}{name}.")


def _model_in(field: FieldInfo) -> type[BaseModel] | None:
    """The table that a setting is, if it is one."""
    choices: tuple[Any, ...] = (field.annotation, *getattr(field.annotation, "__args__", ()))
    return next((one for one in choices if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _default(field: FieldInfo, inner: type[BaseModel] | None) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == "":
        return ""
    return "a table" if inner is not None else f"`{json.dumps(value, ensure_ascii=False)}`"


def _signals(kind: ChannelKind) -> str:
    return ", ".join(sorted(kind.signals)) or "none"


def _yes(value: object) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_markdown(channel_kinds()), encoding="utf-8")
