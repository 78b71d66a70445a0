"""What things are called: words of names in Chinese and Western scripts, weighed by how telling they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from aimwell.science.recommend.sparse import Sparse, sparse

_PIECES = re.compile(r"[\u4e00-\u9fff]+|[^\W_\u4e00-\u9fff]+")


def words(text: str) -> list[str]:
    """The words of a name: lower case, and for Chinese, which writes none, each pair of neighbouring characters.

    >>> words("Oat-Milk 1L 稳健理财")
    ['oat', 'milk', '1l', '稳健', '健理', '理财']
    """
    found: list[str] = []
    for piece in _PIECES.findall(text.lower()):
        if "\u4e00" <= piece[0] <= "\u9fff" and len(piece) > 1:
            found += [piece[place : place + 2] for place in range(len(piece) - 1)]
        else:
            found.append(piece)
    return found


def telling(lists: Sequence[Sequence[str]]) -> tuple[Sparse, tuple[str, ...]]:
    """Words of each thing as numbers: a word counts by its logarithmic rarity, and each row has length 1 (tf-idf).

    lists: words of each thing.   Returns a sparse matrix [things, words] and the words in order.   Words that one
    thing alone carries say nothing about likeness and are left out; a thing without words has an empty row.
    """
    counted: dict[str, int] = {}
    for each in lists:
        for word in set(each):
            counted[word] = counted.get(word, 0) + 1
    known = {word: place for place, word in enumerate(sorted(w for w, times in counted.items() if times > 1))}
    rows = np.array([row for row, each in enumerate(lists) for word in set(each) if word in known], dtype=np.int64)
    columns = np.array([known[word] for each in lists for word in set(each) if word in known], dtype=np.int64)
    rarity = np.array([np.log(1 + len(lists) / counted[word]) for word in known], dtype=np.float64)
    values = rarity[columns] if columns.size else np.empty(0)
    lengths = np.sqrt(np.bincount(rows, weights=np.square(values), minlength=len(lists)))
    return sparse(rows, columns, values / lengths[rows], (len(lists), len(known))), tuple(known)
