"""State: what a transition-based parser knows half way through a sentence.

Holds the stack, the buffer and the arcs built so far, and nothing about which moves are allowed:
that is `transitions.py`.
"""

from __future__ import annotations

from meprop_nlp.data.word import ROOT, UNSET

__all__ = ["State"]


class State:
    """A stack, a buffer and the arcs built so far (also called configuration).

    Words are 1..n in the order of the sentence; ROOT = 0 starts at the bottom of the stack and
    never leaves it. UNSET = -1 means "none yet" in every list. The lists over words have n + 2
    entries and the last one stays UNSET, so that index UNSET reads UNSET: a missing word has
    missing children without a test.

    Attributes:
        stack: words and ROOT, the top last: s0 is `stack[-1]`.
        buffer: words still to read, the first last: b0 is `buffer[-1]`.
        heads: (n + 2) head of each word.
        deprels: (n + 2) label id of each word's arc.
        n_children: (n + 2) number of children attached so far; the last entry stays 0.
        left1, left2: (n + 2) leftmost and second leftmost child, of those before their head.
        right1, right2: (n + 2) rightmost and second rightmost child, of those after their head.
    """

    __slots__ = (
        "buffer",
        "deprels",
        "heads",
        "left1",
        "left2",
        "n_children",
        "right1",
        "right2",
        "stack",
    )

    def __init__(self, n_words: int) -> None:
        unset = [UNSET] * (n_words + 2)
        self.stack = [ROOT]
        self.buffer = list(range(n_words, 0, -1))
        self.heads = unset
        self.deprels = unset[:]
        self.n_children = [0] * (n_words + 2)
        self.left1 = unset[:]
        self.left2 = unset[:]
        self.right1 = unset[:]
        self.right2 = unset[:]

    def is_terminal(self) -> bool:
        """True when every word has its head: the buffer is empty and only ROOT is stacked."""
        return not self.buffer and len(self.stack) == 1

    def leftmost_child(self, i: int, n: int = 1) -> int:
        """The n-th leftmost child of word i among those before it, n = 1 or 2; UNSET if none."""
        return (self.left1 if n == 1 else self.left2)[i]

    def rightmost_child(self, i: int, n: int = 1) -> int:
        """The n-th rightmost child of word i among those after it, n = 1 or 2; UNSET if none."""
        return (self.right1 if n == 1 else self.right2)[i]

    def attach(self, child: int, head: int, deprel: int) -> None:
        """Add the arc head -> child with label id `deprel`; stack and buffer stay as they are."""
        self.heads[child] = head
        self.deprels[child] = deprel
        self.n_children[head] += 1
        # Only SWAP attaches children in an order other than from the head outwards, hence the
        # comparisons with the second child.
        if child < head:
            first = self.left1[head]
            if first < 0 or child < first:
                self.left1[head] = child
                self.left2[head] = first
            elif self.left2[head] < 0 or child < self.left2[head]:
                self.left2[head] = child
        else:
            first = self.right1[head]
            if child > first:
                self.right1[head] = child
                self.right2[head] = first
            elif child > self.right2[head]:
                self.right2[head] = child

    def tree(self) -> tuple[list[int], list[int]]:
        """Heads and label ids of words 1..n, as lists that begin with word 1."""
        return self.heads[1:-1], self.deprels[1:-1]

    def __repr__(self) -> str:
        return f"State(stack={self.stack}, buffer={self.buffer[::-1]}, heads={self.heads[1:-1]})"
