"""Neighbours in a knowledge graph: where a walker who starts at an item comes by, hubs counting for little."""

from __future__ import annotations

import numpy as np
from scipy.sparse import diags_array, eye_array, vstack

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.recommend.neighbours import blocks
from aimwell.science.recommend.sparse import Sparse, rows_of, sparse, top

WIDEST = 200
"""A walker keeps the likeliest places only; more would make four steps reach everything."""


def walk_neighbours(
    heads: IntArray,
    tails: IntArray,
    weights: FloatArray,
    *,
    nodes: int,
    items: int,
    count: int = 50,
    steps: int = 4,
    restart: float = 0.5,
    hub_power: float = 0.5,
) -> Sparse:
    """How near two items are in a graph of facts, for the `count` nearest of each item.

    heads, tails, weights: edges [e] between nodes 0 … nodes-1, of which the first `items` are items; both directions
    are walked.   A step goes along an edge with a share that falls with the degree of the node it leads to
    (degree ** -hub_power), for what everybody shares says little; after each step the walker stops with
    probability `restart`.   Returns W sparse [items, items], W[j, i] = share of walks from i that come by j, without
    those that come back; an item without edges has no neighbours.   Raises BadQuestion for edges beyond the nodes.
    Cost: items × steps × WIDEST × mean degree.   Source: Tong, Faloutsos and Pan, ICDM (2006).
    """
    if heads.size and max(int(heads.max()), int(tails.max())) >= nodes:
        raise BadQuestion("An edge leads beyond the graph", expected=f"nodes below {nodes}")
    steps_of = _transitions(heads, tails, weights, nodes, hub_power)
    start = eye_array(items, nodes, format="csr")
    parts = [_walk(start[begin:end], steps_of, begin, items, count, steps, restart) for begin, end in blocks(items)]
    return vstack(parts).T.tocsr()


def _walk(here: Sparse, steps_of: Sparse, begin: int, items: int, count: int, steps: int, restart: float) -> Sparse:
    seen = None
    going = 1.0 - restart
    for step in range(1, steps + 1):
        here = top(here @ steps_of, WIDEST)
        weighted = here * (going ** (step - 1) * restart)
        seen = weighted if seen is None else seen + weighted
    reached = seen[:, :items].tocsr() if seen is not None else here[:, :items]
    away = reached.indices != rows_of(reached) + begin
    kept = sparse(rows_of(reached)[away], reached.indices[away].astype(np.int64), reached.data[away], reached.shape)
    return top(kept, count)


def _transitions(heads: IntArray, tails: IntArray, weights: FloatArray, nodes: int, hub_power: float) -> Sparse:
    both = sparse(
        np.concatenate([heads, tails]),
        np.concatenate([tails, heads]),
        np.concatenate([weights, weights]),
        (nodes, nodes),
    )
    degrees = np.diff(both.indptr).astype(np.float64)
    liked = np.power(np.maximum(degrees, 1.0), -hub_power)
    leading = (both @ diags_array(liked)).tocsr()
    sums = np.asarray(leading.sum(axis=1), dtype=np.float64).ravel()
    shares = np.divide(1.0, sums, out=np.zeros(nodes), where=sums > 0)
    return (diags_array(shares) @ leading).tocsr()
