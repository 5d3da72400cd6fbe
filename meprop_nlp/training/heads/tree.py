"""Training the parser: its network, gold trees as states and transitions, the loss, dev scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import (
    LEARNING_RATES,
    PRUNE_RATES,
    MePropConfig,
    ParserConfig,
    Settings,
    dropout_by_width,
)
from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_labelled
from meprop_nlp.data.vocab import UNK, Vocab, nfc
from meprop_nlp.errors import DataError
from meprop_nlp.models.heads.tree import TreeHead
from meprop_nlp.models.heads.tree_numpy import rows_of_tags
from meprop_nlp.models.words import SentenceWords, joined
from meprop_nlp.nn.distinct import distinct
from meprop_nlp.nn.embedding import dropout, embedding_sum
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.slots import slot_linear
from meprop_nlp.parsing.features import TEMPLATE
from meprop_nlp.parsing.transitions import make_system
from meprop_nlp.simplify.wiring import SimplifiedLayer, wire_stack
from meprop_nlp.training.batching import fitting_batch_size
from meprop_nlp.training.heads.forms import FormRows
from meprop_nlp.training.heads.gold_trees import GoldTree, gold_trees, label_header, labelled_system
from meprop_nlp.training.heads.sentences import SentenceTask, columns_to_read, unseen
from meprop_nlp.training.heads.tree_examples import FIRST_ROW, ParserExamples, numbered_words
from meprop_nlp.training.simplification.swaps import Swaps
from meprop_nlp.training.simplification.teacher import Teacher, distilled, draw_synthetic

# The first epoch, counted from 0, in which the parser follows its own predictions: by then they do
# not go far wrong.
FIRST_EXPLORED = 1

ACTIVATION_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "cube": lambda x: x * x * x,
    "tanh": torch.tanh,
}


class ParserNetwork(nn.Module):
    """The features of parser states in, logits of transitions out (Chen & Manning 2014, section 3).

    A word's vector is the sum of the embeddings of its form and its spelling features, a tag's the
    sum over the tag columns: both depend on one word alone, so that decoding can fold them into
    tables.

    Args:
        n_words, n_features, n_tags, n_labels: rows of the embedding tables.
        n_transitions: width of the output.
        config, meprop: widths, activation and dropout; how gradients are sparsified. The output
            layer is sparsified too (meProp, section 4.1: for parsing, all layers).
    """

    def __init__(
        self,
        n_words: int,
        n_features: int,
        n_tags: int,
        n_labels: int,
        n_transitions: int,
        config: ParserConfig,
        meprop: MePropConfig,
    ) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.dropout_share = 1.0  # of all rates, see `teacher.DROPOUT_SHARE`
        without = 0.3 if config.dropout is None else config.dropout / 2
        self.input_dropout = without if config.input_dropout is None else config.input_dropout
        self.activation = ACTIVATION_FUNCTIONS[config.activation]
        width = config.embedding_dim
        self.words = nn.Embedding(n_words, width)
        self.features = nn.Embedding(n_features, width)
        self.tags = nn.Embedding(n_tags, width)
        self.special = nn.Embedding(4, width)  # ROOT and NULL as words, ROOT and NULL as tags
        self.labels = nn.Embedding(n_labels + 1, width)  # the last row: no such child
        for table in (self.words, self.features, self.tags, self.special, self.labels):
            nn.init.uniform_(table.weight, -0.1, 0.1)
        widths = [len(TEMPLATE) * width, *[config.hidden] * config.layers]
        self.layers = nn.ModuleList(
            MePropLinear(i, o, k=meprop.k and min(meprop.k, o), topk_mode=meprop.topk_mode)
            for i, o in pairwise([*widths, n_transitions])
        )

    def forward(
        self,
        form_rows: Tensor,
        tag_rows: Tensor,
        form_index: Tensor,
        tag_index: Tensor,
        label_index: Tensor,
    ) -> Tensor:
        """Return logits (B, n_transitions).

        Args:
            form_rows: (U, 8) rows of the distinct forms of the batch in the word and feature
                tables; int32, like the rest.
            tag_rows: (C, tag columns) rows of the distinct tag combinations in the tag table.
            form_index: (B, 18) into ROOT, NULL, then `form_rows`.
            tag_index: (B, 18) into ROOT, NULL, then `tag_rows`.
            label_index: (B, 12) into the label table; -1 where there is no such child.
        """
        words = embedding_sum(self.words.weight, form_rows[:, :1], sparse_grad=True)
        words = words + embedding_sum(self.features.weight, form_rows[:, 1:], sparse_grad=True)
        tags = embedding_sum(self.tags.weight, tag_rows)
        # one table of all that a slot of the batch can hold, few rows, each made once
        special, labels = self.special.weight, self.labels.weight
        table = torch.cat([special[:2], words, special[2:], tags, labels])  # (2 + U + 2 + C + L, E)
        first_tag = 2 + len(words)
        first_label = first_tag + 2 + len(tags)
        no_label = len(table) - 1
        labels_at = torch.where(label_index < 0, no_label, label_index + first_label)
        index = torch.cat([form_index, tag_index + first_tag, labels_at], 1)  # (B, 48)
        first, *others = self._meprop_layers()
        p = self.input_dropout * self.dropout_share
        x = slot_linear(first, table, index, p=p, training=self.training)  # (B, H)
        for layer in others:
            p = dropout_by_width(x.shape[1]) if self.dropout is None else self.dropout
            x = layer(dropout(self.activation(x), p * self.dropout_share, self.training))
        return x

    def simplified_layers(self) -> list[SimplifiedLayer]:
        """Return the hidden layers, each read by the next; input and output are not simplified."""
        return wire_stack(self._meprop_layers(), "layers")

    def _meprop_layers(self) -> list[MePropLinear]:
        return [layer for layer in self.layers if isinstance(layer, MePropLinear)]


@dataclass(frozen=True, slots=True)
class ParserBatch:
    """Transitions to train on: places in the arrays of all transitions."""

    chosen: npt.NDArray[np.int64]
    n_words: int


class ParserTask(SentenceTask):
    """A parser's network with its training and dev data.

    Args:
        train, dev, settings, device, sources: see `SentenceTask`. No `tag_columns` means the first
            two of UPOS, XPOS and FEATS that `train` fills; a `batch_size`, in transitions, of 0
            depends on the size of `train`; the hybrid oracle's choices depend on `seed`.

    Raises:
        ConfigError: a tag column is empty in `train`, or k is larger than a hidden layer.
        DataError: no tree is left to train on.
    """

    name = "parser"
    network: ParserNetwork
    config: ParserConfig
    config_class = ParserConfig
    dev_scores = ("uas", "las")
    learning_rates: ClassVar[dict[str, float]] = LEARNING_RATES["parser"]
    prune_rate: ClassVar[float] = PRUNE_RATES["parser"]

    def _prepare(self, train: Sequence[Sentence], settings: Settings) -> None:
        config = self.config
        columns = columns_to_read(train, config)
        is_projective = make_system(config.transition_system, 1).projective
        trees, self.warnings = gold_trees(
            train, projective=is_projective, nonprojective=config.nonprojective
        )
        if not trees:
            raise DataError("no tree is left to train on; try `nonprojective` pseudo")
        self.tags = {
            name: Vocab.build((t for s in train for t in s.column(name)), specials=(UNK,))
            for name in columns
        }
        self.labels, self.system = labelled_system(config.transition_system, trees)
        dev_labels = {deprel for sentence in self.dev for deprel in sentence.column("deprel")}
        self.warnings += unseen("labels", dev_labels, self.labels)
        # labelled trees are judged by their labels, unlabelled ones cannot be
        by_labels = is_labelled(self.labels) and dev_labels != {"_"}
        self.main_scores: tuple[str, ...] = ("las",) if by_labels else ("uas",)
        self._number_words(trees, settings.training.seed)
        self.batch_size = settings.training.batch_size or fitting_batch_size(
            len(self._examples), smallest=50, largest=500, n_batches=400
        )
        self.network = ParserNetwork(
            *self._table_rows(),
            max(1, sum(len(vocab) for vocab in self.tags.values())),
            len(self.labels),
            self.system.n_transitions,
            config,
            settings.meprop,
        )
        # no training word has an unknown tag, so its row is not trained: it shall have no effect
        starts = np.cumsum([0, *(len(vocab) for vocab in self.tags.values())])[:-1]
        self.network.tags.weight.data[torch.from_numpy(starts)] = 0

    @staticmethod
    def word_width(config: ParserConfig) -> int:
        return config.embedding_dim

    def _number_words(self, trees: Sequence[GoldTree], seed: int) -> None:
        """Number the forms and the tag combinations of the trees, and make the examples."""
        forms, combinations = FormTable(), FormTable()
        form_of = numbered_words(forms.add(tree.sentence.forms) for tree in trees)
        columns = list(self.tags)
        tag_of = numbered_words(
            combinations.add(map(nfc, joined(SentenceWords([tree.sentence]), columns)))
            for tree in trees
        )
        self._examples = ParserExamples(
            self.system,
            [tree.sentence for tree in trees],
            [(t.heads, [self.labels.index(deprel) for deprel in t.deprels]) for t in trees],
            form_of,
            tag_of,
            oracle=self.config.oracle,
            seed=seed,
            device=self.device,
        )
        self._illegal = ~torch.from_numpy(self.system.masks.copy()).to(self.device)
        self.forms = FormRows(forms.forms(), self.lexicon, self.config.word_dropout, self.device)
        tag_rows = torch.from_numpy(rows_of_tags(combinations.forms(), self.tags))
        self._tag_rows = tag_rows.int().contiguous().to(self.device)
        # without tags there is no saying which words are alike
        self._swaps = None
        if self.tags:
            words, tags = (
                np.concatenate([numbers[1:-1] - FIRST_ROW for numbers in each])
                for each in (form_of, tag_of)
            )
            self._swaps = Swaps(words, tags)

    def begin_epoch(self, epoch: int) -> None:
        """With the dynamic oracle, make the examples by parsing the trees with the network."""
        if self.config.oracle == "dynamic" and epoch >= FIRST_EXPLORED:
            # pooled labels are trained on, as in gold derivations
            header = self.header() | {"other_labels": sorted(self.system.other_labels)}
            self._examples.explore(TreeHead(self._file(header), self.lexicon))

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return self._examples.state()

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        self._examples.restore(state)

    @property
    def n_batches(self) -> int:
        return -(-len(self._examples) // self.batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[ParserBatch]:
        order = rng.permutation(len(self._examples))
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            # each word is shifted once and attached once
            yield ParserBatch(chosen, n_words=len(chosen) // 2)

    def _inputs(self, chosen: Tensor, swaps: Swaps | None = None) -> tuple[Tensor, ...]:
        """Return what the network reads of some examples, after the numbers of their forms.

        A form that fills many slots of the batch is embedded once; ROOT and NULL come first.

        Returns:
            forms: (U,) the batch's distinct forms, swapped where `swaps` is given.
            form_rows, tag_rows, form_index, tag_index, label_index: see `ParserNetwork.forward`.
        """
        examples = self._examples
        special = torch.arange(FIRST_ROW, dtype=torch.int32, device=self.device)
        shown = examples.forms[chosen]  # (B, 18)
        numbers, index = distinct(
            torch.cat([special, shown.flatten()]), FIRST_ROW + len(self.forms)
        )
        form_index = index[FIRST_ROW:].view_as(shown)
        forms = numbers[FIRST_ROW:].long() - FIRST_ROW
        if swaps is not None:
            forms = swaps(forms)
        tags, labels = examples.tags[chosen], examples.labels[chosen]
        return forms, self.forms.rows[forms], self._tag_rows, form_index, tags, labels

    def share(self, batch: ParserBatch, number: int, size: int) -> tuple[ParserBatch | None, float]:
        chosen = batch.chosen[number::size]
        if not len(chosen):
            return None, 0.0
        return ParserBatch(chosen, batch.n_words), len(chosen) / len(batch.chosen)

    def loss(self, batch: ParserBatch, teacher: Teacher | None = None) -> Tensor:
        examples, chosen = self._examples, torch.from_numpy(batch.chosen).to(self.device)
        swaps = self._swaps if teacher and self._swaps and draw_synthetic(self.synthetic) else None
        forms, form_rows, *others = self._inputs(chosen, swaps)
        # illegal transitions are left out of the softmax
        illegal = self._illegal[examples.masks[chosen]]
        synthetic = swaps is not None
        if teacher:
            answers = self._answers(teacher, (form_rows, *others), chosen, synthetic=synthetic)
            answers = answers.masked_fill(illegal, -torch.inf)
        self.forms.hide(form_rows, forms)
        logits = self.network(form_rows, *others).masked_fill(illegal, -torch.inf)
        targets, seconds = examples.targets[chosen], examples.seconds[chosen]
        loss = F.cross_entropy(logits, targets, reduction="none")
        if self.config.oracle == "hybrid":
            # Ren & Sun 2017: where two transitions are right, each has target 0.5
            two = seconds >= 0
            other = F.cross_entropy(logits, seconds.clamp(min=0), reduction="none")
            loss = torch.where(two, 0.5 * loss + 0.5 * other.masked_fill(~two, 0), loss)
        if teacher:
            return distilled(loss.mean(), logits, answers, synthetic=synthetic)
        return loss.mean()

    def _answers(
        self, teacher: Teacher, inputs: Sequence[Tensor], chosen: Tensor, *, synthetic: bool
    ) -> Tensor:
        """Return a teacher's logits for examples; remembered where the examples stay the same."""
        n, widths = len(self._examples), {"transitions": self.system.n_transitions}
        changes = synthetic or self.config.oracle == "dynamic"
        if changes or not teacher.remembers(widths, n):
            answers: Tensor = teacher(*inputs)
            return answers
        return teacher.recall(chosen, self._all_answers(teacher), widths, n)["transitions"]

    def _all_answers(self, teacher: Teacher) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """Yield numbers of examples and a teacher's logits, until all examples had theirs."""
        for start in range(0, len(self._examples), self.batch_size):
            end = min(start + self.batch_size, len(self._examples))
            chosen = torch.arange(start, end, device=self.device)
            yield chosen, {"transitions": teacher(*self._inputs(chosen)[1:])}

    def header(self) -> dict[str, Any]:
        return {
            **super().header(),
            **label_header(self.labels, self.system),
            "template": self.system.template,
        }


TASK = ParserTask
