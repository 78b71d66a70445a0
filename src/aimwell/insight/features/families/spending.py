"""What a customer spends: totals, orders and their size in windows before the cut."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Measure, measure_family

SPENDING = measure_family(
    "spending",
    "transaction",
    Text("消费", "Spending"),
    needs=("purchase.amount",),
    base="orders",
    at="ordered_at",
    reads=(ORDERS,),
    measures=(
        Measure(
            "spend",
            "sum(amount)",
            Text("消费额（{days}）", "Spend ({days})"),
            Text("{days}内实付金额之和，退货抵减", "Amount paid in the {days}, returns deducted"),
            "money",
            windows=(7, 14, 28, 56, 84, 112, 182, 364, None),
            empty=0,
        ),
        Measure(
            "visits",
            "count(*) FILTER (WHERE NOT returned)",
            Text("购买次数（{days}）", "Orders ({days})"),
            Text("{days}内的订单数，不计退货单", "Orders in the {days}, those that only return goods not counted"),
            "integer",
            windows=(7, 14, 28, 56, 84, 112, 182, 364, None),
            unit=units.ORDERS,
            empty=0,
        ),
        Measure(
            "basket",
            # Sums of cents are exact, averages of doubles are not: half a cent must not fall either way.
            "ratio(sum(amount) FILTER (WHERE NOT returned), count(*) FILTER (WHERE NOT returned))",
            Text("客单价（{days}）", "Average order ({days})"),
            Text("{days}内平均每单金额，不计退货单", "Average amount per order in the {days}, returns not counted"),
            "money",
            windows=(28, 84, 364, None),
        ),
        Measure(
            "basket_spread",
            "spread(amount) FILTER (WHERE NOT returned)",
            Text("客单价波动（{days}）", "Spread of orders ({days})"),
            Text("{days}内每单金额的标准差", "Standard deviation of the amount per order in the {days}"),
            "money",
            windows=(364,),
        ),
        Measure(
            "largest_order",
            "max(amount)",
            Text("最大单笔（{days}）", "Largest order ({days})"),
            Text("{days}内金额最大的一单", "Amount of the largest order in the {days}"),
            "money",
            windows=(84, 364),
        ),
    ),
)
