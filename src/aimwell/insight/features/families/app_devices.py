"""With which devices a customer comes, and whether a push can reach them."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.family import Column, query_family

DEVICES = query_family(
    "app_devices",
    "basic",
    Text("设备", "Devices"),
    needs=("device.kind",),
    columns=(
        Column(
            "devices",
            Text("设备数", "Devices"),
            "integer",
            Text("已知设备和浏览器的数量", "Devices and browsers that are known"),
            unit=Text("台", "devices"),
            empty=0,
        ),
        Column(
            "phone_system",
            Text("手机系统", "Phone system"),
            "text",
            Text("最近新增的手机的系统", "System of the phone that was seen first most recently; ties by name"),
            words={"ios": Text("苹果", "iOS"), "android": Text("安卓", "Android")},
        ),
        Column(
            "push_reachable",
            Text("可推送", "Can be pushed"),
            "boolean",
            Text("有带推送令牌的设备", "Has a device with a push token"),
            empty=False,
            needs=("device.push_token",),
        ),
        Column(
            "uses_web",
            Text("使用网页", "Uses the website"),
            "boolean",
            Text("有浏览器记录", "Has a browser among the devices"),
            empty=False,
        ),
    ),
    sql="""
    SELECT
        customer_id,
        count(*) AS devices,
        arg_max(kind, (first_seen, kind)) FILTER (WHERE kind IN ('ios', 'android') AND NOT first_seen IS NULL)
            AS phone_system,
        coalesce(bool_or(NOT push_token IS NULL), FALSE) AS push_reachable,
        coalesce(bool_or(kind = 'web'), FALSE) AS uses_web
    FROM device
    GROUP BY customer_id
    """,
)
