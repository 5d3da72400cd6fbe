"""`Teachers`: trained models whose answers a network learns from, averaged.

A small network learns more from how probable a better one holds each answer than from the right
answers alone (Ba & Caruana 2014; Hinton et al. 2015); an ensemble of its own kind is such a teacher
(Kuncoro et al. 2016, for parsing).
"""

import hashlib
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import CheckpointError
from meprop_nlp.files import remove_unfinished
from meprop_nlp.models.model import Model, treebank_number
from meprop_nlp.models.opinion import values_of
from meprop_nlp.models.word_states import WordStates
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.answers import FORMAT, Answers
from meprop_nlp.training.knowledge.joint_file import TAUGHT_WITH
from meprop_nlp.training.knowledge.several_treebanks import SeveralTreebanks
from meprop_nlp.training.knowledge.soft_targets import SoftTargets
from meprop_nlp.training.records import Note

Places = npt.NDArray[np.int64]

CHUNK = 20_000  # words that are asked about at a time, and kept in one file


class Teachers:
    """Models that teach.

    Args:
        models: of the task `joint`.
        cache: folder that keeps the answers; None: they are kept in memory alone.
        hooks: receive a Note before each teacher is asked, and after; stop the asking.
        states: those that the network that learns reads, about the same sentences; a teacher with
            the same encoder reads them too, rather than have them computed again.
    """

    def __init__(
        self,
        models: Sequence[Model],
        cache: Path | None,
        hooks: Hooks,
        states: WordStates | None = None,
    ) -> None:
        self._models = [_sharing(model, states) for model in models]
        self._cache, self._hooks = cache, hooks
        self._checksums = list(map(checksum_of_answers, models))

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
        treebanks: SeveralTreebanks | None = None,
    ) -> SoftTargets:
        """Return what the teachers answer about the words of sentences, the unlabelled ones last.

        A teacher that was trained on several treebanks is asked about a sentence as one of its own
        treebank, where it knows that by name, or else as one of the teacher's first. Unlabelled
        sentences are as those of the first treebank.

        Args:
            sentences: where they have heads, labels are answered for these arcs.
            unlabelled: the forms of further sentences.
            values: of the network that learns, see `models.opinion.values_of`. Values that it
                lacks are left out of the teachers' answers.
            treebanks: which treebank each sentence of `sentences` is of, where there are several.

        Raises:
            KeyboardInterrupt: `hooks.stop` returned True; what is answered stays in the cache.
        """
        lengths = np.array([*map(len, sentences), *map(len, unlabelled)], np.int64)
        firsts, n_words = np.cumsum(lengths) - lengths, int(lengths.sum())
        targets = SoftTargets(n_words, len(self._models), self._cache)
        for number, model in enumerate(self._models):
            known = _numbering(values_of(model.file.header), values)
            clock = time.perf_counter()
            name = f"teacher {number + 1} of {len(self._models)}"
            groups = _groups(model, len(sentences), len(unlabelled), treebanks)
            asked = f"{name}: is asked about {n_words:,} words"
            self._hooks.on_record(Note(asked + _as_which(model, groups)))
            for treebank, places in groups:
                asked_model = _as_of(model, treebank)
                for chunk in _chunks(places, lengths):
                    if self._hooks.stop():
                        raise KeyboardInterrupt
                    some = [
                        sentences[place]
                        if place < len(sentences)
                        else Sentence.from_words(unlabelled[place - len(sentences)])
                        for place in chunk.tolist()
                    ]
                    answers = self._answers(number, asked_model, treebank, some)
                    words = [np.arange(firsts[n], firsts[n] + lengths[n]) for n in chunk]
                    targets.write(np.concatenate(words), number, answers, known)
            seconds = time.perf_counter() - clock
            self._hooks.on_record(Note(f"{name}: has answered, {n_words / seconds:,.0f} words/s"))
        heads = [head for sentence in sentences for head in sentence.column("head")]
        has_head = np.zeros(n_words, np.bool_)
        has_head[: len(heads)] = np.array(heads) != UNSET
        targets.agree(has_head)
        return targets

    def _answers(
        self, number: int, model: Model, treebank: str | None, sentences: Sequence[Sentence]
    ) -> Answers:
        """Return a model's answers about a chunk of sentences, from the cache if they are there."""
        if self._cache is None:
            return Answers.of(model, sentences)
        asked = (FORMAT, self._checksums[number])
        # as of the first treebank, a model answers as if no treebank were named
        as_of = treebank_number(model.file.header, treebank) or 0
        digest = hashlib.sha256(repr((*asked, as_of) if as_of else asked).encode())
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
        remove_unfinished([path])
        answers.save(path)
        return answers


def checksum_of_answers(model: Model) -> int:
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


def _sharing(model: Model, states: WordStates | None) -> Model:
    """Return a model that reads these states, if they are those of its own encoder."""
    card = model.file.header.get("pretrained")
    if states is None or not card or card["fingerprint"] != states.card.fingerprint:
        return model
    return Model(model.file, states)


def _as_of(model: Model, treebank: str | None) -> Model:
    """Return a model that reads words as those of a treebank; None: of its first."""
    return model if treebank is None else Model(model.file, model.states, treebank)


def _groups(
    model: Model, n_labelled: int, n_unlabelled: int, treebanks: SeveralTreebanks | None
) -> list[tuple[str | None, Places]]:
    """Return the places of the sentences that a model is asked about as those of one treebank.

    The unlabelled ones are by themselves, after the others, so that what a teacher answers about
    the same sentences is in the same files in every training.
    """
    theirs = model.file.header.get("treebanks", [])
    ours = treebanks.names if treebanks else []
    names = [name if name in theirs else None for name in ours] or [None]
    of = treebanks.numbers if treebanks else np.zeros(n_labelled, np.int64)
    groups: list[tuple[str | None, Places]] = []
    for name in dict.fromkeys(names):
        numbers = [number for number, each in enumerate(names) if each == name]
        groups.append((name, np.flatnonzero(np.isin(of, numbers))))
    groups.append((names[0], n_labelled + np.arange(n_unlabelled)))
    return groups


def _as_which(model: Model, groups: Sequence[tuple[str | None, Places]]) -> str:
    """Return what to add to a note: as which treebanks a model of several is asked."""
    theirs = model.file.header.get("treebanks")
    if not theirs:
        return ""
    names = [name or f"{theirs[0]}, its first treebank" for name, places in groups if len(places)]
    return f", as of {' and '.join(dict.fromkeys(names))}"


def _chunks(places: Places, lengths: npt.NDArray[np.int64]) -> Iterator[Places]:
    """Yield the places of sentences in chunks of about CHUNK words."""
    start = n_words = 0
    for end, place in enumerate(places.tolist(), start=1):
        n_words += int(lengths[place])
        if n_words >= CHUNK or end == len(places):
            yield places[start:end]
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
