"""Training the joint model: one encoder, the heads over it, and the sum of their losses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.config import HEAD_NAMES, LEARNING_RATES, PRUNE_RATES, JointConfig, MePropConfig, Settings
from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.batching import by_words
from meprop_nlp.training.encoder import Encoder, Inputs, Ngrams
from meprop_nlp.training.heads.forms import FormRows
from meprop_nlp.training.heads.graph import ArcScores, GraphNetwork, GraphTargets, Layout
from meprop_nlp.training.heads.lemmas import LemmasNetwork, LemmasTargets
from meprop_nlp.training.heads.sentences import SentenceTask, columns_to_predict, filled_columns, unseen
from meprop_nlp.training.heads.state_tags import TagsNetwork, TagsTargets, probabilities
from meprop_nlp.training.simplification.teacher import Teacher
from meprop_nlp.training.treebanks import has_tree

BATCH_WORDS = 1000


class Logits(NamedTuple):
    """The scores of all heads for N words; None for a head that the model has not.

    Attributes:
        tags: (N, tags) by column.
        scripts: (N, scripts).
        arcs: of the tree head.
    """

    tags: Mapping[str, Tensor]
    scripts: Tensor | None
    arcs: ArcScores | None


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
    def dropout_share(self) -> float:
        """The share of all dropout rates that applies, see `teacher.DROPOUT_SHARE`."""
        return self.encoder.dropout_share

    @dropout_share.setter
    def dropout_share(self, share: float) -> None:
        for part in (self.encoder, self.lemmas, self.tree):
            if part is not None:
                part.dropout_share = share

    @property
    def words(self) -> nn.Embedding:
        """Return the table of word forms, which takes pretrained vectors."""
        return self.encoder.words


    def forward(self, inputs: Inputs, layout: Layout) -> Logits:
        """Return the scores of all heads for the words of a minibatch."""
        states = self.encoder(inputs)
        tags: dict[str, Tensor] = {}
        scripts = arcs = soft = None
        if self.tags is not None:
            tags = self.tags(states.context)
            soft = probabilities(tags)
        if self.lemmas is not None:
            scripts = self.lemmas(states, soft)
        if self.tree is not None:
            arcs = self.tree(states.context, soft, layout)
        return Logits(tags, scripts, arcs)

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
    learning_rates: ClassVar[dict[str, float]] = LEARNING_RATES["joint"]
    prune_rate: ClassVar[float] = PRUNE_RATES["joint"]

    def _prepare(self, train: Sequence[Sentence], settings: Settings) -> None:
        config, meprop = self.config, settings.meprop
        self._lengths = np.array([len(sentence) for sentence in train], np.int64)
        self._firsts = np.cumsum(self._lengths) - self._lengths
        self.batch_size = settings.training.batch_size or BATCH_WORDS
        # the model file states the heads that the model has
        heads = _heads_to_train(train, config)
        self.config = config = replace(config, heads=heads)
        columns = columns_to_predict(train, config.columns) if "tags" in heads else ()
        self.tag_targets = TagsTargets(train, columns, self.device)
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
    def demands_trees(config: JointConfig) -> bool | None:
        return "tree" in config.heads if config.heads else None

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
        words = torch.from_numpy(batch.words).to(self.device)
        inputs = self._inputs(words, batch.batch_sizes)
        layout = Layout.of(batch.batch_sizes, self.device)
        logits = self.network(inputs, layout)
        answers = None
        if teacher:
            whole = self._inputs(words, batch.batch_sizes, hide=False)
            answers = teacher(whole, layout)
        losses = []
        config = self.config
        if logits.tags:
            losses += [
                self.tag_targets.loss(
                    name, scores, words, config.smoothing, answers and answers.tags[name]
                )
                for name, scores in logits.tags.items()
            ]
        if self.lemma_targets is not None:
            losses.append(
                self.lemma_targets.loss(
                    logits.scripts, words, config.smoothing, answers and answers.scripts
                )
            )
        if self.tree_targets is not None:
            losses.append(
                self.tree_targets.loss(
                    self.network.tree,
                    logits.arcs,
                    words,
                    layout,
                    answers and (teacher.network.tree, answers.arcs),
                )
            )
        return torch.stack(losses).sum()

    def _inputs(self, words: Tensor, batch_sizes: Tensor, *, hide: bool = True) -> Inputs:
        forms = self.form_of[words]
        rows = self.forms.rows[forms]
        if hide:
            self.forms.hide(rows, forms)
        distinct, form_of = torch.unique(forms, return_inverse=True)
        return Inputs(rows, *self.ngrams.of(distinct), form_of, batch_sizes)


TASK = JointTask


def _heads_to_train(train: Sequence[Sentence], config: JointConfig) -> tuple[str, ...]:
    """Return the heads to train, in the order in which they annotate.

    Raises:
        ConfigError: the training file has no data for a head that the user asks for.
        DataError: it has no data for any head.
    """
    has = {
        "tags": bool(filled_columns(train)),
        "lemmas": any(lemma != "_" for sentence in train for lemma in sentence.column("lemma")),
        "tree": all(map(has_tree, train)),
    }
    missing = [head for head in config.heads if not has[head]]
    if missing:
        raise ConfigError(
            f"the training file has no {' and no '.join(missing)}; choose others with `heads`"
        )
    heads = tuple(head for head in HEAD_NAMES if head in (config.heads or has) and has[head])
    if not heads:
        raise DataError("the training file has no tags, no lemmas and no trees")
    return heads
