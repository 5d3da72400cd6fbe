"""`State`: the stack, the buffer and the arcs of a transition-based parser.

Which transitions are valid in a state is defined in `transitions.py`.
"""

from meprop_nlp.data.word import ROOT, UNSET


class State:
    """A stack, a buffer and the arcs built so far (also called configuration).

    Words are numbered 1..n; ROOT = 0 is always at the bottom of the stack. UNSET = -1 means "none
    yet" in every list. The lists over words have n + 2 entries, and the last entry is always UNSET:
    index UNSET reads UNSET, so a missing word has missing children without a test.

    Attributes:
        stack: ROOT and words, the top last: s0 is `stack[-1]`.
        buffer: the words not yet shifted, the first word last: b0 is `buffer[-1]`.
        heads: (n + 2) head of each word.
        deprels: (n + 2) label id of each word's arc.
        n_children: (n + 2) number of children attached so far; the last entry is always 0.
        left1, left2: (n + 2) leftmost and second leftmost of the children before their head.
        right1, right2: (n + 2) rightmost and second rightmost of the children after their head.
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
        """Return whether every word has a head: the buffer is empty, only ROOT is on the stack."""
        return not self.buffer and len(self.stack) == 1

    def attach(self, child: int, head: int, deprel: int) -> None:
        """Add the arc head -> child with label id `deprel`; stack and buffer do not change."""
        self.heads[child] = head
        self.deprels[child] = deprel
        self.n_children[head] += 1
        # With SWAP, children need not be attached from the head outwards: hence the comparisons
        # with the second child.
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
        """Return the heads and label ids of words 1..n, as lists that begin with word 1."""
        return self.heads[1:-1], self.deprels[1:-1]

    def __repr__(self) -> str:
        return f"State(stack={self.stack}, buffer={self.buffer[::-1]}, heads={self.heads[1:-1]})"
