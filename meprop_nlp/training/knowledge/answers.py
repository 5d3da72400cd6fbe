"""`Answers`: what one teacher holds probable of many words; of each question the best answers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.file import read_model_file, write_model_file
from meprop_nlp.models.model import Model
from meprop_nlp.models.opinion import Opinion
from meprop_nlp.models.words import SentenceWords

FORMAT = 1  # of the files; to be raised when what is kept, or how it is asked, changes
BEST = 4  # answers to a question that are kept

Shares = npt.NDArray[np.float32]


class Few(NamedTuple):
    """The best answers to one question about N words, the best first.

    Attributes:
        ids: (N, BEST) uint16; 0 for an answer without a share.
        shares: (N, BEST) float16, their probabilities.
    """

    ids: npt.NDArray[np.uint16]
    shares: npt.NDArray[np.float16]

    @classmethod
    def of(cls, shares: Shares) -> Few:
        """Take the best answers from the probabilities of all: (N, values)."""
        if shares.shape[1] < BEST:
            shares = np.pad(shares, ((0, 0), (0, BEST - shares.shape[1])))
        best = np.argpartition(-shares, BEST - 1, 1)[:, :BEST]
        order = np.argsort(-np.take_along_axis(shares, best, 1), 1, kind="stable")
        best = np.take_along_axis(best, order, 1)
        kept = np.take_along_axis(shares, best, 1)
        best[kept == 0] = 0  # also those beyond the values that there are
        return cls(best.astype(np.uint16), kept.astype(np.float16))


class Answers:
    """The answers of one teacher about the words of some sentences.

    Args:
        few: by the names of `models.opinion.Opinion.shares`, and `labels`.
    """

    def __init__(self, few: dict[str, Few]) -> None:
        self.few = few

    @classmethod
    def of(cls, model: Model, sentences: Sequence[Sentence]) -> Answers:
        """Ask a model about sentences.

        Labels are those of the arcs that the sentences have, or else of the most probable arcs.
        """
        parts: list[dict[str, Few]] = []
        # sentences of similar length, because the arcs of a batch have the width of its longest
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        for batch in in_batches(sentences[i] for i in order):
            words = SentenceWords(batch)
            opinion = Opinion(model, words)
            few = {name: Few.of(shares) for name, shares in opinion.shares.items()}
            if "arcs" in few:
                gold = np.array([head for s in batch for head in s.column("head")], np.int32)
                heads = np.where(gold == UNSET, few["arcs"].ids[:, 0], gold)
                labels = opinion.labels(heads.astype(np.int32))
                assert labels is not None
                few["labels"] = Few.of(labels)
            parts.append(few)
        lengths = np.array([len(sentences[i]) for i in order], np.int64)
        places = _places(np.array(order, np.int64), lengths)
        return cls({name: _in_order([part[name] for part in parts], places) for name in parts[0]})

    def save(self, path: Path) -> None:
        """Write the answers to a file, completely or not at all."""
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        for name, (ids, shares) in self.few.items():
            arrays |= {f"{name}/ids": ids, f"{name}/shares": shares}
        write_model_file(path, {"kind": "answers"}, arrays)

    @classmethod
    def load(cls, path: Path, n_words: int) -> Answers:
        """Read the answers of `save`.

        Raises:
            CheckpointError: the file is damaged, or of other words.
        """
        arrays = read_model_file(path).arrays
        few = {}
        for name in (name.removesuffix("/ids") for name in arrays if name.endswith("/ids")):
            ids, shares = arrays[f"{name}/ids"], arrays.get(f"{name}/shares")
            if shares is None or {ids.shape, shares.shape} != {(n_words, BEST)}:
                raise CheckpointError(f"{path}: holds no answers about {n_words:,} words")
            few[name] = Few(ids.astype(np.uint16), shares.astype(np.float16))
        return cls(few)


def remove_answers(folder: Path) -> None:
    """Remove the files of answers from a folder, and the folder if nothing else is in it.

    No other training may write there: what a kill left half-written goes too.
    """
    for pattern in ("answers-*.safetensors", ".answers-*.safetensors"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _places(order: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where each word of sentences in another order stands in the first order.

    Args:
        order: the number of each sentence.
        lengths: of the sentences, in that order.
    """
    in_first_order = np.empty_like(lengths)
    in_first_order[order] = lengths
    firsts = (np.cumsum(in_first_order) - in_first_order)[order]
    starts = np.cumsum(lengths) - lengths
    return np.repeat(firsts - starts, lengths) + np.arange(int(lengths.sum()))


def _in_order(parts: Sequence[Few], places: npt.NDArray[np.int64]) -> Few:
    ids = np.concatenate([part.ids for part in parts])
    shares = np.concatenate([part.shares for part in parts])
    ordered = Few(np.empty_like(ids), np.empty_like(shares))
    ordered.ids[places], ordered.shares[places] = ids, shares
    return ordered
