"""What a customer gives back."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Measure, measure_family

RETURNS = measure_family(
    "returned_goods",
    "transaction",
    Text("退货", "Returns"),
    needs=("purchase.amount",),
    base="purchase",
    at="occurred_at",
    measures=(
        Measure(
            "returned_lines",
            "count(*) FILTER (WHERE amount < 0)",
            Text("退货行数（{days}）", "Lines returned ({days})"),
            Text("{days}内金额为负的订单行数", "Order lines with a negative amount in the {days}"),
            "integer",
            windows=(84, None),
            unit=units.LINES,
            empty=0,
        ),
        Measure(
            "returned_share",
            "ratio(0 - coalesce(sum(amount) FILTER (WHERE amount < 0), 0), sum(amount) FILTER (WHERE amount > 0))",
            Text("退货金额占比（{days}）", "Share returned ({days})"),
            Text("{days}内退货金额占购买金额的比例", "Amount given back as a share of the amount bought in the {days}"),
            "share",
            windows=(None,),
        ),
    ),
)
