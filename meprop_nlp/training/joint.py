"""Training the joint model: one encoder, the heads over it, and the sum of their losses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.config import HEAD_NAMES, LEARNING_RATES, PRUNE_RATES, JointConfig, MePropConfig, Settings
from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.batching import by_words
from meprop_nlp.training.encoder import Encoder, Inputs, Ngrams
from meprop_nlp.training.heads.forms import FormRows
from meprop_nlp.training.heads.graph import GraphNetwork, GraphTargets, Layout
from meprop_nlp.training.heads.lemmas import LemmasNetwork, LemmasTargets
from meprop_nlp.training.heads.sentences import SentenceTask, filled_columns, unseen
from meprop_nlp.training.heads.state_tags import TagsNetwork, TagsTargets, probabilities
from meprop_nlp.training.simplification.teacher import Teacher

BATCH_WORDS = 1000


class JointNetwork(nn.Module):
    """The encoder and the networks of the heads.

    Attributes:
        tags, lemmas, tree: the heads; None where the model has no such head.
    """

    def __init__(
        self,
        encoder: Encoder,
        tags: TagsNetwork | None,
        lemmas: LemmasNetwork | None,
        tree: GraphNetwork | None,
    ) -> None:
        super().__init__()
        self.encoder, self.tags, self.lemmas, self.tree = encoder, tags, lemmas, tree

    @property
    def words(self) -> nn.Embedding:
        """Return the table of word forms, which takes pretrained vectors."""
        return self.encoder.words


    def simplified_layers(self) -> list[SimplifiedLayer]:
        """Return both directions of each layer of the encoder, with all that read them."""
        readers: list[nn.Module] = []
        if self.tags is not None:
            readers += self.tags.outputs.values()
        if self.lemmas is not None:
            readers.append(self.lemmas.hidden)
        if self.tree is not None:
            readers += [*self.tree.layers.values(), self.tree.root]
        layers = list(self.encoder.layers)
        found = []
        for n, layer in enumerate(layers):
            consumers = [layers[n + 1]] if n + 1 < len(layers) else readers
            forward, backward = layer.left_to_right, layer.right_to_left
            found += [
                SimplifiedLayer(f"{n}.{name}", part, [Consumer(each, offset) for each in consumers])
                for name, part, offset in (
                    ("forward", forward, 0),
                    ("backward", backward, forward.hidden_size),
                )
            ]
        return found


@dataclass(frozen=True, slots=True)
class JointBatch:
    """Sentences packed: all first words, longest sentence first, then all second words, ..."""

    words: npt.NDArray[np.int64]  # (N,) places in the treebank
    batch_sizes: Tensor  # (T,)
    n_words: int


class JointTask(SentenceTask):
    """The joint network with its training and dev data.

    Args:
        train, dev, settings, device, vectors: see `SentenceTask`. No `heads` means all that `train`
            has; a `batch_size` counts words.

    Raises:
        ConfigError: a column or head to learn is empty in `train`.
    """

    name = "joint"
    network: JointNetwork
    config: JointConfig
    config_class = JointConfig
    needs_trees = True
    learning_rates: ClassVar[dict[str, float]] = LEARNING_RATES["joint"]
    prune_rate: ClassVar[float] = PRUNE_RATES["joint"]

    def _prepare(self, train: Sequence[Sentence], settings: Settings) -> None:
        config, meprop = self.config, settings.meprop
        self._lengths = np.array([len(sentence) for sentence in train], np.int64)
        self._firsts = np.cumsum(self._lengths) - self._lengths
        self.batch_size = settings.training.batch_size or BATCH_WORDS
        heads = config.heads or HEAD_NAMES
        # the model file states the heads that the model has
        self.config = config = replace(config, heads=heads)
        self.tag_targets = TagsTargets(train, filled_columns(train), self.device)
        self.tags = self.tag_targets.vocabs
        n_tags = {name: len(vocab) for name, vocab in self.tags.items()}
        table = FormTable()
        form_of = torch.tensor(table.add(form for sentence in train for form in sentence.forms))
        self.form_of = form_of.to(self.device)
        self.forms = FormRows(table.forms(), self.lexicon, config.word_dropout, self.device)
        self.ngrams = Ngrams(table.forms(), config.ngram_rows, self.device)
        encoder = Encoder(*self._table_rows(), config, meprop)
        width, n = encoder.width, sum(n_tags.values())
        self.lemma_targets = LemmasTargets(train, self.device) if "lemmas" in heads else None
        self.tree_targets = GraphTargets(train, self.device) if "tree" in heads else None
        self.network = JointNetwork(
            encoder,
            TagsNetwork(width, n_tags) if n_tags else None,
            self.lemma_targets
            and LemmasNetwork(
                width, encoder.input_width, n, len(self.lemma_targets.scripts), config
            ),
            self.tree_targets
            and GraphNetwork(width, n, len(self.tree_targets.labels), config, meprop),
        )
        self.main_scores = self.dev_scores = (
            *self.tags,
            *(("lemmas",) if self.lemma_targets else ()),
            *(("uas", "las") if self.tree_targets else ()),
        )

    def header(self) -> dict[str, Any]:
        header = super().header()
        if self.lemma_targets:
            header["scripts"] = self.lemma_targets.scripts.to_list()
        if self.tree_targets:
            header["labels"] = self.tree_targets.labels.to_list()
        return header

    @staticmethod
    def word_width(config: JointConfig) -> int:
        return config.word_dim

    @property
    def n_batches(self) -> int:
        return max(1, round(int(self._lengths.sum()) / self.batch_size))

    def batches(self, rng: np.random.Generator) -> Iterator[JointBatch]:
        for members in by_words(self._lengths, self.n_batches, rng):
            lengths = self._lengths[members]
            steps = np.concatenate([np.arange(length) for length in lengths])
            sentences = np.repeat(np.arange(len(members)), lengths)
            order = np.lexsort((sentences, steps))
            words = (self._firsts[members][sentences] + steps)[order]
            yield JointBatch(words, torch.from_numpy(np.bincount(steps)), len(words))

    def loss(self, batch: JointBatch, teacher: Teacher | None = None) -> Tensor:
        network, config = self.network, self.config
        words = torch.from_numpy(batch.words).to(self.device)
        states = network.encoder(self._inputs(words, batch.batch_sizes))
        losses, tags = [], None
        if network.tags is not None:
            logits = network.tags(states.context)
            losses.append(self.tag_targets.loss(logits, words, config))
            tags = probabilities(logits)
        if network.lemmas is not None:
            losses.append(
                self.lemma_targets.loss(network.lemmas(states, tags), words, config)
            )
        if network.tree is not None:
            layout = Layout.of(batch.batch_sizes, self.device)
            scores = network.tree(states.context, tags, layout)
            losses.append(self.tree_targets.loss(network.tree, scores, words, layout))
        return torch.stack(losses).sum()

    def _inputs(self, words: Tensor, batch_sizes: Tensor) -> Inputs:
        forms = self.form_of[words]
        rows = self.forms.rows[forms]
        self.forms.hide(rows, forms)
        distinct, form_of = torch.unique(forms, return_inverse=True)
        return Inputs(rows, *self.ngrams.of(distinct), form_of, batch_sizes)


TASK = JointTask
