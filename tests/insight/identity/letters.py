"""Small worlds of messages for the tests of identity: few people, few devices, few addresses, so that they collide."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hypothesis import strategies as st

from aimwell.insight.identity.evidence import IdentityMessage

USERS = ["ann", "bob", "cy", "dee", "anon:eve"]
DEVICES = ["d1", "d2", "d3", "bob"]  # the last one is a user id too
MAILS = ["m1@x.cn", "M2@x.cn", "m3@x.cn"]


def message(
    number: int,
    kind: str,
    user: str | None = None,
    device: str | None = None,
    *,
    previous: str | None = None,
    at: int | None = None,
    traits: Mapping[str, object] | None = None,
    context: Mapping[str, object] | None = None,
    trusted: bool = False,
) -> IdentityMessage:
    """One message; it happened at second `number` unless said otherwise."""
    return IdentityMessage(
        seq=number,
        message_id=f"message-{number}",
        trusted=trusted,
        kind=kind,
        user_id=user,
        anonymous_id=device,
        previous_id=previous,
        occurred_at=(number if at is None else at) * 1_000_000,
        traits=json.dumps(traits or {}),
        context=json.dumps(context or {}),
    )


@st.composite
def _message(draw: st.DrawFn, number: int) -> IdentityMessage:
    kind = draw(st.sampled_from(["identify", "identify", "track", "alias"]))
    at = draw(st.integers(1, 30))
    if kind == "alias":
        previous = draw(st.sampled_from(USERS + DEVICES))
        return message(number, kind, draw(st.sampled_from(USERS)), previous=previous, at=at)
    user, device = draw(
        st.sampled_from(
            [(user, None) for user in USERS] + [(None, d) for d in DEVICES] + [(u, d) for u in USERS for d in DEVICES]
        )
    )
    if kind == "track":
        return message(number, kind, user, device, at=at)
    traits: dict[str, object] = {}
    if draw(st.booleans()):
        traits = {"email": draw(st.sampled_from(MAILS)), "email_verified": draw(st.sampled_from([True, True, False]))}
    return message(number, kind, user, device, at=at, traits=traits)


def letters(most: int = 14) -> st.SearchStrategy[list[IdentityMessage]]:
    """Some messages, each with its own id."""
    return (
        st.integers(1, most).flatmap(lambda count: st.tuples(*(_message(number) for number in range(count)))).map(list)
    )
