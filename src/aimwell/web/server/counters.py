"""What the server has counted since its start, as text that Prometheus reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

Labels = tuple[tuple[str, str], ...]


class Counters:
    """Numbers that only grow, by name and labels; names of keys and reasons are labels, never anything of people."""

    def __init__(self) -> None:
        self._values: dict[str, dict[Labels, float]] = defaultdict(lambda: defaultdict(float))

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        self._values[name][tuple(labels.items())] += amount

    def of(self, name: str) -> list[tuple[Labels, float]]:
        """Everything counted under a name, by its labels."""
        return sorted(self._values[name].items())


def exposition(metrics: Iterable[tuple[str, str, str, Iterable[tuple[Labels, float]]]]) -> str:
    r"""Text in Prometheus' format from (name, kind, help, values by labels).

    >>> print(exposition([("queued", "gauge", "Messages that wait", [((), 3)])]), end="")
    # HELP queued Messages that wait
    # TYPE queued gauge
    queued 3
    """
    lines: list[str] = []
    for name, kind, meaning, values in metrics:
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
        for labels, value in values:
            shown = ",".join(f'{label}="{_escape(text)}"' for label, text in labels)
            lines.append(f"{name}{{{shown}}} {value:.12g}" if shown else f"{name} {value:.12g}")
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
