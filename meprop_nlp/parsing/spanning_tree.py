"""The best tree of a graph-based parser: a maximum spanning arborescence with one root.

The algorithm is that of Chu & Liu (1965) and Edmonds (1967). A path grows from a word along its
best arc, to the head, to the head's best head, and so on. When it meets itself, the cycle becomes
one node. An arc into this node replaces the arc that enters the same word within the cycle, so its
weight is the difference of the two. In the end all words are one node; the arcs that were replaced
are then removed from outside to inside. The weights are a dense matrix, and the time is O(n^2).

A tree has one root if an arc from ROOT costs more than the sums of any two trees can differ by
(Stanojević & Cohen 2021). No finite cost is subtracted here, so no digits are lost. Take weights as
pairs, first the number of arcs from ROOT, then the score; the algorithm only adds, subtracts and
compares weights, so it is exact for pairs too. ROOT is in no cycle, so an arc from ROOT always
counts as one, and every other arc as none. Hence an arc from ROOT is compared only with other arcs
from ROOT, and is chosen last, when all words are one node.

`native/graph/spanning_tree.hpp` does the same with the same arithmetic. Both give the same tree,
even if several are equally good.
"""

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.trees import is_tree
from meprop_nlp.errors import MePropError


def spanning_tree(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Return the heads of the tree with the greatest sum of scores and a single root.

    If each word's best head makes such a tree, it is the answer; of equal heads the lowest is best.

    Args:
        scores: (n, n + 1) the score of each word's arc from ROOT, in column 0, and from words 1..n.
            A score of -inf masks an arc: the tree has as few masked arcs as possible. The score of
            a word as its own head is ignored.

    Returns:
        (n,) the head of each word, 0 = ROOT.

    Raises:
        MePropError: a score is NaN or +inf.
    """
    n = len(scores)
    if n == 0:
        return np.zeros(0, np.int32)
    own = np.arange(n), np.arange(1, n + 1)
    weights = scores.astype(np.float64)
    weights[own] = -np.inf
    if not (weights < np.inf).all():
        raise MePropError("the parser's weights give scores that are not finite; train it anew")
    best: npt.NDArray[np.int32] = weights.argmax(1).astype(np.int32)
    if is_tree(best.tolist(), single_root=True):
        return best
    masked = np.isneginf(weights)
    largest = np.abs(weights[~masked]).max(initial=0)
    # Sums of up to n unmasked arcs differ by at most 2 n largest: one masked arc costs more.
    weights[masked] = -2 * n * (largest + 1)
    weights[own] = -np.inf
    return _contracted(weights)


def _contracted(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Return the heads of the best tree with a single root.

    Args:
        weights: (n, n + 1) as in `spanning_tree`, overwritten; -inf for a word as its own head.
    """
    n = len(weights)
    columns = np.arange(n + 1)
    # Nodes are numbered: first the words, then the contracted cycles. A cycle takes over the row of
    # its first node. The columns remain the words.
    entered = np.repeat(np.arange(n)[:, None], n + 1, 1)  # the word that each arc enters
    row = list(range(n))  # of each node
    parent = [-1] * n  # of each node: the cycle that it is in
    arc: list[tuple[int, int] | None] = [None] * n  # of each node: head and word of its best arc
    path, best = [0], [0.0]  # nodes, each the head of the node before; weights of their best arcs
    position = np.full(n + 1, -1)  # on the path, of the node that each word is in
    position[1] = 0
    n_nodes = n
    while n_nodes > 1:
        node = path[-1]
        head = 1 + int(weights[row[node], 1:].argmax())
        best[-1] = float(weights[row[node], head])
        arc[node] = head, int(entered[row[node], head])
        start = int(position[head])
        if start < 0:
            position[head] = len(path)
            path.append(head - 1)
            best.append(0.0)
            continue
        cycle = path[start:]
        rows = [row[member] for member in cycle]
        changes = weights[rows] - np.array(best[start:])[:, None]  # (members, n + 1)
        member = changes.argmax(0)  # (n + 1) by which the arc from each word enters best
        inside = position >= start
        weights[rows[0]] = np.where(inside, -np.inf, changes[member, columns])
        entered[rows[0]] = entered[rows][member, columns]
        position[inside] = start
        for each in cycle:
            parent[each] = len(row)
        path[start:], best[start:] = [len(row)], [0.0]
        row.append(rows[0])
        parent.append(-1)
        arc.append(None)
        n_nodes -= len(cycle) - 1
    top = path[0]
    arc[top] = 0, int(entered[row[top], 0])
    heads = np.empty(n, np.int32)
    for node in range(top, -1, -1):
        chosen = arc[node]
        if chosen is not None:
            head, word = chosen
            heads[word] = head
            # the arc replaces the best arcs of the nodes inside this one that it enters
            inner = word
            while inner != node:
                arc[inner] = None
                inner = parent[inner]
    return heads
