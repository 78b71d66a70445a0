"""How far a customer is drawn by discounts."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Measure, measure_family

PROMOTION = measure_family(
    "promotion",
    "preference",
    Text("促销偏好", "Promotion affinity"),
    needs=("purchase.discount",),
    base="orders",
    at="ordered_at",
    reads=(ORDERS,),
    measures=(
        Measure(
            "discount_share",
            "ratio(sum(discount) FILTER (WHERE NOT returned), sum(amount + discount) FILTER (WHERE NOT returned))",
            Text("优惠力度（{days}）", "Discount share ({days})"),
            Text("{days}内优惠额占原价的比例", "Discounts as a share of the price before discount in the {days}"),
            "share",
            windows=(28, 84, 364),
        ),
        Measure(
            "discounted_visit_share",
            "ratio(count(*) FILTER (WHERE discount > 0 AND NOT returned), count(*) FILTER (WHERE NOT returned))",
            Text("享优惠订单占比（{days}）", "Share of orders with a discount ({days})"),
            Text("{days}内享受过优惠的订单的比例", "Share of the orders of the {days} that had a discount"),
            "share",
            windows=(84,),
        ),
        Measure(
            "discount",
            "sum(discount) FILTER (WHERE NOT returned)",
            Text("优惠额（{days}）", "Discount ({days})"),
            Text("{days}内享受的优惠总额", "Discounts received in the {days}"),
            "money",
            windows=(84, None),
            empty=0,
        ),
    ),
)
