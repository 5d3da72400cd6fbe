"""`Transition` and `TransitionSystem`: the numbering, validity and effect of transitions.

s0 and s1 are the top of the stack and the word below it; b0 is the first word of the buffer. Each
docstring states when its transition is right for a gold tree; `oracles.py` implements these rules.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from enum import IntEnum
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meprop_nlp.data.word import ROOT, UNSET
from meprop_nlp.errors import ConfigError
from meprop_nlp.parsing.state import State

# The limit of SWAP transitions in a sentence, per word. Gold trees need a fraction of a swap per
# word; without a limit, a sentence of 100,000 words could take hours.
SWAPS_PER_WORD = 8


class Kind(IntEnum):
    """The kind of a transition: what it does, regardless of the label."""

    SHIFT = 0
    LEFT_ARC = 1
    RIGHT_ARC = 2
    SWAP = 3


class Transition(NamedTuple):
    """A transition of the parser.

    Attributes:
        kind: what it does.
        deprel: the label id of the arc; UNSET for SHIFT and SWAP, which build no arc.
    """

    kind: Kind
    deprel: int = UNSET


class TransitionSystem(ABC):
    """The transitions with labelled arcs, and their numbering in the output of a network.

    Every system keeps ROOT at the bottom of the stack, and allows the arc from ROOT only when the
    buffer is empty and one word is left on the stack. So every sequence of valid transitions ends
    in a tree with one root.

    Args:
        n_labels: the number of labels; label ids are 0 .. n_labels - 1.
        root_labels: the label ids allowed on the arc from ROOT.
        other_labels: the label ids allowed on all other arcs. For both, None or an empty set
            means no restriction.

    Attributes:
        transitions: all transitions in output order: SHIFT, [SWAP], LEFT_ARC x labels, RIGHT_ARC
            x labels. `left_start` and `right_start` are the indices of the first of each arc.
        b0_has_children: whether words in the buffer can have children, which are then features.
        template: the number of the feature template in model files: 2 with the children of b0.
        masks: (n_masks, n_transitions) bool, read-only. Row `mask_index(state)` says which
            transitions are valid in the state. Rows are numbered 2 * min(len(stack), 3) - 2 +
            (buffer is empty), and ArcStandardSwap has two more. Row 1 is for the terminal state,
            where no transition is valid.

    Raises:
        ConfigError: if there are no labels, or a label id is outside 0 .. n_labels - 1.
    """

    name: ClassVar[str]
    first_kinds: ClassVar[tuple[Kind, ...]] = (Kind.SHIFT,)
    projective: ClassVar[bool] = True
    b0_has_children: ClassVar[bool] = False

    def __init__(
        self,
        n_labels: int,
        *,
        root_labels: Collection[int] | None = None,
        other_labels: Collection[int] | None = None,
    ) -> None:
        if n_labels < 1:
            raise ConfigError(f"{self.name}: `n_labels` is {n_labels}, expected 1 or more")
        self.n_labels = n_labels
        self.root_labels = self._allowed("root_labels", root_labels)
        self.other_labels = self._allowed("other_labels", other_labels)
        self.transitions = (
            *(Transition(kind) for kind in self.first_kinds),
            *(Transition(Kind.LEFT_ARC, deprel) for deprel in range(n_labels)),
            *(Transition(Kind.RIGHT_ARC, deprel) for deprel in range(n_labels)),
        )
        self.n_transitions = len(self.transitions)
        self.left_start = len(self.first_kinds)
        self.right_start = self.left_start + n_labels
        self.masks = self._masks()

    @property
    def template(self) -> int:
        """The number of the feature template: 2 if b0 has children, else 1."""
        return 2 if self.b0_has_children else 1

    def initial(self, n_words: int) -> State:
        """Return the initial state: ROOT on the stack, all words in the buffer."""
        return State(n_words)

    def is_valid(self, state: State, transition: int | Transition) -> bool:
        """Return whether the transition (or its index) may be applied to the state."""
        if not isinstance(transition, Transition):
            transition = self.transitions[transition]
        kind, deprel = transition
        if not self._kind_is_valid(state, kind):
            return False
        if kind in self.first_kinds:
            return deprel == UNSET
        from_root = kind == Kind.RIGHT_ARC and state.stack[-2] == ROOT
        return deprel in (self.root_labels if from_root else self.other_labels)

    def mask_index(self, state: State) -> int:
        """Return the row of `masks` for this state."""
        size = len(state.stack)
        return (2 * size if size < 3 else 6) - (2 if state.buffer else 1)

    def apply(self, state: State, index: int) -> None:
        """Apply the transition with this index in place; it must be valid, which is not checked."""
        if index >= self.right_start:
            self.right_arc(state, index - self.right_start)
        elif index >= self.left_start:
            self.left_arc(state, index - self.left_start)
        else:
            self.shift(state)

    def shift(self, state: State) -> None:
        """SHIFT: move b0 onto the stack.

        Validity: the buffer is not empty.
        Action:   remove b0 from the buffer and push it onto the stack.
        Oracle:   no gold arc can be built, and no SWAP is needed.
        """
        state.stack.append(state.buffer.pop())

    @abstractmethod
    def left_arc(self, state: State, deprel: int) -> None:
        """LEFT-ARC: attach s0 or s1 to a head on its right."""

    def right_arc(self, state: State, deprel: int) -> None:
        """RIGHT-ARC, the same in all systems: make s1 the head of s0 and pop s0.

        Validity: the stack has at least two entries. If s1 is ROOT, the buffer must be empty and
                  the label in `root_labels`; otherwise the label must be in `other_labels`.
        Action:   heads[s0] = s1; deprels[s0] = deprel; pop the stack.
        Oracle:   the gold head of s0 is s1, and s0 has all its children.
        """
        stack = state.stack
        child = stack.pop()
        state.attach(child, stack[-1], deprel)

    def _kind_is_valid(self, state: State, kind: Kind) -> bool:
        """Return whether a transition of this kind is valid with some label."""
        if kind == Kind.SHIFT:
            return bool(state.buffer)
        if kind == Kind.RIGHT_ARC:
            size = len(state.stack)
            return size > 2 or (size == 2 and not state.buffer)
        return False

    def _situations(self) -> list[State]:
        """Return a state for each row of `masks`, in the order of `mask_index`."""
        return [
            _situation([ROOT, 1, 2][:size], [4][:rest]) for size in (1, 2, 3) for rest in (1, 0)
        ]

    def _masks(self) -> NDArray[np.bool_]:
        rows = [
            [self.is_valid(state, transition) for transition in self.transitions]
            for state in self._situations()
        ]
        masks = np.array(rows, dtype=np.bool_)
        masks.flags.writeable = False
        return masks

    def _allowed(self, setting: str, labels: Collection[int] | None) -> frozenset[int]:
        allowed = frozenset(labels or range(self.n_labels))
        outside = sorted(label for label in allowed if not 0 <= label < self.n_labels)
        if outside:
            raise ConfigError(
                f"{self.name}: `{setting}` holds {outside[0]}, expected ids from 0 to "
                f"{self.n_labels - 1}"
            )
        return allowed


def _situation(stack: list[int], buffer: list[int]) -> State:
    """Return a state with this stack and buffer (b0 last) and no arcs."""
    state = State(0)
    state.stack, state.buffer = stack, buffer
    return state


class ArcStandard(TransitionSystem):
    """Arc-standard (Nivre 2004): arcs between s0 and s1; a word is attached after its children.

    A sentence of n words takes 2n transitions. Builds only projective trees.
    """

    name = "arc-standard"

    def left_arc(self, state: State, deprel: int) -> None:
        """Arc-standard LEFT-ARC: make s0 the head of s1 and remove s1.

        Validity: s1 exists and is not ROOT; the label is in `other_labels`.
        Action:   heads[s1] = s0; deprels[s1] = deprel; remove s1 from the stack.
        Oracle:   the gold head of s1 is s0, and s1 has all its children. If a child of s0 on the
                  right is missing, SHIFT is right as well (hybrid oracle, Ren & Sun 2017).
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

    ROOT is at the bottom of the stack, as in the other systems, so that they share states and
    features. A sentence of n words takes 2n transitions. Builds only projective trees.
    """

    name = "arc-hybrid"
    b0_has_children = True

    def left_arc(self, state: State, deprel: int) -> None:
        """Arc-hybrid LEFT-ARC: make b0 the head of s0 and pop s0.

        Validity: the buffer is not empty; s0 is not ROOT; the label is in `other_labels`.
        Action:   heads[s0] = b0; deprels[s0] = deprel; pop the stack.
        Oracle:   the gold head of s0 is b0 (in a projective tree, s0 then has all its children).
        """
        state.attach(state.stack.pop(), state.buffer[-1], deprel)

    def _kind_is_valid(self, state: State, kind: Kind) -> bool:
        if kind == Kind.LEFT_ARC:
            return bool(state.buffer) and len(state.stack) > 1
        return super()._kind_is_valid(state, kind)


class ArcStandardSwap(ArcStandard):
    """Arc-standard with SWAP (Nivre 2009): builds any tree, by reordering the words.

    A sentence of n words takes 2n transitions, and two more for each SWAP. Two words are swapped
    at most once, so there are at most n (n - 1) / 2 swaps.
    """

    name = "arc-standard-swap"
    first_kinds = (Kind.SHIFT, Kind.SWAP)
    projective = False

    def apply(self, state: State, index: int) -> None:
        """Apply the transition with this index in place, without checking that it is valid."""
        if index == 1:
            self.swap(state)
        else:
            super().apply(state, index)

    def swap(self, state: State) -> None:
        """SWAP: move s1 back to the buffer, so that it follows s0 in the new order of the words.

        Validity: s1 exists, is not ROOT, and precedes s0 in the sentence.
        Action:   move s1 from the stack to the front of the buffer.
        Oracle:   no gold arc can be built, s0 precedes s1 in the projective order, and b0 is not
                  in the maximal projective component of s0 (lazy swap, Nivre et al. 2009).
        """
        state.buffer.append(state.stack.pop(-2))

    def mask_index(self, state: State) -> int:
        """Return the row of `masks`: the base class's row if s1 precedes s0, else row 6 or 7."""
        stack = state.stack
        index = super().mask_index(state)
        return index + 2 if len(stack) > 2 and stack[-2] > stack[-1] else index

    def mask_index_without_swap(self, state: State) -> int:
        """Return the row of `masks` for this state when SWAP is no longer allowed."""
        index = self.mask_index(state)
        return index + 2 if index in (4, 5) else index

    def _kind_is_valid(self, state: State, kind: Kind) -> bool:
        if kind == Kind.SWAP:
            return len(state.stack) > 2 and state.stack[-2] < state.stack[-1]
        return super()._kind_is_valid(state, kind)

    def _situations(self) -> list[State]:
        return [*super()._situations(), *(_situation([ROOT, 2, 1], [4][:r]) for r in (1, 0))]


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
    """Create the transition system called `name`, one of `SYSTEMS`.

    Raises:
        ConfigError: if no system has this name, or the labels cannot be used.
    """
    if name not in SYSTEMS:
        raise ConfigError(f"transition system is {name!r}, expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name](n_labels, root_labels=root_labels, other_labels=other_labels)
