"""Aimwell: from raw customer data to measured, self-improving, one-to-one marketing."""

from __future__ import annotations

__version__ = "0.1.0"
