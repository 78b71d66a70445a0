"""Profiles: every customer's tags at one instant in one table, and one customer's page."""

from aimwell.insight.profiles.build import ProfileResult, build
from aimwell.insight.profiles.customer import CustomerPage, explain
from aimwell.insight.profiles.wording import told

__all__ = ["CustomerPage", "ProfileResult", "build", "explain", "told"]
