"""A knowledge graph for items that nobody bought yet: what customers buy, foretold from the facts that items share."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import diags_array, eye_array, hstack

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.recommend.ease import pruned
from aimwell.science.recommend.neighbours import blocks
from aimwell.science.recommend.sparse import Sparse, sparse

FARTHER = 0.5
"""A fact about a fact (the maker of an ingredient) counts so much of a fact about the item itself."""


def said_of(heads: IntArray, tails: IntArray, weights: FloatArray, *, nodes: int, items: int) -> Sparse:
    """What a graph of facts says of each item, rare facts counting more than what is true of everything.

    heads, tails, weights: edges [e] between nodes 0 … nodes-1, of which the first `items` are items; direction does not
    matter.   Counted are neighbours, the neighbours of neighbours that are no items (by half), and for an item with a
    neighbour itself, so that two items joined by an edge share something.   Each counts by log(1 + items / number of
    items of which it is said); what is said of one item alone makes none alike and is left out.
    Returns a sparse matrix [items, nodes]; an item without edges has an empty row.
    Raises BadQuestion for edges beyond the nodes.
    """
    if heads.size and max(int(heads.max()), int(tails.max())) >= nodes:
        raise BadQuestion("An edge leads beyond the graph", expected=f"nodes below {nodes}")
    both = (np.concatenate([heads, tails]), np.concatenate([tails, heads]))
    edges = sparse(*both, np.concatenate([weights, weights]), (nodes, nodes))
    direct = edges[:items]
    thing = diags_array((np.arange(nodes) >= items).astype(np.float64))
    farther = ((direct @ thing) @ (thing @ edges @ thing)) * FARTHER
    self_ = (diags_array((np.diff(direct.indptr) > 0).astype(np.float64)) @ eye_array(items, nodes)).tocsr()
    found = (direct.maximum(farther).maximum(self_)).tocsr()
    said = np.bincount(found.indices[found.data > 0], minlength=nodes)
    rarity = np.where(said > 1, np.log1p(items / np.maximum(said, 1)), 0.0)
    table = (found @ diags_array(rarity)).tocsr()
    table.eliminate_zeros()
    return table


def foretold_by_facts(E: Sparse, known: BoolArray, *, penalty: float = 3.0, count: int = 200) -> Sparse:
    """Links from items that customers buy to every item, also to those that nobody bought, by the facts they share.

    E: sparse [items, facts], from `said_of`.   known: items whose buyers are known well enough to speak [items].
    What a customer buys among known items is regressed on their facts by a ridge with penalty λ, where mean row of E
    has length 1; much that is said of an item thus raises it: what is well known is described at length.   A known
    item is foretold without itself (leave one out), so that scores of known and new items are on one scale.
    Returns W sparse [items, items] whose rows are 0 but for known items, W[j, i] for the `count` largest in size of
    each i, so that X @ W scores; weights may be negative; an item of which nothing is said has none.
    Raises NotEnoughData when no known item has facts, BadQuestion for a penalty that is not positive.
    Cost: known³ / 3 + known² × items operations, known² numbers.
    Source: kernel ridge regression with its leave-one-out form, as in Hastie, Tibshirani and Friedman, The Elements of
    Statistical Learning (2009), 7.10; side information of items in closed form as in Jeunen and others, RecSys (2020).
    """
    if not penalty > 0:
        raise BadQuestion("The regression on facts needs a penalty", expected="more than 0", seen=f"{penalty:g}")
    lengths = np.asarray(E.multiply(E).sum(axis=1), dtype=np.float64).ravel()
    speaking = np.flatnonzero(known & (lengths > 0))
    if not speaking.size:
        raise NotEnoughData("No item that is bought has facts", remedy="Load a catalogue, or the table relation.")
    unit = float(np.mean(np.sqrt(lengths[lengths > 0]))) ** 2
    voices = (E[speaking] / unit).tocsr()
    alike: FloatArray = (voices @ E[speaking].T).toarray()
    alike[np.diag_indices_from(alike)] += penalty
    factor = cho_factor(alike, overwrite_a=True)
    own = np.full(E.shape[0], -1, dtype=np.int64)
    own[speaking] = np.arange(speaking.size)
    parts = [
        pruned(_foretold(voices, E[begin:end], own[begin:end], factor), count) for begin, end in blocks(E.shape[0])
    ]
    links = hstack(parts).tocoo()
    return sparse(speaking[links.row], links.col.astype(np.int64), links.data, (E.shape[0], E.shape[0]))


def _foretold(voices: Sparse, facts: Sparse, own: IntArray, factor: tuple[FloatArray, bool]) -> FloatArray:
    """The weights of the known items (rows) for some items (columns), `own` being their rows where they are known."""
    weights: FloatArray = cho_solve(factor, (voices @ facts.T).toarray(), overwrite_b=True)
    columns = np.flatnonzero(own >= 0)
    weights[:, columns] /= np.maximum(1.0 - weights[own[columns], columns], 1e-9)
    weights[own[columns], columns] = 0.0
    return weights
