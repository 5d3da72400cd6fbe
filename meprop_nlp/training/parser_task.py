"""Training the parser: gold trees as transitions with the 48 features of their states, the loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from meprop_nlp.config import PRUNE_RATES, MePropConfig, ParserConfig
from meprop_nlp.data.lexicon import FormTable, Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_labelled
from meprop_nlp.data.vocab import UNK, Vocab
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.packing import rounded
from meprop_nlp.models.parser import FrozenParser
from meprop_nlp.nn.distinct import distinct
from meprop_nlp.parsing.transitions import make_system
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.embeddings import load_vectors
from meprop_nlp.training.examples import ParserExamples, tag_rows
from meprop_nlp.training.parser_network import ParserNetwork
from meprop_nlp.training.tagger_task import filled_columns
from meprop_nlp.training.task import arrays_of, fitting_batch_size
from meprop_nlp.training.teacher import Swaps, Teacher, taught
from meprop_nlp.training.training_trees import POOLED, training_trees

__all__ = ["ParserTask"]

ROOT_ROW, NULL_ROW, FIRST_ROW = 0, 1, 2
# the first epoch, from 0, that the parser goes its own way in: by then it does not go far wrong
FIRST_EXPLORED = 1


@dataclass(frozen=True, slots=True)
class ParserBatch:
    """Transitions to train on: places in the arrays of all transitions."""

    chosen: npt.NDArray[np.int64]
    n_words: int


class ParserTask:
    """A parser's network with its training and dev data.

    Args:
        train, dev: sentences with trees; `dev` may be empty.
        config, meprop: as in ParserNetwork; `config.tag_columns` empty means the first two
            of UPOS, XPOS and FEATS that `train` fills.
        seed: of the hybrid oracle's choices.
        batch_size: transitions per minibatch; 0: by the size of `train`.
        device: where the network lives.
        vectors: pretrained word vectors by form, of width `config.embedding_dim`.

    Attributes:
        warnings: what the user should know about the data, one sentence each.

    Raises:
        ConfigError: k is larger than a hidden layer.
        DataError: nothing is left to train on.
    """

    name = "parser"
    learning_rates: ClassVar[dict[str, float]] = {"adam": 0.002}
    prune_rate: ClassVar[float] = PRUNE_RATES["parser"]

    def __init__(
        self,
        train: Sequence[Sentence],
        dev: Sequence[Sentence],
        *,
        config: ParserConfig,
        meprop: MePropConfig,
        batch_size: int,
        seed: int,
        device: torch.device,
        vectors: dict[str, npt.NDArray[np.float32]] | None = None,
    ) -> None:
        meprop.check_width(config.hidden)
        filled = filled_columns(train)
        empty = [name for name in config.tag_columns if name not in filled]
        if empty:
            raise ConfigError(
                f"--tag-columns names {', '.join(empty)}, which the training file does not fill; "
                f"it fills {', '.join(filled) or 'none'}"
            )
        self.config, self.device = config, device
        self.dev = list(dev)
        system_class = make_system(config.transition_system, 1)
        trees, self.warnings = training_trees(train, config, projective=system_class.projective)
        if not trees:
            raise DataError("no tree is left to train on; try --nonprojective pseudo")
        self.lexicon = Lexicon.build(
            (form for sentence in train for form in sentence.forms), extra=vectors or ()
        )
        self.tags = {
            name: Vocab.build((t for s in train for t in s.column(name)), specials=(UNK,))
            for name in config.tag_columns or filled[:2]
        }
        self.labels = Vocab.build(deprel for _, _, deprels in trees for deprel in deprels)
        unknown = {d for s in dev for d in s.column("deprel")} - set(self.labels)
        if unknown:
            names = ", ".join(sorted(unknown)[:3]) + (", ..." if len(unknown) > 3 else "")
            self.warnings.append(f"labels in dev but not in train: {len(unknown)} ({names})")
        arcs = [
            (h, self.labels.index(d)) for _, hs, ds in trees for h, d in zip(hs, ds, strict=True)
        ]
        self._root_labels = sorted({label for head, label in arcs if head == 0})
        self._other_labels = sorted({label for head, label in arcs if head != 0})
        self.system = make_system(
            config.transition_system,
            len(self.labels),
            root_labels=self._root_labels,
            other_labels=self._other_labels,
        )
        # labelled trees are judged by their labels, unlabelled ones cannot be
        self.main_scores: tuple[str, ...] = ("las",) if is_labelled(self.labels) else ("uas",)
        self._prepare(trees, seed)
        self.batch_size = batch_size or fitting_batch_size(
            len(self._examples), smallest=50, largest=500, n_batches=400
        )
        self.network = ParserNetwork(
            len(self.lexicon.forms),
            int(self.lexicon.feature_offsets[-1]),
            max(1, sum(len(vocab) for vocab in self.tags.values())),
            len(self.labels),
            self.system.n_transitions,
            config,
            meprop,
        )
        load_vectors(self.network.words, self.lexicon, vectors)
        # no training word has an unknown tag, so its row is not trained: let it say nothing
        starts = np.cumsum([0, *(len(vocab) for vocab in self.tags.values())])[:-1]
        self.network.tags.weight.data[torch.from_numpy(starts)] = 0
        self.network.to(device)

    def _prepare(self, trees: Sequence[tuple[Sentence, list[int], list[str]]], seed: int) -> None:
        """Number the words of the trees, and turn them into examples."""
        table = FormTable()
        form_of: list[npt.NDArray[np.int64]] = []
        for sentence, _, _ in trees:
            # ROOT, the words, NULL
            numbers = np.array(table.add(sentence.forms), np.int64) + FIRST_ROW
            form_of.append(np.concatenate([[ROOT_ROW], numbers, [NULL_ROW]]))
        tag_of: list[npt.NDArray[np.int64]] = []
        combination_rows: dict[tuple[int, ...], int] = {}
        for rows in tag_rows([sentence for sentence, _, _ in trees], self.tags):
            numbered = [
                FIRST_ROW + combination_rows.setdefault(tuple(row), len(combination_rows))
                for row in rows.tolist()
            ]
            tag_of.append(np.array([ROOT_ROW, *numbered, NULL_ROW], np.int64))
        self._examples = ParserExamples(
            self.system,
            [sentence for sentence, _, _ in trees],
            [(heads, [self.labels.index(d) for d in deprels]) for _, heads, deprels in trees],
            form_of,
            tag_of,
            oracle=self.config.oracle,
            seed=seed,
            device=self.device,
        )
        to = self.device
        self._illegal = ~torch.from_numpy(self.system.masks.copy()).to(to)
        self._form_rows = torch.from_numpy(self.lexicon.encode(table.forms())).int().to(to)
        counts = torch.from_numpy(self.lexicon.counts)[self._form_rows[:, 0].long().cpu()]
        dropout = self.config.word_dropout
        self._hidden_chance = (dropout / (dropout + counts)).to(to)
        combinations = np.array(list(combination_rows), np.int64)
        combinations = combinations.reshape(len(combination_rows), -1)
        self._tag_rows = torch.from_numpy(combinations).int().to(to)
        real = [numbers[1:-1] - FIRST_ROW for numbers in form_of]
        real_tags = [numbers[1:-1] - FIRST_ROW for numbers in tag_of]
        # words of a treebank without tags cannot be swapped for their like
        self._swaps = Swaps(np.concatenate(real), np.concatenate(real_tags)) if self.tags else None

    def begin_epoch(self, epoch: int) -> None:
        """With the dynamic oracle, go through the trees as the network now would."""
        if self.config.oracle == "dynamic" and epoch >= FIRST_EXPLORED:
            # pooled labels are trained on, as in gold derivations
            self._examples.explore(
                self._frozen(self.header() | {"other_labels": self._other_labels})
            )

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
        """Return what the network reads of some examples: rows of forms, of tags, and which where.

        The words that the rows of forms are for come first, swapped where `swaps` is given.
        """
        examples = self._examples
        # a form that fills many slots of the batch is embedded once; ROOT and NULL come first
        special = torch.arange(FIRST_ROW, dtype=torch.int32, device=self.device)
        forms = examples.forms[chosen]  # (B, 18)
        n_rows = FIRST_ROW + len(self._form_rows)
        rows, index = distinct(torch.cat([special, forms.flatten()]), n_rows)
        index = index[FIRST_ROW:].view_as(forms)
        words = rows[FIRST_ROW:].long() - FIRST_ROW
        if swaps is not None:
            words = swaps(words)
        tags, labels = examples.tags[chosen], examples.labels[chosen]
        return words, self._form_rows[words], self._tag_rows, index, tags, labels

    def _answers(
        self, teacher: Teacher, inputs: Sequence[Tensor], chosen: Tensor, *, made_up: bool
    ) -> Tensor:
        """Return a teacher's logits for examples; remembered where those stay the same."""
        n = len(self._examples)
        changes = made_up or self.config.oracle == "dynamic"
        if changes or not teacher.remembers(n, self.system.n_transitions):
            answers: Tensor = teacher(*inputs)
            return answers
        return teacher.recall(chosen, self._asked(teacher), n)

    def _asked(self, teacher: Teacher) -> Iterator[tuple[Tensor, Tensor]]:
        """Ask a teacher about all examples: their numbers, and its logits."""
        for start in range(0, len(self._examples), self.batch_size):
            end = min(start + self.batch_size, len(self._examples))
            chosen = torch.arange(start, end, device=self.device)
            yield chosen, teacher(*self._inputs(chosen)[1:])

    def loss(self, batch: ParserBatch, teacher: Teacher | None = None) -> Tensor:
        examples, chosen = self._examples, torch.from_numpy(batch.chosen).to(self.device)
        swaps = self._swaps if teacher and self._swaps and teacher.makes_up() else None
        words, form_rows, *others = self._inputs(chosen, swaps)
        # illegal transitions are left out of the softmax
        illegal = self._illegal[examples.masks[chosen]]
        if teacher:
            made_up = swaps is not None
            answers = self._answers(teacher, (form_rows, *others), chosen, made_up=made_up)
            answers = answers.masked_fill(illegal, -torch.inf)
        if self.config.word_dropout:
            hide = torch.rand(len(words), device=self.device) < self._hidden_chance[words]
            form_rows[:, 0] = form_rows[:, 0].masked_fill(hide, 0)
        logits = self.network(form_rows, *others).masked_fill(illegal, -torch.inf)
        targets, seconds = examples.targets[chosen], examples.seconds[chosen]
        loss = F.cross_entropy(logits, targets, reduction="none")
        if self.config.oracle == "hybrid":
            # Ren & Sun 2017: where two transitions are right, each has target 0.5
            two = seconds >= 0
            other = F.cross_entropy(logits, seconds.clamp(min=0), reduction="none")
            loss = torch.where(two, 0.5 * loss + 0.5 * other.masked_fill(~two, 0), loss)
        if teacher:
            return taught(loss.mean(), logits, answers, made_up=made_up)
        return loss.mean()

    def evaluate(self) -> dict[str, float]:
        if not self.dev:
            return {}
        scores = self.frozen().evaluate(self.dev)
        return {"uas": scores.uas, "las": scores.las}

    def simplified_layers(self) -> list[SimplifiedLayer]:
        return self.network.simplified_layers()

    def header(self) -> dict[str, Any]:
        return {
            "kind": "model",
            "task": self.name,
            "config": self.config.to_dict(),
            "lexicon": self.lexicon.to_dict(),
            "tags": {name: vocab.to_list() for name, vocab in self.tags.items()},
            "labels": self.labels.to_list(),
            "template": self.system.template,
            "root_labels": self._root_labels,
            # what was pooled says nothing about a tree
            "other_labels": [i for i in self._other_labels if self.labels[i] != POOLED],
        }

    def frozen(self) -> FrozenParser:
        """Return the network as it is now as a parser that only predicts: what would be stored."""
        return self._frozen(self.header())

    def _frozen(self, header: dict[str, Any]) -> FrozenParser:
        return FrozenParser(ModelFile(header, rounded(arrays_of(self.network))))
