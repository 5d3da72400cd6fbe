"""Trees that cross: projective order for SWAP, one root, and pseudo-projective parsing.

Pseudo-projective parsing (Nivre & Nilsson 2005) lifts each crossing arc to its head's head until
the tree is projective, and writes the label of the lost head into the arc's label:
`acl` under a lost `obj` becomes `acl↑obj`, the paper's "head" scheme. A parser trained on such
labels is undone with `deprojectivize`. The arrow U+2191 is the paper's own sign; a treebank whose
labels hold it is refused, so nothing can clash.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeVar

from meprop_nlp.data.trees import find_cycle
from meprop_nlp.data.word import ROOT
from meprop_nlp.errors import ConfigError, DataError

__all__ = [
    "LIFTED",
    "deprojectivize",
    "projective_order",
    "projectivize",
    "single_rooted",
]

LIFTED: Final = "\u2191"  # ↑, as in Nivre & Nilsson 2005, section 3

Label = TypeVar("Label", int, str)


def single_rooted(
    heads: Sequence[int], deprels: Sequence[Label], *, deprel: Label | None = None
) -> tuple[list[int], list[Label]]:
    """Attach every root after the first to the first, which crosses no arc of a projective tree.

    Args:
        heads: (n) head of each word, 0 = ROOT.
        deprels: (n) labels, strings or ids.
        deprel: label for the arcs so moved; None lets them keep their own.

    Returns:
        New lists of heads and labels. `heads.count(0) - 1` says how many arcs were moved.
    """
    new_heads, new_deprels = list(heads), list(deprels)
    if new_heads.count(ROOT) < 2:
        return new_heads, new_deprels
    first = new_heads.index(ROOT)
    for i in range(first + 1, len(new_heads)):
        if new_heads[i] == ROOT:
            new_heads[i] = first + 1
            if deprel is not None:
                new_deprels[i] = deprel
    return new_heads, new_deprels


def projective_order(heads: Sequence[int]) -> list[int]:
    """Where each word stands when the tree is read in order: Nivre 2009, section 3.

    Reading a tree in order means: the words of each left child's subtree, the head, the words of
    each right child's subtree. SWAP sorts the words so, and then no arcs cross.

    Args:
        heads: (n) head of each word, 0 = ROOT.

    Returns:
        (n + 1) the rank of ROOT (always 0) and of words 1..n. Equal to 0, 1, .. n exactly when
        the tree is projective. Words that no path leads to from ROOT rank 0.
    """
    children = _children(heads)
    rank = [0] * (len(heads) + 1)
    placed = 0
    agenda = [ROOT]  # a word to open; or ~word, a word whose left children are done
    while agenda:
        word = agenda.pop()
        if word < 0:
            rank[~word] = placed
            placed += 1
            continue
        agenda.extend(child for child in reversed(children[word]) if child > word)
        agenda.append(~word)
        agenda.extend(child for child in reversed(children[word]) if child < word)
    return rank


def projectivize(
    heads: Sequence[int], deprels: Sequence[str], *, scheme: str = "head"
) -> tuple[list[int], list[str]]:
    """Lift crossing arcs, the shortest first, until none is left (Nivre & Nilsson 2005).

    Several roots are made one first (`single_rooted`).

    Args:
        heads: (n) head of each word, 0 = ROOT.
        deprels: (n) labels.
        scheme: "head", a lifted arc's label becomes `label↑label of its lost head`.

    Returns:
        New lists: a projective tree, and labels.

    Raises:
        DataError: a label already holds the arrow that marks lifted arcs, or the heads are not
            a tree.
        ConfigError: an unknown scheme.
    """
    if scheme != "head":
        raise ConfigError(f"pseudo-projective scheme is {scheme!r}, expected 'head'")
    for deprel in deprels:
        if LIFTED in deprel:
            raise DataError(
                f"label {deprel!r} holds {LIFTED!r}, which marks lifted arcs; rename the label"
            )
    gold_heads, gold_deprels = single_rooted(heads, deprels)
    _check_tree(gold_heads)
    lifted = gold_heads[:]
    while (word := _shortest_crossing(lifted)) is not None:
        lifted[word - 1] = lifted[lifted[word - 1] - 1]
    labels = [
        deprel if new == old else f"{deprel}{LIFTED}{gold_deprels[old - 1]}"
        for deprel, new, old in zip(gold_deprels, lifted, gold_heads, strict=True)
    ]
    return lifted, labels


def deprojectivize(heads: Sequence[int], deprels: Sequence[str]) -> tuple[list[int], list[str]]:
    """Undo `projectivize` as far as the labels tell (Nivre & Nilsson 2005, section 3).

    A word labelled `d↑h` is given to the first word labelled h that a breadth-first search below
    its present head meets, outside its own subtree; where there is none it stays. Two things
    are ours and rebuild more trees: words whose arc crosses nothing come last, since such an arc
    would not have been lifted, and the longest arcs are undone first.

    Args:
        heads: (n) head of each word, 0 = ROOT; a tree.
        deprels: (n) labels, some lifted.

    Returns:
        New lists of heads and of labels without arrows. The heads are a tree with one root,
        whatever the labels (several roots are made one).

    Raises:
        DataError: the heads are not a tree.
    """
    new_heads, marked = single_rooted(heads, deprels)
    parts = [deprel.partition(LIFTED) for deprel in marked]
    plain = [label for label, _, _ in parts]
    if not any(mark for _, mark, _ in parts):
        return new_heads, plain
    _check_tree(new_heads)
    children = _children(new_heads)
    first, last = _spans(new_heads, children)
    lifted = [word for word in _breadth_first(children, ROOT)[1:] if parts[word - 1][1]]
    pending = sorted(lifted, key=lambda word: -abs(word - new_heads[word - 1]))
    progress = True
    while progress:
        waiting = []
        for word in pending:
            head, lost = new_heads[word - 1], parts[word - 1][2]
            below = _breadth_first(children, head, skip=word)[1:]
            candidates = [candidate for candidate in below if plain[candidate - 1] == lost]
            if not candidates:
                waiting.append(word)  # its head may still have to come back below `head` itself
                continue
            crossing = (
                candidate
                for candidate in candidates
                if last[candidate] < first[word] - 1 or first[candidate] > last[word] + 1
            )
            new_head = next(crossing, candidates[0])
            children[head].remove(word)
            insort(children[new_head], word)
            new_heads[word - 1] = new_head
        progress = len(waiting) < len(pending)
        pending = waiting
    return new_heads, plain


def _children(heads: Sequence[int]) -> list[list[int]]:
    """(n + 1) the children of ROOT and of each word, in the order of the sentence."""
    children: list[list[int]] = [[] for _ in range(len(heads) + 1)]
    for word, head in enumerate(heads, start=1):
        children[head].append(word)
    return children


def _check_tree(heads: list[int]) -> None:
    cycle = find_cycle(heads)
    if cycle:
        raise DataError(f"the words {cycle} hang on each other in a circle; expected a tree")


def _spans(heads: list[int], children: list[list[int]]) -> tuple[list[int], list[int]]:
    """(n + 1) each, the first and the last word of the subtree of ROOT and of each word."""
    first = list(range(len(children)))
    last = list(range(len(children)))
    for word in reversed(_breadth_first(children, ROOT)[1:]):
        head = heads[word - 1]
        first[head] = min(first[head], first[word])
        last[head] = max(last[head], last[word])
    return first, last


def _breadth_first(children: list[list[int]], start: int, *, skip: int = -1) -> list[int]:
    """`start` and all words below it, level by level; `skip` and its subtree are left out."""
    order = [start]
    agenda = deque(order)
    while agenda:
        found = [child for child in children[agenda.popleft()] if child != skip]
        order.extend(found)
        agenda.extend(found)
    return order


def _shortest_crossing(heads: list[int]) -> int | None:
    """The word on the shortest arc that covers a word not below the arc's head, leftmost first."""
    order = _breadth_first(_children(heads), ROOT)
    size = [1] * (len(heads) + 1)
    for word in reversed(order[1:]):
        size[heads[word - 1]] += size[word]
    # first[i] .. first[i] + size[i] - 1 number the words of i's subtree, heads before children.
    first = [0] * (len(heads) + 1)
    free = [1] * (len(heads) + 1)
    for word in order[1:]:
        head = heads[word - 1]
        first[word] = first[head] + free[head]
        free[head] += size[word]
    best: int | None = None
    shortest = len(heads) + 1
    for word, head in enumerate(heads, start=1):
        length = abs(head - word)
        if head == ROOT or length >= shortest:
            continue
        low, high = first[head], first[head] + size[head]
        between = range(min(head, word) + 1, max(head, word))
        if any(not low <= first[i] < high for i in between):
            best, shortest = word, length
    return best
