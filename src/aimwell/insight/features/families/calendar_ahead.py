"""The calendar around the cut, the same for everyone: the next holiday, days off ahead, swapped working days counted.

From rows of `context` of the kinds `holiday` and `day_off` (see `aimwell.store.calendar`), as far as they were known.
"""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, query_family

AHEAD = query_family(
    "calendar_ahead",
    "basic",
    Text("日历", "Calendar"),
    needs=("customer.customer_id", "context.kind", "context.issued_at"),
    columns=(
        Column(
            "days_to_holiday",
            Text("距下个节日天数", "Days to the next holiday"),
            "integer",
            Text("距下一个法定节日的天数，节日当天为0", "Days until the next public holiday, 0 on the day itself"),
            unit=units.DAYS,
        ),
        Column(
            "next_holiday",
            Text("下个节日", "Next holiday"),
            "text",
            Text("下一个法定节日的名称", "Name of the next public holiday"),
            needs=("context.label",),
        ),
        Column(
            "holidays_28d",
            Text("未来28天节日天数", "Holidays in the next 28 days"),
            "integer",
            Text("今天起28天内的法定节日天数", "Public holidays within 28 days from today on"),
            unit=units.DAYS,
        ),
        Column(
            "days_off_28d",
            Text("未来28天休息天数", "Days off in the next 28 days"),
            "integer",
            Text(
                "今天起28天内的周末、节日和调休，扣除调休上班",
                "Weekends, holidays and swapped days off within 28 days from today on, less worked weekends",
            ),
            unit=units.DAYS,
        ),
        Column(
            "days_since_holiday",
            Text("距上个节日天数", "Days since the last holiday"),
            "integer",
            Text("距上一个法定节日的天数，节日当天为0", "Days since the last public holiday"),
            unit=units.DAYS,
        ),
    ),
    sql="""
    WITH told AS (
        SELECT
            kind,
            day,
            arg_max(value, (issued_at, value)) AS value,
            max(label) AS label,
            days_between(as_of_day(), day) AS ahead
        FROM context
        WHERE kind IN ('holiday', 'day_off') AND NOT issued_at IS NULL
        GROUP BY kind, day
    ),
    here AS (
        SELECT
            min(CASE WHEN kind = 'holiday' AND ahead >= 0 THEN ahead END) AS days_to,
            arg_min(label, (ahead, label))
                FILTER (WHERE kind = 'holiday' AND ahead >= 0 AND NOT label IS NULL) AS label,
            sum(flag(kind = 'holiday' AND ahead >= 0 AND ahead < 28)) AS holidays,
            sum(flag(kind = 'day_off' AND ahead >= 0 AND ahead < 28 AND value = 1)) AS days_off,
            min(CASE WHEN kind = 'holiday' AND ahead < 0 THEN -ahead END) AS days_since
        FROM told
    )
    SELECT
        customer.customer_id,
        here.days_to AS days_to_holiday,
        here.label AS next_holiday,
        here.holidays AS holidays_28d,
        here.days_off AS days_off_28d,
        here.days_since AS days_since_holiday
    FROM customer
    CROSS JOIN here
    """,
)
