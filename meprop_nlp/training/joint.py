"""Training the joint model: one encoder, the heads over it, and the sum of their losses.

A head is added to `JOINT_HEADS` here, and to `models.model.HEADS`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.config import (
    LEARNING_RATES,
    PRUNE_RATES,
    TOKENS,
    BySize,
    JointConfig,
    Settings,
)
from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.characters import Characters
from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.encoder_folder import encoder_path
from meprop_nlp.models.file import TOKENIZER
from meprop_nlp.models.opinion import values_of
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.models.word_states import WordStates
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.batching import by_words, packed_rows, share_of
from meprop_nlp.training.encoder import Encoder, Inputs, Ngrams, Spellings
from meprop_nlp.training.heads.early import EARLY, EarlyOutputs, WordClasses
from meprop_nlp.training.heads.forms import FormRows
from meprop_nlp.training.heads.graph import GraphTree
from meprop_nlp.training.heads.head import LANES, States, TrainedHead, Widths
from meprop_nlp.training.heads.lemmas import Lemmas
from meprop_nlp.training.heads.sentences import SentenceTask, columns_to_predict, filled_columns
from meprop_nlp.training.heads.state_tags import StateTags
from meprop_nlp.training.heads.transitions import TransitionTree
from meprop_nlp.training.knowledge.joint_file import TAUGHT_WITH
from meprop_nlp.training.knowledge.soft_targets import SoftTargets
from meprop_nlp.training.knowledge.teachers import Teachers
from meprop_nlp.training.knowledge.transformer import Pieces, PresentStates, Transformer
from meprop_nlp.training.knowledge.vector_table import VectorTable
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.simplification.reconstruction import unfit
from meprop_nlp.training.simplification.swaps import Swaps
from meprop_nlp.training.simplification.teacher import (
    TAUGHT_DROPOUT_SHARE,
    Teacher,
    Width,
    draw_synthetic,
)

ASKED_WORDS = 2000  # of a minibatch when a teacher answers about all words
# Steps of a training, as far as the bounds on its epochs allow. Those of a small treebank are
# cheaper, as their minibatches have fewer words.
N_STEPS = BySize(8000, 7000)

# The heads in the order in which they annotate: each reads what those before it predict. Of two of
# one name, the configuration chooses one.
JOINT_HEADS: tuple[type[TrainedHead], ...] = (StateTags, Lemmas, GraphTree, TransitionTree)


class JointNetwork(nn.Module):
    """The encoder and the networks of the heads.

    Args:
        encoder: what the heads share.
        heads: the heads by name, in order. Their networks become attributes of these names.
        early: what else learns in training, if anything does.
    """

    encoder: Encoder

    def __init__(
        self, encoder: Encoder, heads: dict[str, TrainedHead], early: EarlyOutputs | None
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self._heads = list(heads)
        for name, head in heads.items():
            self.add_module(name, head.network)
        self.early = early

    def forward(self, inputs: Inputs, layout: Layout, *, early: bool = False) -> dict[str, Any]:
        """Return the answer of each head for the words of a minibatch, by its name.

        Args:
            inputs, layout: of the minibatch.
            early: whether the early outputs, if there are any, answer too.
        """
        forms, layers = self.encoder(inputs)
        states = States(forms, layers[-1], layout)
        answers = {name: self.get_submodule(name)(states) for name in self._heads}
        if early and self.early is not None:
            answers[EARLY] = self.early(forms, layers[0])
        return answers

    @property
    def words(self) -> nn.Embedding:
        """Return the table of word forms, which takes pretrained vectors."""
        return self.encoder.words

    @property
    def dropout_share(self) -> float:
        """The share of all dropout rates that applies, see `teacher.DROPOUT_SHARE`."""
        return self.encoder.dropout_share

    @dropout_share.setter
    def dropout_share(self, share: float) -> None:
        for part in self.children():
            part.dropout_share = share  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class JointBatch:
    """Sentences packed: all first words, longest sentence first, then all second words, ..."""

    words: npt.NDArray[np.int64]  # (N,) places in the treebank
    forms: npt.NDArray[np.int64]  # (N,) the numbers of their forms
    labelled: bool  # whether they are of the treebank, or of the unlabelled sentences
    sentences: npt.NDArray[np.int64]  # (N,) the numbers of their sentences
    batch_sizes: Tensor  # (T,)
    n_words: int


class JointTask(SentenceTask):
    """The joint network with its training and dev data.

    Args:
        train, dev, settings, device, sources: see `SentenceTask`. No `heads` means all that `train`
            has data for. A `batch_size` counts words; 0 depends on the size of `train`.

    Attributes:
        heads: the heads by name, in order.

    Raises:
        ConfigError: `train` has no data for a head or a column that the user asks for.
        DataError: it has no data for any head.
    """

    name = "joint"
    network: JointNetwork
    config: JointConfig
    partial = True
    config_class = JointConfig
    learning_rates: ClassVar[dict[str, float]] = LEARNING_RATES["joint"]
    prune_rate: ClassVar[float] = PRUNE_RATES["joint"]
    synthetic: ClassVar[float] = 0.1  # about each of these the teacher is asked anew
    # cutting in the middle of the training cost twice as many points as cutting at its end
    epochs_after_cut = 1.2

    @classmethod
    def demand_data(cls, train: Sequence[Sentence], settings: Settings) -> None:
        config = settings.network
        assert isinstance(config, JointConfig)
        heads = _heads_to_train(train, config)
        if StateTags.name in heads:
            columns_to_predict(train, config.columns)
        elif config.columns:
            raise ConfigError("`columns` goes with the head tags, and with a file that has some")
        for head in heads.values():
            head.demand_data(train)
        simplify = settings.simplify
        if simplify is not None and simplify.criterion == "reconstruction":
            if config.layers > 1:
                raise unfit("layer1.forward")  # the next layer of LSTMs reads it
            if any(issubclass(head, GraphTree) for head in heads.values()):
                raise unfit("tree.arc_head")  # the other words' vectors are multiplied by it

    def _prepare(self, train: Sequence[Sentence], settings: Settings) -> None:
        classes = _heads_to_train(train, self.config)
        config = replace(self.config, heads=tuple(classes))
        self.tags = {}
        unlabelled = self.sources.unlabelled
        # of all sentences, those of the treebank first
        self._lengths = np.array([*map(len, train), *map(len, unlabelled)], np.int64)
        self._firsts = np.cumsum(self._lengths) - self._lengths
        self._n_labelled = len(train)
        self._n_words = int(self._lengths[: len(train)].sum())  # of the treebank
        # the model file states the heads that the model has, and the values that were in use
        self.config = config = config.fitted(self._n_words)
        self.batch_size = settings.training.batch_size or fitting_words(self._n_words)
        self._prepare_order()
        table = FormTable()
        # (all words) the number of each word's form
        all_forms = chain((sentence.forms for sentence in train), unlabelled)
        self._form_of = np.array(table.add(chain.from_iterable(all_forms)), np.int64)
        assert config.word_dropout is not None
        self.forms = FormRows(table.forms(), self.lexicon, config.word_dropout, self.device)
        self.ngrams = Ngrams(table.forms(), config.ngram_rows, self.device)
        self.characters = Characters.build(table.forms())
        initial = self.sources.initial
        if initial is not None:
            self.characters = self.characters.joined(initial.characters)
        self.spellings = Spellings(table.forms(), self.characters, self.device)
        self.vectors: VectorTable | None = None
        self._form_vectors: Tensor | None = None  # (U, V) of the forms of `table`
        if self.sources.vectors:
            self.vectors = VectorTable(self.sources.vectors)
            self._form_vectors = self.vectors.of(table.forms()).to(self.device)
        states, fine_tuning = self.sources.states, self.sources.fine_tuning
        pretrained = transformer = None
        if states is not None:
            # (all words) the number of each word's states
            self._state_rows = states.rows([*(sentence.forms for sentence in train), *unlabelled])
            pretrained = states.card.layers, states.card.width
        self._fine_tuned: PretrainedEncoder | None = None
        if fine_tuning is not None:
            self._form_names = table.forms()
            transformer = Transformer(fine_tuning.encoder.network)
            self._fine_tuned = fine_tuning.encoder.running(transformer.network)
            pretrained = self._fine_tuned.card.layers, self._fine_tuned.card.width
        several = self.sources.treebanks
        encoder = Encoder(
            *self._table_rows(),
            len(self.characters),
            config,
            settings.meprop,
            vector_width=self.vectors.width if self.vectors else 0,
            pretrained=pretrained,
            n_treebanks=len(several.names) if several else 0,
            transformer=transformer,
        )
        widths = Widths(encoder.input_width, encoder.width, 0)
        self.heads: dict[str, TrainedHead] = {}
        for name, head_class in classes.items():
            head = head_class(train, config, settings.meprop, widths, self.device)
            self.heads[name] = head
            if initial is not None:
                head.inherit(initial.file)
            self.warnings += head.notes
            widths = widths._replace(tags=widths.tags + head.n_tags)
            self.warnings += head.unseen(self.dev) if self.dev else []
        self.network = JointNetwork(encoder, self.heads, self._early(encoder))
        if initial is not None:
            header = self.header()
            self.warnings += initial.lost(header)
            initial.give_weights(self.network, self.simplified_layers(), header)
        self._prepare_teaching(train)
        self.main_scores = self.dev_scores = tuple(
            score for head in self.heads.values() for score in head.scores
        )

    def _early(self, encoder: Encoder) -> EarlyOutputs | None:
        """Return the outputs that learn early what the heads learn, if there shall be any."""
        classes: dict[str, WordClasses] = {}
        for head in self.heads.values():
            classes |= head.word_classes()
        if not classes or not self.config.early_weight:
            return None
        states = sum(encoder.layers[0].hidden_sizes)
        return EarlyOutputs(classes, encoder.input_width, states, self.config.smoothing)

    def _prepare_order(self) -> None:
        """Number the sentences of an epoch, those of small treebanks repeatedly."""
        self._epoch = np.arange(self._n_labelled)
        self._treebank_of: npt.NDArray[np.int64] | None = None  # (all sentences)
        if several := self.sources.treebanks:
            lengths = self._lengths[: self._n_labelled]
            self._epoch = np.repeat(self._epoch, several.repetitions(lengths))
            # sentences without annotation are read as those of the first treebank
            self._treebank_of = np.zeros(len(self._lengths), np.int64)
            self._treebank_of[: self._n_labelled] = several.numbers
        self._n_words_of_epoch = int(self._lengths[self._epoch].sum())

    def _prepare_teaching(self, train: Sequence[Sentence]) -> None:
        """Make the words' swaps, and say which heads can learn from a teacher alone."""
        widths = {name: head.soft_widths() for name, head in self.heads.items()}
        self._taught = {name: tables for name, tables in widths.items() if tables is not None}
        # of the tables of all heads; a teacher is remembered if every head can be
        self._soft_widths: dict[str, Width] | None = None
        if len(self._taught) == len(self.heads):
            self._soft_widths = {
                f"{name}.{table}": width
                for name, tables in self._taught.items()
                for table, width in tables.items()
            }
        self._swaps: Swaps | None = None
        self._beliefs: SoftTargets | None = None
        if self.sources.teachers:
            self._values = values_of(self.header())
            self._demand_taught(self.sources.teachers)
            self._beliefs = self.sources.teachers.ask(
                train, self._values, self.sources.unlabelled, self.sources.treebanks
            )
        if self._beliefs and self.sources.unlabelled:
            self.network.dropout_share = TAUGHT_DROPOUT_SHARE
        columns = filled_columns(train)  # without tags there is no saying which words are alike
        # a pretrained encoder has not read the swapped sentences
        if columns and self._taught and not self._reads_encoder:
            tags = [tag for sentence in train for tag in sentence.column(columns[0])]
            ids = np.unique(tags, return_inverse=True)[1]
            known = Annotation(train).known(columns[0])
            self._swaps = Swaps(*_tagged(self._form_of[: self._n_words], ids, known))

    @property
    def _reads_encoder(self) -> bool:
        """Whether the network reads a pretrained encoder, frozen or trained with it."""
        return self.sources.states is not None or self._fine_tuned is not None

    def _demand_taught(self, teachers: Teachers) -> None:
        """Add a warning of each head that learns nothing from the teachers.

        Raises:
            ConfigError: none does.
        """
        names = teachers.names()
        taught = {name for name, tables in self._taught.items() if names & set(tables)}
        others = [name for name in self.heads if name not in taught]
        if not taught:
            raise ConfigError(
                "`teacher` answers nothing that this network could learn: its heads are "
                f"{', '.join(others)}; a tree by transitions is not learnt from teachers"
            )
        for name in others:
            self.warnings.append(f"the head {name} learns from the treebank alone")

    def header(self) -> dict[str, Any]:
        header = super().header() | {"characters": self.characters.vocab.to_list()}
        if self.vectors:
            header |= self.vectors.header()
        if self.sources.treebanks:
            header["treebanks"] = self.sources.treebanks.names
        if states := self.word_states():
            header["pretrained"] = states.card.to_dict()
        if encoders := self._encoders_behind():
            header[TAUGHT_WITH] = encoders
        for head in self.heads.values():
            header |= head.header()
        if self.sources.tokenizer:
            header[TOKENIZER] = self.sources.tokenizer.header[TOKENIZER]
        return header

    def _encoders_behind(self) -> list[str]:
        """Return the pretrained encoders that the network knows from without reading them."""
        found = self.sources.teachers.encoders() if self.sources.teachers else []
        if self.sources.initial:
            found += self.sources.initial.header.get(TAUGHT_WITH, [])
        return list(dict.fromkeys(found))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        arrays = super().arrays() | (self.vectors.arrays() if self.vectors else {})
        arrays = {name: array for name, array in arrays.items() if _is_stored(name)}
        for head in self.heads.values():
            arrays |= head.arrays()
        return {**arrays, **(self.sources.tokenizer.arrays if self.sources.tokenizer else {})}

    def parameter_groups(self) -> list[dict[str, Any]]:
        if self.sources.fine_tuning is None:
            return super().parameter_groups()
        main: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in self.network.named_parameters():
            (others if _is_transformers(name) else main).append(parameter)
        rate = self.sources.fine_tuning.learning_rate
        return [{"params": main}, {"params": others, "lr": rate, "weight_decay": 0.0}]

    def word_states(self) -> WordStates | None:
        return (
            super().word_states() if self._fine_tuned is None else PresentStates(self._fine_tuned)
        )

    def write_beside(self, path: Path) -> dict[str, Any]:
        """Write the encoder that is trained, if there is one."""
        if self._fine_tuned is None:
            return {}
        return {"pretrained": self._fine_tuned.write(encoder_path(path)).to_dict()}

    @staticmethod
    def fitting_epochs(n_words: int) -> int:
        return max(10, min(60, round(N_STEPS(n_words) * fitting_words(n_words) / n_words)))

    @staticmethod
    def word_width(config: JointConfig) -> None:
        return None

    def simplified_layers(self) -> list[SimplifiedLayer]:
        """Return both directions of each layer of the encoder, with all that read them."""
        layers = self.network.encoder.layers
        readers = [reader for head in self.heads.values() for reader in head.readers()]
        found = []
        for n, layer in enumerate(layers):
            consumers: list[nn.Module] = [*readers] if layer is layers[-1] else [layers[n + 1]]
            if n == 0 and self.network.early is not None:
                consumers += self.network.early.readers()
            forward, backward = layer.left_to_right, layer.right_to_left
            for name, part, offset in (
                ("forward", forward, 0),
                ("backward", backward, forward.hidden_size),
            ):
                each = [Consumer(consumer, offset) for consumer in consumers]
                found.append(SimplifiedLayer(f"layer{n + 1}.{name}", part, each, multiple=LANES))
        for head in self.heads.values():
            found += head.hidden_layers()
        return found

    @property
    def n_batches(self) -> int:
        return self._n_labelled_batches + self._n_unlabelled_batches

    @property
    def _n_labelled_batches(self) -> int:
        return max(1, round(self._n_words_of_epoch / self.batch_size))

    @property
    def _n_unlabelled_batches(self) -> int:
        share = self.sources.unlabelled_share
        wanted = round(self._n_labelled_batches * share / (1 - share))
        return min(wanted, self._n_all_unlabelled_batches)

    @property
    def _n_all_unlabelled_batches(self) -> int:
        n_words = len(self._form_of) - self._n_words
        return max(1, round(n_words / self.batch_size)) if n_words else 0

    def batches(self, rng: np.random.Generator) -> Iterator[JointBatch]:
        drawn = by_words(self._lengths[self._epoch], self._n_labelled_batches, rng)
        batches = [self._epoch[members] for members in drawn]
        if self._n_unlabelled_batches:
            # each epoch has others of them
            others = self._lengths[self._n_labelled :]
            drawn = by_words(others, self._n_all_unlabelled_batches, rng)
            batches += [m + self._n_labelled for m in drawn[: self._n_unlabelled_batches]]
            rng.shuffle(batches)
        for members in batches:
            yield self._batch(members)

    def _batch(self, members: npt.NDArray[np.int64]) -> JointBatch:
        """Return the minibatch of these sentences, the longest of them first."""
        words, batch_sizes = packed_rows(self._firsts[members], self._lengths[members])
        labelled = bool(members[0] < self._n_labelled)
        # all first words come first
        sentences = members[np.concatenate([np.arange(size) for size in batch_sizes])]
        forms, sizes = self._form_of[words], torch.from_numpy(batch_sizes)
        return JointBatch(words, forms, labelled, sentences, sizes, len(words))

    def share(self, batch: JointBatch, number: int, size: int) -> tuple[JointBatch | None, float]:
        return share_of(batch, number, size, "words", "forms", "sentences")

    def loss(self, batch: JointBatch, teacher: Teacher | None = None) -> Tensor:
        swaps = self._swaps if batch.labelled and teacher else None
        swapped = swaps is not None and draw_synthetic(self.synthetic)
        if swaps is not None and swapped:
            batch = replace(batch, forms=swaps(torch.from_numpy(batch.forms)).numpy())
        words = torch.from_numpy(batch.words).to(self.device)
        layout = Layout.of(batch.batch_sizes, self.device)
        # after the cut the teacher takes the place of the early outputs, which a small network
        # has no room for
        early = self.network.training and batch.labelled and teacher is None
        answers = self.network(self._inputs(batch), layout, early=early)
        targets: dict[str, Any] = {}
        if batch.labelled and teacher:
            targets = self._soft_targets(teacher, batch, words, layout, synthetic=swapped)
        elif self._beliefs:
            targets = self._believed(self._beliefs, words, layout)
        if swapped or not batch.labelled:  # there are no right answers, only soft targets
            losses = {
                name: self.heads[name].loss(
                    answers[name], words, layout, targets[name], synthetic=True
                )
                for name in self._taught
                if name in targets
            }
        else:
            losses = {
                name: head.loss(answers[name], words, layout, targets.get(name))
                for name, head in self.heads.items()
            }
            if self.network.early is not None and EARLY in answers:
                loss = self.network.early.loss(answers[EARLY], words)
                losses[EARLY] = self.config.early_weight * loss
        self.losses = {name: loss.detach() for name, loss in losses.items()}
        return torch.stack([*losses.values()]).sum()

    def _believed(self, beliefs: SoftTargets, words: Tensor, layout: Layout) -> dict[str, Any]:
        """Return what the teachers believe, by head; without the heads that they lack."""
        widths = {name: len(values) for name, values in self._values.items()}
        found = beliefs.read(words, widths | {"arcs": layout.places.shape[1] + 1})
        targets = {
            name: {table: found[table] for table in tables if table in found}
            for name, tables in self._taught.items()
        }
        return {name: tables for name, tables in targets.items() if tables}

    def _soft_targets(
        self, teacher: Teacher, batch: JointBatch, words: Tensor, layout: Layout, *, synthetic: bool
    ) -> dict[str, Any]:
        """Return a teacher's soft targets by head; remembered, unless synthetic."""
        n, widths = self._n_words, self._soft_widths
        if synthetic or widths is None or not teacher.remembers(widths, n):
            return self._asked(teacher, batch, words, layout, synthetic=synthetic)
        recalled = teacher.recall(words, self._all_soft_targets(teacher), widths, n)
        return {
            name: {table: recalled[f"{name}.{table}"] for table in tables}
            for name, tables in self._taught.items()
        }

    def _asked(
        self, teacher: Teacher, batch: JointBatch, words: Tensor, layout: Layout, *, synthetic: bool
    ) -> dict[str, Any]:
        """Ask a teacher about a minibatch; return its soft targets by head."""
        theirs = teacher(self._inputs(batch, hide=False), layout)
        return {
            name: head.soft_targets(theirs[name], words, layout, synthetic=synthetic)
            for name, head in self.heads.items()
        }

    def _all_soft_targets(self, teacher: Teacher) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """Yield numbers of words and a teacher's soft targets, until all words had theirs."""
        n_batches = max(1, self._n_words // ASKED_WORDS)
        # one pool, so that the sentences of a minibatch are of similar length
        rng = np.random.default_rng(0)
        for members in by_words(self._lengths[: self._n_labelled], n_batches, rng, pool=n_batches):
            batch = self._batch(members)
            words = torch.from_numpy(batch.words).to(self.device)
            layout = Layout.of(batch.batch_sizes, self.device)
            targets = self._asked(teacher, batch, words, layout, synthetic=False)
            named = {
                f"{name}.{table}": rows
                for name, tables in targets.items()
                for table, rows in tables.items()
            }
            yield words, named

    def _inputs(self, batch: JointBatch, *, hide: bool = True) -> Inputs:
        """Return what the encoder reads of a minibatch; `hide` turns on word dropout.

        The indices are made on the CPU, where the treebank is, so that a GPU is not waited for.
        """
        distinct, form_of = np.unique(batch.forms, return_inverse=True)
        on_device = torch.from_numpy(batch.forms).to(self.device)
        rows = self.forms.rows[on_device]
        if hide:
            self.forms.hide(rows, on_device)
        vectors = self._form_vectors
        return Inputs(
            rows,
            *self.ngrams.of(distinct),
            self.spellings.of(distinct),
            torch.from_numpy(form_of).to(self.device),
            batch.batch_sizes,
            None if vectors is None else vectors[torch.from_numpy(distinct).to(self.device)],
            self._states(batch),
            self._treebanks(batch),
            self._pieces(batch),
        )

    def _treebanks(self, batch: JointBatch) -> Tensor | None:
        """Return the number of each word's treebank, if there are several: (N,)."""
        if self._treebank_of is None:
            return None
        return torch.from_numpy(self._treebank_of[batch.sentences]).to(self.device)

    def _states(self, batch: JointBatch) -> Tensor | None:
        """Return the states of a minibatch's words by the pretrained encoder, if there is one."""
        states = self.sources.states
        if states is None:
            return None
        return torch.from_numpy(states.read(self._state_rows[batch.words])).to(self.device)

    def _pieces(self, batch: JointBatch) -> Pieces | None:
        """Return what the encoder that is trained reads of a minibatch, if there is one."""
        if self._fine_tuned is None:
            return None
        members = batch.sentences[: int(batch.batch_sizes[0])]
        lengths = self._lengths[members]
        sentences = [
            [self._form_names[form] for form in self._form_of[first : first + length].tolist()]
            for first, length in zip(self._firsts[members], lengths, strict=True)
        ]
        words, _ = packed_rows(np.cumsum(lengths) - lengths, lengths)
        return Pieces.of(self._fine_tuned, sentences, words, self.device)


TASK = JointTask


def _is_stored(name: str) -> bool:
    """Whether a parameter of the network goes into the model file."""
    return not _is_transformers(name) and not name.startswith(f"{EARLY}.")


def _is_transformers(name: str) -> bool:
    """Whether a parameter of the network is one of the pretrained encoder."""
    return name.startswith("encoder.transformer.")


def _tagged(
    forms: npt.NDArray[np.int64], tags: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return forms and tags of the words that have a tag, and one word of each other form.

    A form that never has a tag is given one of its own, so that it is alike to no other.
    """
    others = np.setdiff1d(forms, forms[known])
    own = int(tags.max()) + 1 + np.arange(len(others))
    return np.concatenate([forms[known], others]), np.concatenate([tags[known], own])


def fitting_words(n_words: int) -> int:
    """Return the words of a minibatch that give an epoch about 400 steps, within bounds."""
    return max(200, min(500, n_words // 400))


def _heads_to_train(train: Sequence[Sentence], config: JointConfig) -> dict[str, type[TrainedHead]]:
    """Return the heads to train, in order: those that the user wants, or all that have data.

    The tokenizer has a network of its own.
    """
    heads = (head for head in JOINT_HEADS if head.serves(config))
    found = {head.name: head for head in heads if head.is_in(train)}
    wanted = [name for name in config.heads if name != TOKENS]
    if config.heads and not wanted:
        raise ConfigError("`heads` tokens goes with another head, such as tags")
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ConfigError(
            f"the training file has no {' and no '.join(missing)}; choose others with `heads`"
        )
    if not found:
        raise DataError("the training file has no tags, no lemmas and no trees")
    return {name: head for name, head in found.items() if name in wanted or not wanted}
