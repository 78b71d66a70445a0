"""Money that becomes free: deposits and wealth products that mature, known in advance, and what has just matured."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.accounts import ACCOUNTS, STALE
from aimwell.insight.features.family import Column, query_family


def _maturing(days: int) -> Column:
    return Column(
        f"maturing_{days}d",
        Text(f"未来{days}天到期金额", f"Maturing in {days} days"),
        "money",
        Text(
            f"从今天起{days}天内到期的存款和理财，到期日已知",
            f"Deposits and wealth products that mature within {days} days from today on; the dates are known",
        ),
        measure="maturing",
        empty=0,
    )


MATURITY = query_family(
    "bank_maturity",
    "latent_demand",
    Text("到期资金", "Maturing money"),
    needs=("balance.amount", "balance.matures_on"),
    reads=(ACCOUNTS,),
    thresholds=(STALE,),
    columns=(
        _maturing(7),
        _maturing(30),
        _maturing(90),
        Column(
            "next_maturity_days",
            Text("距下次到期天数", "Days to the next maturity"),
            "integer",
            Text("距最近一笔到期的天数，当天为0", "Days until the next maturity, 0 on the day itself"),
            unit=units.DAYS,
        ),
        Column(
            "matured_30d",
            Text("近30天到期金额", "Matured in the last 30 days"),
            "money",
            Text("近30天内已到期的存款和理财", "Deposits and wealth products that matured in the last 30 days"),
            empty=0,
        ),
    ),
    sql="""
    WITH dated AS (
        SELECT customer_id, amount, peak, stands, days_between(as_of_day(), matures_on) AS ahead
        FROM accounts
        WHERE asset AND NOT matures_on IS NULL
    )
    SELECT
        customer_id,
        sum(CASE WHEN stands AND ahead >= 0 AND ahead < 7 THEN amount ELSE 0 END) AS maturing_7d,
        sum(CASE WHEN stands AND ahead >= 0 AND ahead < 30 THEN amount ELSE 0 END) AS maturing_30d,
        sum(CASE WHEN stands AND ahead >= 0 AND ahead < 90 THEN amount ELSE 0 END) AS maturing_90d,
        min(CASE WHEN stands AND ahead >= 0 AND amount > 0 THEN ahead END) AS next_maturity_days,
        sum(CASE WHEN ahead < 0 AND ahead >= -30 THEN peak ELSE 0 END) AS matured_30d
    FROM dated
    GROUP BY customer_id
    """,
)
