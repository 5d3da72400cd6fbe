"""Oracles: the right transitions for a state, given the gold tree.

The static and the hybrid oracle are for states on the way to the gold tree: every arc built so far
is gold. The dynamic oracle is for any state: a parser trained on gold derivations alone has never
seen the states that its own mistakes lead to, and with this oracle it can be trained on the states
that it reaches itself (Goldberg & Nivre 2012, 2013).

A tree with several roots is taken with each root after the first attached to the first, keeping
its label (`projectivity.single_rooted`).
"""

from __future__ import annotations

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

__all__ = [
    "DynamicOracle",
    "HybridOracle",
    "StaticOracle",
    "demand_arc_hybrid",
    "oracle_transitions",
    "walk",
]


class Oracle:
    """What the oracles share: the gold tree, and whether a word has all its children.

    Args:
        system: the transition system the answers are numbered in.
        heads: (n) gold head of each word, 0 = ROOT.
        deprels: (n) gold label ids.

    Raises:
        TransitionError: the lists do not match or hold ids out of range.
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
        # Index 0 is ROOT, which has no head; words follow. As in `State`.
        self.heads = [UNSET, *heads]
        self.left_arcs = [UNSET, *[system.left_start + deprel for deprel in deprels]]
        self.right_arcs = [UNSET, *[system.right_start + deprel for deprel in deprels]]
        self.n_children = [0] * (n + 1)
        for head in heads:
            self.n_children[head] += 1

    def _arc(self, state: State) -> int:
        """The arc between s0 and s1 that is gold and whose child is complete, or UNSET."""
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
        """SHIFT, the move when no other is right."""
        if not state.buffer:
            raise TransitionError(self._why_stuck())
        return 0

    def _why_stuck(self) -> str:
        heads = self.heads[1:]
        cycle = find_cycle(heads)
        if cycle:
            return f"the gold heads are no tree: the words {cycle} hang on each other in a circle"
        return (
            f"the tree is not projective, and {self.system.name} builds projective trees only: "
            f"projectivize it, or use {ArcStandardSwap.name}; heads {heads}"
        )


class StaticOracle(Oracle):
    """The one right transition of each state, for each of the three systems.

    Arcs are built as soon as the child has all its own children. With SWAP the lazy order is
    used (Nivre, Kuhlmann & Hall 2009): swap only where a maximal projective component ends, which
    takes fewer swaps than swapping whenever two words stand in the wrong order.
    """

    def __init__(
        self, system: TransitionSystem, heads: Sequence[int], deprels: Sequence[int]
    ) -> None:
        super().__init__(system, heads, deprels)
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
        """Index of the right transition.

        Raises:
            TransitionError: no transition leads to the gold tree.
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
        """(n + 1) for each word, the topmost word of its maximal projective component.

        The components are what arc-standard without SWAP leaves on the stack when it builds
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
    """Arc-standard with two right answers where the order is free (Ren & Sun 2017).

    When s1's gold head is s0 and s0 still waits for a child on its right, LEFT-ARC and SHIFT lead
    to the gold tree alike. Everywhere else the static oracle's answer is the only one. It is not
    a dynamic oracle: wrong states are not visited.

    Raises:
        ConfigError: the system is not `ArcStandard`.
    """

    def __init__(
        self, system: TransitionSystem, heads: Sequence[int], deprels: Sequence[int]
    ) -> None:
        super().__init__(system, heads, deprels)
        if type(system) is not ArcStandard:
            raise ConfigError(
                f"the hybrid oracle is for {ArcStandard.name} only, found {system.name}: "
                f"use the static oracle"
            )
        self.last_child = list(range(len(self.heads)))
        for word, head in enumerate(self.heads[1:], start=1):
            self.last_child[head] = max(self.last_child[head], word)

    def next(self, state: State) -> tuple[int, ...]:
        """Indices of the one right transition, or of the two equally right ones.

        Raises:
            TransitionError: no transition leads to the gold tree.
        """
        arc = self._arc(state)
        if arc == UNSET:
            return (self._shift(state),)
        if arc < self.system.right_start and self._waits_on_the_right(state, state.stack[-1]):
            return (arc, self._shift(state))
        return (arc,)

    def _waits_on_the_right(self, state: State, word: int) -> bool:
        last = self.last_child[word]
        return last > word and state.heads[last] == UNSET


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


def demand_arc_hybrid(system: TransitionSystem) -> None:
    """Raise ConfigError where the system has no dynamic oracle here."""
    if not isinstance(system, ArcHybrid):
        raise ConfigError(
            f"the dynamic oracle is for {ArcHybrid.name} only, found {system.name}: use the static "
            "oracle"
        )


def oracle_transitions(
    system: TransitionSystem,
    heads: Sequence[int],
    deprels: Sequence[int],
    *,
    oracle: str = "static",
    rng: np.random.Generator | None = None,
) -> list[int]:
    """Indices of the transitions that build the gold tree.

    Args:
        system: numbers the transitions.
        heads: (n) gold head of each word, 0 = ROOT.
        deprels: (n) gold label ids.
        oracle: "static" or "hybrid".
        rng: chooses, evenly, where the hybrid oracle has two answers; the static needs none.

    Raises:
        TransitionError: the system cannot build this tree.
        ConfigError: an unknown oracle, one that does not fit the system, or hybrid without rng.
    """
    state = system.initial(len(heads))
    steps = walk(state, system, heads, deprels, oracle=oracle, rng=rng)
    return [transition for transition, _ in steps]


def walk(
    state: State,
    system: TransitionSystem,
    heads: Sequence[int],
    deprels: Sequence[int],
    *,
    oracle: str = "static",
    rng: np.random.Generator | None = None,
) -> Iterator[tuple[int, int]]:
    """Drive `state`, an initial one, to the gold tree, one transition at a time.

    Arguments and errors as in `oracle_transitions`.

    Yields:
        The transition that will be made next, with `state` still before it, and the other right
        one, UNSET where there is none.
    """
    if oracle == "static":
        only = StaticOracle(system, heads, deprels).next
        while not state.is_terminal():
            transition = only(state)
            yield transition, UNSET
            system.apply(state, transition)
    elif oracle == "hybrid":
        if rng is None:
            raise ConfigError("the hybrid oracle follows one of two right moves: give it an rng")
        right = HybridOracle(system, heads, deprels).next
        while not state.is_terminal():
            answers = right(state)
            transition, other = answers[0], UNSET
            if len(answers) > 1:
                other = answers[1]
                if rng.random() < 0.5:
                    transition, other = other, transition
            yield transition, other
            system.apply(state, transition)
    else:
        raise ConfigError(f"`oracle` is {oracle!r}, expected one of static, hybrid")
