"""Everything a user can set, as frozen dataclasses: validated when made, stored in the model file.

Command-line options take their defaults from here, so that each default is written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import Config, is_whole
from meprop_nlp.threads import demand_threads

__all__ = [
    "ACTIVATIONS",
    "CRITERIA",
    "KEPT_SHARES",
    "LATE_TRAINING",
    "NONPROJECTIVE",
    "OPTIMIZERS",
    "ORACLES",
    "PRUNE_RATES",
    "SCHEDULES",
    "SIMPLIFY_EPOCHS",
    "TAG_COLUMNS",
    "TOPK_MODES",
    "TRANSITION_SYSTEMS",
    "Config",
    "Criterion",
    "MePropConfig",
    "ParserConfig",
    "SimplifyConfig",
    "TaggerConfig",
    "TrainingConfig",
    "dropout_by_width",
]

TopkMode = Literal["example", "unified", "random"]
Schedule = Literal["late", "paper"]
Criterion = Literal["magnitude", "reconstruction", "taylor", "hits", "random"]
OptimizerName = Literal["adam", "adagrad", "sgd"]
Activation = Literal["relu", "cube", "tanh"]
TransitionSystemName = Literal["arc-standard", "arc-hybrid", "arc-standard-swap"]
OracleName = Literal["static", "hybrid", "dynamic"]
Nonprojective = Literal["pseudo", "lift", "drop"]

TOPK_MODES: tuple[str, ...] = get_args(TopkMode)
SCHEDULES: tuple[str, ...] = get_args(Schedule)
CRITERIA: tuple[str, ...] = get_args(Criterion)
OPTIMIZERS: tuple[str, ...] = get_args(OptimizerName)
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
TRANSITION_SYSTEMS: tuple[str, ...] = get_args(TransitionSystemName)
ORACLES: tuple[str, ...] = get_args(OracleName)
NONPROJECTIVE: tuple[str, ...] = get_args(Nonprojective)
TAG_COLUMNS = ("upos", "xpos", "feats")
# Epochs with --simplify: the uncut network must have learnt, and what is left of it learn again.
SIMPLIFY_EPOCHS = 24
# and what else it takes, where nothing is named
LATE_TRAINING: dict[str, Any] = {"lazy": True, "patience": 0}
# For --simplify without --k and --prune-rate, chosen on UD English EWT's dev: k as a share of
# --hidden, and what a neuron must reach.
KEPT_SHARES = {"tagger": 0.1, "parser": 0.1}
PRUNE_RATES = {"tagger": 0.18, "parser": 0.08}


def dropout_by_width(width: int) -> float:
    """The share of a hidden layer's values left out in training, where the user names none.

    A narrow layer has nothing to spare, and one that is cut loses what it had: 0.4 of 500 neurons,
    in proportion to the width, at most 0.5. Chosen on UD English EWT's dev.
    """
    return min(0.5, 0.4 * width / 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class MePropConfig(Config):
    """Sparse backpropagation (meProp, section 2)."""

    k: int | None = None  # how many entries of each gradient survive; None or 0: plain backprop
    topk_mode: TopkMode = "example"

    def __post_init__(self) -> None:
        holds = self.k is None or (is_whole(self.k) and self.k >= 0)
        self._demand("k", holds, "a whole number of at least 0")
        self._demand_choice("topk_mode", TOPK_MODES)

    def check_width(self, width: int) -> None:
        """Raise ConfigError when more entries are to be kept than a layer has."""
        self._demand("k", (self.k or 0) <= width, f"at most the layer's width, {width} (--hidden)")


_OF_SCHEDULE = {
    "late": ("keep", "criterion", "teacher"),
    "paper": ("prune_rate", "cycle", "cuts_per_epoch"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimplifyConfig(Config):
    """Model simplification (meSimp, section 3): when and what to cut."""

    # late: once, when the whole network has learnt; paper: in stages, from early on
    schedule: Schedule = "late"
    keep: float = 0.2  # late: the share of a layer's neurons that is left
    criterion: Criterion = "magnitude"  # late: which of them
    teacher: bool = True  # late: what is left learns the whole network's answers too
    # epochs before the first cut; None: late a third of all, paper 1 (the reference: 0)
    first_cut_epoch: int | None = None
    # paper: a neuron in the top-k of fewer examples than this share goes; None: Task.prune_rate
    prune_rate: float | None = None
    cycle: int = 2  # paper: epochs of cutting, then as many of plain training, and again
    cuts_per_epoch: int = 8  # paper
    min_neurons: int = 16  # a layer is never cut below this

    def __post_init__(self) -> None:
        self._demand_choice("schedule", SCHEDULES)
        self._demand_choice("criterion", CRITERIA)
        self._demand("keep", 0 < self.keep <= 1, "a number above 0, up to 1")
        self._demand_share_or_none("prune_rate")
        self._demand_positive("cycle", "cuts_per_epoch", "min_neurons")
        if self.first_cut_epoch is not None:
            least = 0 if self.schedule == "paper" else 1
            holds = is_whole(self.first_cut_epoch) and self.first_cut_epoch >= least
            self._demand("first_cut_epoch", holds, f"a whole number of at least {least}")
        self._demand_of_schedule()

    def _demand_of_schedule(self) -> None:
        """Raise ConfigError for a setting that the schedule would ignore."""
        other = "paper" if self.schedule == "late" else "late"
        for name in _OF_SCHEDULE[other]:
            value, default = getattr(self, name), type(self).__dataclass_fields__[name].default
            # the papers' schedule goes by hits, and may say so
            if value != default and (other, value) != ("late", "hits"):
                option = ("no-" if value is False else "") + name.replace("_", "-")
                raise ConfigError(f"--{option} goes with --schedule {other}")

    @property
    def by_hits(self) -> bool:
        """Whether it is counted which neurons are in the top k, to cut by that."""
        return self.schedule == "paper" or self.criterion == "hits"

    def epochs_before(self, epochs: int) -> int:
        """Return after how many of all epochs the first cuts are made."""
        if self.first_cut_epoch is not None:
            return self.first_cut_epoch
        return 1 if self.schedule == "paper" else max(1, epochs // 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig(Config):
    """The training loop, for every task."""

    epochs: int = 8
    batch_size: int = 0  # sentences or transitions; 0: by the size of the data
    optimizer: OptimizerName = "adam"
    learning_rate: float | None = None  # None: by task and optimiser, Task.learning_rates
    decay: bool = True  # let the learning rate fall linearly to zero; the papers keep it constant
    lazy: bool = False  # leave table rows without a gradient alone; exact Adam moves them on
    clip: float = 5.0  # largest norm of the gradient; 0: no clipping, as in the papers
    clip_value: float = 0.0  # largest entry of the gradient, as in the reference code; 0: any
    weight_decay: float = 0.0  # L2 penalty, added to the gradient
    patience: int = 5  # stop after so many epochs without a better dev score; 0: never
    seed: int = 1
    threads: int = 0  # 0: as many as this process may use
    device: str = "auto"

    def __post_init__(self) -> None:
        self._demand_positive("epochs")
        self._demand("batch_size", self.batch_size >= 0, "a whole number of at least 0")
        self._demand_choice("optimizer", OPTIMIZERS)
        self._demand(
            "learning_rate",
            self.learning_rate is None or 0 < self.learning_rate < float("inf"),
            "more than 0",
        )
        for name in ("clip", "clip_value", "weight_decay"):
            self._demand(name, 0 <= getattr(self, name) < float("inf"), "at least 0")
        self._demand("patience", self.patience >= 0, "a whole number of at least 0")
        # numpy and torch take no larger seed
        self._demand("seed", 0 <= self.seed < 2**63, "a whole number from 0 to 2^63 - 1")
        demand_threads(self.threads)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerConfig(Config):
    """The BiLSTM tagger (meProp, section 4.1: POS-Tag)."""

    columns: tuple[str, ...] = ()  # what to predict; empty: each column the training file fills
    hidden: int = 500  # LSTM units per direction
    word_dim: int = 50
    feature_dim: int = 20
    dropout: float = 0.5  # of the LSTM's outputs
    input_dropout: float | None = None  # of embeddings; None: dropout / 2
    word_dropout: float = 1.0  # a in a / (a + count): the chance that a word is hidden as unknown

    def __post_init__(self) -> None:
        self._demand(
            "columns",
            set(self.columns) <= set(TAG_COLUMNS) and len(set(self.columns)) == len(self.columns),
            "any of " + ", ".join(TAG_COLUMNS) + ", each once",
        )
        self._demand_positive("hidden", "word_dim", "feature_dim")
        self._demand_share("dropout")
        self._demand_share_or_none("input_dropout")
        self._demand("word_dropout", 0 <= self.word_dropout < float("inf"), "at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserConfig(Config):
    """The transition-based parser (Chen & Manning 2014; meProp, section 4.1: Parsing)."""

    # which columns are its tags; empty: the first two of UPOS, XPOS, FEATS that are filled
    tag_columns: tuple[str, ...] = ()
    hidden: int = 500
    layers: int = 1  # hidden layers
    activation: Activation = "relu"
    embedding_dim: int = 50
    dropout: float | None = None  # of hidden layers; None: by width, see dropout_by_width
    input_dropout: float | None = None  # of embeddings; None: dropout / 2, and 0.3 without one
    word_dropout: float = 0.25
    transition_system: TransitionSystemName = "arc-standard"
    oracle: OracleName = "static"
    nonprojective: Nonprojective = "pseudo"

    def __post_init__(self) -> None:
        self._demand(
            "tag_columns",
            set(self.tag_columns) <= set(TAG_COLUMNS),
            "any of " + ", ".join(TAG_COLUMNS),
        )
        self._demand_positive("hidden", "embedding_dim")
        self._demand("layers", self.layers in range(1, 6), "a whole number from 1 to 5")
        self._demand_choice("activation", ACTIVATIONS)
        self._demand_share_or_none("dropout", "input_dropout")
        self._demand("word_dropout", 0 <= self.word_dropout < float("inf"), "at least 0")
        self._demand_choice("transition_system", TRANSITION_SYSTEMS)
        self._demand_choice("oracle", ORACLES)
        self._demand_choice("nonprojective", NONPROJECTIVE)
        only = {"hybrid": "arc-standard", "dynamic": "arc-hybrid"}.get(self.oracle)
        if only and self.transition_system != only:
            raise ConfigError(
                f"--oracle {self.oracle} is defined for --transition-system {only} only; "
                f"found {self.transition_system}; use --oracle static, or that system"
            )
