"""What nobody at the company knows: on which channel people answer, what a message does to them, and how they tire.

These are the true rates. Reports of the workspace estimate them, and tests compare the estimates with them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

CHANNELS = ("push", "sms", "wechat", "email")
HABITS = ("any", "push", "wechat", "sms", "email", "never")
HABIT_WEIGHTS = (12.0, 35.0, 22.0, 8.0, 5.0, 18.0)

ANSWERS = np.asarray(
    [
        #  push  sms  wechat email
        [0.35, 0.20, 0.40, 0.30],  # any: a little everywhere
        [0.60, 0.05, 0.15, 0.10],  # push
        [0.00, 0.00, 0.90, 0.00],  # wechat: there and nowhere else
        [0.05, 0.45, 0.05, 0.05],  # sms
        [0.05, 0.03, 0.10, 0.50],  # email
        [0.00, 0.00, 0.00, 0.00],  # never: nowhere
    ]
)
"""Chance that a rested person answers one message, by habit and channel."""

FATIGUE = 0.85
"""Each other message of the seven days before multiplies that chance by this."""

FATIGUE_DAYS = 7

PERSUADABLE = np.asarray([0.14, 0.16, 0.22, 0.12, 0.12, 0.0])
"""Share, by habit, of those who take their first loan if and only if they open a benefit."""

SURE = 0.06
"""Share of those who take a first loan whatever is sent to them; exponential after the limit is granted."""

SURE_DAYS = 10.0
"""Mean days from the limit to the loan of those."""

CLICKED = {"push": 0.6, "sms": 1.0, "wechat": 0.7, "email": 0.4}
"""Share of those who open that follow the link; an SMS is answered by its link alone."""

REPLIED = 0.25
"""Share of those who open on WeChat that write back."""

UNSUBSCRIBED = 0.004
"""Chance per message (WeChat and e-mail) of unsubscribing, times one more than the other messages of the week."""

UNDELIVERED = {"push": 0.03, "sms": 0.01, "wechat": 0.0, "email": 0.02}
"""Share of messages that the provider takes and nobody gets."""

MACHINE = {"push": 0.0, "sms": 0.04, "wechat": 0.0, "email": 0.35}
"""Share of messages opened, or links followed, by a program that nobody asked."""

BASKETS: Mapping[str, float] = {"bought": 0.40, "returned": 0.10, "persuadable": 0.20, "lost": 0.30}
"""What becomes of a basket: bought at once, bought days later by itself, bought only if reminded, never bought."""

RECOVERABLE = 0.3
"""Share of those who left that come back if they open a message that asks them to."""

WEALTH_BOUGHT = 0.01
"""Chance per visit that somebody with true interest buys a wealth product alone."""

LEAD_WORTH = 0.55
"""Share of the leads with true interest that sales takes; without interest it rejects all."""
