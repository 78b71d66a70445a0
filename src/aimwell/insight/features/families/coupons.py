"""How a customer uses coupons: lines and orders bought with one, and when last."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Measure, measure_family

_NEEDS = ("purchase.coupon_discount",)

COUPONS = measure_family(
    "coupons",
    "preference",
    Text("用券", "Coupon use"),
    needs=_NEEDS,
    base="orders",
    at="ordered_at",
    reads=(ORDERS,),
    measures=(
        Measure(
            "coupon_lines",
            "sum(coupon_lines)",
            Text("用券行数（{days}）", "Lines with a coupon ({days})"),
            Text("{days}内用券购买的行数", "Order lines bought with a coupon in the {days}"),
            "integer",
            windows=(56, 112, None),
            unit=units.LINES,
            empty=0,
        ),
        Measure(
            "coupon_orders",
            "count(*) FILTER (WHERE coupon_lines > 0)",
            Text("用券次数（{days}）", "Orders with a coupon ({days})"),
            Text("{days}内用过券的订单数", "Orders of the {days} in which a coupon was used"),
            "integer",
            windows=(56, 112, None),
            unit=units.ORDERS,
            empty=0,
        ),
        Measure(
            "coupon_order_share",
            "ratio(count(*) FILTER (WHERE coupon_lines > 0), count(*))",
            Text("用券订单占比（{days}）", "Share of orders with a coupon ({days})"),
            Text("{days}内用过券的订单的比例", "Share of the orders of the {days} in which a coupon was used"),
            "share",
            windows=(112, None),
        ),
        Measure(
            "coupon_line_share",
            "ratio(sum(coupon_lines), sum(lines))",
            Text("用券行占比（{days}）", "Share of lines with a coupon ({days})"),
            Text("{days}内用券购买的行的比例", "Share of the order lines of the {days} bought with a coupon"),
            "share",
            windows=(112, None),
        ),
        Measure(
            "coupon_savings",
            "sum(coupon_discount)",
            Text("用券节省（{days}）", "Saved by coupons ({days})"),
            Text("{days}内用券节省的金额", "What coupons saved in the {days}"),
            "money",
            windows=(112, None),
            empty=0,
        ),
        Measure(
            "days_since_coupon",
            "min(age) FILTER (WHERE coupon_lines > 0)",
            Text("距上次用券天数", "Days since the last coupon"),
            Text("距最近一次用券购买的整天数", "Whole days since the last order with a coupon"),
            "integer",
            windows=(None,),
            unit=units.DAYS,
        ),
    ),
)
