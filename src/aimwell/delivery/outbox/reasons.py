"""Why a message is not sent, or not yet: one closed table, in the words that people read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aimwell.core.text import Text

Kind = Literal["not_sent", "waits", "either"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason; `kind` says whether it ends the message, only delays it, or either (as the policy says)."""

    word: str
    kind: Kind
    text: Text


_ALL = (
    Reason("no_customer", "not_sent", Text("该客户已不存在", "the customer is no longer known")),
    Reason("journey_stopped", "not_sent", Text("旅程已停止", "the journey was stopped")),
    Reason("goal_reached", "not_sent", Text("客户已达成旅程目标", "the customer had reached the journey's goal")),
    Reason(
        "merged",
        "not_sent",
        Text("客户已与另一客户合并，由后者的入程继续", "the customer was merged; the other enrolment goes on"),
    ),
    Reason("exited", "not_sent", Text("客户已退出旅程", "the customer had left the journey")),
    Reason("no_channel", "not_sent", Text("该渠道没有配置", "the channel is not set up")),
    Reason("expired", "not_sent", Text("消息已过期", "the message had expired")),
    Reason("paused", "waits", Text("旅程已暂停", "the journey is paused")),
    Reason("hold_out", "not_sent", Text("客户属于留出组", "the customer is in the hold-out")),
    Reason("no_address", "not_sent", Text("没有该渠道的联系方式", "there is no address for this channel")),
    Reason("suppressed", "not_sent", Text("该联系方式已被停用", "the address is suppressed")),
    Reason("consent", "not_sent", Text("客户没有同意或已拒绝", "there is no consent, or it was withdrawn")),
    Reason("quiet_hours", "either", Text("客户当地处于免打扰时段", "it is a quiet hour where the customer is")),
    Reason("cap", "either", Text("已达到联系频次上限", "the customer was contacted as often as the cap allows")),
    Reason("budget", "not_sent", Text("旅程预算已用完", "the journey's budget is used up")),
    Reason("throttle", "waits", Text("渠道限速，正在排队", "the channel's throttle lets others go first")),
    Reason("provider_down", "waits", Text("服务商暂时不可用", "the provider does not answer")),
    Reason("retry", "waits", Text("服务商这次没有收下，稍后重试", "the provider did not take it and is tried again")),
    Reason("content", "not_sent", Text("内容无法生成", "the content could not be rendered")),
    Reason("refused", "not_sent", Text("服务商拒收", "the provider refused it")),
    Reason("failed", "not_sent", Text("多次尝试失败，等待人工处理", "every attempt failed; a person may revive it")),
    Reason("doubt", "waits", Text("服务商是否收到尚不确定", "it is not known whether the provider has it")),
)

REASONS: dict[str, Reason] = {reason.word: reason for reason in _ALL}
