"""How a load tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Phase = Literal["look", "read", "map", "check"]


@dataclass(frozen=True, slots=True)
class LoadStep:
    """How far a load is: so many of so many sources looked at, files read, tables mapped or checked."""

    source: str
    phase: Phase
    done: int
    total: int


Progress = Callable[[LoadStep], None]


@dataclass(frozen=True, slots=True)
class Teller:
    """Passes steps on to whoever wants to know; what that raises ends the load."""

    progress: Progress | None = None

    def tell(self, source: str, phase: Phase, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(LoadStep(source, phase, done, total))
