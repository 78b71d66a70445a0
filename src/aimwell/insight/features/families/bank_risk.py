"""How much investment risk a customer is tested to bear, and whether the test is still good."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, Threshold, query_family

VALID = Threshold(
    "risk_test_valid_days", 365, Text("风险测评有效天数", "Days for which a test of risk tolerance is good")
)

RISK = query_family(
    "bank_risk",
    "basic",
    Text("风险承受能力", "Risk tolerance"),
    needs=("customer.risk_level",),
    thresholds=(VALID,),
    columns=(
        Column(
            "risk_tolerance",
            Text("风险等级", "Risk level"),
            "integer",
            Text("最近一次测评的风险承受等级，1低至5高", "Tolerance of investment risk as last tested, 1 (low) to 5"),
        ),
        Column(
            "risk_tested_days",
            Text("距风险测评天数", "Days since the risk test"),
            "integer",
            Text("距最近一次风险测评的整天数", "Whole days since the last test of risk tolerance"),
            unit=units.DAYS,
            needs=("customer.risk_tested_at",),
        ),
        Column(
            "risk_test_valid",
            Text("风险测评有效", "Risk test still good"),
            "boolean",
            Text(
                "测评未超过有效期；未测评为否。过期须先重测才能购买",
                "Tested, and not longer ago than the workspace allows; never tested is no. An expired test must be "
                "taken again before buying",
            ),
            empty=False,
            needs=("customer.risk_tested_at",),
        ),
        Column(
            "risk_test_left_days",
            Text("测评剩余天数", "Days until the risk test expires"),
            "integer",
            Text("距测评过期的天数，已过期为负", "Days until the test expires, negative once it has"),
            unit=units.DAYS,
            needs=("customer.risk_tested_at",),
        ),
    ),
    sql="""
    SELECT
        customer_id,
        risk_level AS risk_tolerance,
        days_between(risk_tested_at, as_of()) AS risk_tested_days,
        coalesce(days_between(risk_tested_at, as_of()) < setting('risk_test_valid_days'), FALSE) AS risk_test_valid,
        setting('risk_test_valid_days') - days_between(risk_tested_at, as_of()) AS risk_test_left_days
    FROM customer
    """,
)
