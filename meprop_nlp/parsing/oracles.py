"""Oracles: the right transitions for a state, given the gold tree.

The static and the hybrid oracle require that all arcs built so far are gold. The dynamic oracle
works for any state. A parser trained only on gold derivations never sees the states that follow its
own mistakes; with the dynamic oracle it is trained on the states it reaches itself (Goldberg &
Nivre 2012, 2013).

In a tree with several roots, all roots but the first are attached to the first and keep their
labels (`projectivity.single_rooted`).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from meprop_nlp.data.trees import find_cycle
from meprop_nlp.data.word import ROOT, UNSET
from meprop_nlp.errors import ConfigError, TransitionError
from meprop_nlp.parsing.projectivity import projective_order, single_rooted
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import (
    ArcHybrid,
    ArcStandard,
    ArcStandardSwap,
    TransitionSystem,
)


class Oracle:
    """Base class of the oracles: the gold tree, and which gold arcs can be built.

    Args:
        system: the transition system; `next` returns indices of its transitions.
        heads: (n) gold head of each word, 0 = ROOT.
        deprels: (n) gold label ids.

    Raises:
        TransitionError: if the lists differ in length, or hold ids out of range.
    """

    def __init__(
        self, system: TransitionSystem, heads: Sequence[int], deprels: Sequence[int]
    ) -> None:
        n = len(heads)
        if len(deprels) != n:
            raise TransitionError(f"{n} heads but {len(deprels)} labels: expected one per word")
        if n and not (min(heads) >= 0 and max(heads) <= n):
            raise TransitionError(f"heads {list(heads)}: expected integers from 0 to {n}")
        if n and not (min(deprels) >= 0 and max(deprels) < system.n_labels):
            raise TransitionError(
                f"label ids run from {min(deprels)} to {max(deprels)}, expected 0 to "
                f"{system.n_labels - 1}"
            )
        if sum(head == ROOT for head in heads) > 1:
            heads, deprels = single_rooted(heads, deprels)
        self.system = system
        # as in `State`, index 0 is ROOT, which has no head
        self.heads = [UNSET, *heads]
        self.left_arcs = [UNSET, *[system.left_start + deprel for deprel in deprels]]
        self.right_arcs = [UNSET, *[system.right_start + deprel for deprel in deprels]]
        self.n_children = [0] * (n + 1)
        self.last_child = [0] * (n + 1)
        for word, head in enumerate(heads, start=1):
            self.n_children[head] += 1
            self.last_child[head] = word
        self._fit(system)

    def _fit(self, system: TransitionSystem) -> None:
        """Prepare for this system; raise ConfigError if the oracle is not defined for it."""

    def _arc(self, state: State) -> int:
        """Return the gold arc between s0 and s1 whose child has all its children, or UNSET."""
        stack = state.stack
        if len(stack) > 1:
            s0 = stack[-1]
            s1 = stack[-2]
            heads = self.heads
            if heads[s1] == s0:
                if state.n_children[s1] == self.n_children[s1]:
                    return self.left_arcs[s1]
            elif heads[s0] == s1 and state.n_children[s0] == self.n_children[s0]:
                return self.right_arcs[s0]
        return UNSET

    def _shift(self, state: State) -> int:
        """Return SHIFT, which is right if no other transition is."""
        if not state.buffer:
            raise TransitionError(self._why_stuck())
        return 0

    def _why_stuck(self) -> str:
        heads = self.heads[1:]
        cycle = find_cycle(heads)
        if cycle:
            return f"the gold heads are not a tree: the words {cycle} form a circle"
        return (
            f"the tree is not projective, and {self.system.name} builds projective trees only: "
            f"projectivize it, or use {ArcStandardSwap.name}; heads {heads}"
        )


class StaticOracle(Oracle):
    """The static oracle: one right transition for each state, in all three systems.

    An arc is built as soon as the child has all its own children. With SWAP, the oracle is lazy
    (Nivre, Kuhlmann & Hall 2009): it swaps only at the end of a maximal projective component, which
    takes fewer swaps than swapping every pair of words in the wrong order at once.

    Raises:
        ConfigError: if there is no static oracle for the system.
    """

    def _fit(self, system: TransitionSystem) -> None:
        if isinstance(system, ArcStandardSwap):
            self.rank = projective_order(self.heads[1:])
            self.component = self._components()
            self._next = self._next_swap
        elif isinstance(system, ArcStandard):
            self._next = self._next_arc_standard
        elif isinstance(system, ArcHybrid):
            self._next = self._next_arc_hybrid
        else:
            raise ConfigError(f"no static oracle for the transition system {system.name!r}")

    def next(self, state: State) -> int:
        """Return the index of the right transition.

        Raises:
            TransitionError: if no transition leads to the gold tree.
        """
        return self._next(state)

    def _next_arc_standard(self, state: State) -> int:
        arc = self._arc(state)
        return self._shift(state) if arc == UNSET else arc

    def _next_arc_hybrid(self, state: State) -> int:
        stack = state.stack
        if len(stack) > 1:
            s0 = stack[-1]
            if state.n_children[s0] == self.n_children[s0]:
                head = self.heads[s0]
                if head == stack[-2]:
                    return self.right_arcs[s0]
                if state.buffer and head == state.buffer[-1]:
                    return self.left_arcs[s0]
        return self._shift(state)

    def _next_swap(self, state: State) -> int:
        arc = self._arc(state)
        if arc != UNSET:
            return arc
        stack = state.stack
        if len(stack) > 2 and self.rank[stack[-1]] < self.rank[stack[-2]]:
            buffer = state.buffer
            if not buffer or self.component[stack[-1]] != self.component[buffer[-1]]:
                return 1
        return self._shift(state)

    def _components(self) -> list[int]:
        """Return the topmost word of the maximal projective component of each word: (n + 1).

        The components are the trees left on the stack when arc-standard without SWAP has built
        every gold arc it can (Nivre, Kuhlmann & Hall 2009, section 3).
        """
        state = State(len(self.heads) - 1)
        while True:
            arc = self._arc(state)
            if arc != UNSET:
                self.system.apply(state, arc)
            elif state.buffer:
                self.system.shift(state)
            else:
                break
        component = []
        for word in range(len(self.heads)):
            while state.heads[word] != UNSET:
                word = state.heads[word]
            component.append(word)
        return component


class HybridOracle(Oracle):
    """The hybrid oracle for arc-standard: one or two right transitions (Ren & Sun 2017).

    If the gold head of s1 is s0, and a child of s0 on the right is missing, both LEFT-ARC and SHIFT
    lead to the gold tree. In all other states, only the transition of the static oracle is right.
    This is not a dynamic oracle: it needs states on the way to the gold tree.

    Raises:
        ConfigError: if the system is not `ArcStandard`.
    """

    def _fit(self, system: TransitionSystem) -> None:
        if type(system) is not ArcStandard:
            raise ConfigError(
                f"the hybrid oracle is for {ArcStandard.name} only, found {system.name}: "
                f"use the static oracle"
            )

    def next(self, state: State) -> tuple[int, ...]:
        """Return the indices of the right transitions, one or two.

        Raises:
            TransitionError: if no transition leads to the gold tree.
        """
        arc = self._arc(state)
        if arc == UNSET:
            return (self._shift(state),)
        if arc < self.system.right_start:
            s0 = state.stack[-1]
            last = self.last_child[s0]
            if last > s0 and state.heads[last] == UNSET:
                return (arc, self._shift(state))
        return (arc,)


class DynamicOracle(Oracle):
    """The dynamic oracle for arc-hybrid: the transitions after which no further gold arc is lost.

    Arc-hybrid is arc-decomposable: if each of several arcs is reachable from a state, so is a tree
    with all of them. The cost of a transition is therefore the number of gold arcs that are
    reachable before it but not after it (Goldberg & Nivre 2013, section 4); the transitions of cost
    zero are right.

    Raises:
        ConfigError: if the system is not `ArcHybrid`.
    """

    def _fit(self, system: TransitionSystem) -> None:
        demand_arc_hybrid(system)

    def next(self, state: State) -> tuple[int, ...]:
        """Return the indices of the right transitions, at least one.

        The label of an arc is right if it is the gold label of the word, even if the head is not
        its gold head. If that label is not allowed (a root label on another arc), all allowed
        labels are right.

        Raises:
            TransitionError: if no transition is right: the system cannot build the gold tree.
        """
        heads, stack, buffer = self.heads, state.stack, state.buffer
        s0, b0 = stack[-1], buffer[-1] if buffer else len(heads)
        allowed = self.system.masks[self.system.mask_index(state)]
        right: list[int] = []
        # after SHIFT, s0 -> b0 is the only possible arc between b0 and the words on the stack
        if buffer and heads[b0] not in stack[:-1] and all(heads[word] != b0 for word in stack):
            right.append(0)
        # once s0 is attached, it can get no more children
        if len(stack) > 1 and self.last_child[s0] < b0:
            if heads[s0] != stack[-2] and heads[s0] <= b0:
                right += self._labelled(self.left_arcs[s0], self.system.left_start, allowed)
            if heads[s0] < b0:
                right += self._labelled(self.right_arcs[s0], self.system.right_start, allowed)
        if not right:
            raise TransitionError(self._why_stuck())
        return tuple(right)

    def _labelled(self, gold: int, start: int, allowed: Sequence[bool]) -> list[int]:
        """Return the arc with its gold label if it is allowed, or else all allowed arcs."""
        if allowed[gold]:
            return [gold]
        return [i for i in range(start, start + self.system.n_labels) if allowed[i]]


def demand_arc_hybrid(system: TransitionSystem) -> None:
    """Raise ConfigError if the system has no dynamic oracle."""
    if not isinstance(system, ArcHybrid):
        raise ConfigError(
            f"the dynamic oracle is for {ArcHybrid.name} only, found {system.name}: use the static "
            "oracle"
        )


def walk(
    state: State,
    system: TransitionSystem,
    heads: Sequence[int],
    deprels: Sequence[int],
    *,
    oracle: str = "static",
    rng: np.random.Generator | None = None,
) -> Iterator[tuple[int, int]]:
    """Take an initial `state` to the gold tree, one transition at a time.

    Args:
        state: of as many words as the tree has.
        system: the transition system.
        heads: (n) gold head of each word, 0 = ROOT.
        deprels: (n) gold label ids.
        oracle: "static" or "hybrid".
        rng: chooses between two right transitions of the hybrid oracle, with equal probability;
            the static oracle needs none.

    Yields:
        The index of the next transition, before it is applied to `state`, and the other right one,
        or UNSET if there is none.

    Raises:
        TransitionError: if the system cannot build this tree.
        ConfigError: if the oracle is unknown, does not fit the system, or is hybrid without `rng`.
    """
    if oracle == "static":
        static = StaticOracle(system, heads, deprels)
        while not state.is_terminal():
            transition = static.next(state)
            yield transition, UNSET
            system.apply(state, transition)
    elif oracle == "hybrid":
        if rng is None:
            raise ConfigError(
                "the hybrid oracle chooses between two right transitions: give it an `rng`"
            )
        hybrid = HybridOracle(system, heads, deprels)
        while not state.is_terminal():
            right = hybrid.next(state)
            transition, other = right[0], UNSET
            if len(right) > 1:
                other = right[1]
                if rng.random() < 0.5:
                    transition, other = other, transition
            yield transition, other
            system.apply(state, transition)
    else:
        raise ConfigError(f"`oracle` is {oracle!r}, expected one of static, hybrid")
