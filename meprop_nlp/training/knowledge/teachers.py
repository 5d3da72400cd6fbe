"""`Teachers`: trained models whose answers a network learns from, averaged.

A small network learns more from how probable a better one holds each answer than from the right
answers alone (Ba & Caruana 2014; Hinton et al. 2015); an ensemble of its own kind is such a teacher
(Kuncoro et al. 2016, for parsing).
"""

import hashlib
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence, Sized
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.model import Model
from meprop_nlp.models.opinion import values_of
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.answers import FORMAT, Answers, Few
from meprop_nlp.training.knowledge.joint_file import TAUGHT_WITH
from meprop_nlp.training.records import Note

Item = TypeVar("Item", bound=Sized)

CHUNK = 20_000  # words that are asked about at a time, and kept in one file


class Teachers:
    """Models that teach.

    Args:
        models: of the task `joint`.
        cache: folder that keeps the answers; None: they are kept in memory alone.
        hooks: receive a Note before each teacher is asked, and after; stop the asking.

    Raises:
        ConfigError: a model is of another task.
    """

    def __init__(self, models: Sequence[Model], cache: Path | None, hooks: Hooks) -> None:
        for model in models:
            if model.task != "joint":
                raise ConfigError(
                    f"`teacher` is a {model.task} with an encoder of its own; expected a model of "
                    "`train`, or of `encoder` bilstm"
                )
        self._models, self._cache, self._hooks = models, cache, hooks
        self._checksums = list(map(_checksum, models))

    def identity(self) -> list[int]:
        """Return what tells these teachers from others."""
        return self._checksums

    def names(self) -> set[str]:
        """Return what the teachers answer, by the names of `models.opinion.Opinion.shares`."""
        found: set[str] = set()
        for model in self._models:
            found.update(values_of(model.file.header))
            found |= {"arcs"} if "tree" in model.heads else set()
        return found

    def encoders(self) -> list[str]:
        """Return the pretrained encoders that the teachers know from, each with its licence."""
        found: dict[str, None] = {}
        for model in self._models:
            found |= dict.fromkeys(encoders_behind(model.file.header))
        return list(found)

    def ask(
        self,
        sentences: Sequence[Sentence],
        values: Mapping[str, Sequence[str]],
        unlabelled: Sequence[Sequence[str]] = (),
    ) -> "SoftTargets":
        """Return what the teachers answer about the words of sentences, the unlabelled ones last.

        Args:
            sentences: where they have heads, labels are answered for these arcs.
            unlabelled: the forms of further sentences.
            values: of the network that learns, see `models.opinion.values_of`. Values that it
                lacks are left out of the teachers' answers.

        Raises:
            KeyboardInterrupt: `hooks.stop` returned True; what is answered stays in the cache.
        """
        n_words = sum(map(len, sentences)) + sum(map(len, unlabelled))
        targets = SoftTargets(n_words, len(self._models))
        for number, model in enumerate(self._models):
            known = _numbering(values_of(model.file.header), values)
            first, clock = 0, time.perf_counter()
            name = f"teacher {number + 1} of {len(self._models)}"
            self._hooks.on_record(Note(f"{name}: is asked about {n_words:,} words"))
            for chunk in chain(_chunks(sentences), map(_as_sentences, _chunks(unlabelled))):
                if self._hooks.stop():
                    raise KeyboardInterrupt
                answers = self._answers(number, chunk)
                targets.write(first, number, answers, known)
                first += sum(map(len, chunk))
            seconds = time.perf_counter() - clock
            self._hooks.on_record(Note(f"{name}: has answered, {n_words / seconds:,.0f} words/s"))
        heads = [head for sentence in sentences for head in sentence.column("head")]
        has_head = np.zeros(n_words, np.bool_)
        has_head[: len(heads)] = np.array(heads) != UNSET
        targets.agree(has_head)
        return targets

    def _answers(self, number: int, sentences: Sequence[Sentence]) -> Answers:
        """Return a model's answers about a chunk of sentences, from the cache if they are there."""
        model, checksum = self._models[number], self._checksums[number]
        if self._cache is None:
            return Answers.of(model, sentences)
        digest = hashlib.sha256(repr((FORMAT, checksum)).encode())
        for sentence in sentences:
            content = repr((sentence.forms, sentence.column("head")))
            digest.update(content.encode("utf-8", "surrogatepass"))
        path = self._cache / f"answers-{digest.hexdigest()[:32]}.safetensors"
        if path.exists():
            try:
                return Answers.load(path, sum(map(len, sentences)))
            except CheckpointError as error:
                self._hooks.on_record(Note(f"{error}; asked again", warning=True))
        answers = Answers.of(model, sentences)
        self._cache.mkdir(parents=True, exist_ok=True)
        answers.save(path)
        return answers


