"""How often a customer was contacted."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, Measure, measure_family, query_family

CONTACTS = measure_family(
    "contacts",
    "preference",
    Text("触达", "Contacts"),
    needs=("touch.touch_id",),
    base="touch",
    at="occurred_at",
    measures=(
        Measure(
            "touches",
            "count(*)",
            Text("触达次数（{days}）", "Touches ({days})"),
            Text("{days}内被联系的次数", "Times the customer was contacted in the {days}"),
            "integer",
            windows=(28, 84, 364, None),
            unit=units.TOUCHES,
            empty=0,
        ),
    ),
)

LAST_CONTACT = query_family(
    "last_contact",
    "preference",
    Text("最近触达", "Last contact"),
    needs=("touch.touch_id",),
    columns=(
        Column(
            "days_since_touch",
            Text("距上次触达天数", "Days since the last touch"),
            "integer",
            Text("距最近一次被联系的整天数", "Whole days since the customer was last contacted"),
            unit=units.DAYS,
        ),
    ),
    sql="""
    SELECT
        customer_id,
        days_between(max(occurred_at), as_of()) AS days_since_touch
    FROM touch
    GROUP BY customer_id
    """,
)
