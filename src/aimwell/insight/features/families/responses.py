"""How a customer answered to contacts: responses, their rate, and the last one."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, Threshold, query_family

_PRIOR = Threshold(
    "response_prior_touches",
    5,
    Text(
        "响应率向总体收缩时相当于多少次触达的分量",
        "how many touches the overall response rate weighs beside the customer's own",
    ),
)
_ANSWER = Text("点击、参与、分享、购买或核销", "clicked, joined, shared, bought or redeemed")

RESPONSES = query_family(
    "responses",
    "preference",
    Text("响应", "Responses"),
    needs=("touch.touch_id", "outcome.touch_id"),
    thresholds=(_PRIOR,),
    freshness="batch",
    columns=(
        Column(
            "responded_touches_ever",
            Text("有响应的触达次数", "Touches responded to"),
            "integer",
            Text(f"得到响应（{_ANSWER.zh}）的触达次数", f"Touches after which the customer {_ANSWER.en}"),
            unit=units.TOUCHES,
            empty=0,
        ),
        Column(
            "response_rate",
            Text("响应率（收缩）", "Response rate (shrunk)"),
            "share",
            Text(
                "有响应的触达占比，按 response_prior_touches 次触达的分量向总体响应率收缩；从未触达者不可知",
                "Share of touches responded to, shrunk towards everybody's rate with the weight of "
                "`response_prior_touches` touches; unknown for those never contacted",
            ),
        ),
        Column(
            "last_touch_answered",
            Text("上次触达有响应", "Last touch answered"),
            "boolean",
            Text("最近一次触达是否得到响应", "Whether the last touch was responded to"),
        ),
    ),
    sql="""
    WITH answered AS (
        SELECT touch_id
        FROM outcome
        WHERE kind IN ('clicked', 'joined', 'shared', 'bought', 'redeemed') AND NOT touch_id IS NULL
        GROUP BY touch_id
    ),
    tried AS (
        SELECT
            touch.customer_id,
            touch.touch_id,
            touch.occurred_at,
            flag(NOT answered.touch_id IS NULL) AS answered
        FROM touch
        LEFT JOIN answered ON answered.touch_id = touch.touch_id
    ),
    summed AS (
        SELECT
            customer_id,
            count(*) AS touches,
            sum(answered) AS answers,
            arg_max(answered, (occurred_at, touch_id)) AS last_answered,
            ratio(sum(sum(answered)) OVER (), sum(count(*)) OVER ()) AS overall
        FROM tried
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        answers AS responded_touches_ever,
        ratio(answers + setting('response_prior_touches') * overall, touches + setting('response_prior_touches'))
            AS response_rate,
        last_answered = 1 AS last_touch_answered
    FROM summed
    """,
)

OUTCOMES = query_family(
    "outcomes",
    "preference",
    Text("响应次数", "Responses by count"),
    needs=("outcome.kind",),
    columns=(
        Column(
            "responses_84d",
            Text("响应次数（近84天）", "Responses (last 84 days)"),
            "integer",
            Text(f"近84天{_ANSWER.zh}的次数", f"How often the customer {_ANSWER.en} in the last 84 days"),
            unit=Text("次", "times"),
            measure="responses",
            empty=0,
        ),
        Column(
            "responses_ever",
            Text("响应次数（历史以来）", "Responses (all of history)"),
            "integer",
            Text(f"历史以来{_ANSWER.zh}的次数", f"How often the customer {_ANSWER.en} in all of history"),
            unit=Text("次", "times"),
            measure="responses",
            empty=0,
        ),
        Column(
            "response_days",
            Text("响应日数", "Days with responses"),
            "integer",
            Text("历史以来有响应的不同日数", "Different days on which the customer responded"),
            unit=units.DAYS,
            empty=0,
        ),
        Column(
            "days_since_response",
            Text("距上次响应天数", "Days since the last response"),
            "integer",
            Text("距最近一次响应的整天数", "Whole days since the last response"),
            unit=units.DAYS,
        ),
        Column(
            "unsubscribed",
            Text("曾退订", "Ever unsubscribed"),
            "boolean",
            Text("是否曾经退订或投诉", "Whether the customer ever unsubscribed or complained"),
            empty=False,
        ),
    ),
    sql="""
    WITH seen AS (
        SELECT
            customer_id,
            occurred_at,
            local_date(occurred_at) AS day,
            kind IN ('clicked', 'joined', 'shared', 'bought', 'redeemed') AS answer,
            kind IN ('unsubscribed', 'complained') AS refusal
        FROM outcome
    )
    SELECT
        customer_id,
        sum(flag(answer AND occurred_at >= days_before(84))) AS responses_84d,
        sum(flag(answer)) AS responses_ever,
        count(DISTINCT CASE WHEN answer THEN day END) AS response_days,
        days_between(max(CASE WHEN answer THEN occurred_at END), as_of()) AS days_since_response,
        sum(flag(refusal)) > 0 AS unsubscribed
    FROM seen
    GROUP BY customer_id
    """,
)
