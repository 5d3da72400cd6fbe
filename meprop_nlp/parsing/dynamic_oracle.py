"""The dynamic oracle: the right transitions of any state, also of one off the way to the tree.

A parser trained on gold derivations alone has never seen the states that its own mistakes lead to.
With this oracle it can be trained on the states that it reaches itself (Goldberg & Nivre 2012,
2013).
"""

from __future__ import annotations

from collections.abc import Sequence

from meprop_nlp.errors import ConfigError, TransitionError
from meprop_nlp.parsing.oracle import Oracle
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import ArcHybrid, TransitionSystem

__all__ = ["DynamicOracle", "demand_arc_hybrid"]


def demand_arc_hybrid(system: TransitionSystem) -> None:
    """Raise ConfigError where the system has no dynamic oracle here."""
    if not isinstance(system, ArcHybrid):
        raise ConfigError(
            f"the dynamic oracle is for {ArcHybrid.name} only, found {system.name}: use the static "
            "oracle"
        )


class DynamicOracle(Oracle):
    """The transitions after which no gold head is lost that could still be had.

    A gold arc can still be built as long as each of the two words can still meet the other. In
    arc-hybrid a tree can be completed with all arcs that can each be built, so that the loss of a
    transition is the number of arcs that cannot be built after it, and could before (Goldberg &
    Nivre 2013, section 4).

    Raises:
        ConfigError: the system is not `ArcHybrid`.
    """

    def __init__(
        self, system: TransitionSystem, heads: Sequence[int], deprels: Sequence[int]
    ) -> None:
        super().__init__(system, heads, deprels)
        demand_arc_hybrid(system)
        self.last_child = [0] * len(self.heads)
        for word, head in enumerate(self.heads[1:], start=1):
            self.last_child[head] = max(self.last_child[head], word)

    def next(self, state: State) -> tuple[int, ...]:
        """Indices of the right transitions, one at least.

        An arc has its gold label, also where its head is not the gold one; where that label is not
        allowed (a root's label on another arc), every allowed one is right.

        Raises:
            TransitionError: no transition is right: the system cannot build the gold tree.
        """
        heads, stack, buffer = self.heads, state.stack, state.buffer
        s0, b0 = stack[-1], buffer[-1] if buffer else len(heads)
        allowed = self.system.masks[self.system.mask_index(state)]
        right: list[int] = []
        # once b0 is on the stack, of all words there it can meet none but s0, and only as its child
        if buffer and heads[b0] not in stack[:-1] and all(heads[word] != b0 for word in stack):
            right.append(0)
        # once s0 is gone, it can get no more children
        if len(stack) > 1 and self.last_child[s0] < b0:
            if heads[s0] != stack[-2] and heads[s0] <= b0:
                right += self._labelled(self.left_arcs[s0], self.system.left_start, allowed)
            if heads[s0] < b0:
                right += self._labelled(self.right_arcs[s0], self.system.right_start, allowed)
        if not right:
            raise TransitionError(self._why_stuck())
        return tuple(right)

    def _labelled(self, gold: int, start: int, allowed: Sequence[bool]) -> list[int]:
        """The arc with its gold label, or all that are allowed; none where no arc is."""
        if allowed[gold]:
            return [gold]
        return [i for i in range(start, start + self.system.n_labels) if allowed[i]]
