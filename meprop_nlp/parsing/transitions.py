"""The three transition systems: which moves exist, when they are valid, what they do.

s0 and s1 are the top of the stack and the word below it, b0 is the first word of the buffer.
What the right move is for a gold tree stands in `oracle.py` and `dynamic_oracle.py`; each docstring
here names the rule.
"""

from __future__ import annotations

from collections.abc import Collection

from meprop_nlp.errors import ConfigError
from meprop_nlp.parsing.state import ROOT, UNSET, State
from meprop_nlp.parsing.transition_system import Kind, Transition, TransitionSystem, situation

__all__ = [
    "ROOT",
    "SWAPS_PER_WORD",
    "SYSTEMS",
    "UNSET",
    "ArcHybrid",
    "ArcStandard",
    "ArcStandardSwap",
    "Kind",
    "State",
    "Transition",
    "TransitionSystem",
    "make_system",
]


# A parser that swaps more often than this, over a whole sentence, swaps no more in it: gold trees
# take a fraction of one swap a word, and a sentence of 100,000 words could go on for hours.
SWAPS_PER_WORD = 8


class ArcStandard(TransitionSystem):
    """Arc-standard (Nivre 2004): arcs between s0 and s1, children before their head's own arc.

    A sentence of n words takes 2n transitions. Builds projective trees only.
    """

    name = "arc-standard"

    def left_arc(self, state: State, deprel: int) -> None:
        """Arc-standard LEFT-ARC: make s0 the head of s1 and remove s1.

        Validity: s1 exists and is not ROOT; the label is not for roots only.
        Action:   heads[s1] = s0; deprels[s1] = deprel; remove s1 from the stack.
        Oracle:   gold head of s1 is s0, and s1 has all its children. If s0 still waits for a
                  child on its right, SHIFT is right as well (hybrid oracle, Ren & Sun 2017).
        """
        stack = state.stack
        child = stack.pop(-2)
        state.attach(child, stack[-1], deprel)

    def _kind_is_valid(self, state: State, kind: Kind) -> bool:
        if kind == Kind.LEFT_ARC:
            return len(state.stack) > 2
        return super()._kind_is_valid(state, kind)


class ArcHybrid(TransitionSystem):
    """Arc-hybrid (Kuhlmann, Gómez-Rodríguez & Satta 2011): LEFT-ARC from b0, RIGHT-ARC from s1.

    ROOT stays at the bottom of the stack, as in the other systems, so that states and features
    look alike. A sentence of n words takes 2n transitions. Builds projective trees only.
    """

    name = "arc-hybrid"
    b0_has_children = True

    def left_arc(self, state: State, deprel: int) -> None:
        """Arc-hybrid LEFT-ARC: make b0 the head of s0 and pop s0.

        Validity: the buffer is not empty; s0 is not ROOT; the label is not for roots only.
        Action:   heads[s0] = b0; deprels[s0] = deprel; pop the stack.
        Oracle:   gold head of s0 is b0 (a projective tree then leaves s0 no open child).
        """
        state.attach(state.stack.pop(), state.buffer[-1], deprel)

    def _kind_is_valid(self, state: State, kind: Kind) -> bool:
        if kind == Kind.LEFT_ARC:
            return bool(state.buffer) and len(state.stack) > 1
        return super()._kind_is_valid(state, kind)


class ArcStandardSwap(ArcStandard):
    """Arc-standard with SWAP (Nivre 2009): builds every tree, by reordering the words.

    A sentence of n words takes 2n transitions and two more for each SWAP. Two words are swapped
    once at most, so every derivation ends: after n (n - 1) / 2 swaps at the latest.
    """

    name = "arc-standard-swap"
    first_kinds = (Kind.SHIFT, Kind.SWAP)
    projective = False

    def apply(self, state: State, index: int) -> None:
        """Make the move with this index, in place, without asking whether it is valid."""
        if index == 1:
            self.swap(state)
        else:
            super().apply(state, index)

    def swap(self, state: State) -> None:
        """SWAP: put s1 back into the buffer, behind s0 in the new order of the words.

        Validity: s1 is not ROOT, and comes before s0 in the sentence.
        Action:   move s1 from the stack to the front of the buffer.
        Oracle:   no arc is due, s0 comes before s1 in the projective order, and (lazily) the
                  maximal projective component of s0 does not go on with b0.
        """
        state.buffer.append(state.stack.pop(-2))

    def mask_index(self, state: State) -> int:
        """The row of `masks`: with s1 before s0 the base's row, with s1 after s0 row 6 or 7."""
        stack = state.stack
        size = len(stack)
        if size < 3:
            return 2 * size - (2 if state.buffer else 1)
        return (4 if stack[-2] < stack[-1] else 6) + (0 if state.buffer else 1)

    def mask_index_without_swap(self, state: State) -> int:
        """The row of `masks` for this state if SWAP is not allowed, whatever the words' order."""
        index = self.mask_index(state)
        return index + 2 if index in (4, 5) else index

    def _kind_is_valid(self, state: State, kind: Kind) -> bool:
        if kind == Kind.SWAP:
            return len(state.stack) > 2 and state.stack[-2] < state.stack[-1]
        return super()._kind_is_valid(state, kind)

    def _situations(self) -> list[State]:
        return [*super()._situations(), *(situation([ROOT, 2, 1], [4][:r]) for r in (1, 0))]


SYSTEMS: dict[str, type[TransitionSystem]] = {
    system.name: system for system in (ArcStandard, ArcHybrid, ArcStandardSwap)
}


def make_system(
    name: str,
    n_labels: int,
    *,
    root_labels: Collection[int] | None = None,
    other_labels: Collection[int] | None = None,
) -> TransitionSystem:
    """The transition system called `name`, one of `SYSTEMS`.

    Raises:
        ConfigError: no system has this name, or the labels are unusable.
    """
    if name not in SYSTEMS:
        raise ConfigError(f"transition system is {name!r}, expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name](n_labels, root_labels=root_labels, other_labels=other_labels)
