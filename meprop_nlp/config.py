"""All settings of a training: the type, default, range and help text of each stand here, once.

The classes are frozen dataclasses; they check their values when they are made, and are stored in
the model file. The command line makes its options from their fields. Help texts give the unit of a
number, and name other settings in backticks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self, get_args

from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import (
    Config,
    Heading,
    Setting,
    listed,
    nearest,
    setting,
    setting_of,
    settings_of,
)
from meprop_nlp.threads import MAX_THREADS, MOST_THREADS

TopkMode = Literal["example", "unified", "random"]
Schedule = Literal["late", "paper"]
Criterion = Literal["magnitude", "reconstruction", "taylor", "hits", "random"]
OptimizerName = Literal["adam", "adagrad", "sgd"]
Activation = Literal["relu", "cube", "tanh"]
TransitionSystemName = Literal["arc-standard", "arc-hybrid", "arc-standard-swap"]
OracleName = Literal["static", "hybrid", "dynamic"]
Nonprojective = Literal["pseudo", "lift", "drop"]
TreeName = Literal["graph", "transitions"]

TOPK_MODES: tuple[str, ...] = get_args(TopkMode)
OPTIMIZERS: tuple[str, ...] = get_args(OptimizerName)
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
TRANSITION_SYSTEMS: tuple[str, ...] = get_args(TransitionSystemName)
ORACLES: tuple[str, ...] = get_args(OracleName)
NONPROJECTIVE: tuple[str, ...] = get_args(Nonprojective)
TREES: tuple[str, ...] = get_args(TreeName)
HeadName = Literal["tags", "lemmas", "tree"]
TAG_COLUMNS = ("upos", "xpos", "feats")
HEAD_NAMES: tuple[str, ...] = get_args(HeadName)
TOKENS = "tokens"  # the head that finds the tokens of a text; it has a network of its own

# Defaults that depend on the task, chosen on UD English EWT's dev: the learning rate, where it is
# not the optimiser's own; for meSimp, k as a share of the width, and the prune rate.
OPTIMIZER_RATES = {"adam": 0.001, "adagrad": 0.01, "sgd": 0.1}
LEARNING_RATES = {
    "tagger": {"adam": 0.003},
    "parser": {"adam": 0.002},
    "joint": {"adam": 0.002},
}
TRANSFORMER_RATE = 5e-5  # the learning rate of a pretrained encoder that is trained too
FINE_TUNING = 0.25  # of Adam's usual rate, where a training starts from a model
KEPT_SHARES = {"tagger": 0.1, "parser": 0.1, "joint": 0.15}
PRUNE_RATES = {"tagger": 0.18, "parser": 0.08, "joint": 0.18}
# Defaults of a training with a late cut: the whole network learns first, and after the cut the rest
# of it learns again.
SIMPLIFY_EPOCHS = 24
_LATE: dict[str, Any] = {"epochs": SIMPLIFY_EPOCHS, "lazy": True, "patience": 0}
LATE_TRAINING: dict[str, dict[str, Any]] = {
    "tagger": _LATE,
    "parser": _LATE,
    "joint": {"patience": 0},
}
# Defaults of the joint model's cut and training, chosen on UD English EWT's dev.
JOINT_KEEP = 0.37
JOINT_TRAINING: dict[str, Any] = {
    "epochs": 0,
    "warmup": 100,
    "beta2": 0.95,
    "average": 0.999,
    "patience": 0,
}


class BySize(NamedTuple):
    """A default that depends on the size of the treebank.

    Attributes:
        of_small: for one of `SMALL` words or fewer.
        of_large: for one of `LARGE` words or more.
    """

    of_small: float
    of_large: float

    def __call__(self, n_words: int) -> float:
        """Return the value for a treebank of so many words; in between, by their logarithm.

        >>> BySize(0.4, 0.2)(100_000)
        0.3
        """
        share = math.log(max(n_words, 1) / SMALL) / math.log(LARGE / SMALL)
        share = min(1.0, max(0.0, share))
        return round(self.of_small + share * (self.of_large - self.of_small), 4)

    def __str__(self) -> str:
        return (
            f"by the size of the training file, from {self.of_small:g} at {SMALL:,} words or fewer "
            f"to {self.of_large:g} at {LARGE:,} or more"
        )


SMALL, LARGE = 50_000, 200_000  # words
# The joint model's, chosen on the dev files of UD Turkish IMST and UD English EWT.
JOINT_DROPOUT = BySize(0.45, 0.33)
JOINT_WORD_DROPOUT = BySize(0.4, 0.25)
_WORD_DROPOUT = (
    "The a in a / (a + n), the chance that a word seen n times is read as unknown in training"
)

_WITH_LATE_CUT = "with `simplify` and the late `schedule`"


def _with_joint(name: str, value: float) -> dict[str, str]:
    """Return the default of a setting of the training for each network."""
    joint = JOINT_TRAINING[name]
    return {"tagger": f"{value:g}", "parser": f"{value:g}", "joint": f"{joint:g}"}


def dropout_by_width(width: int) -> float:
    """Return the parser's dropout for a hidden layer of this width, where the user gives none.

    It is proportional to the width, 0.4 for 500 neurons, and at most 0.5: a narrow layer, as a cut
    one is, has no capacity to spare. Chosen on UD English EWT's dev.
    """
    return min(0.5, 0.4 * width / 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class MePropConfig(Config):
    """Sparse backpropagation (meProp, section 2)."""

    heading = Heading.METHOD

    k: int | None = setting(
        None,
        at_least=0,
        help="Entries kept of each gradient (meProp); 0: plain backpropagation.",
        unless_given={
            "tagger": f"0, or with `simplify` {KEPT_SHARES['tagger']:g} of `hidden`",
            "parser": f"0, or with `simplify` {KEPT_SHARES['parser']:g} of `hidden`",
            "joint": f"{KEPT_SHARES['joint']:g} of `hidden`",
        },
    )
    topk_mode: TopkMode = setting(
        "example",
        metavar="MODE",
        help="Which entries are kept: the top k of each example, of the minibatch as a whole "
        f"(unified), or, for comparison, k at random: {listed(TOPK_MODES)}.",
    )

    def check_width(self, width: int) -> None:
        """Raise ConfigError when `k` is larger than the width of a layer."""
        self._demand("k", (self.k or 0) <= width, f"at most the layer's width, {width} (`hidden`)")


_FIRST_CUT = "a third of `epochs`, or 1 with `schedule` paper"
OF_SCHEDULE = {
    "late": ("keep", "criterion", "own_teacher"),
    "paper": ("prune_rate", "cycle", "cuts_per_epoch"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimplifyConfig(Config):
    """Model simplification (meSimp, section 3): when and what to cut."""

    heading = Heading.METHOD

    schedule: Schedule = setting(
        "late",
        help="When `simplify` cuts: late, once the whole network has learnt, down to `keep`; or "
        "paper, early and in stages, every neuron below `prune_rate` (meSimp, section 3).",
    )
    keep: float = setting(
        0.2,
        above=0,
        at_most=1,
        help="Share of the neurons that the late cut keeps.",
        unless_given={"tagger": "0.2", "parser": "0.2", "joint": f"{JOINT_KEEP:g}"},
    )
    criterion: Criterion = setting(
        "magnitude",
        help="How the late cut ranks neurons: magnitude, by the size of their incoming weights; "
        "or, for comparison: reconstruction, by how well the layer's effect on later layers can be "
        "restored from them; taylor, by how much the loss would change without them; hits, by how "
        "often they are in the top k; or random.",
    )
    prune_rate: float | None = setting(
        None,
        at_least=0,
        below=1,
        help="With `schedule` paper: a neuron is cut if it is in the top k of a smaller share of "
        "the examples.",
        unless_given={task: f"{rate:g}" for task, rate in PRUNE_RATES.items()},
    )
    cycle: int = setting(
        2,
        at_least=1,
        help="With `schedule` paper: this many epochs with cuts alternate with as many without.",
    )
    cuts_per_epoch: int = setting(
        8, at_least=1, help="With `schedule` paper: number of cuts in an epoch with cuts."
    )
    # at least 1; with the papers' schedule at least 0, the reference code's value
    first_cut_epoch: int | None = setting(
        None,
        help="Epochs before the first cut.",
        unless_given={
            "tagger": _FIRST_CUT,
            "parser": _FIRST_CUT,
            "joint": f"as many as an uncut network has where `epochs` is 0, else {_FIRST_CUT}",
        },
    )
    own_teacher: bool = setting(
        True,
        names=("own-teacher/no-teacher",),
        help="After the late cut, also learn from the whole network's answers, with a third of the "
        "dropout but all of the word dropout, also on sentences with words swapped for others of "
        "the same tag.",
    )
    min_neurons: int = setting(16, at_least=1, help="No layer is cut to fewer neurons.")

    def _demand_agreement(self) -> None:
        if self.first_cut_epoch is not None:
            least = 0 if self.schedule == "paper" else 1
            holds = self.first_cut_epoch >= least
            self._demand("first_cut_epoch", holds, f"a whole number of at least {least}")
        # refuse what the schedule would ignore; but the papers' schedule uses hits, and may say so
        other = "paper" if self.schedule == "late" else "late"
        for name in OF_SCHEDULE[other]:
            value, default = getattr(self, name), settings_of(type(self))[name].default
            if value != default and (other, value) != ("late", "hits"):
                shown = f"{name}={value}" if value is False else name
                raise ConfigError(f"`{shown}` goes with `schedule` {other}")

    @property
    def by_hits(self) -> bool:
        """Whether neurons are cut by how often they are in the top k."""
        return self.schedule == "paper" or self.criterion == "hits"

    def epochs_before(self, epochs: int) -> int:
        """Return the number of epochs before the first cut, in a training of `epochs`."""
        if self.first_cut_epoch is not None:
            return self.first_cut_epoch
        return 1 if self.schedule == "paper" else max(1, epochs // 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig(Config):
    """The training loop, for every task."""

    heading = Heading.TRAINING

    epochs: int = setting(
        8,
        at_least=0,
        help={
            "tagger": "Passes over the training file.",
            "parser": "Passes over the training file.",
            "joint": "Passes over the training file; 0: by its size, more for a small one.",
        },
        unless_given={
            "tagger": f"8, or {SIMPLIFY_EPOCHS} {_WITH_LATE_CUT}",
            "parser": f"8, or {SIMPLIFY_EPOCHS} {_WITH_LATE_CUT}",
            "joint": f"{JOINT_TRAINING['epochs']}",
        },
    )
    batch_size: int = setting(
        0,
        at_least=0,
        help={
            "tagger": "Sentences in a minibatch; 0: by the size of the training file.",
            "parser": "Transitions in a minibatch, of which a word has two; 0: by the size of the "
            "training file.",
            "joint": "Words in a minibatch; 0: by the size of the training file.",
        },
    )
    optimizer: OptimizerName = setting("adam", help=f"{listed(OPTIMIZERS)}.")
    learning_rate: float | None = setting(
        None,
        above=0,
        help="Peak learning rate.",
        unless_given={
            task: f"{rates['adam']:g} for Adam, 0.01 for AdaGrad and 0.1 for SGD"
            for task, rates in LEARNING_RATES.items()
        },
    )
    decay: bool = setting(
        True, help="Lower the learning rate linearly to zero; the papers keep it constant."
    )
    lazy: bool = setting(
        False,
        names=("lazy/exact",),
        help="With `lazy=True`, only the embeddings of words in the minibatch are updated, which "
        "is faster; with `lazy=False`, Adam's moments move the others too, as in the papers.",
        unless_given={
            "tagger": f"`lazy=False`, or `lazy=True` {_WITH_LATE_CUT}",
            "parser": f"`lazy=False`, or `lazy=True` {_WITH_LATE_CUT}",
            "joint": "`lazy=False`",
        },
    )
    warmup: int = setting(
        0,
        at_least=0,
        help="Minibatches over which the learning rate rises from zero.",
        unless_given=_with_joint("warmup", 0),
    )
    beta2: float = setting(
        0.999,
        at_least=0,
        below=1,
        help="Decay rate of Adam's second moments.",
        unless_given=_with_joint("beta2", 0.999),
    )
    average: float = setting(
        0.0,
        at_least=0,
        below=1,
        help="Decay rate of the weights' running average, which is scored and saved; 0: no "
        "average.",
        unless_given=_with_joint("average", 0),
    )
    clip: float = setting(5.0, at_least=0, help="Largest norm of the gradient; 0: no limit.")
    clip_value: float = setting(
        0.0,
        at_least=0,
        help="Largest entry of the gradient, as in the reference code; 0: no limit.",
    )
    weight_decay: float = setting(0.0, at_least=0, help="L2 penalty, added to the gradient.")
    patience: int = setting(
        5,
        at_least=0,
        help="Stop after this many epochs without a better dev score; 0: never.",
        unless_given={
            "tagger": f"5, or 0 {_WITH_LATE_CUT}",
            "parser": f"5, or 0 {_WITH_LATE_CUT}",
            "joint": f"{JOINT_TRAINING['patience']}",
        },
    )
    # numpy and torch take no larger seed
    seed: int = setting(
        1,
        at_least=0,
        at_most=2**63 - 1,
        in_words="a whole number from 0 to 2^63 - 1",
        help="Seed of all random numbers.",
    )
    threads: int = setting(
        0,
        at_least=0,
        at_most=MOST_THREADS,
        names=("threads", "t"),
        heading=Heading.RUN,
        help="CPU threads; 0: OMP_NUM_THREADS if set, else as many as there are CPUs, up to "
        f"{MAX_THREADS}.",
    )
    device: str = setting(
        "auto", names=("device", "d"), heading=Heading.RUN, help="auto, cpu, cuda or cuda:N."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerConfig(Config):
    """The BiLSTM tagger (meProp, section 4.1: POS-Tag)."""

    heading = Heading.NETWORK

    columns: tuple[str, ...] = setting(
        (),
        choices=TAG_COLUMNS,
        distinct=True,
        heading=Heading.DATA,
        metavar="NAMES",
        help="Columns to predict, such as upos,feats; unless given, each of upos, xpos and feats "
        "that the training file fills.",
    )
    hidden: int = setting(500, at_least=1, help="LSTM units in each direction.")
    word_dim: int = setting(50, at_least=1, help="Width of the word embeddings.")
    feature_dim: int = setting(
        20, at_least=1, help="Width of each of the seven feature embeddings."
    )
    dropout: float = setting(
        0.5,
        at_least=0,
        below=1,
        help="Share of the LSTM's outputs dropped in training.",
    )
    input_dropout: float | None = setting(
        None,
        at_least=0,
        below=1,
        help="Share of the embeddings' values dropped in training; unless given, half of "
        "`dropout`.",
    )
    word_dropout: float = setting(
        1.0,
        at_least=0,
        help=f"{_WORD_DROPOUT}.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserConfig(Config):
    """The transition-based parser (Chen & Manning 2014; meProp, section 4.1: Parsing)."""

    heading = Heading.NETWORK

    tag_columns: tuple[str, ...] = setting(
        (),
        choices=TAG_COLUMNS,
        heading=Heading.DATA,
        metavar="NAMES",
        help="Tags that the parser reads, such as upos,feats; unless given, the first two of upos, "
        "xpos and feats that the training file fills.",
    )
    jackknife: int = setting(
        0,
        at_least=0,
        heading=Heading.DATA,
        in_words="0, or a whole number of at least 2",
        help="Learn from predicted tags: the training sentences are split into this many parts, "
        "and each is tagged by a small tagger that learns from the others; dev by one that learns "
        "from all. Test files keep their tags. 0: learn from the tags in the file.",
    )
    hidden: int = setting(500, at_least=1, help="Neurons of each hidden layer.")
    layers: int = setting(1, at_least=1, at_most=5, help="Hidden layers, 1 to 5.")
    activation: Activation = setting("relu", help=f"{listed(ACTIVATIONS)}.")
    embedding_dim: int = setting(
        50, at_least=1, names=("embedding-dim", "word-dim"), help="Width of each embedding."
    )
    dropout: float | None = setting(
        None,
        at_least=0,
        below=1,
        help="Share of the hidden layers' values dropped in training; unless given, in proportion "
        f"to the width, {dropout_by_width(500):g} for 500 neurons.",
    )
    input_dropout: float | None = setting(
        None,
        at_least=0,
        below=1,
        help="Share of the embeddings' values dropped in training; unless given, half of "
        "`dropout`, or 0.3 if that is not given either.",
    )
    word_dropout: float = setting_of(TaggerConfig, "word_dropout", default=0.25)
    transition_system: TransitionSystemName = setting(
        "arc-standard", heading=Heading.TRANSITIONS, help=f"{listed(TRANSITION_SYSTEMS)}."
    )
    oracle: OracleName = setting(
        "static",
        heading=Heading.TRANSITIONS,
        help=f"{listed(ORACLES)}. hybrid allows two transitions where their order is free "
        "(arc-standard only); dynamic learns from the parser's own mistakes from the second epoch "
        "on (arc-hybrid only).",
    )
    nonprojective: Nonprojective = setting(
        "pseudo",
        heading=Heading.TRANSITIONS,
        help=f"What to do with non-projective training trees: {listed(NONPROJECTIVE)}; "
        "arc-standard-swap learns them as they are.",
    )

    def _demand_agreement(self) -> None:
        expected = settings_of(type(self))["jackknife"].expected
        self._demand("jackknife", self.jackknife != 1, expected)
        only = {"hybrid": "arc-standard", "dynamic": "arc-hybrid"}.get(self.oracle)
        if only and self.transition_system != only:
            raise ConfigError(
                f"`oracle` {self.oracle} is defined for `transition_system` {only} only; "
                f"found {self.transition_system}; use `oracle` static, or that system"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class JointConfig(Config):
    """One encoder under tags, lemmas and trees.

    The encoder is a stack of BiLSTM layers over vectors that depend on the word form alone; the
    tree head scores each pair of words (Dozat & Manning 2017), or builds trees by transitions
    (Kiperwasser & Goldberg 2016).
    """

    heading = Heading.NETWORK

    heads: tuple[str, ...] = setting(
        (),
        choices=(TOKENS, *HEAD_NAMES),
        distinct=True,
        heading=Heading.DATA,
        metavar="NAMES",
        help="What to predict, such as tags,tree; unless given, each of tokens, tags, lemmas and "
        "tree that the training file has. tokens finds sentences and words in plain text, and "
        "needs `# text` or SpaceAfter=No.",
    )
    columns: tuple[str, ...] = setting_of(TaggerConfig, "columns")
    hidden: int = setting_of(TaggerConfig, "hidden", default=300)
    layers: int = setting(3, at_least=1, at_most=5, help="BiLSTM layers, 1 to 5.")
    word_dim: int = setting_of(TaggerConfig, "word_dim", default=100)
    feature_dim: int = setting_of(TaggerConfig, "feature_dim", default=30)
    ngram_dim: int = setting(
        100, at_least=1, help="Width of the embeddings of character n-grams, which are averaged."
    )
    ngram_rows: int = setting(
        20_000, at_least=1, help="Rows of the table that the character n-grams are hashed to."
    )
    character_dim: int = setting(32, at_least=1, help="Width of the embeddings of characters.")
    spelling_dim: int = setting(
        64, at_least=1, help="Units in each direction of the LSTM that reads a form's characters."
    )
    pretrained_dim: int = setting(
        200,
        at_least=1,
        help="With `pretrained`: width of the vector that is made of a word's states.",
    )
    treebank_dim: int = setting(
        16, at_least=1, help="With `treebank_id`: width of the embeddings of treebanks."
    )
    lemma_dim: int = setting(128, at_least=1, help="Neurons of the lemma head's hidden layer.")
    tag_dim: int = setting(
        64, at_least=1, help="Width of the vector of tags that the tree head reads."
    )
    tree: TreeName = setting(
        "graph",
        help=f"How trees are found: {listed(TREES)}. graph scores all pairs of words and takes the "
        "best tree; transitions builds the tree from left to right: by arc-hybrid, with a dynamic "
        "oracle, or by arc-standard-swap where many training trees are non-projective; it does not "
        "learn from sentences in which a word lacks its head or label.",
    )
    arc_dim: int = setting(
        300,
        at_least=1,
        help="Width of the vectors that arcs are scored by; with `tree` transitions, neurons of "
        "the hidden layer.",
    )
    label_dim: int = setting(
        100,
        at_least=1,
        help="Width of the vectors that labels are scored by, with `tree` graph.",
    )
    dropout: float | None = setting(
        None,
        at_least=0,
        below=1,
        help="Share of the values dropped after each layer in training.",
        unless_given=str(JOINT_DROPOUT),
    )
    input_dropout: float | None = setting_of(TaggerConfig, "input_dropout")
    part_dropout: float = setting(
        0.2,
        at_least=0,
        below=1,
        help="Chance that a part of a word's vector, such as its suffix, is dropped in training.",
    )
    word_dropout: float | None = setting(
        None,
        at_least=0,
        help=f"{_WORD_DROPOUT}.",
        unless_given=str(JOINT_WORD_DROPOUT),
    )
    smoothing: float = setting(
        0.1,
        at_least=0,
        below=1,
        help="Label smoothing of tags, lemmas and what is predicted early (`early_weight`).",
    )
    early_weight: float = setting(
        0.3,
        at_least=0,
        help="Weight of the losses of tags and, with `tree` graph, relations that are also "
        "predicted, in training only, from a word's vector and from the first layer; 0: none.",
    )

    def fitted(self, n_words: int) -> Self:
        """Return the configuration with the defaults for a treebank of so many words."""
        given, hidden = self.dropout, self.word_dropout
        return replace(
            self,
            dropout=JOINT_DROPOUT(n_words) if given is None else given,
            word_dropout=JOINT_WORD_DROPOUT(n_words) if hidden is None else hidden,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerConfig(Config):
    """The network that finds sentences and tokens: a BiLSTM over the characters of a text."""

    heading = Heading.NETWORK

    hidden: int = setting(64, at_least=1, help="Units in each direction.")
    character_dim: int = setting(32, at_least=1, help="Width of the embeddings of characters.")
    k: int = setting(16, at_least=0, help="Entries kept of each gradient; 0: all of them.")
    dropout: float = setting(0.2, at_least=0, below=1, help="Share of the values dropped.")
    character_dropout: float = setting(
        0.02, at_least=0, below=1, help="Share of the characters that are read as unknown."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge(Config):
    """What a training draws on beside its treebank."""

    heading = Heading.KNOWLEDGE

    vectors: str | None = setting(
        None,
        metavar="FILE",
        help="Pretrained word vectors, the most frequent words first: a text file of word2vec, "
        "GloVe or fastText, or word2vec's binary form. A network with the encoder bilstm reads "
        "them beside its own embeddings, does not train them, and takes any width; words that the "
        "training file lacks have theirs too. Another starts its word embeddings from them, which "
        "must have that width (`word_dim`).",
    )
    vectors_limit: int = setting(
        100_000,
        at_least=0,
        help="A network with the encoder bilstm keeps so many words from the beginning of "
        "`vectors`, and all words of the training file.",
    )

    pretrained: str | None = setting(
        None,
        metavar="FOLDER",
        help="Folder with a pretrained encoder of Hugging Face transformers, such as BERT: its "
        "states are read beside the words' own vectors, frozen unless `fine_tune`. Annotating "
        "needs the folder too. For the package: pip install 'meprop-nlp[transformers]'.",
    )
    fine_tune: bool = setting(
        False,
        names=("fine-tune",),
        help="Train the weights of `pretrained` too, best on a GPU: on a CPU, training is several "
        "times slower than with frozen states. They are kept in a folder beside the model, "
        "NAME.encoder, which annotating needs in place of `pretrained`.",
    )
    fine_tune_rate: float = setting(
        TRANSFORMER_RATE,
        above=0,
        help="With `fine_tune`: peak learning rate of the encoder's own weights, which rises and "
        "falls as `learning_rate` does.",
    )
    treebank_id: list[str] | None = setting(
        None,
        metavar="NAME",
        help="Name of the treebank of each training file, in the same order, for a small treebank "
        "beside a large related one: words are read with an embedding of their treebank, small "
        "treebanks are repeated, and dev is scored as the first.",
    )
    teacher: list[str] | None = setting(
        None,
        metavar="MODEL",
        help="A model of train to learn from: how probable it holds each answer, beside the right "
        "answers of the treebank. May be given again: the models are then averaged.",
    )
    teacher_pretrained: list[str] | None = setting(
        None,
        metavar="FOLDER",
        help="Folder of the pretrained encoder that a `teacher` was trained with, where it is no "
        "longer where it was then; not needed if it is `pretrained`. May be given again.",
    )
    teachers: int = setting(
        0,
        at_least=0,
        help="Train so many models with other seeds first, beside the output, and learn from them "
        "as from `teacher`.",
    )
    unlabelled: list[str] | None = setting(
        None,
        metavar="FILE",
        help="Sentences without annotation, which the teachers annotate: a sentence a line, words "
        "separated by spaces, # begins a comment; or CoNLL. May be given again.",
    )
    unlabelled_share: float = setting(
        0.5,
        above=0,
        below=1,
        in_words="a number between 0 and 1",
        help="Share of the minibatches that are of `unlabelled` sentences, or of swapped ones.",
    )
    swapped_copies: int = setting(
        4,
        at_least=0,
        help="Where teachers have no `unlabelled` sentences, they annotate so many copies of the "
        "treebank with half of the words swapped for others with the same tags. 0: none.",
    )
    cache: str | None = setting(
        None,
        metavar="DIR",
        help="Folder that keeps what takes long for further trainings: the states of `pretrained`, "
        "some kilobytes a word, and what each `teacher` answered, about a hundred bytes.",
    )

    init_from: str | None = setting(
        None,
        metavar="MODEL",
        help="Start from the weights of this model of `meprop-nlp train`, in place of random ones. "
        "Labels and heads may differ; the words that it knows stay known. The network has its "
        "widths, and stays cut where it was cut. Adam's learning rate, unless "
        f"given, is {FINE_TUNING:g} of the usual one.",
    )

    def _demand_agreement(self) -> None:
        given = {
            name for name, s in settings_of(Knowledge).items() if getattr(self, name) != s.default
        }
        for name, other in (
            ("vectors_limit", "vectors"),
            ("fine_tune", "pretrained"),
            ("fine_tune_rate", "fine_tune"),
        ):
            if name in given and not getattr(self, other):
                raise ConfigError(f"`{name}` goes with `{other}`")
        if self.teacher_pretrained and not self.teacher:
            raise ConfigError("`teacher_pretrained` goes with `teacher`")
        if self.teachers and self.treebank_id:
            raise ConfigError("`teachers` and `treebank_id` exclude each other; use `teacher`")
        if self.cache is not None and not (self.teacher or self.teachers):
            if self.fine_tune:
                raise ConfigError(
                    "`cache` and `fine_tune` exclude each other without `teacher`: the states of "
                    "an encoder that is trained change with each minibatch, so that none are kept"
                )
            if not self.pretrained:
                raise ConfigError("`cache` goes with `pretrained`, `teacher` or `teachers`")
        if any(not name or "\t" in name or "\n" in name for name in self.treebank_id or ()):
            raise ConfigError("`treebank_id` is empty or has a tab or a line break in it")
        for name in ("unlabelled", "unlabelled_share", "swapped_copies"):
            if name in given and not (self.teacher or self.teachers):
                raise ConfigError(f"`{name}` goes with `teacher` or `teachers`, which annotate it")
        if self.unlabelled and "swapped_copies" in given:
            raise ConfigError("`swapped_copies` and `unlabelled` exclude each other")
        if self.pretrained and "swapped_copies" in given:
            raise ConfigError(
                "`swapped_copies` and `pretrained` exclude each other: the states of a pretrained "
                "encoder are those of sentences as they are"
            )
        if "unlabelled_share" in given and not (self.unlabelled or self.swapped_copies):
            raise ConfigError("`unlabelled_share` goes with `unlabelled` or `swapped_copies`")

    @property
    def files(self) -> list[str]:
        """Return the files that are read."""
        files = [path for path in (self.vectors, self.init_from) if path]
        return [*files, *(self.teacher or ()), *(self.unlabelled or ())]


# the settings of a task's network
NETWORKS: dict[str, Any] = {
    "tagger": TaggerConfig,
    "parser": ParserConfig,
    "joint": JointConfig,
}

# The joint model's head that does the work of a tagger or a parser. With `encoder` bilstm these are
# the joint model with this head alone, which has no use for some of its settings.
HEAD_OF = {"tagger": "tags", "parser": "tree"}
_BESIDE = {"treebank_dim", "pretrained_dim"}
_USELESS = {
    "tagger": {"heads", "tree", "lemma_dim", "tag_dim", "arc_dim", "label_dim", *_BESIDE},
    "parser": {"heads", "columns", "lemma_dim", "tag_dim", *_BESIDE},
}
BILSTM = "bilstm"
_ENCODER = Setting(
    name="encoder",
    annotation=str,
    heading=Heading.NETWORK,
    help="Network that reads the words: {own}; or bilstm, the BiLSTM layers of the joint model. "
    "With bilstm, the network is the joint model with its {head} head alone, and has its defaults.",
)
# the choice of an encoder, by task
ENCODERS = {
    "tagger": _ENCODER._replace(
        choices=("lstm", BILSTM),
        default="lstm",
        help=str(_ENCODER.help).format(
            own="lstm, one BiLSTM over the words' embeddings", head="tag"
        ),
    ),
    "parser": _ENCODER._replace(
        choices=("table", BILSTM),
        default="table",
        help=str(_ENCODER.help).format(
            own="table, the embeddings of the words around a state (Chen & Manning 2014)",
            head="tree",
        ),
    ),
}

_SIMPLIFY = Setting(
    name="simplify",
    annotation=bool,
    default=False,
    heading=Heading.METHOD,
    names=("simplify",),
    help="Also cut the network down to a small and fast one (meSimp); training takes longer.",
)
_OF_NO_CLASS = ("encoder", "simplify")  # arguments of `Settings.of` alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one training.

    Attributes:
        network: settings of the task's network.
        meprop: which entries of each gradient are kept; a dict of settings is taken too, also for
            the next two.
        simplify: when and what to cut; None: nothing is cut.
        training: settings of the training loop.
        given: the names of the settings that are known to have been given by the user, even where
            they have the values of defaults.

    Raises:
        ConfigError: they cannot work together.
    """

    network: TaggerConfig | ParserConfig | JointConfig
    meprop: MePropConfig = field(default_factory=MePropConfig)
    simplify: SimplifyConfig | None = None
    training: TrainingConfig = field(default_factory=TrainingConfig)
    given: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.network, Config):  # experiments have networks of their own
            names = listed([config.__name__ for config in NETWORKS.values()])
            raise ConfigError(
                f"`network` is of type {type(self.network).__name__}, expected {names}; "
                "Settings.of takes settings by name, such as Settings.of('tagger', hidden=200)"
            )
        for name, config in _PARTS.items():  # a dict becomes an object of its class
            part = getattr(self, name)
            if part is not None or name != "simplify":
                object.__setattr__(self, name, config.given(part, name))
        self.meprop.check_width(self.network.hidden)
        if self.simplify is None:
            return
        if self.simplify.by_hits:
            self._demand_hits()
        epochs = self.training.epochs
        before = self.simplify.epochs_before(epochs)
        if before >= epochs > 0:
            raise ConfigError(
                f"`first_cut_epoch` is {before}, but training ends after {epochs} epochs, so "
                "nothing would be cut; give more `epochs` or a smaller `first_cut_epoch`"
            )

    def _demand_hits(self) -> None:
        """Raise ConfigError unless hits can be counted, and do not depend on chance."""
        if not self.meprop.k:
            raise ConfigError(
                "`schedule` paper and `criterion` hits count which neurons are in the top k, so "
                "they need `k`, for instance `k=20`"
            )
        if self.meprop.topk_mode == "random":
            raise ConfigError(
                "`topk_mode` random draws neurons by chance, so its counts cannot say which to "
                "cut; use `topk_mode` example or unified"
            )

    @property
    def demands_trees(self) -> bool | None:
        """Whether all sentences must have trees; None: words may lack heads, see `read`."""
        if isinstance(self.network, JointConfig):
            return None if "tree" in self.network.heads or not self.network.heads else False
        return isinstance(self.network, ParserConfig)

    @property
    def task(self) -> str:
        """The task that the network is for, a key of `NETWORKS`."""
        return next(task for task, config in NETWORKS.items() if isinstance(self.network, config))

    @staticmethod
    def choices(task: str, encoder: str | None = None) -> Iterator[Setting]:
        """Yield all settings that `of` takes for a task and an encoder, as their options stand."""
        useless: set[str] = set()
        if task in ENCODERS:
            yield ENCODERS[task]
            if encoder == BILSTM:
                useless, task = _USELESS[task], "joint"
        for name, described in settings_of(NETWORKS[task]).items():
            if name not in useless:
                yield described
        shared = [
            *settings_of(MePropConfig).values(),
            _SIMPLIFY,
            *settings_of(SimplifyConfig).values(),
            *settings_of(TrainingConfig).values(),
        ]
        for described in shared:
            yield described.of_network(task)

    @classmethod
    def of(
        cls, task: str, *, encoder: str | None = None, simplify: bool = False, **given: Any
    ) -> Settings:
        """Return the settings of a training, from those that the user gives by name.

        With `simplify`, some defaults of a tagger or parser differ: `k` is a share of `hidden`;
        with a late cut, training is `lazy` and has more `epochs`, all of which it takes. The joint
        model's `k` is such a share in any case, and a late cut more than doubles its epochs.

        >>> Settings.of("parser", hidden=200, simplify=True).meprop.k
        20

        Args:
            task: `tagger`, `parser` or `joint`.
            encoder: of a tagger, lstm or bilstm; of a parser, table or bilstm; None: the first.
                With bilstm, what is trained is the joint model with one head: see `Settings.task`.
            simplify: whether to cut neurons.
            given: any field of the task's network, MePropConfig, SimplifyConfig or TrainingConfig,
                also by another name of its option.

        Raises:
            ConfigError: a name is unknown, a value is out of range, or a setting would have no
                effect without another.
        """
        given = _own_names(task, encoder, given)
        if encoder == BILSTM:
            given["heads"] = (HEAD_OF[task],)
            task = "joint"

        def make(config: type[Config], **defaults: Any) -> Any:
            return config(
                **defaults | {n: given[n] for n in config.__dataclass_fields__ if n in given}
            )

        network = make(NETWORKS[task])
        kept = usual_k(task, network.hidden)
        names = frozenset(given)
        own = JOINT_TRAINING if task == "joint" else {}
        if not simplify:
            _demand_use(given, kept if task == "joint" else None)
            meprop = make(MePropConfig, **({"k": kept} if task == "joint" else {}))
            training = make(TrainingConfig, **own)
            return cls(network=network, meprop=meprop, training=training, given=names)
        is_late = given.get("schedule", "late") == "late"
        cuts = make(SimplifyConfig, **({"keep": JOINT_KEEP} if task == "joint" and is_late else {}))
        late = LATE_TRAINING[task] if cuts.schedule == "late" else {}
        return cls(
            network=network,
            meprop=make(MePropConfig, k=kept),
            simplify=cuts,
            training=make(TrainingConfig, **own | late),
            given=names,
        )


