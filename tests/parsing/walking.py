"""Ways through a tree's transitions that check what the parser need not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meprop_nlp.parsing.oracles import walk
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import TransitionSystem


def apply_checked(system: TransitionSystem, state: State, index: int) -> None:
    """Apply the transition with this index in place; it must be valid."""
    assert system.is_valid(state, index)
    system.apply(state, index)


def oracle_transitions(
    system: TransitionSystem, heads: Sequence[int], deprels: Sequence[int], **options: Any
) -> list[int]:
    """Return the indices of the transitions that build the gold tree, as `walk` takes them."""
    state = system.initial(len(heads))
    return [index for index, _ in walk(state, system, heads, deprels, **options)]
