"""`ParserExamples`: the states that a parser learns from, as tensors, made by an oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.models.heads.tree import Exploration, TreeHead
from meprop_nlp.parsing.derivation import Derivation, derive, replay
from meprop_nlp.parsing.transitions import TransitionSystem

__all__ = ["ParserExamples", "tag_rows"]


class ParserExamples:
    """T states of gold derivations, or of the parser's own, each with what is right in it.

    Args:
        system: numbers the transitions.
        sentences: of the trees, as the parser reads them.
        trees: heads and label ids of each; one root, and the system can build it.
        form_of, tag_of: of each sentence, numbers for ROOT, the words, and NULL, in any numbering.
        oracle: whose derivations come first; the dynamic oracle begins with the static one's.
        seed: of the hybrid oracle's choices.
        device: where the tensors live.

    Attributes:
        forms, tags: (T, 18) int32, the numbers of `form_of` and `tag_of` that a state shows.
        labels: (T, 12) int32, label ids that it shows, -1 where there is no such child.
        targets: (T,) int64, the right transition.
        seconds: (T,) int64, the hybrid oracle's other one, or -1.
        masks: (T,) int64, row of `system.masks`.
    """

    forms: Tensor
    tags: Tensor
    labels: Tensor
    targets: Tensor
    seconds: Tensor
    masks: Tensor

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
        """Put the states that a parser meets, with the dynamic oracle's answers, in their place."""
        self._replay(parser.explore(self._sentences, self._heads, self._label_ids))

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `restore` needs; empty where nothing has been explored."""
        return self._exploration._asdict() if self._exploration else {}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make the examples that `state` was taken of."""
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
        """Make these the examples, one derivation a tree."""
        places = [
            # position -1 is NULL
            first + np.where(derivation.positions < 0, last - first, derivation.positions)
            for derivation, first, last in zip(
                derivations, self._bounds[:-1], self._bounds[1:] - 1, strict=True
            )
        ]
        to = self._device
        place = torch.from_numpy(np.concatenate(places))  # (T, 18)
        self.forms = self._form_of[place].to(to)
        self.tags = self._tag_of[place].to(to)
        stacked = [np.concatenate(column) for column in zip(*derivations, strict=True)]
        _, labels, targets, seconds, masks = stacked
        self.labels = torch.from_numpy(labels.astype(np.int32)).to(to)
        self.targets, self.seconds, self.masks = (
            torch.from_numpy(values.astype(np.int64)).to(to) for values in (targets, seconds, masks)
        )


def tag_rows(
    sentences: Sequence[Sentence], vocabularies: dict[str, Vocab]
) -> list[npt.NDArray[np.int64]]:
    """Return each sentence's tags as rows of one table: (n_words, number of tag columns)."""
    offset = 0
    columns = []
    for name, vocab in vocabularies.items():
        columns.append(
            [[offset + vocab.index(tag) for tag in sentence.column(name)] for sentence in sentences]
        )
        offset += len(vocab)
    if not columns:
        return [np.empty((len(sentence), 0), np.int64) for sentence in sentences]
    return [np.array(rows, np.int64).T for rows in zip(*columns, strict=True)]
