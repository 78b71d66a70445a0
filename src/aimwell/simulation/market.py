"""A simulated market: the tables that a company would have, and beside them the truth that no company knows."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Market:
    """What one simulation gives.

    tables: canonical tables by name, as loaded from the company's files.
    truth: latent needs, true effects and true habits; written beside the data, never loaded, only compared with.
    """

    tables: dict[str, pa.Table]
    truth: dict[str, pa.Table]
