"""What a definition may say about its model: trees, the second opinion, folds, and what to choose among."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FEWEST_TO_LEARN = 10
"""Fewer customers than this with (or without) the answer yes carry no model at all."""


class TreeSettings(BaseModel):
    """How the boosted trees are grown; the defaults suit some thousands to some hundred thousand rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: int | Literal["auto"] = Field(
        default="auto", description="trees per bag; auto: as many as helped on later time inside the training part"
    )
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    leaves: int = Field(default=8, ge=2, le=1024, description="leaves per tree")
    depth: int = Field(default=4, ge=-1, description="depth of a tree, -1 unlimited")
    min_rows: int = Field(default=100, ge=1, description="fewest rows in a leaf; lowered for small data")
    columns_share: float = Field(default=0.4, gt=0, le=1, description="share of the columns that each tree sees")
    rows_share: float = Field(default=0.8, gt=0, le=1, description="share of the rows that each tree sees")
    l2: float = Field(default=10.0, ge=0, description="shrinkage of leaf values")
    bins: int = Field(default=63, ge=2, le=255, description="steps into which a number is cut")
    bags: int = Field(default=3, ge=1, le=50, description="models with different seeds whose scores are averaged")
    monotone: dict[str, Literal["up", "down"]] = Field(
        default_factory=dict, description="columns (patterns) of which more may only raise, or only lower, the score"
    )


class LinearSettings(BaseModel):
    """A shrunken logistic regression whose log-odds are averaged with those of the trees."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float | Literal["auto"] = Field(
        default="auto", description="its weight, 0 to 1; auto: what ranked best on later time inside the training part"
    )
    penalty: float = Field(default=30.0, gt=0, description="shrinkage per 1,000 rows: 3 little, 300 much")

    @model_validator(mode="after")
    def _within(self) -> LinearSettings:
        if self.share != "auto" and not 0 <= self.share <= 1:
            raise ValueError("share is a number from 0 to 1, or auto")
        return self


class ModelSettings(BaseModel):
    """How the model is made; every default may be left alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trees: TreeSettings = TreeSettings()
    amount_trees: TreeSettings = Field(
        default=TreeSettings(leaves=15, depth=5), description="kind how_much: trees for the amount of those who buy"
    )
    linear: LinearSettings = LinearSettings()
    folds: int = Field(default=3, ge=1, le=20, description="later cut-offs inside the training part to choose on")
    half_life_days: float | None = Field(
        default=None, gt=0, description="age of a cut-off at which its rows count half; empty: all count the same"
    )
    most_rows: int = Field(default=300_000, ge=1000, description="rows learnt from at most; more are sampled")
    alternatives: list[dict[str, Any]] = Field(
        default_factory=list,
        description="settings to choose among on later time inside the training part: each says what differs",
    )

    @model_validator(mode="after")
    def _alternatives_read(self) -> ModelSettings:
        self.options()
        return self

    def options(self) -> list[ModelSettings]:
        """These settings, then each alternative laid over them."""
        plain = self.model_dump(exclude={"alternatives"})
        others = [ModelSettings.model_validate(_laid_over(plain, each)) for each in self.alternatives]
        return [self.model_copy(update={"alternatives": []}), *others]


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _laid_over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
