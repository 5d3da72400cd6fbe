"""`ParserExamples`: the parser states to learn from, as tensors, each with the right transition."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.heads.in_step import Exploration
from meprop_nlp.models.heads.tree import TreeHead
from meprop_nlp.parsing.derivation import Derivation, derive, replay
from meprop_nlp.parsing.transitions import TransitionSystem

# Rows of a table of forms or tags: ROOT, NULL, then the words'.
ROOT_ROW, NULL_ROW, FIRST_ROW = 0, 1, 2


class ParserExamples:
    """T states, of gold derivations or of the parser's own, each with its right transition.

    Args:
        system: numbers the transitions.
        sentences: the trees' sentences, as the parser reads them.
        trees: heads and label ids of each tree, which has one root and which the system can build.
        form_of, tag_of: for each sentence the numbers of ROOT, the words, and NULL, in any
            numbering.
        oracle: makes the first derivations; the dynamic oracle begins with those of the static one.
        seed: of the hybrid oracle's choices.
        device: of the tensors.

    Attributes:
        forms, tags: (T, 18) int32, the numbers of `form_of` and `tag_of` at the state's positions.
        labels: (T, 12) int32, label ids at its positions, -1 where there is no such child.
        targets: (T,) int64, the right transition.
        seconds: (T,) int64, the hybrid oracle's second right transition, or -1.
        masks: (T,) int64, row of `system.masks`.
    """

    def __init__(
        self,
        system: TransitionSystem,
        sentences: Sequence[Sentence],
        trees: Sequence[tuple[list[int], list[int]]],
        form_of: Sequence[npt.NDArray[np.int64]],
        tag_of: Sequence[npt.NDArray[np.int64]],
        *,
        oracle: str,
        seed: int,
        device: torch.device,
    ) -> None:
        self._system, self._sentences = system, sentences
        self._lengths = [len(heads) for heads, _ in trees]
        self._device = device
        self._form_of = torch.from_numpy(np.concatenate(form_of)).int()
        self._tag_of = torch.from_numpy(np.concatenate(tag_of)).int()
        self._bounds = np.cumsum([0, *map(len, form_of)])
        self._heads, self._label_ids = (
            np.array([value for tree in trees for value in tree[part]], np.int32) for part in (0, 1)
        )
        self._exploration: Exploration | None = None
        rng = np.random.default_rng(seed)
        first = "static" if oracle == "dynamic" else oracle
        self._take([derive(system, *tree, oracle=first, rng=rng) for tree in trees])

    def __len__(self) -> int:
        """Return T."""
        return len(self.targets)

    def explore(self, parser: TreeHead) -> None:
        """Replace the examples by the states that a parser reaches, judged by its oracle."""
        self._replay(parser.explore(self._sentences, self._heads, self._label_ids))

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays that `restore` takes; empty where nothing has been explored."""
        return self._exploration._asdict() if self._exploration else {}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make the examples again from which `state` was taken."""
        if state:
            self._replay(Exploration(**state))

    def _replay(self, exploration: Exploration) -> None:
        self._exploration = exploration
        ends = 2 * np.cumsum(self._lengths)[:-1]
        followed, targets = (np.split(each, ends) for each in exploration)
        self._take(
            [
                replay(self._system, moves.tolist(), right.tolist())
                for moves, right in zip(followed, targets, strict=True)
            ]
        )

    def _take(self, derivations: Sequence[Derivation]) -> None:
        """Make tensors of these examples, one derivation for each tree."""
        places = [
            # position -1 is NULL
            first + np.where(derivation.positions < 0, last - first, derivation.positions)
            for derivation, first, last in zip(
                derivations, self._bounds[:-1], self._bounds[1:] - 1, strict=True
            )
        ]
        device = self._device
        place = torch.from_numpy(np.concatenate(places))  # (T, 18)
        self.forms = self._form_of[place].to(device)
        self.tags = self._tag_of[place].to(device)
        stacked = [np.concatenate(column) for column in zip(*derivations, strict=True)]
        _, labels, targets, seconds, masks = stacked
        self.labels = torch.from_numpy(labels.astype(np.int32)).to(device)
        self.targets, self.seconds, self.masks = (
            torch.from_numpy(values.astype(np.int64)).to(device)
            for values in (targets, seconds, masks)
        )


def numbered_words(numbers: Iterable[Sequence[int]]) -> list[npt.NDArray[np.int64]]:
    """Return the rows of each sentence's words between those of ROOT and NULL: (n + 2,) each.

    Args:
        numbers: of each sentence, a number from 0 on for each word.
    """
    return [
        np.concatenate([[ROOT_ROW], np.array(words, np.int64) + FIRST_ROW, [NULL_ROW]])
        for words in numbers
    ]
