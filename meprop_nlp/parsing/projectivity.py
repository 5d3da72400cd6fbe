"""Non-projective trees: the projective order for SWAP, single roots, pseudo-projective parsing.

Pseudo-projective parsing (Nivre & Nilsson 2005) lifts each crossing arc to the head of its head
until the tree is projective, and adds the label of the original head to the label of the arc:
`acl` with a head labelled `obj` becomes `acl↑obj`, the "head" scheme of the paper. The output of a
parser trained on such labels is converted back with `deprojectivize`. The arrow U+2191 is the sign
used in the paper; a treebank with the arrow in its labels is refused, so labels cannot clash.

`heads` are the heads of the n words of a sentence, 0 = ROOT; `deprels` are their n labels.
"""

from bisect import insort
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeVar

from meprop_nlp.data.trees import find_cycle
from meprop_nlp.data.word import ROOT
from meprop_nlp.errors import DataError

LIFTED: Final = "\u2191"  # ↑, as in Nivre & Nilsson 2005, section 3

Label = TypeVar("Label", int, str)


def single_rooted(
    heads: Sequence[int], deprels: Sequence[Label], *, deprel: Label | None = None
) -> tuple[list[int], list[Label]]:
    """Attach every root after the first to the first; a projective tree stays projective.

    Args:
        heads, deprels: a tree; the labels are strings or ids.
        deprel: the new label of these roots; None: they keep their labels.

    Returns:
        New lists of heads and labels.
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
    """Return the rank of each word in an inorder traversal of the tree (Nivre 2009, section 3).

    The traversal visits the subtrees of the left children, the head, and the subtrees of the right
    children. SWAP sorts the words into this order, in which no arcs cross.

    Returns:
        (n + 1) the rank of ROOT, which is 0, and of words 1..n. The ranks are 0, 1, .., n if and
        only if the tree is projective. Words that cannot be reached from ROOT have rank 0.
    """
    children = _children(heads)
    rank = [0] * (len(heads) + 1)
    n_visited = 0
    agenda = [ROOT]  # word: to be expanded; ~word: left children visited, so the word is next
    while agenda:
        word = agenda.pop()
        if word < 0:
            rank[~word] = n_visited
            n_visited += 1
            continue
        agenda.extend(child for child in reversed(children[word]) if child > word)
        agenda.append(~word)
        agenda.extend(child for child in reversed(children[word]) if child < word)
    return rank


def projectivize(heads: Sequence[int], deprels: Sequence[str]) -> tuple[list[int], list[str]]:
    """Lift crossing arcs, the shortest first, until none is left (Nivre & Nilsson 2005).

    A tree with several roots is given a single root first (`single_rooted`). The label of a lifted
    arc becomes `label↑label of the original head`, the paper's scheme *Head*.

    Args:
        heads, deprels: a tree.

    Returns:
        New lists of heads, which are a projective tree, and of labels.

    Raises:
        DataError: if a label has the arrow that marks lifted arcs, or the heads are not a tree.
    """
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
    """Undo `projectivize` as far as the labels allow (Nivre & Nilsson 2005, section 3).

    The new head of a word labelled `d↑h` is the first word labelled h in a breadth-first search
    below its current head, outside its own subtree; if there is none, the head stays. Two additions
    to the paper restore more trees: candidates whose arc would cross no other are tried last, since
    such an arc would not have been lifted, and the longest arcs are lowered first.

    Returns:
        New lists of heads and of labels without arrows. The heads are a tree with a single root,
        whatever the labels are.

    Raises:
        DataError: if the heads are not a tree.
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
            head, head_label = new_heads[word - 1], parts[word - 1][2]
            below = _breadth_first(children, head, skip=word)[1:]
            candidates = [candidate for candidate in below if plain[candidate - 1] == head_label]
            if not candidates:
                waiting.append(word)  # its head may be lifted too, and move below `head` later
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
    """Return the children of ROOT and of each word, in the order of the sentence: (n + 1)."""
    children: list[list[int]] = [[] for _ in range(len(heads) + 1)]
    for word, head in enumerate(heads, start=1):
        children[head].append(word)
    return children


def _check_tree(heads: list[int]) -> None:
    cycle = find_cycle(heads)
    if cycle:
        raise DataError(f"the words {cycle} form a circle; expected a tree")


def _spans(heads: list[int], children: list[list[int]]) -> tuple[list[int], list[int]]:
    """Return the first and the last word of the subtrees of ROOT and of each word: (n + 1) each."""
    first = list(range(len(children)))
    last = list(range(len(children)))
    for word in reversed(_breadth_first(children, ROOT)[1:]):
        head = heads[word - 1]
        first[head] = min(first[head], first[word])
        last[head] = max(last[head], last[word])
    return first, last


def _breadth_first(children: list[list[int]], start: int, *, skip: int = -1) -> list[int]:
    """Return `start` and all words below it, level by level, without the subtree of `skip`."""
    order = [start]
    agenda = deque(order)
    while agenda:
        found = [child for child in children[agenda.popleft()] if child != skip]
        order.extend(found)
        agenda.extend(found)
    return order


def _shortest_crossing(heads: list[int]) -> int | None:
    """Return the word on the shortest non-projective arc, the leftmost if there are several."""
    order = _breadth_first(_children(heads), ROOT)
    size = [1] * (len(heads) + 1)
    for word in reversed(order[1:]):
        size[heads[word - 1]] += size[word]
    # preorder: first[i] .. first[i] + size[i] - 1 are the numbers of the subtree of word i
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