# the settings of a training beside those of its network
_PARTS: dict[str, type[Config]] = {
    "meprop": MePropConfig,
    "simplify": SimplifyConfig,
    "training": TrainingConfig,
}


def usual_k(task: str, hidden: int) -> int:
    """Return the `k` of a network of this width, where the user gives none."""
    return max(1, round(KEPT_SHARES[task] * hidden))


def _own_names(task: str, encoder: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by the names of their fields.

    Raises:
        ConfigError: a setting is unknown, given twice, or one that only another encoder has.
    """
    if encoder is not None:
        if task not in ENCODERS:
            raise ConfigError(f"`encoder` goes with {listed(tuple(ENCODERS))}, not with {task}")
        ENCODERS[task].demand(encoder)
    choices = [about for about in Settings.choices(task, encoder) if about.name not in _OF_NO_CLASS]
    aliases = [(name, about.name) for about in choices for name in about.names if len(name) > 1]
    fields = {alias.replace("-", "_"): name for alias, name in aliases}
    fields |= {about.name: about.name for about in choices}
    unknown = sorted(set(given) - set(fields))
    others = ENCODERS[task].choices if task in ENCODERS else ()
    for name in unknown:
        for other in others:
            if name in {about.name for about in Settings.choices(task, other)}:
                raise ConfigError(f"`{name}` goes with `encoder` {other}")
    if unknown:
        raise ConfigError(
            f"a {task} has no setting {', '.join(map(repr, unknown))}{nearest(unknown, fields)}"
        )
    for name in given:
        if name != fields[name] and fields[name] in given:
            raise ConfigError(f"`{name}` is another name of `{fields[name]}`; give one of them")
    return {fields[name]: value for name, value in given.items()}


def _demand_use(given: Mapping[str, Any], usual_k: int | None) -> None:
    """Raise ConfigError for settings that have no effect without `simplify` or `k`."""
    if not given.get("k", usual_k) and given.get("topk_mode", "example") != "example":
        raise ConfigError("`topk_mode` goes with `k`; give `k`, for instance `k=20`")
    for name, described in settings_of(SimplifyConfig).items():
        if name in given and given[name] != described.default:
            raise ConfigError(f"`{name}` goes with `simplify`")
