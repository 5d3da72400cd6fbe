"""`Derivation`: the training examples of a sentence, states with their right transitions."""

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


class Derivation(NamedTuple):
    """The training examples of a sentence: one row for each of T states.

    Attributes:
        positions: (T, 18) int32, the words at `POSITIONS`, UNSET where missing.
        labels: (T, 12) int16, the label ids at `LABEL_POSITIONS`, UNSET where missing.
        targets: (T,) int16, the right transition.
        second_targets: (T,) int16, the other right transition of the hybrid oracle, or UNSET.
        masks: (T,) uint8, the row of `system.masks`.
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
    """Return the training examples of one gold tree.

    The arguments and the errors are as in `oracles.walk`; a TransitionError is also
    raised if the system does not allow the labels of the tree.
    """
    state = system.initial(len(heads))
    steps = walk(state, system, heads, deprels, oracle=oracle, rng=rng)
    return _examples(system, state, steps)


def replay(system: TransitionSystem, followed: Sequence[int], targets: Sequence[int]) -> Derivation:
    """Return the training examples of the states that a parser reached by itself.

    Args:
        system: the transition system.
        followed: (T,) the transitions of the parser, from the initial state to a terminal one.
        targets: (T,) the right transition in each of the states.
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
    """Record each state with its right transition, and the other right transition or UNSET."""
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
    # the label of a child never changes once it is attached, so it can be read from the final tree
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
