"""Where a customer shops: the shop or branch, the channel, and how many of them."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.basis import basis
from aimwell.insight.features.family import Column, query_family

_VISITED = basis(
    "visited_places",
    """
    SELECT customer_id, place, count(*) AS visits, max(ordered_at) AS last_at
    FROM orders
    WHERE NOT returned AND NOT place IS NULL
    GROUP BY customer_id, place
    """,
    needs=("purchase.place",),
    reads=(ORDERS,),
)

PLACES = query_family(
    "places",
    "preference",
    Text("门店偏好", "Places"),
    needs=("purchase.place",),
    reads=(_VISITED,),
    columns=(
        Column(
            "favourite_place",
            Text("常去门店", "Favourite place"),
            "text",
            Text("去得最多的门店或网点", "Shop or branch visited most often"),
        ),
        Column(
            "favourite_place_share",
            Text("常去门店占比", "Share of the favourite place"),
            "share",
            Text("常去门店占全部购买次数的比例", "Share of the favourite place in all orders"),
        ),
        Column(
            "places_84d",
            Text("门店数（近84天）", "Places (last 84 days)"),
            "integer",
            Text("近84天去过的门店数", "Different shops or branches in the last 84 days"),
            unit=Text("家", "places"),
            measure="places",
            empty=0,
        ),
        Column(
            "places_ever",
            Text("门店数（历史以来）", "Places (all of history)"),
            "integer",
            Text("历史以来去过的门店数", "Different shops or branches in all of history"),
            unit=Text("家", "places"),
            measure="places",
            empty=0,
        ),
    ),
    sql="""
    SELECT
        customer_id,
        arg_max(place, (visits, last_at, place)) AS favourite_place,
        ratio(max(visits), sum(visits)) AS favourite_place_share,
        sum(flag(last_at >= days_before(84))) AS places_84d,
        count(*) AS places_ever
    FROM visited_places
    GROUP BY customer_id
    """,
)

CHANNELS = query_family(
    "channels",
    "preference",
    Text("购买渠道", "Channels of purchase"),
    needs=("purchase.channel",),
    reads=(ORDERS,),
    columns=(
        Column(
            "favourite_channel",
            Text("常用购买渠道", "Favourite channel of purchase"),
            "text",
            Text("购买次数最多的渠道", "Channel with the most orders"),
        ),
        Column(
            "favourite_channel_share",
            Text("常用渠道占比", "Share of the favourite channel"),
            "share",
            Text("常用渠道占全部购买次数的比例", "Share of the favourite channel in all orders"),
        ),
        Column(
            "channels_used",
            Text("购买渠道数", "Channels used"),
            "integer",
            Text("买过的渠道数", "Different channels of purchase"),
            unit=Text("个", "channels"),
            empty=0,
        ),
    ),
    sql="""
    WITH used AS (
        SELECT customer_id, channel, count(*) AS visits, max(ordered_at) AS last_at
        FROM orders
        WHERE NOT returned AND NOT channel IS NULL
        GROUP BY customer_id, channel
    )
    SELECT
        customer_id,
        arg_max(channel, (visits, last_at, channel)) AS favourite_channel,
        ratio(max(visits), sum(visits)) AS favourite_channel_share,
        count(*) AS channels_used
    FROM used
    GROUP BY customer_id
    """,
)
