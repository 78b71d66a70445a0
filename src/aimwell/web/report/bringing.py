"""Gathers what the report says about contribution: the books of the last 364 days, by segment and by product."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.contribution.statement import Account, Statement, open_account, segments_at
from aimwell.insight.predictions import Workshop
from aimwell.web.report.sections.contribution import ContributionStory


def contribution_story(
    workshop: Workshop, titles: Mapping[str, Text], as_of: datetime, currency: str
) -> ContributionStory | None:
    """What was brought until the instant; None where no margin is known and none is assumed, or nothing happened.

    titles: of the segments that are defined, by name; those that were built are stated.
    """
    try:
        account = open_account(workshop, as_of, currency=currency)
    except NotEnoughData:
        return None
    return ContributionStory(account.state("product"), _segments(workshop, account, titles, as_of), titles)


def _segments(workshop: Workshop, account: Account, titles: Mapping[str, Text], as_of: datetime) -> Statement | None:
    try:
        return account.state("segment", segments_at(workshop, as_of, list(titles)))
    except NotEnoughData:
        return None
