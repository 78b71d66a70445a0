"""Units in which features are told."""

from __future__ import annotations

from aimwell.core.text import Text

DAYS = Text("天", "days")
WEEKS = Text("周", "weeks")
ORDERS = Text("次", "orders")
LINES = Text("行", "lines")
PRODUCTS = Text("种", "products")
CATEGORIES = Text("个", "categories")
TIMES = Text("倍", "times")
POINTS = Text("分", "points")
YEARS = Text("岁", "years")
TOUCHES = Text("次", "touches")
