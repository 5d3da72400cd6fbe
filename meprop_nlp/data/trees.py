"""Questions about a list of heads: is it a tree, has it a cycle, is it projective.

`heads[i]` is the head of word `i + 1`; 0 is the artificial root, which stands before word 1.
Everything here is iterative, so that a sentence of 100,000 words is no deeper than one of ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["find_cycle", "is_labelled", "is_projective", "is_tree", "roots"]


def is_labelled(deprels: Iterable[str]) -> bool:
    """Whether there are relations beside the root's, so that trees can be judged by them."""
    return not {"_", "root", "ROOT"}.issuperset(deprels)


def roots(heads: Sequence[int]) -> list[int]:
    """The ids of the words whose head is the artificial root."""
    return [word for word, head in enumerate(heads, start=1) if head == 0]


def find_cycle(heads: Sequence[int]) -> list[int]:
    """The words of the first cycle, smallest id first and then from word to head; empty if none.

    A head outside 1..n ends the walk, so unset heads are allowed here. Time O(n).
    """
    n = len(heads)
    seen = [0] * (n + 1)  # number of the walk that first came by; 0 = nobody yet
    for start in range(1, n + 1):
        word = start
        while 1 <= word <= n and not seen[word]:
            seen[word] = start
            word = heads[word - 1]
        if 1 <= word <= n and seen[word] == start:  # came back to its own trail
            cycle = [word]
            step = heads[word - 1]
            while step != word:
                cycle.append(step)
                step = heads[step - 1]
            first = cycle.index(min(cycle))
            return cycle[first:] + cycle[:first]
    return []


def is_tree(heads: Sequence[int], *, single_root: bool = False) -> bool:
    """Whether every word reaches the artificial root by going from head to head.

    Several words may hang on the root unless `single_root` is set. No words are no tree.
    """
    n = len(heads)
    if n == 0 or any(not 0 <= head <= n for head in heads) or find_cycle(heads):
        return False
    return not single_root or len(roots(heads)) == 1


def is_projective(heads: Sequence[int]) -> bool:
    """Whether no two arcs cross, the arcs from the root at position 0 among them.

    For a tree this is the same as every word between a head and its dependent descending from
    that head (Nivre 2009, section 2). Unset heads make no arc. Time O(n log n).
    """
    arcs = sorted(
        (min(head, word), -max(head, word)) for word, head in enumerate(heads, start=1) if head >= 0
    )
    open_ends: list[int] = []  # right ends of the arcs above us, the innermost last
    for left, minus_right in arcs:
        right = -minus_right
        while open_ends and open_ends[-1] <= left:
            open_ends.pop()
        if open_ends and right > open_ends[-1]:
            return False
        open_ends.append(right)
    return True
