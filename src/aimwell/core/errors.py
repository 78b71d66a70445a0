"""The tree of errors: each names the object, what was expected, what was seen, and the remedy.

AimwellError
├── BadInput            something a person gave us cannot be used
│   ├── BadDefinition   a YAML or TOML definition (carries every problem found, with file and line)
│   ├── BadSource       a source of rows (file, table, mapping)
│   └── BadQuestion     a call that asks for something that does not exist or cannot be answered
├── Refused             an authored query reads or does what it must not
├── NotEnoughData       the data cannot carry the answer (no positives, one customer, constant column)
├── Unavailable         something outside is missing (an optional package, a file lock, Java)
└── QueryFailed         an engine could not run a statement (carries table and text)
"""

from __future__ import annotations

from collections.abc import Sequence

from aimwell.core.problems import Problem


class AimwellError(Exception):
    """The root of all our errors; `str()` is the whole message, ready to be shown."""

    def __init__(self, what: str, *, expected: str = "", seen: str = "", remedy: str = "") -> None:
        self.what, self.expected, self.seen, self.remedy = what, expected, seen, remedy
        parts = [what]
        if expected:
            parts.append(f"expected {expected}")
        if seen:
            parts.append(f"saw {seen}")
        text = "; ".join(parts)
        super().__init__(f"{text}. {remedy}" if remedy else text)


class BadInput(AimwellError):
    """Something that a person gave us cannot be used as it is."""


class BadDefinition(BadInput):
    """One or more definitions are wrong; every problem is listed with its file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(
            f"{count} problem{'s' if count != 1 else ''} in the definitions:\n"
            + "\n".join(f"  {problem}" for problem in self.problems)
        )


class BadSource(BadInput):
    """A file, table or mapping cannot be read as the source says."""


class BadQuestion(BadInput):
    """The question names something that does not exist, or that cannot be answered as asked."""


class Refused(AimwellError):
    """An authored query reads, or does, what it must not; the message names the construct and the way to say it."""


class NotEnoughData(AimwellError):
    """The data cannot carry the answer: say so instead of giving a number that means nothing."""


class Unavailable(AimwellError):
    """Something outside of Aimwell is missing or busy: an optional package, Java, a locked file."""


class QueryFailed(AimwellError):
    """An engine could not run a statement."""

    def __init__(self, reason: str, *, statement: str, place: str = "") -> None:
        self.statement = statement
        where = f" for {place}" if place else ""
        super().__init__(f"The query{where} failed: {reason}\n--- statement ---\n{statement}")