class SoftTargets:
    """The answers of several teachers about N words, in the values of the network that learns.

    Args:
        n: N.
        n_teachers: how many answer.
    """

    def __init__(self, n: int, n_teachers: int) -> None:
        self._n, self._n_teachers = n, n_teachers
        self._ids: dict[str, npt.NDArray[np.uint16]] = {}
        self._shares: dict[str, npt.NDArray[np.float16]] = {}

    @property
    def names(self) -> set[str]:
        """What the answers are about."""
        return set(self._ids)

    def write(
        self,
        first: int,
        teacher: int,
        answers: Answers,
        known: Mapping[str, npt.NDArray[np.int64]],
    ) -> None:
        """Add the answers of one teacher about some words.

        Args:
            first: the number of the first of them.
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
                self._ids[name] = np.zeros(shape, np.uint16)
                self._shares[name] = np.zeros(shape, np.float16)
            rows, columns = slice(first, first + len(ids)), _columns_of(teacher, few)
            self._ids[name][rows, columns] = ids
            self._shares[name][rows, columns] = shares

    def agree(self, has_head: npt.NDArray[np.bool_]) -> None:
        """Keep the labels only of those teachers that find the most probable arc of all the best.

        The others answered about the label of another arc.

        Args:
            has_head: (N,) the words that have an arc in the treebank, about which all answered.
        """
        if self._n_teachers == 1 or not {"arcs", "labels"} <= self.names:
            return
        heads, shares = self._ids["arcs"], self._shares["arcs"].astype(np.float32)
        width = heads.shape[1] // self._n_teachers
        votes = np.zeros(heads.shape, np.float32)  # of all teachers for the head in each column
        for column in range(heads.shape[1]):
            same = heads == heads[:, column, None]
            votes[:, column] = np.where(same, shares, 0).sum(1)
        # of heads with the same votes, the first in the sentence, as `argmax` takes it
        winners = np.where(votes == votes.max(1, keepdims=True), heads, np.iinfo(np.uint16).max)
        own = heads[:, ::width]  # each teacher's best
        dissent = (own != winners.min(1)[:, None]) & ~has_head[:, None]
        n_labels = self._shares["labels"].shape[1] // self._n_teachers
        self._shares["labels"][np.repeat(dissent, n_labels, 1)] = 0

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


def _checksum(model: Model) -> int:
    """Return what tells a model's answers from those of others."""
    checksum = zlib.crc32(repr(values_of(model.file.header)).encode())
    for name, array in sorted(model.file.arrays.items()):
        checksum = zlib.crc32(np.ascontiguousarray(array).data, zlib.crc32(name.encode(), checksum))
    return checksum


def encoders_behind(header: Mapping[str, Any]) -> list[str]:
    """Return the pretrained encoders that a model knows from, each with its licence.

    Args:
        header: of the model file: the encoder that it reads, and those that its teachers read.
    """
    found = list(header.get(TAUGHT_WITH, []))
    if card := header.get("pretrained"):
        found.insert(0, f"{card['name']} (licence: {card['licence']})")
    return found


def _columns_of(teacher: int, few: Few) -> slice:
    width = few.ids.shape[1]
    return slice(teacher * width, (teacher + 1) * width)


def _as_sentences(forms: Sequence[Sequence[str]]) -> list[Sentence]:
    return list(map(Sentence.from_words, forms))


def _chunks(sentences: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield sentences in chunks of about CHUNK words."""
    start = n_words = 0
    for end, sentence in enumerate(sentences, start=1):
        n_words += len(sentence)
        if n_words >= CHUNK or end == len(sentences):
            yield sentences[start:end]
            start, n_words = end, 0


def _numbering(
    theirs: Mapping[str, Sequence[str]], ours: Mapping[str, Sequence[str]]
) -> dict[str, npt.NDArray[np.int64]]:
    """Return the number of each of their values among ours, by name; -1 for what we lack."""
    found: dict[str, Any] = {}
    for name, values in theirs.items():
        if name in ours:
            numbers = {value: i for i, value in enumerate(ours[name])}
            found[name] = np.array([numbers.get(value, -1) for value in values], np.int64)
    return found
