"""`SoftTargets`: what several teachers answered, in the values of the network that learns."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from meprop_nlp.files import writing
from meprop_nlp.training.knowledge.answers import Answers, Few

AGREED = 100_000  # words whose votes are counted at a time


class SoftTargets:
    """The answers of several teachers about N words, in the values of the network that learns.

    Args:
        n: N.
        n_teachers: how many answer.
        folder: where the answers are kept, in files that are gone with this process; None: they
            are kept in memory.
    """

    def __init__(self, n: int, n_teachers: int, folder: Path | None = None) -> None:
        self._n, self._n_teachers, self._folder = n, n_teachers, folder
        self._ids: dict[str, npt.NDArray[np.uint16]] = {}
        self._shares: dict[str, npt.NDArray[np.float16]] = {}

    @property
    def names(self) -> set[str]:
        """What the answers are about."""
        return set(self._ids)

    def write(
        self,
        words: npt.NDArray[np.int64],
        teacher: int,
        answers: Answers,
        known: Mapping[str, npt.NDArray[np.int64]],
    ) -> None:
        """Add the answers of one teacher about some words.

        Args:
            words: their numbers, in the order of the answers.
            teacher: the teacher's number.
            known: the number of each of its values among the learner's, -1 for others, by name;
                `arcs` are the same for all.
        """
        for name, few in answers.few.items():
            ids, shares = few.ids.astype(np.int64), few.shares
            if name != "arcs":
                if name not in known:
                    continue
                ids = known[name][ids]
                shares = np.where(ids < 0, np.float16(0), shares)
                ids = np.maximum(ids, 0)
            if name not in self._ids:
                shape = (self._n, self._n_teachers * ids.shape[1])
                self._ids[name] = _zeros(shape, np.uint16, self._folder)
                self._shares[name] = _zeros(shape, np.float16, self._folder)
            columns = _columns_of(teacher, few)
            self._ids[name][words, columns] = ids
            self._shares[name][words, columns] = shares

    def agree(self, has_head: npt.NDArray[np.bool_]) -> None:
        """Keep the labels only of those teachers that find the most probable arc of all the best.

        The others answered about the label of another arc.

        Args:
            has_head: (N,) the words that have an arc in the treebank, about which all answered.
        """
        if self._n_teachers == 1 or not {"arcs", "labels"} <= self.names:
            return
        for first in range(0, self._n, AGREED):
            self._agree(slice(first, first + AGREED), has_head)

    def _agree(self, words: slice, has_head: npt.NDArray[np.bool_]) -> None:
        heads, shares = self._ids["arcs"][words], self._shares["arcs"][words].astype(np.float32)
        width = heads.shape[1] // self._n_teachers
        votes = np.zeros(heads.shape, np.float32)  # of all teachers for the head in each column
        for column in range(heads.shape[1]):
            same = heads == heads[:, column, None]
            votes[:, column] = np.where(same, shares, 0).sum(1)
        # of heads with the same votes, the first in the sentence, as `argmax` takes it
        winners = np.where(votes == votes.max(1, keepdims=True), heads, np.iinfo(np.uint16).max)
        own = heads[:, ::width]  # each teacher's best
        dissent = (own != winners.min(1)[:, None]) & ~has_head[words, None]
        labels = self._shares["labels"][words]
        labels[np.repeat(dissent, labels.shape[1] // self._n_teachers, 1)] = 0

    def read(self, words: Tensor, widths: Mapping[str, int]) -> dict[str, Tensor]:
        """Return the logarithm of the mean probabilities of all values, by name: (B, width) each.

        It is -inf for a value that is not among the best of any teacher. A word of which no
        teacher's answer is known to the learner has such a row.

        Args:
            words: (B,) numbers.
            widths: how many values there are, by name; names that are missing are not returned.
        """
        rows = words.cpu().numpy()
        found = {}
        for name, width in widths.items():
            if name not in self._ids:
                continue
            ids = torch.from_numpy(self._ids[name][rows].astype(np.int64)).to(words.device)
            shares = torch.from_numpy(self._shares[name][rows].astype(np.float32)).to(words.device)
            dense = shares.new_zeros(len(rows), width).scatter_add_(1, ids, shares)
            found[name] = dense.log()
        return found


def _zeros(shape: tuple[int, int], kind: type, folder: Path | None) -> npt.NDArray[Any]:
    """Return an array of zeros, in a file without a name if there is a folder for it.

    Raises:
        DataError: the file cannot be made, or the disk is too small for it.
    """
    if folder is None or 0 in shape:
        return np.zeros(shape, kind)
    n_bytes = shape[0] * shape[1] * np.dtype(kind).itemsize
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # a full disk is noticed here, and not by a fault later
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, n_bytes)
            else:
                file.truncate(n_bytes)
            return np.memmap(file, kind, "r+", shape=shape)


def _columns_of(teacher: int, few: Few) -> slice:
    width = few.ids.shape[1]
    return slice(teacher * width, (teacher + 1) * width)
