"""`SentenceTask`: what training a tagger and training a parser share."""

import math
from abc import abstractmethod
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any, ClassVar

import torch

from meprop_nlp.config import (
    SIMPLIFY_EPOCHS,
    TAG_COLUMNS,
    JointConfig,
    ParserConfig,
    Settings,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.heads.tags import SCORES
from meprop_nlp.models.model import Model
from meprop_nlp.models.packing import rounded
from meprop_nlp.models.word_states import WordStates
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.knowledge.sources import Sources
from meprop_nlp.training.knowledge.unlabelled import frequent_forms
from meprop_nlp.training.knowledge.vectors import load_vectors
from meprop_nlp.training.simplification.teacher import SYNTHETIC
from meprop_nlp.training.task import Task


class SentenceTask(Task):
    """A network over sentences, with its training and dev data; a `Task` for the loop.

    Subclasses say which network, which examples and which loss.

    Args:
        train, dev: sentences; `dev` may be empty.
        settings: of the training; `settings.network` must be a `config_class`.
        device: where the network is trained.
        sources: what the training draws on beside `train`.

    Attributes:
        lexicon, tags: the vocabularies of forms, and of tags by column.
    """

    name: ClassVar[str]
    partial: ClassVar[bool] = False  # whether it learns from words that are partly annotated
    config_class: ClassVar[type[TaggerConfig | ParserConfig | JointConfig]]
    # epochs after the late cut, as a share of those before it, where the user gives neither
    epochs_after_cut: ClassVar[float] = (SIMPLIFY_EPOCHS - 8) / 8
    synthetic: ClassVar[float] = SYNTHETIC  # share of a taught network's minibatches
    network: Any
    tags: dict[str, Vocab]  # none where a head keeps them
    dev_scores: tuple[str, ...]  # what `evaluate` returns

    def __init__(
        self,
        train: Sequence[Sentence],
        dev: Sequence[Sentence],
        settings: Settings,
        device: torch.device,
        sources: Sources | None = None,
    ) -> None:
        self.config: Any = settings.network
        self.device, self.dev = device, list(dev)
        self.sources = sources or Sources()
        self.warnings: list[str] = []
        forms = chain(
            (form for sentence in train for form in sentence.forms),
            frequent_forms(self.sources.unlabelled),
        )
        vectors = {} if self.word_width(self.config) is None else self.sources.vectors
        self.lexicon = Lexicon.build(forms, extra=vectors)
        if (initial := self.sources.initial) is not None:
            self.lexicon = self.lexicon.joined(initial.lexicon)
        self._prepare(train, settings)
        load_vectors(self.network.words, self.lexicon, vectors)
        self.network.to(device)

    @abstractmethod
    def _prepare(self, train: Sequence[Sentence], settings: Settings) -> None:
        """Make the vocabularies, the examples and the network."""

    @classmethod
    def demand_data(cls, train: Sequence[Sentence], settings: Settings) -> None:
        """Refuse settings that the sentences or the network do not fit, before slow work begins.

        Raises:
            ConfigError, DataError: as when the network is built.
        """

    @staticmethod
    def fitting_epochs(n_words: int) -> int:
        """Return the epochs that a network needs, uncut, for a training file of so many words."""
        return TrainingConfig().epochs

    @staticmethod
    @abstractmethod
    def word_width(config: Any) -> int | None:
        """Return the width of the word embeddings, which begin as the pretrained vectors.

        None: the vectors are not trained, beside the word embeddings, and may have any width.
        """

    @property
    def has_dev(self) -> bool:
        return bool(self.dev)

    def simplified_layers(self) -> list[SimplifiedLayer]:
        layers: list[SimplifiedLayer] = self.network.simplified_layers()
        return layers

    def evaluate(self) -> dict[str, float | None]:
        if not self.has_dev:
            return {}
        # the threads of a pretrained encoder are PyTorch's own
        threads = 1 if self.word_states() else torch.get_num_threads()
        # the first of several roots heads the others in training; they are no reason to stop
        scores = self.frozen().evaluate(self.dev, multiple_roots=True, threads=threads)
        found: dict[str, float | None] = {}
        for name in self.dev_scores:
            metric = SCORES.get(name, name)
            share = getattr(scores, metric)
            has_some = metric in scores.annotated and not math.isnan(share)
            found[name] = share if has_some else None
        return found

    def header(self) -> dict[str, Any]:
        return {
            "kind": "model",
            "task": self.name,
            "config": self.config.to_dict(),
            "lexicon": self.lexicon.to_dict(),
            "tags": {name: vocab.to_list() for name, vocab in self.tags.items()},
        }

    def frozen(self) -> Model:
        """Return the network as it is now as the model that would be stored."""
        return Model(self._file(self.header()), self.word_states())

    def word_states(self) -> WordStates | None:
        """Return what gives the states of the pretrained encoder, if there is one."""
        return self.sources.states

    def _file(self, header: dict[str, Any]) -> ModelFile:
        return ModelFile(header, rounded(self.arrays()))

    def _table_rows(self) -> tuple[int, int]:
        """Return the number of rows of the word table and of the feature table."""
        return len(self.lexicon.forms), int(self.lexicon.feature_offsets[-1])


def filled_columns(sentences: Sequence[Sentence]) -> tuple[str, ...]:
    """Return the tag columns that hold a value other than `_` anywhere."""
    return tuple(
        name
        for name in TAG_COLUMNS
        if any(tag != "_" for sentence in sentences for tag in sentence.column(name))
    )


def columns_to_predict(train: Sequence[Sentence], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tag columns to learn: those that the user wants, or all that the file fills.

    Raises:
        ConfigError: a column that the user wants is empty.
        DataError: all are empty.
    """
    filled = filled_columns(train)
    if not filled:
        raise DataError("the training file has no tags: UPOS, XPOS and FEATS hold only '_'")
    empty = [name for name in wanted if name not in filled]
    if empty:
        raise ConfigError(
            f"the training file's columns {', '.join(empty)} hold only '_'; "
            f"it fills {', '.join(filled)}; choose with `columns`"
        )
    return wanted or filled


def columns_to_read(train: Sequence[Sentence], config: ParserConfig) -> tuple[str, ...]:
    """Return the tag columns that the parser reads.

    Raises:
        ConfigError: a column that the user wants is empty.
    """
    filled = filled_columns(train)
    empty = [name for name in config.tag_columns if name not in filled]
    if empty:
        raise ConfigError(
            f"`tag_columns` names {', '.join(empty)}, which the training file does not fill; "
            f"it fills {', '.join(filled) or 'none'}"
        )
    return config.tag_columns or filled[:2]


def unseen(what: str, dev: Iterable[str], train: Collection[str]) -> list[str]:
    """Return a warning of the values that dev has and train has not; empty without such values."""
    found = set(dev) - set(train)
    if not found:
        return []
    names = ", ".join(sorted(found)[:3]) + (", ..." if len(found) > 3 else "")
    return [f"{what} in dev but not in train: {len(found)} ({names})"]
