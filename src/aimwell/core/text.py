"""Words that marketers read, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One phrase in both languages.

    >>> Text("消费额", "Spend").said("zh")
    '消费额'
    """

    zh: str
    en: str

    def said(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    def format(self, **values: object) -> Text:
        """The phrase with its `{placeholders}` filled in both languages."""
        return Text(self.zh.format(**values), self.en.format(**values))
