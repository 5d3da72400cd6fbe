"""Properties of a list of heads: its roots and cycles, whether it is a tree, and projective.

`heads[i]` is the head of word `i + 1`; 0 is the artificial root, which precedes word 1.
Nothing here is recursive, so a tree of 100,000 words cannot exhaust the stack.
"""

from collections.abc import Iterable, Sequence


def is_labelled(deprels: Iterable[str]) -> bool:
    """Return whether there are relations other than root, so that labels can be scored."""
    return not {"_", "root", "ROOT"}.issuperset(deprels)


def roots(heads: Sequence[int]) -> list[int]:
    """Return the ids of the words whose head is the artificial root."""
    return [word for word, head in enumerate(heads, start=1) if head == 0]


def find_cycle(heads: Sequence[int]) -> list[int]:
    """Return the first cycle, from its smallest id along the heads; an empty list if none.

    Heads outside 1..n, such as unset heads, are part of no cycle. Time O(n).
    """
    n = len(heads)
    seen = [0] * (n + 1)  # the walk that first visited the word; 0 = not visited
    for start in range(1, n + 1):
        word = start
        while 1 <= word <= n and not seen[word]:
            seen[word] = start
            word = heads[word - 1]
        if 1 <= word <= n and seen[word] == start:  # the walk has met itself
            cycle = [word]
            step = heads[word - 1]
            while step != word:
                cycle.append(step)
                step = heads[step - 1]
            first = cycle.index(min(cycle))
            return cycle[first:] + cycle[:first]
    return []


def is_tree(heads: Sequence[int], *, single_root: bool = False) -> bool:
    """Return whether every word reaches the artificial root by following heads.

    Several words may have the root as their head unless `single_root` is set. An empty list is not
    a tree.
    """
    n = len(heads)
    if n == 0 or any(not 0 <= head <= n for head in heads) or find_cycle(heads):
        return False
    return not single_root or len(roots(heads)) == 1


def is_projective(heads: Sequence[int]) -> bool:
    """Return whether no two arcs cross, including the arcs from the root at position 0.

    In a projective tree, every word between a head and its dependent is a descendant of the head
    (Nivre 2009, section 2). Unset heads make no arc. Time O(n log n).
    """
    arcs = sorted(
        (min(head, word), -max(head, word)) for word, head in enumerate(heads, start=1) if head >= 0
    )
    open_ends: list[int] = []  # right ends of the enclosing arcs, the innermost last
    for left, minus_right in arcs:
        right = -minus_right
        while open_ends and open_ends[-1] <= left:
            open_ends.pop()
        if open_ends and right > open_ends[-1]:
            return False
        open_ends.append(right)
    return True
