"""Training the tagger: a treebank as packed batches of rows, the loss, the score on dev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from meprop_nlp.config import PRUNE_RATES, TAG_COLUMNS, MePropConfig, TaggerConfig
from meprop_nlp.data.lexicon import FormTable, Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.packing import rounded
from meprop_nlp.models.tagger import FrozenTagger
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.embeddings import load_vectors
from meprop_nlp.training.tagger_network import TaggerNetwork
from meprop_nlp.training.task import FixedExamples, arrays_of, by_length, fitting_batch_size
from meprop_nlp.training.teacher import Swaps, Teacher, taught

__all__ = ["TaggerTask", "filled_columns"]


def filled_columns(sentences: Sequence[Sentence]) -> tuple[str, ...]:
    """Return the tag columns that are not empty throughout."""
    return tuple(
        name
        for name in TAG_COLUMNS
        if any(tag != "_" for sentence in sentences for tag in sentence.column(name))
    )


@dataclass(frozen=True, slots=True)
class TaggerBatch:
    """Sentences packed: all first words, longest sentence first, then all second words, ..."""

    words: npt.NDArray[np.int64]  # (N,) places in the treebank
    batch_sizes: Tensor  # (T,)
    n_words: int


class TaggerTask(FixedExamples):
    """A tagger's network with its training and dev data.

    Args:
        train, dev: sentences; `dev` may be empty.
        config, meprop: as in TaggerNetwork; `config.columns` empty means all that `train` fills.
        batch_size: sentences per minibatch; 0: by the size of `train`.
        device: where the network lives.
        vectors: pretrained word vectors by form, of width `config.word_dim`.

    Attributes:
        warnings: what the user should know about the data, one sentence each.

    Raises:
        ConfigError: a column to predict is empty in `train`, or k is larger than the layer.
    """

    name = "tagger"
    learning_rates: ClassVar[dict[str, float]] = {"adam": 0.003}
    # a unit counts when any of its four gates is kept, so more often than a parser's neuron
    prune_rate: ClassVar[float] = PRUNE_RATES["tagger"]

    def __init__(
        self,
        train: Sequence[Sentence],
        dev: Sequence[Sentence],
        *,
        config: TaggerConfig,
        meprop: MePropConfig,
        batch_size: int,
        device: torch.device,
        vectors: dict[str, npt.NDArray[np.float32]] | None = None,
    ) -> None:
        meprop.check_width(config.hidden)
        filled = filled_columns(train)
        columns = config.columns or filled
        empty = [name for name in columns if name not in filled]
        if not filled:
            raise DataError("the training file has no tags: UPOS, XPOS and FEATS hold only '_'")
        if empty:
            raise ConfigError(
                f"the training file's columns {', '.join(empty)} hold only '_'; "
                f"it fills {', '.join(filled)}; choose with --columns"
            )
        self.config, self.device = config, device
        self.batch_size = batch_size or fitting_batch_size(
            len(train), smallest=4, largest=32, n_batches=150
        )
        self.dev = list(dev)
        self.main_scores = columns
        forms = [form for sentence in train for form in sentence.forms]
        self.lexicon = Lexicon.build(forms, extra=vectors or ())
        self.tags = {
            name: Vocab.build(tag for sentence in train for tag in sentence.column(name))
            for name in columns
        }
        self.warnings = [
            f"{name} values in dev but not in train: {len(unknown)} ("
            + ", ".join(sorted(unknown)[:3])
            + (", ...)" if len(unknown) > 3 else ")")
            for name, vocab in self.tags.items()
            if (unknown := {t for s in dev for t in s.column(name)} - set(vocab))
        ]
        self.network = TaggerNetwork(
            len(self.lexicon.forms),
            int(self.lexicon.feature_offsets[-1]),
            {name: len(vocab) for name, vocab in self.tags.items()},
            config,
            meprop,
        )
        load_vectors(self.network.words, self.lexicon, vectors)
        self.network.to(device)
        table = FormTable()
        self._lengths = np.array([len(sentence) for sentence in train], np.int64)
        self._firsts = np.cumsum(self._lengths) - self._lengths
        forms_of_words = torch.tensor(table.add(forms))
        rows = torch.from_numpy(self.lexicon.encode(table.forms())).int()
        self._forms = forms_of_words.to(device)  # (all words)
        self._form_rows = rows.to(device)  # (all forms, 8)
        counts = torch.from_numpy(self.lexicon.counts)[rows[:, 0].long()]
        # Iyyer et al. 2015; Kiperwasser & Goldberg 2016, section 6: rare words are hidden more
        self._hidden_chance = (config.word_dropout / (config.word_dropout + counts)).to(device)
        self._targets = {
            name: torch.tensor([vocab.index(t) for s in train for t in s.column(name)]).to(device)
            for name, vocab in self.tags.items()
        }
        tags = next(iter(self._targets.values())).cpu().numpy()
        self._swaps = Swaps(forms_of_words.numpy(), tags)

    @property
    def n_batches(self) -> int:
        return -(-len(self._lengths) // self.batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[TaggerBatch]:
        for members in by_length(self._lengths, self.batch_size, rng):
            lengths = self._lengths[members]
            steps = np.concatenate([np.arange(length) for length in lengths])
            sentences = np.repeat(np.arange(len(members)), lengths)
            order = np.lexsort((sentences, steps))
            words = (self._firsts[members][sentences] + steps)[order]
            yield TaggerBatch(words, torch.from_numpy(np.bincount(steps)), len(words))

    def loss(self, batch: TaggerBatch, teacher: Teacher | None = None) -> Tensor:
        words = torch.from_numpy(batch.words).to(self.device)
        forms = self._forms[words]
        made_up = teacher is not None and teacher.makes_up()
        if made_up:
            forms = self._swaps(forms)
        rows = self._form_rows[forms]
        if teacher:
            answers = self._answers(teacher, rows, words, batch, made_up=made_up)
        if self.config.word_dropout:
            hide = torch.rand(len(words), device=self.device) < self._hidden_chance[forms]
            rows[:, 0] = rows[:, 0].masked_fill(hide, 0)
        logits = self.network(rows, batch.batch_sizes)
        losses = []
        for name in self.tags:
            loss = F.cross_entropy(logits[name], self._targets[name][words])
            if teacher:
                loss = taught(loss, logits[name], answers[name], made_up=made_up)
            losses.append(loss)
        return torch.stack(losses).sum()

    def _answers(
        self, teacher: Teacher, rows: Tensor, words: Tensor, batch: TaggerBatch, *, made_up: bool
    ) -> dict[str, Tensor]:
        """Return a teacher's logits for a minibatch by column; remembered, unless made up."""
        n, sizes = len(self._forms), [len(vocab) for vocab in self.tags.values()]
        if made_up or not teacher.remembers(n, sum(sizes)):
            answers: dict[str, Tensor] = teacher(rows, batch.batch_sizes)
            return answers
        found = torch.split(teacher.recall(words, self._asked(teacher), n), sizes, dim=1)
        return dict(zip(self.tags, found, strict=True))

    def _asked(self, teacher: Teacher) -> Iterator[tuple[Tensor, Tensor]]:
        """Ask a teacher about all words: their numbers, and the logits of all columns."""
        for batch in self.batches(np.random.default_rng(0)):
            words = torch.from_numpy(batch.words).to(self.device)
            answers = teacher(self._form_rows[self._forms[words]], batch.batch_sizes)
            yield words, torch.cat([answers[name] for name in self.tags], dim=1)

    def evaluate(self) -> dict[str, float]:
        if not self.dev:
            return {}
        scores = self.frozen().evaluate(self.dev)
        names = {"upos": scores.upos, "xpos": scores.xpos, "feats": scores.ufeats}
        return {name: names[name] for name in self.tags}

    def simplified_layers(self) -> list[SimplifiedLayer]:
        return self.network.simplified_layers()

    def header(self) -> dict[str, Any]:
        return {
            "kind": "model",
            "task": self.name,
            "config": self.config.to_dict(),
            "lexicon": self.lexicon.to_dict(),
            "tags": {name: vocab.to_list() for name, vocab in self.tags.items()},
        }

    def frozen(self) -> FrozenTagger:
        """Return the network as it is now as a tagger that only predicts: what would be stored."""
        return FrozenTagger(ModelFile(self.header(), rounded(arrays_of(self.network))))
