"""Why a message was not accepted: a closed set of reasons, in words for people and in codes for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aimwell.core.errors import BadInput
from aimwell.core.text import Text

Reason = Literal[
    "not_an_object",
    "unknown_type",
    "no_id",
    "no_event_name",
    "bad_timestamp",
    "too_large",
    "too_deep",
    "too_many_keys",
    "bad_text",
    "bad_number",
    "bad_field",
    "from_future",
    "before_floor",
]

REASONS: dict[Reason, Text] = {
    "not_an_object": Text("消息不是 JSON 对象", "the message is no JSON object"),
    "unknown_type": Text("未知的调用类型", "the type of call is unknown"),
    "no_id": Text("缺少该类型所需的编号", "an id that this type of call needs is missing"),
    "no_event_name": Text("track 缺少事件名称", "a track call without the name of its event"),
    "bad_timestamp": Text("时间不是 ISO 8601 格式", "a timestamp is no ISO 8601 instant"),
    "too_large": Text("消息过大", "the message is too large"),
    "too_deep": Text("嵌套过深", "objects and lists are nested too deeply"),
    "too_many_keys": Text("键过多", "the objects of the message have too many keys"),
    "bad_text": Text("文本含有空字符或不成对的代理字符", "a text holds a NUL character or half a surrogate pair"),
    "bad_number": Text("数值不是有限数或超出 64 位", "a number is not finite, or an integer beyond 64 bits"),
    "bad_field": Text("字段类型不符或过长", "a field has the wrong kind of value, or is too long"),
    "from_future": Text("事件时间在未来", "the event lies in the future"),
    "before_floor": Text("事件时间过早", "the event lies before the earliest year that is accepted"),
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that was not accepted: the reason, what was seen where, and the content, so that nothing is lost.

    `content` is the message as ASCII JSON text, cut at the largest size of a message; empty if it cannot be written.
    """

    reason: Reason
    detail: str
    content: str = ""


class Unfit(BadInput):
    """A message breaks a rule of the intake; it ends the reading of that message and never leaves the package."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason: Reason = reason
        self.detail = detail
        super().__init__(f"The message is not accepted: {REASONS[reason].en}", seen=detail)
