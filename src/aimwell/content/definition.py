"""What people write to get a content: the words of one message on one channel, in each language, as Liquid."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from aimwell.content.templates import ESCAPED_PARTS, Compiled, compile_content
from aimwell.core.definitions import Definition, Label
from aimwell.core.errors import BadDefinition

Purpose = Literal["marketing", "service"]
Wording = Literal["zh", "en", "all"]


def _readable(source: str) -> str:
    """Refuse a template that cannot be used, as HTML or not; the lines are those of the part."""
    try:
        compile_content({"text": source})
    except BadDefinition as bad:
        told = [f"line {problem.line or 1}: {problem.message}" for problem in bad.problems]
        remedies = [f" ({problem.remedy})" if problem.remedy else "" for problem in bad.problems]
        raise ValueError("; ".join(map("".join, zip(told, remedies, strict=True)))) from bad
    return source


Template = Annotated[str, Field(max_length=200_000), AfterValidator(_readable)]
PartName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,30}$")]


class Content(Definition):
    """The words of one message: parts such as subject, text and html, in Chinese, in English, or one for all."""

    folder: ClassVar[str] = "content"

    channel: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="name of the channel that it is written for")
    purpose: Purpose = Field(
        default="marketing", description="marketing needs consent to marketing; service is what was asked for"
    )
    parts: Mapping[Wording, Mapping[PartName, Template]] = Field(
        min_length=1,
        description="by language (zh, en, or all), then by part (text, subject, html, …): templates in Liquid",
    )
    fallback: tuple[Wording, ...] = Field(
        default=("all",),
        description="languages to try, in this order, for a customer whose own is not here; then the workspace's",
    )
    description: Label | None = Field(default=None, description="what it is for")

    @model_validator(mode="after")
    def _has_words(self) -> Content:
        empty = [language for language, parts in self.parts.items() if not parts]
        if empty:
            raise ValueError(f"no parts are written for {', '.join(empty)}: write at least one, or take it out")
        return self

    def wording(self, language: str | None, *, otherwise: str) -> Wording:
        """The language in which a customer is written to: the own, then `fallback`, the workspace's, the first written.

        language: the customer's, such as `zh`, `zh-Hant` or `en_GB`; None if not known.   otherwise: the workspace's.
        """
        own = (language or "").replace("_", "-").split("-")[0].lower()
        for wish in (own, *self.fallback, otherwise, "all"):
            for written in self.parts:
                if written == wish:
                    return written
        return next(iter(self.parts))

    @cached_property
    def compiled(self) -> Mapping[Wording, Compiled]:
        """The parts of each language, ready to be rendered."""
        return {language: compile_content(parts, file=self.name) for language, parts in self.parts.items()}

    @property
    def escaped(self) -> frozenset[str]:
        """Which of its parts are HTML."""
        return ESCAPED_PARTS & {part for parts in self.parts.values() for part in parts}
