"""Features: the words of a state that are the input of the network.

The template is that of Chen & Manning (2014, section 3.1): 18 words, their 18 tags, and the labels
of the 12 words that are children or grandchildren of s0 or s1 (in arc-hybrid, of s0 or b0). Words
are positions here: ROOT = 0, words 1..n, UNSET = -1 for a missing word. They index an array with
the layout [ROOT, w1, .., wn, NULL].
"""

from collections.abc import Sequence
from typing import Final

from meprop_nlp.data.word import UNSET
from meprop_nlp.parsing.state import State

WORD_POSITIONS: Final = ("s0", "s1", "s2", "b0", "b1", "b2")
"""The words on the stack and in the buffer."""

STATE_WORDS: Final = WORD_POSITIONS[:4]
"""Those that the joint model's parser reads; the encoder's vectors of these know the others."""

LABEL_POSITIONS: Final = tuple(
    f"{word}{child}" for word in ("s0", "s1") for child in ("l1", "r1", "l2", "r2", "l1l1", "r1r1")
)
"""The children: `s0r2` is the second rightmost child of s0, `s1l1l1` the leftmost child of `s1l1`.

In arc-hybrid, b0 gets its left children before it is shifted, and the left children of s1 do not
matter any more: there, the positions `s1l1`, `s1l2` and `s1l1l1` are children of b0.
"""

POSITIONS: Final = WORD_POSITIONS + LABEL_POSITIONS
"""All positions, in the order of `extract`; `POSITIONS[6:]` are the label positions."""


TEMPLATE: Final = (
    *(f"{position}.form" for position in POSITIONS),
    *(f"{position}.tag" for position in POSITIONS),
    *(f"{position}.deprel" for position in LABEL_POSITIONS),
)
"""The features, as in "s0l1.tag", in the order of the network's input: forms, tags, labels."""


def extract(state: State, *, b0_has_children: bool = False) -> list[int]:
    """Return the words at the 18 `POSITIONS`: 0 = ROOT, 1..n, UNSET where missing.

    Args:
        state: a state.
        b0_has_children: whether to return the left children of b0 instead of those of s1; an
            attribute of the transition system.
    """
    stack = state.stack
    buffer = state.buffer
    left1 = state.left1
    right1 = state.right1
    left2 = state.left2
    right2 = state.right2
    size = len(stack)
    s0 = stack[-1]
    s1 = stack[-2] if size > 1 else UNSET
    size_left = len(buffer)
    b0 = buffer[-1] if size_left else UNSET
    second = b0 if b0_has_children else s1
    # a missing word is index UNSET = -1, at which the lists of children hold UNSET
    s0l1 = left1[s0]
    s0r1 = right1[s0]
    second_l1 = left1[second]
    s1r1 = right1[s1]
    return [
        s0,
        s1,
        stack[-3] if size > 2 else UNSET,
        b0,
        buffer[-2] if size_left > 1 else UNSET,
        buffer[-3] if size_left > 2 else UNSET,
        s0l1,
        s0r1,
        left2[s0],
        right2[s0],
        left1[s0l1],
        right1[s0r1],
        second_l1,
        s1r1,
        left2[second],
        right2[s1],
        left1[second_l1],
        right1[s1r1],
    ]


def extract_labels(state: State, positions: Sequence[int]) -> list[int]:
    """Return the label ids at `LABEL_POSITIONS`, given `extract(state)`; UNSET where missing."""
    deprels = state.deprels
    return [deprels[word] for word in positions[len(WORD_POSITIONS) :]]
