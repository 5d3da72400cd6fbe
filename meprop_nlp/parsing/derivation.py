"""Derivations: the training examples of a gold tree: states, and what is right in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import TransitionError
from meprop_nlp.parsing.features import POSITIONS, WORD_POSITIONS, extract
from meprop_nlp.parsing.oracles import walk
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import TransitionSystem

__all__ = ["Derivation", "derive", "replay"]


class Derivation(NamedTuple):
    """A sentence's training examples: one row per transition, T in all.

    Attributes:
        positions: (T, 18) int32, the words at `POSITIONS`, UNSET where missing.
        labels: (T, 12) int16, label ids at `LABEL_POSITIONS`, UNSET where missing.
        targets: (T,) int16, the right transition.
        second_targets: (T,) int16, the hybrid oracle's other right one, else UNSET.
        masks: (T,) uint8, row of `system.masks`.
    """

    positions: NDArray[np.int32]
    labels: NDArray[np.int16]
    targets: NDArray[np.int16]
    second_targets: NDArray[np.int16]
    masks: NDArray[np.uint8]


def derive(
    system: TransitionSystem,
    heads: Sequence[int],
    deprels: Sequence[int],
    *,
    oracle: str = "static",
    rng: np.random.Generator | None = None,
) -> Derivation:
    """The training examples of one gold tree.

    Args:
        system: numbers the transitions.
        heads: (n) gold head of each word, 0 = ROOT.
        deprels: (n) gold label ids.
        oracle: "static" or "hybrid".
        rng: the hybrid oracle's choices.

    Raises:
        TransitionError: the system cannot build this tree, or its labels forbid it.
        ConfigError: an unknown oracle, one that does not fit the system, or hybrid without rng.
    """
    state = system.initial(len(heads))
    steps = walk(state, system, heads, deprels, oracle=oracle, rng=rng)
    return _examples(system, state, steps)


def replay(system: TransitionSystem, followed: Sequence[int], targets: Sequence[int]) -> Derivation:
    """The training examples of a sentence that a parser went through by itself.

    Args:
        system: numbers the transitions.
        followed: (T,) valid transitions from the first state to a terminal one.
        targets: (T,) what was right instead, or the same.
    """
    state = system.initial(len(followed) // 2)

    def steps() -> Iterator[tuple[int, int]]:
        for transition, target in zip(followed, targets, strict=True):
            yield target, UNSET
            system.apply(state, transition)

    return _examples(system, state, steps())


def _examples(
    system: TransitionSystem, state: State, steps: Iterable[tuple[int, int]]
) -> Derivation:
    """Write down every state before its step, a right transition and another one or UNSET."""
    mask_index, b0_has_children = system.mask_index, system.b0_has_children
    flat: list[int] = []
    targets: list[int] = []
    seconds: list[int] = []
    mask_rows: list[int] = []
    for target, second in steps:
        flat += extract(state, b0_has_children=b0_has_children)
        targets.append(target)
        seconds.append(second)
        mask_rows.append(mask_index(state))
    positions = np.array(flat, dtype=np.int32).reshape(len(targets), len(POSITIONS))
    # A child's label never changes once it is attached, so the finished tree knows it.
    label_of = np.array(state.deprels, dtype=np.int16)
    masks = np.array(mask_rows, dtype=np.uint8)
    chosen = np.array(targets, dtype=np.int16)
    allowed = system.masks[masks, chosen]
    if not allowed.all():
        kind, deprel = system.transitions[chosen[int(np.argmin(allowed))]]
        raise TransitionError(
            f"the gold tree needs {kind.name} with label id {deprel}, which `root_labels` and "
            f"`other_labels` of {system.name} do not allow there"
        )
    return Derivation(
        positions=positions,
        labels=label_of[positions[:, len(WORD_POSITIONS) :]],
        targets=chosen,
        second_targets=np.array(seconds, dtype=np.int16),
        masks=masks,
    )
