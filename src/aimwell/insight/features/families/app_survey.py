"""What customers answered in surveys: why they buy, what they like to do, how much prices matter, would they recommend.

Answers are rows of `feedback` with the source `survey:<question>`, words in `text` and numbers in `rating`.
"""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, query_family

SURVEY = query_family(
    "app_survey",
    "preference",
    Text("问卷回答", "Survey answers"),
    needs=("feedback.source",),
    columns=(
        Column(
            "stated_motive",
            Text("自述购买动机", "Stated motive"),
            "text",
            Text("客户最近一次问卷自述的购买动机", "Why the customer buys, as last answered (survey:motive)"),
            needs=("feedback.text",),
        ),
        Column(
            "stated_hobby",
            Text("自述爱好", "Stated hobby"),
            "text",
            Text("客户最近一次问卷自述的爱好", "What the customer likes to do, as last answered (survey:hobby)"),
            needs=("feedback.text",),
        ),
        Column(
            "price_matters",
            Text("价格重要程度", "How much prices matter"),
            "number",
            Text("客户自评1（不重要）至5（很重要）", "Own answer from 1 (little) to 5 (much) (survey:price_matters)"),
            needs=("feedback.rating",),
        ),
        Column(
            "recommends",
            Text("推荐意愿", "Would recommend"),
            "number",
            Text("客户自评0至10", "Own answer from 0 to 10 (survey:recommend)"),
            needs=("feedback.rating",),
        ),
        Column(
            "recommends_group",
            Text("推荐者类别", "Promoter or detractor"),
            "text",
            Text("9至10为推荐者，7至8为中立，其余为贬损者", "9 and 10 promoter, 7 and 8 passive, else detractor"),
            needs=("feedback.rating",),
            words={
                "promoter": Text("推荐者", "Promoter"),
                "passive": Text("中立者", "Passive"),
                "detractor": Text("贬损者", "Detractor"),
            },
        ),
        Column(
            "survey_last_days",
            Text("距上次问卷天数", "Days since a survey"),
            "integer",
            Text("距最近一次回答问卷的整天数", "Whole days since a survey was last answered"),
            unit=units.DAYS,
        ),
    ),
    sql="""
    WITH answers AS (
        SELECT
            customer_id,
            max(occurred_at) AS last_at,
            arg_max(text, (occurred_at, feedback_id)) FILTER (WHERE source = 'survey:motive' AND NOT text IS NULL)
                AS motive,
            arg_max(text, (occurred_at, feedback_id)) FILTER (WHERE source = 'survey:hobby' AND NOT text IS NULL)
                AS hobby,
            arg_max(rating, (occurred_at, feedback_id))
                FILTER (WHERE source = 'survey:price_matters' AND NOT rating IS NULL) AS price,
            arg_max(rating, (occurred_at, feedback_id))
                FILTER (WHERE source = 'survey:recommend' AND NOT rating IS NULL) AS recommend
        FROM feedback
        WHERE starts_with(source, 'survey:')
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        motive AS stated_motive,
        hobby AS stated_hobby,
        price AS price_matters,
        recommend AS recommends,
        CASE
            WHEN recommend >= 9 THEN 'promoter'
            WHEN recommend >= 7 THEN 'passive'
            WHEN NOT recommend IS NULL THEN 'detractor'
        END AS recommends_group,
        days_between(last_at, as_of()) AS survey_last_days
    FROM answers
    """,
)
