"""What a customer spends: totals, visits and basket in windows before the cut."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.family import Measure, measure_family

SPENDING = measure_family(
    "spending",
    "transaction",
    Text("消费", "Spending"),
    needs=("purchase.amount",),
    base="SELECT customer_id, order_id, min(occurred_at) AS visited_at, sum(amount) AS amount "
    "FROM purchase GROUP BY customer_id, order_id",
    at="visited_at",
    measures=(
        Measure(
            "spend",
            "sum(amount)",
            Text("消费额({days})", "Spend ({days})"),
            Text("{days}内实付金额之和,退货抵减", "Amount paid in the {days}, returns deducted"),
            "money",
            windows=(28, 56, 84, 182, None),
            empty=0,
        ),
        Measure(
            "visits",
            "count(*)",
            Text("购买次数({days})", "Orders ({days})"),
            Text("{days}内订单数", "Orders in the {days}"),
            "integer",
            windows=(28, 56, 84, 182, None),
            unit=Text("次", "orders"),
            empty=0,
        ),
        Measure(
            "basket",
            "ratio(sum(amount), count(*))",
            Text("客单价({days})", "Average basket ({days})"),
            Text("{days}内平均每单金额", "Average amount per order in the {days}"),
            "money",
            windows=(84, None),
        ),
    ),
)
