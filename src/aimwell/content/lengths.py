"""How long a part of a message is for everybody, whatever the values are: a lower bound, from the template alone."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"\{\{.*?\}\}|\{%-?\s*(?P<tag>\w*).*?%\}", re.DOTALL)
_BLOCKS = frozenset(["if", "unless", "case", "for", "tablerow", "capture", "comment", "raw", "doc"])


def shortest(source: str) -> int:
    """Characters that the template gives at the least: what stands outside of outputs and of blocks.

    A run of blanks counts as one, and none at the edges, for a template may take them away.
    >>> shortest("Hello {{ name }}, {% if vip %}dear friend{% endif %}bye"), shortest("{{ everything }}")
    (9, 0)
    """
    inside, length, reached = 0, 0, 0
    for found in _MARKUP.finditer(source):
        length += _counted(source[reached : found.start()]) if not inside else 0
        tag, reached = found["tag"] or "", found.end()
        if tag in _BLOCKS:
            inside += 1
        elif tag.startswith("end"):
            inside -= 1
    return length + (_counted(source[reached:]) if not inside else 0)


def _counted(words: str) -> int:
    return len(" ".join(words.split()))
