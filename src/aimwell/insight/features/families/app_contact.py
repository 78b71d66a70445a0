"""How a customer answers e-mails and pushes: rates that do not overrate a few messages, last answers, best hour."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, query_family

_SHRUNK = Text(
    "只计发出两天以上的近364天消息；消息少时向全体平均收缩（相当于5条）",
    "over the messages of the last 364 days that are two days old or more; few messages are drawn to the average of "
    "all customers (as if by 5 messages)",
)


def _rate(name: str, label: Text, what: Text) -> Column:
    return Column(name, label, "share", Text(f"{what.zh}，{_SHRUNK.zh}", f"{what.en}, {_SHRUNK.en}"))


CONTACT = query_family(
    "app_contact",
    "preference",
    Text("触达响应", "Answers to messages"),
    needs=("touch.channel", "outcome.kind", "outcome.touch_id"),
    freshness="batch",
    columns=(
        _rate(
            "mail_open_rate", Text("邮件打开率", "E-mail open rate"), Text("打开的邮件比例", "Share of e-mails opened")
        ),
        _rate(
            "mail_click_rate",
            Text("邮件点击率", "E-mail click rate"),
            Text("点击的邮件比例", "Share of e-mails clicked"),
        ),
        _rate("push_open_rate", Text("推送打开率", "Push open rate"), Text("打开的推送比例", "Share of pushes opened")),
        Column(
            "mail_sent_84d",
            Text("近84天邮件数", "E-mails (84 days)"),
            "integer",
            Text("近84天发给此人的邮件数", "E-mails sent in the last 84 days"),
            unit=units.TOUCHES,
            empty=0,
        ),
        Column(
            "push_sent_84d",
            Text("近84天推送数", "Pushes (84 days)"),
            "integer",
            Text("近84天发给此人的推送数", "Pushes sent in the last 84 days"),
            unit=units.TOUCHES,
            empty=0,
        ),
        Column(
            "mail_last_open_days",
            Text("距上次打开邮件", "Days since an e-mail was opened"),
            "integer",
            Text("距最近一次打开邮件的整天数", "Whole days since an e-mail was last opened"),
            unit=units.DAYS,
        ),
        Column(
            "push_last_open_days",
            Text("距上次打开推送", "Days since a push was opened"),
            "integer",
            Text("距最近一次打开推送的整天数", "Whole days since a push was last opened"),
            unit=units.DAYS,
        ),
        Column(
            "open_hour",
            Text("常打开时段", "Hour of opening"),
            "integer",
            Text(
                "近364天打开消息最多的小时（工作区时区，0至23）",
                "Hour in which most messages of the last 364 days were opened (clock of the workspace); ties to the "
                "earlier",
            ),
            unit=Text("点", "o'clock"),
        ),
    ),
    sql="""
    WITH answered AS (
        SELECT
            touch_id,
            min(CASE WHEN kind = 'opened' THEN occurred_at END) AS opened_at,
            max(flag(kind = 'clicked')) AS clicked
        FROM outcome
        WHERE kind IN ('opened', 'clicked')
        GROUP BY touch_id
    ),
    sent AS (
        SELECT
            touch.customer_id,
            touch.occurred_at,
            CASE WHEN touch.channel = 'email' THEN 'mail' ELSE 'push' END AS way,
            answered.opened_at,
            flag(NOT answered.opened_at IS NULL OR answered.clicked = 1) AS opened,
            coalesce(answered.clicked, 0) AS clicked,
            flag(touch.occurred_at < days_before(2)) AS ripe
        FROM touch
        LEFT JOIN answered ON answered.touch_id = touch.touch_id
        WHERE touch.channel IN ('email', 'app_push', 'web_push') AND touch.occurred_at >= days_before(364)
    ),
    everyone AS (
        SELECT way, ratio(sum(opened), count(*)) AS opened, ratio(sum(clicked), count(*)) AS clicked
        FROM sent
        WHERE ripe = 1
        GROUP BY way
    ),
    own AS (
        SELECT
            sent.customer_id,
            sent.way,
            sum(sent.ripe) AS ripe,
            sum(sent.ripe * sent.opened) AS opened,
            sum(sent.ripe * sent.clicked) AS clicked,
            sum(flag(sent.occurred_at >= days_before(84))) AS lately,
            max(sent.opened_at) AS last_at
        FROM sent
        GROUP BY sent.customer_id, sent.way
    ),
    rates AS (
        SELECT
            own.customer_id,
            own.way,
            own.lately,
            own.last_at,
            ratio(own.opened + 5 * everyone.opened, own.ripe + 5) AS open_rate,
            ratio(own.clicked + 5 * everyone.clicked, own.ripe + 5) AS click_rate
        FROM own
        LEFT JOIN everyone ON everyone.way = own.way
    ),
    hours AS (
        SELECT customer_id, local_hour(opened_at) AS hour_of_day, count(*) AS times
        FROM sent
        WHERE NOT opened_at IS NULL
        GROUP BY customer_id, local_hour(opened_at)
    ),
    best AS (
        SELECT
            customer_id,
            hour_of_day,
            row_number() OVER (PARTITION BY customer_id ORDER BY times DESC, hour_of_day) AS place
        FROM hours
    )
    SELECT
        rates.customer_id,
        max(CASE WHEN rates.way = 'mail' THEN rates.open_rate END) AS mail_open_rate,
        max(CASE WHEN rates.way = 'mail' THEN rates.click_rate END) AS mail_click_rate,
        max(CASE WHEN rates.way = 'push' THEN rates.open_rate END) AS push_open_rate,
        sum(CASE WHEN rates.way = 'mail' THEN rates.lately ELSE 0 END) AS mail_sent_84d,
        sum(CASE WHEN rates.way = 'push' THEN rates.lately ELSE 0 END) AS push_sent_84d,
        days_between(max(CASE WHEN rates.way = 'mail' THEN rates.last_at END), as_of()) AS mail_last_open_days,
        days_between(max(CASE WHEN rates.way = 'push' THEN rates.last_at END), as_of()) AS push_last_open_days,
        max(best.hour_of_day) AS open_hour
    FROM rates
    LEFT JOIN best ON best.customer_id = rates.customer_id AND best.place = 1
    GROUP BY rates.customer_id
    """,
)
