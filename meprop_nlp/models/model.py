"""`Model`: a trained model, without torch, that loads, saves, annotates and evaluates."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from meprop_nlp.config import JointConfig
from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.characters import Characters
from meprop_nlp.data.conll.reading import read, too_long
from meprop_nlp.data.document import Document
from meprop_nlp.data.familiarity import Familiarity
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.errors import CheckpointError, ConfigError, DataError
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.boxed import model_file
from meprop_nlp.models.calibration import Calibration
from meprop_nlp.models.encoder import SharedEncoder
from meprop_nlp.models.file import (
    ModelFile,
    model_bytes,
    noun_of,
    read_model_bytes,
    read_model_file,
    summary,
    write_model_file,
)
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.graph import GraphHead
from meprop_nlp.models.heads.lemmas import LemmasHead
from meprop_nlp.models.heads.state_tags import StateTagsHead
from meprop_nlp.models.heads.tags import SCORES, TagsHead
from meprop_nlp.models.heads.transitions import TransitionHead
from meprop_nlp.models.heads.tree import TreeHead
from meprop_nlp.models.inputs import (
    Input,
    TextTokenizer,
    answered,
    demand_columns,
    demand_length,
    demand_stream,
    demanded,
    missing_columns,
    read_input,
    read_sentence,
)
from meprop_nlp.models.native_encoder import NativeEncoder
from meprop_nlp.models.parts import demand_texts, naming_file
from meprop_nlp.models.prediction import Prediction
from meprop_nlp.models.tokenizer import Tokenizer
from meprop_nlp.models.vectors import WordVectors
from meprop_nlp.models.word_states import FolderStates, WordStates, states_of
from meprop_nlp.models.words import PredictedWords, SentenceWords, Words
from meprop_nlp.native import core
from meprop_nlp.settings import Config
from meprop_nlp.threads import Workers

if TYPE_CHECKING:
    from meprop_nlp.scoring.scores import Scores

# The heads of each task's model file, in the order in which they annotate. Of two of one name, a
# joint model has the one that serves its configuration.
HEADS: dict[str, tuple[type[Head], ...]] = {
    "tagger": (TagsHead,),
    "parser": (TreeHead,),
    "joint": (StateTagsHead, LemmasHead, GraphHead, TransitionHead),
}

_TREE = {"head", "deprel"}


class Model:
    """A trained model for prediction; safe to use from several threads.

    Args:
        file: the content of a model file.
        states: gives the states of the pretrained encoder that the model was trained with, if any;
            None: that encoder itself, from the folder that the file names.
        treebank: the treebank that words are read as those of, in a model of several; None: the
            first.

    Attributes:
        task: the model's task, a key of `HEADS`. A subclass that sets it refuses other models.
        file: the content of the model file.
        lexicon: the vocabularies of word forms and their features.
        familiarity: logs a warning once when the model is given words that it hardly knows.
        states: gives the states of the model's pretrained encoder, if it reads one.
        encoder: what the heads share; None where the one head has an encoder of its own.
        heads: the heads by name, in the order in which they annotate; see `only`.
        tokenizer: finds the sentences and words of texts; None in a model that takes words only.

    Raises:
        CheckpointError: the model is for another task, or its parts do not fit together.
        ConfigError: the model knows no treebank of that name.
        MePropError: a weight is not finite, or a setting unknown.
    """

    task: str = ""

    @np.errstate(all="ignore")  # an overflow shows in the scores
    def __init__(
        self, file: ModelFile, states: WordStates | None = None, treebank: str | None = None
    ) -> None:
        if refusal := self.refusal(file.header):
            raise CheckpointError(f"the model {refusal}")
        self.file = file
        self.task = file.header["task"]
        self.lexicon = Lexicon.from_dict(file.header["lexicon"])
        self.familiarity = Familiarity(self.lexicon)
        self.encoder: SharedEncoder | NativeEncoder | None = None
        self.tokenizer: TextTokenizer | None = Tokenizer.of(file)
        self.states: WordStates | None = None
        self._treebank = treebank
        heads = HEADS[self.task]
        if self.task == "joint":
            config = JointConfig.from_dict(file.header["config"])
            characters = Characters(Vocab.from_list(file.header["characters"]))
            self.states = states or states_of(file.header)
            encoder = self.encoder = SharedEncoder(
                file.arrays,
                self.lexicon,
                characters,
                config,
                WordVectors.of(file),
                self.states,
                treebank_number(file.header, treebank),
            )
            heads = joint_heads(config, config.heads)
            if not heads:
                raise CheckpointError("the model has no head")
        self.heads = {head.name: head(file, self.lexicon) for head in heads}
        self._calibration = Calibration(file.header.get("calibration", {}))
        self._all_heads = tuple(self.heads.values())
        if self.task == "joint":
            native = core()
            prepared = {head.name: head.prepare(native, encoder) for head in self.heads.values()}
            layers = {name: layer for name, layer in prepared.items() if layer is not None}
            if native is not None:
                self.encoder = NativeEncoder(encoder, native, layers)

    def __reduce__(self) -> tuple[Any, ...]:
        # locks and the objects of the native core cannot be pickled
        folder = self.states.folder if isinstance(self.states, FolderStates) else None
        content = model_bytes(self.file.header, self.file.arrays, exact=True)
        return _rebuilt, (type(self), content, tuple(self.heads), folder, self._treebank)

    def __copy__(self) -> Self:
        # by `__reduce__` it would be built anew, with weights of its own
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        return other

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        pretrained: str | os.PathLike[str] | None = None,
        treebank: str | None = None,
    ) -> Self:
        """Read a model file.

        Args:
            path: the file; or, as a text, the name of a model that comes with the package, such as
                `en`. A file of that name is `./en`.
            pretrained: the folder of the pretrained encoder that the model was trained with, where
                it is no longer where it was then.
            treebank: of a model that was trained on several treebanks, the one that words are read
                as those of; None: the first.

        Raises:
            CheckpointError: the file is not a model, damaged, too new, or for another task; or no
                model has that name.
            ConfigError: the model's pretrained encoder is not there, the folder holds another, or
                the model needs none; or it knows no treebank of that name.
            DataError: the folder lacks a file.
        """
        path = model_file(path)
        model = cls._of_file(read_model_file(path), os.fspath(path), pretrained, treebank)
        if isinstance(model.states, FolderStates):
            model.states.demand_folder()
        return model

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike[str],
        *,
        revision: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        token: str | bool | None = None,
        local_files_only: bool = False,
        pretrained: str | os.PathLike[str] | None = None,
        treebank: str | None = None,
    ) -> Self:
        """Read a model from a folder of `save_pretrained`, or from the Hugging Face Hub.

        Args:
            name: a folder, a model file, the name of a model that comes with the package, or else
                that of a repository, such as `owner/model`. What is local is read without the
                network.
            revision: of the repository: a branch, a tag or a commit; None: the main branch.
            cache_dir: where downloads are kept; None: where huggingface_hub keeps them.
            force_download: download also what is kept.
            token: for private repositories; None: the one of `hf auth login`, if any.
            local_files_only: use what is kept, without the network.
            pretrained, treebank: as for `load`.

        Raises:
            CheckpointError: as for `load`; or there is no such repository, or it has no model.
            ConfigError: as for `load`; or huggingface_hub is needed and not installed.
            DataError: as for `load`.
        """
        from meprop_nlp.models.hub.repository import fetched, local_model

        path = local_model(name)
        if path is None:
            path = fetched(
                name,
                revision=revision,
                cache_dir=cache_dir,
                force_download=force_download,
                token=token,
                local_files_only=local_files_only,
            )
        return cls.load(path, pretrained=pretrained, treebank=treebank)

    def save_pretrained(
        self,
        folder: str | os.PathLike[str],
        *,
        language: str | None = None,
        licence: str | None = None,
    ) -> None:
        """Write the model as a folder: `config.json`, `model.safetensors` and `README.md`.

        The README is a model card for the Hugging Face Hub; one that is there stays. A new folder
        is written completely or not at all, and so is each file in one that has files.

        Args:
            language: the code of its language, for the card, such as `en`.
            licence: the identifier of its licence on the Hub, for the card, such as `cc-by-sa-4.0`.
                Both are known of models that come with the package.

        Raises:
            ConfigError: the language or the licence is not written as the Hub expects it.
            DataError: the folder cannot be written.
        """
        from meprop_nlp.models.hub.folder import Description, write_folder

        names = tuple(head.name for head in self._all_heads)
        description = Description(self.file.header, names, language, licence)
        write_folder(folder, self.save, description)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        revision: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        commit_message: str = "Upload a model of meprop_nlp",
        create_pr: bool = False,
        language: str | None = None,
        licence: str | None = None,
    ) -> str:
        """Upload what `save_pretrained` writes to the Hugging Face Hub; return the commit's URL.

        Args:
            repo_id: the repository, such as `owner/model`; it is made if there is none.
            revision: the branch; None: main.
            private: whether a new repository is private; None: as its owner has set.
            token: None: the one of `hf auth login`.
            create_pr: open a pull request in place of a commit.
            language, licence: see `save_pretrained`.

        Raises:
            ConfigError: huggingface_hub is not installed, or an argument is not as expected.
            DataError: it cannot be uploaded.
        """
        from functools import partial

        from meprop_nlp.models.hub.repository import pushed

        return pushed(
            repo_id,
            partial(self.save_pretrained, language=language, licence=licence),
            revision=revision,
            private=private,
            token=token,
            commit_message=commit_message,
            create_pr=create_pr,
        )

    @classmethod
    def from_bytes(
        cls,
        content: bytes,
        *,
        pretrained: str | os.PathLike[str] | None = None,
        treebank: str | None = None,
    ) -> Self:
        """Return the model that `to_bytes` returned the bytes of, or that a model file holds.

        Args:
            pretrained, treebank: as for `load`. A pretrained encoder is looked for when the model
                is used first.

        Raises:
            CheckpointError, ConfigError: as for `load`.
        """
        if not isinstance(content, bytes | bytearray | memoryview):
            raise DataError(
                f"`content` is of type {type(content).__name__}, expected the bytes of a model; "
                "for a file use `load`"
            )
        return cls._of_file(read_model_bytes(bytes(content)), "<bytes>", pretrained, treebank)

    @classmethod
    def _of_file(
        cls,
        file: ModelFile,
        name: str,
        pretrained: str | os.PathLike[str] | None,
        treebank: str | None,
    ) -> Self:
        """Return the model that a file holds; `name` names the file in messages."""
        if refusal := cls.refusal(file.header):
            raise CheckpointError(f"{name}: {refusal}")
        if pretrained is not None and "pretrained" not in file.header:
            raise ConfigError(
                f"{name}: was trained without a pretrained encoder, so that "
                "`pretrained` has no use; leave it out"
            )
        with naming_file(name):
            treebank_number(file.header, None)  # says what is wrong with the names
        treebank_number(file.header, treebank)
        with naming_file(name):
            return cls(file, states_of(file.header, pretrained), treebank)

    @classmethod
    def refusal(cls, header: Mapping[str, Any]) -> str:
        """Return why the class refuses a model with this header; an empty text if it does not."""
        if header.get("kind") == "checkpoint":
            return (
                "is a checkpoint of a training run, expected its model; go on training with "
                "`resume`"
            )
        task = header.get("task")
        if task == "classifier":
            return (
                "is a classifier of MNIST images, which meprop_nlp does not load; "
                "see experiments/mnist in its repository"
            )
        if cls.task and task != cls.task:
            return f"is a {noun_of(task)}, expected a {noun_of(cls.task)}"
        # in a stranger's file the task may be any JSON value, also one that is not hashable
        is_known = isinstance(task, str) and task in HEADS
        return "" if is_known else f"is for the task {task!r}, which is not known here"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, completely or not at all.

        An encoder that was trained with the model is copied into a folder beside the file.

        Raises:
            ConfigError: another folder has the name of the encoder's; or the model is one of some
                heads, which `only` returned: the file would have them all.
            DataError: the file cannot be written.
        """
        if len(self.heads) < len(self._all_heads):
            raise ConfigError(
                f"the model was restricted to {', '.join(self.heads)} by `only`, and a file has "
                "all heads of a model; save the model itself, and call `only` when it is loaded"
            )
        header = self.file.header
        if isinstance(self.states, FolderStates) and self.states.card.fine_tuned:
            card = self.states.copied_beside(Path(path))
            header = header | {"pretrained": card.to_dict()}
        write_model_file(path, header, self.file.arrays)

    def to_bytes(self) -> bytes:
        """Return what `save` writes as bytes, with all heads of the model.

        An encoder that the model was trained with is not among them: it is named by its folder.

        Raises:
            DataError: the model's header is too large.
        """
        return model_bytes(self.file.header, self.file.arrays)

    def only(self, *heads: str) -> Self:
        """Return a model that predicts the columns of these heads only; the weights are shared.

        The tree head and the lemma head of the joint model read tags. Those of a tag head that is
        left out are read from the words, as with `keep` in `pipe`.

        >>> model.only("tree").pipe(read("tagged.conllu"))  # doctest: +SKIP

        Raises:
            ConfigError: the model has no such head, or none is named.
        """
        unknown = [name for name in heads if name not in self.heads]
        if unknown or not heads:
            raise ConfigError(
                f"`heads` is {','.join(heads) or 'empty'}, expected some of this model's heads: "
                f"{', '.join(self.heads)}"
            )
        other = copy(self)
        other.heads = {name: head for name, head in self.heads.items() if name in heads}
        return other

    @property
    def config(self) -> Config:
        """Return the settings that the first head was trained with."""
        return next(iter(self.heads.values())).config

    @property
    def running_heads(self) -> list[Head]:
        """Return the heads that annotating runs, in order: `heads`, and those that feed others."""
        return [head for head in self._all_heads if head.feeds or head.name in self.heads]

    @property
    def fills(self) -> tuple[str, ...]:
        """Return the columns that the model predicts."""
        return tuple(column for head in self.heads.values() for column in head.fills)

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the columns besides FORM that the model reads and no earlier head fills."""
        filled: set[str] = set()
        found: dict[str, None] = {}
        for head in self.heads.values():
            found.update(dict.fromkeys(column for column in head.reads if column not in filled))
            filled.update(head.fills)
        return tuple(found)

    @property
    def most_words(self) -> int:
        """Return how many words a sentence may have."""
        return min(head.most_words for head in self.heads.values())

    @property
    def needs(self) -> tuple[str, ...]:
        """Return those columns of `reads` in which words must have values; see `Head.needs`."""
        needed = {column for head in self.heads.values() for column in head.needs}
        return tuple(column for column in self.reads if column in needed)

    @property
    def predicted(self) -> tuple[str, ...]:
        """Return the names of the scores that judge what the model predicts."""
        return self.predicted_besides(())

    def predicted_besides(self, keep: Collection[str]) -> tuple[str, ...]:
        """Return the names of the scores of what is predicted when these columns are kept."""
        kept = {SCORES.get(column, column) for column in keep}
        return tuple(
            score
            for head in self.heads.values()
            if not set(head.fills) <= set(keep)
            for score in head.scores
            if score not in kept
        )

    def __str__(self) -> str:
        """Return a few lines about the model, for a person; see also `meprop-nlp info`."""
        lines = {
            noun_of(self.task): ", ".join(self.heads),
            "takes": "texts, words" if self.tokenizer else "words",
            "reads": ", ".join(self.reads),
            "predicts": ", ".join(self.fills),
            **summary(self.file),
        }
        width = max(map(len, lines)) + 2
        return "\n".join(f"{name:<{width}}{line}" for name, line in lines.items() if line)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {noun_of(self.task)}, predicts {', '.join(self.fills)}>"

    @overload
    def __call__(self, given: str | Document) -> Document: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, given: Sentence | Sequence[str]) -> Sentence: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, given: Sequence[Sentence | Sequence[str]]) -> Document: ...

    def __call__(self, given: Input) -> Sentence | Document:
        """Predict for a text, a sentence or several sentences.

        >>> model("Time flies. It rains.")  # doctest: +SKIP
        <Document of 2 sentences, 6 words: 'Time flies. It rains.'>
        >>> model(["Time", "flies", "."])  # doctest: +SKIP
        <Sentence of 3 words, <words>:1: 'Time flies .'>

        Args:
            given: a text, a Document or a list of sentences, for a new Document; a Sentence or the
                list of its words, for a new Sentence. The parser of `train-parser` reads tags, and
                bare words have none: give it what a tagger returned.

        Raises:
            ConfigError: it is a text, and the model has no tokenizer.
            DataError: it is none of these, empty words or half a character are in it, it has more
                words than `most_words`, or it has no tags, and the model needs them.
        """
        read_in = read_input(given, "given", self.tokenizer)
        demand_length(read_in, "given", self.most_words)
        demand_columns(read_in, "given", self.needs)
        return next(self._answers([read_in]))

    @overload
    def pipe(  # type: ignore[overload-overlap]
        self,
        items: Iterable[str | Document],
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Iterator[Document]: ...

    @overload
    def pipe(
        self,
        items: Iterable[Sentence | Sequence[str]],
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Iterator[Sentence]: ...

    @overload
    def pipe(
        self,
        items: Iterable[Input],
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Iterator[Sentence | Document]: ...

    def pipe(
        self,
        items: Iterable[Input],
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Iterator[Any]:
        """Predict for a stream of texts or sentences: lazily, in order, in bounded memory.

        Args:
            items: what calling the model takes, one after the other. Small items are predicted
                together, so that a stream of them is faster than as many calls.
            confidence: write how often the model was right on dev when it was as sure of a choice
                as it is now into MISC, from 0 to 1, see `Calibration`: `UPOSConf`,
                `XPOSConf`, `FEATSConf`, `LemmaConf` and `ArcConf`. Only CoNLL-U has a MISC column;
                sentences read from other formats get no confidence.
            keep: columns to leave as they are, of UPOS, XPOS, FEATS and LEMMA, by their names in
                lower case. The tree head and the lemma head of the joint model see the tags that
                are kept; where a word has none, or one that the model does not know, they see what
                the model predicts.

        Returns:
            A Document or a Sentence for each item.

        Raises:
            ConfigError: the model predicts no column of `keep`, or nothing else; or, when its turn
                has come, an item is a text, and the model has no tokenizer.
            DataError: `items` is a single text or sentence; or, when its turn has come, an item is
                none of these, empty words or half a character are in it, a sentence has more than
                `most_words`, it has no tags and the model needs them, or it is a text and something
                is to be kept.
        """
        self.demand_kept(keep)
        demand_stream(items, "items")

        def given() -> Iterator[Sentence | Document]:
            for i, item in enumerate(items):
                if keep and isinstance(item, str):
                    raise DataError(
                        f"`items[{i}]` is a text, which has no {', '.join(keep)} to keep; leave "
                        "`keep` out"
                    )
                yield read_input(item, f"items[{i}]", self.tokenizer)

        readable = demanded(given(), "items", self.needs, self.most_words)
        return self._answers(readable, confidence=confidence, keep=keep)

    def _answers(
        self, given: Iterable[Sentence | Document], **options: Any
    ) -> Iterator[Sentence | Document]:
        """Yield each Sentence or Document annotated; the options are those of `annotate`."""

        def annotate(sentences: Iterable[Sentence]) -> Iterator[Sentence]:
            return self.annotated(self._watched(sentences), **options)

        return answered(given, annotate)

    def _watched(self, sentences: Iterable[Sentence]) -> Iterator[Sentence]:
        for sentence in sentences:
            self.familiarity.note(len(sentence), (word.form for word in sentence.words))
            yield sentence

    def annotated(
        self,
        sentences: Iterable[Sentence],
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
        threads: int = 1,
    ) -> Iterator[Sentence]:
        """Yield Sentences annotated, as `pipe` does, but of which nothing is demanded.

        Args:
            threads: how many batches to annotate at a time.
        """

        def annotate(batch: list[Sentence]) -> tuple[list[Sentence], SentenceWords, Prediction]:
            words = SentenceWords(batch)
            return batch, words, self.annotate(words, confidence=confidence, keep=keep)

        with closing(Workers(threads)) as workers:
            for annotated in workers.in_order(annotate, in_batches(self._short(sentences))):
                yield from _annotated(*annotated, keep)

    def predict(
        self, sentences: Iterable[Sentence | Sequence[str]]
    ) -> Iterator[dict[str, list[Any]]]:
        """Yield the predicted columns of each sentence by name, without making Sentences of them.

        >>> next(tagger.predict([["Time", "flies"]]))  # doctest: +SKIP
        {'upos': ['NOUN', 'VERB']}
        >>> next(parser.predict(tagger.pipe([["Time", "flies"]])))  # doctest: +SKIP
        {'head': [2, 0], 'deprel': ['nsubj', 'root']}

        Raises:
            DataError: `sentences` is a single text or sentence; or, when its turn has come, one of
                them is no list of words, has more than `most_words`, or has no tags, and the model
                needs them.
        """
        demand_stream(sentences, "sentences")
        given = (read_sentence(one, f"sentences[{i}]") for i, one in enumerate(sentences))
        return self._columns(demanded(given, "sentences", self.needs, self.most_words))

    def _columns(self, sentences: Iterable[Sentence]) -> Iterator[dict[str, list[Any]]]:
        for batch in in_batches(sentences):
            words = SentenceWords(batch)
            yield from words.split(**self.annotate(words).columns())

    def _short(self, sentences: Iterable[Sentence]) -> Iterator[Sentence]:
        """Pass sentences on.

        Raises:
            DataError: one has more than `most_words`.
        """
        most = self.most_words
        for sentence in sentences:
            if len(sentence) > most:
                message = too_long(len(sentence), most)
                raise DataError(f"{sentence.path}:{sentence.line}: {message}")
            yield sentence

    @np.errstate(all="ignore")  # an overflow shows in the scores
    def annotate(
        self, words: Words, *, confidence: bool = False, keep: Collection[str] = ()
    ) -> Prediction:
        """Predict the columns of many words at once, each head on the columns predicted before it.

        Arguments and errors are as for `Head.annotate`; see `pipe` for `keep`.
        """
        kept = {*keep}
        for head in self._all_heads:
            if head.name not in self.heads:
                kept.update(head.fills)
        prediction = Prediction()
        states = None
        if self.encoder is not None:
            states = self.encoder(words)
        for head in self.running_heads:
            if head.feeds or not kept.issuperset(head.fills):
                so_far = PredictedWords(words, prediction)
                prediction |= head.annotate(so_far, states, confidence=confidence, keep=kept)
        if not prediction.confidence:
            return prediction
        calibrated = self._calibration(prediction.confidence, prediction.heads)
        return replace(prediction, confidence=calibrated)

    def demand_kept(self, keep: Collection[str]) -> None:
        """Raise ConfigError unless the model predicts a column to keep, and others too.

        Those that it does not predict stay as they are anyway.
        """
        could = [name for head in self._all_heads for name in head.fills if name not in _TREE]
        if keep and not set(keep) & set(could):
            expected = f"some of {', '.join(could)}" if could else "no column for this model"
            raise ConfigError(f"`keep` is {','.join(keep)}, expected {expected}")
        if keep and set(self.fills) <= set(keep):
            raise ConfigError(
                f"`keep` is {','.join(keep)}, which is all that would be predicted; keep less"
            )

    def evaluate(
        self,
        gold: str | os.PathLike[str] | Iterable[Sentence],
        *,
        exclude_punct: bool = False,
        keep: Collection[str] = (),
        multiple_roots: bool | None = None,
        pairs: bool = False,
        threads: int = 1,
    ) -> Scores:
        """Predict for gold sentences, or a file of them, and score the predictions against them.

        Only what the model predicts is scored. Columns in `keep` are the gold ones; see `pipe`.
        Words of gold may lack annotation if the model is a joint one; see `scoring.metrics`, also
        for `multiple_roots` and `pairs`. Heads are not looked at if the model predicts none. The
        scores do not depend on `threads`.

        Raises:
            DataError: no sentence has the tags that the model needs, or one has more than
                `most_words`.
        """
        # not imported above, so that commands that only predict start faster
        from meprop_nlp.scoring.metrics import evaluate

        is_joint = self.task == "joint"
        if isinstance(gold, str | os.PathLike):
            # trees are demanded where nothing else can be scored
            only_trees = set(self.fills) <= _TREE
            gold = read(Path(gold), trees=None if is_joint and only_trees else only_trees)
            gold = list(gold)  # one of them that is too long is named by file and line below
        else:
            gold = list(gold)
            for i, sentence in enumerate(gold):
                demand_length(sentence, f"gold[{i}]", self.most_words)
        self.demand_kept(keep)
        if gold and all(missing_columns(sentence, self.needs) for sentence in gold):
            demand_columns(gold[0], "gold[0]", self.needs)
        scores = evaluate(
            gold,
            self.annotated(gold, keep=keep, threads=threads),
            exclude_punct=exclude_punct,
            trees=None if set(self.fills) & _TREE else False,
            multiple_roots=multiple_roots,
            annotation=Annotation(gold) if is_joint else None,
            pairs=pairs,
        )
        return scores.only(self.predicted_besides(keep))


def joint_heads(config: JointConfig, names: Collection[str]) -> tuple[type[Head], ...]:
    """Return those heads of a joint model with this configuration that have one of the names."""
    return tuple(head for head in HEADS["joint"] if head.name in names and head.serves(config))


def _rebuilt(
    cls: type[Model],
    content: bytes | ModelFile,
    heads: tuple[str, ...],
    folder: str | os.PathLike[str] | None = None,
    treebank: str | None = None,
) -> Model:
    """Return a model that was pickled, whose pretrained encoder is in a folder, if it has one.

    Args:
        content: of the model file; a ModelFile in a pickle of an earlier version.
    """
    if isinstance(content, ModelFile):
        model = cls(content, states_of(content.header, folder), treebank)
    else:
        model = cls.from_bytes(content, pretrained=folder, treebank=treebank)
    return model if tuple(model.heads) == heads else model.only(*heads)


def load(
    path: str | os.PathLike[str],
    *,
    pretrained: str | os.PathLike[str] | None = None,
    treebank: str | None = None,
) -> Model:
    """Read a model file of any task, or a model of the package: `load("en")`; see `Model.load`."""
    return Model.load(path, pretrained=pretrained, treebank=treebank)


def treebank_number(header: Mapping[str, Any], name: str | None) -> int | None:
    """Return the number of a treebank among those that a model was trained on.

    Args:
        header: of the model file.
        name: of the treebank; None: the first.

    Returns:
        None if the model was trained on one treebank.

    Raises:
        CheckpointError: the header's names are not texts.
        ConfigError: the model knows no treebank of that name.
    """
    if "treebanks" not in header:
        if name is not None:
            raise ConfigError(
                f"`treebank_id` is {name}, but the model was trained on one treebank; leave it out"
            )
        return None
    names = header["treebanks"]
    demand_texts("treebanks", names)
    if name is None:
        return 0
    if name not in names:
        raise ConfigError(f"`treebank_id` is {name}, expected one of {', '.join(names)}")
    number: int = names.index(name)
    return number


def freeze(model: ModelFile) -> Model:
    """Return a model for prediction with a copy of the weights, which may still be trained.

    Raises:
        CheckpointError: the task is not known here, or the parts do not fit together.
        MePropError: a weight is not finite.
    """
    arrays = {name: array.copy() for name, array in model.arrays.items()}
    return Model(ModelFile(model.header, arrays))


def _annotated(
    batch: list[Sentence], words: SentenceWords, prediction: Prediction, keep: Collection[str]
) -> Iterator[Sentence]:
    """Yield the sentences with their predicted columns."""
    columns = prediction.columns()
    if prediction.confidence:
        columns["misc"] = prediction.misc(words.column("misc"))
    for sentence, part in zip(batch, words.split(**columns), strict=True):
        if sentence.layout.kind != "conllu":
            part.pop("misc", None)  # other formats have no MISC
        if sentence.layout.kind == "tab" and "xpos" in keep:
            part.pop("upos", None)  # there is room for one tag, and it stays
        if "head" in part and sentence.layout.place("deps") is not None:
            part["deps"] = _deps(sentence, part)
        yield sentence.with_columns(**part)


def _deps(sentence: Sentence, tree: dict[str, Sequence[Any]]) -> list[str]:
    """Return DEPS beside new heads: the old graph would be stale, and the tree takes its place."""
    if not sentence.has_enhanced_graph:
        return ["_"] * len(sentence)
    return [f"{h}:{deprel}" for h, deprel in zip(tree["head"], tree["deprel"], strict=True)]
