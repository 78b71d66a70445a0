"""Colours and type of the report, as named tokens."""

from __future__ import annotations

BACKGROUND, SURFACE, SUNKEN = "#F6F7F5", "#FFFFFF", "#ECEFEC"
LINE, FIELD = "#DADFDB", "#7F8B92"
TEXT, TEXT2, TEXT3 = "#16232A", "#45555D", "#5F6E76"
PRIMARY, PRIMARY_SOFT = "#0E6473", "#E1EFF1"
ACCENT, ACCENT_SOFT = "#AF4A12", "#FBEADD"
OK, OK_SOFT = "#1D7353", "#E2F2EA"
WARN, WARN_SOFT = "#855600", "#FDF1D3"
DANGER, DANGER_SOFT = "#B0251F", "#FBE7E5"
HOLD, HOLD_SOFT = "#5B5F92", "#ECEDF7"
SERIES = ("#0E6473", "#C4571B", "#7E45CC", "#8A8EC8", "#329880", "#701F35")
FONT = (
    '"Segoe UI", -apple-system, Roboto, "Inter", "Helvetica Neue", Arial, "Liberation Sans", "DejaVu Sans", '
    '"PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei UI", "Noto Sans CJK SC", "Source Han Sans SC", '
    '"WenQuanYi Micro Hei", sans-serif'
)

TOKENS: dict[str, str] = {
    "bg": BACKGROUND,
    "surface": SURFACE,
    "sunken": SUNKEN,
    "line": LINE,
    "field": FIELD,
    "text": TEXT,
    "text2": TEXT2,
    "text3": TEXT3,
    "primary": PRIMARY,
    "primary-soft": PRIMARY_SOFT,
    "accent": ACCENT,
    "accent-soft": ACCENT_SOFT,
    "ok": OK,
    "ok-soft": OK_SOFT,
    "warn": WARN,
    "warn-soft": WARN_SOFT,
    "danger": DANGER,
    "danger-soft": DANGER_SOFT,
    "hold": HOLD,
    "hold-soft": HOLD_SOFT,
}


def translucent(colour: str, opacity: float) -> str:
    """A colour with opacity, as CSS.

    >>> translucent("#0E6473", 0.2)
    'rgba(14,100,115,0.2)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
