"""Training the tokenizer: its network, and the running text of a treebank as its examples."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import TOKENS, JointConfig, Settings, TokenizerConfig, TrainingConfig
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.tokens.alphabet import CATEGORIES, PARAGRAPH, Alphabet, code_points
from meprop_nlp.data.tokens.boundaries import N_ENDS, Boundaries, has_text, raw_text, tokens_of
from meprop_nlp.data.tokens.composition import Composition
from meprop_nlp.data.tokens.splits import Splits
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.file import (
    TOKENIZER,
    ModelFile,
    read_model_file,
    write_model_file,
)
from meprop_nlp.models.packing import rounded
from meprop_nlp.models.tokenizer import COMPOSITION, PREFIX, Tokenizer, composition_arrays
from meprop_nlp.nn.bilstm import BiLSTM
from meprop_nlp.nn.embedding import dropout
from meprop_nlp.scoring.metrics import evaluate
from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.checkpoint import checkpoint_path, demand_checkpoint, demand_same_parts
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.outputs import is_finished, remove_checkpoint
from meprop_nlp.training.records import Note, Step, log_path
from meprop_nlp.training.simplification.teacher import Teacher
from meprop_nlp.training.task import Task
from meprop_nlp.training.treebanks import fingerprint

WINDOW = 200  # characters of an example
INITIAL = 0.3  # standard deviation of the initial embeddings
# Minibatches of 32 windows at most; a small treebank has smaller ones, so that an epoch has 170.
LARGEST_BATCH = 32
STEPS_OF_EPOCH = 170
LEARNING_RATE = 0.01  # of minibatches of that size; it falls with the root of their size
# Epochs: of a large treebank; at least, where minibatches have half that size or less; at most, for
# as many steps as a large one has. Between them it is in proportion: EWT has 16.
SHORT, LONG, LONGEST = 14, 24, 100
STEPS = 2_400

TrainTask = Callable[..., ModelFile]  # `run.train_task`


class TokenizerNetwork(nn.Module):
    """Characters in, what ends after each of them out.

    A character's vector is the sum of its own and of its Unicode category's.

    Args:
        alphabet: numbers the characters.
        config: widths and dropout; how gradients are sparsified.
    """

    _category_of: Tensor

    def __init__(self, alphabet: Alphabet, config: TokenizerConfig) -> None:
        super().__init__()
        self.dropout = config.dropout
        # the first row is that of characters that have none of their own
        self.characters = nn.Embedding(len(alphabet.characters) + 1, config.character_dim)
        self.categories = nn.Embedding(len(CATEGORIES), config.character_dim)
        for table in (self.characters, self.categories):
            nn.init.normal_(table.weight, std=INITIAL)
        self.layer = BiLSTM(config.character_dim, config.hidden, k=config.k or None)
        self.output = nn.Linear(2 * config.hidden, N_ENDS)
        category_of = torch.from_numpy(alphabet.category_of)
        self.register_buffer("_category_of", category_of, persistent=False)

    def forward(self, numbers: Tensor) -> Tensor:
        """Return logits (T, B, ends) of the numbers of characters, (T, B)."""
        own = (numbers - (len(CATEGORIES) - 1)).clamp(min=0)
        vectors = self.characters(own) + self.categories(self._category_of[numbers])
        states, _ = self.layer(dropout(vectors, self.dropout, self.training))
        logits: Tensor = self.output(dropout(states, self.dropout, self.training))
        return logits


@dataclass(frozen=True, slots=True)
class Windows:
    """Some parts of the text, all of the same length.

    Attributes:
        numbers: (T, B) of the characters.
        ends: (T, B) what ends after each.
        n_words: how many words end in them.
    """

    numbers: Tensor
    ends: Tensor
    n_words: int


class TokenizerTask(Task):
    """The network of a tokenizer with its training and dev data.

    Args:
        train, dev: sentences that say how their text was written; `dev` may be empty.
        config: the settings of the network.
        device: where it is trained.

    Attributes:
        alphabet, splits: made of `train`.
    """

    name = TOKENIZER
    network: TokenizerNetwork
    learning_rates: ClassVar[dict[str, float]] = {}
    prune_rate: ClassVar[float] = 0.0

    def __init__(
        self,
        train: Sequence[Sentence],
        dev: Sequence[Sentence],
        config: TokenizerConfig,
        device: torch.device,
    ) -> None:
        self.config, self.device, self.warnings = config, device, []
        text = Boundaries.of(train)
        self.alphabet = Alphabet.build(text.text)
        self.splits = Splits.build(train)
        composition = Composition.build(train)
        # the same for each epoch's tokenizer
        self._composition = {} if composition is None else composition_arrays(composition)
        self._spaces_within = any(
            " " in token.form for sentence in train for token in tokens_of(sentence)
        )
        self._numbers = self.alphabet.numbers(code_points(text.text)).astype(np.int64)
        self._ends = text.ends.astype(np.int64)
        self._window = min(WINDOW, len(self._numbers))
        self._batch_size = fitting_batch_size(len(self._numbers))
        self._dev, self._dev_text = list(dev), raw_text(dev)
        self.network = TokenizerNetwork(self.alphabet, config).to(device)
        self.main_scores = ("words", "sentence_spans")

    @property
    def has_dev(self) -> bool:
        return bool(self._dev)

    @property
    def n_batches(self) -> int:
        n_windows = max(1, len(self._numbers) // self._window - 1)
        return max(1, n_windows // self._batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[Windows]:
        # other windows in each epoch
        room = len(self._numbers) - self._window
        first = rng.integers(0, min(self._window, room + 1))
        starts = rng.permutation(np.arange(first, room + 1, self._window))
        for part in np.array_split(starts, self.n_batches):
            places = part[None, :] + np.arange(self._window)[:, None]
            numbers, ends = self._numbers[places], self._ends[places]
            # some characters are read as unknown, so that unknown ones are not news
            hidden = rng.random(numbers.shape) < self.config.character_dropout
            hidden &= numbers >= len(CATEGORIES)
            hidden &= numbers != self._paragraph
            numbers = np.where(hidden, self.alphabet.category_of[numbers], numbers)
            yield Windows(
                torch.from_numpy(numbers).to(self.device),
                torch.from_numpy(ends).to(self.device),
                int(np.count_nonzero(ends)),
            )

    def loss(self, batch: Windows, teacher: Teacher | None = None) -> Tensor:
        logits = self.network(batch.numbers)
        return F.cross_entropy(logits.flatten(0, 1), batch.ends.flatten())

    def evaluate(self) -> dict[str, float]:
        if not self.has_dev:
            return {}
        return _scores(self.frozen(), self._dev, self._dev_text)

    def frozen(self) -> Tokenizer:
        """Return the network as it is now as the tokenizer that would be stored."""
        return Tokenizer(ModelFile(self.header(), rounded(self.arrays())))

    def simplified_layers(self) -> Sequence[SimplifiedLayer]:
        return []

    def header(self) -> dict[str, Any]:
        return {
            "kind": "model",
            "task": self.name,
            TOKENIZER: {
                "config": self.config.to_dict(),
                "characters": "".join(self.alphabet.characters),
                "splits": self.splits.to_dict(),
                "spaces_within": self._spaces_within,
            },
        }

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        learnt = {f"{PREFIX}{name}": array for name, array in super().arrays().items()}
        return {**learnt, **self._composition}

    @property
    def _paragraph(self) -> int:
        return self.alphabet.number(PARAGRAPH)


def fitting_batch_size(n_characters: int) -> int:
    """Return how many windows a minibatch has, for a text of so many characters."""
    return max(1, min(LARGEST_BATCH, n_characters // (WINDOW * STEPS_OF_EPOCH)))


def fitting_epochs(n_characters: int) -> int:
    """Return how many epochs a text of so many characters needs."""
    batch_size = fitting_batch_size(n_characters)
    n_batches = max(1, n_characters // (WINDOW * batch_size))
    half = LARGEST_BATCH // 2
    fewest = LONG - (LONG - SHORT) * max(0, batch_size - half) / half
    return max(round(fewest), min(LONGEST, STEPS // n_batches))


def allows_tokenizer(network: object) -> bool:
    """Return whether a network of these settings may have a tokenizer beside it."""
    return isinstance(network, JointConfig) and (not network.heads or TOKENS in network.heads)


def wants_tokenizer(network: object, train: Sequence[Sentence]) -> bool:
    """Return whether a training of these settings, with these sentences, makes a tokenizer.

    Raises:
        ConfigError: the user asks for one, and the sentences do not say how their text was written.
    """
    if not allows_tokenizer(network):
        return False
    if has_text(train):
        return True
    if isinstance(network, JointConfig) and network.heads:
        raise ConfigError(
            "the training file does not say how its text was written: it has neither `# text` nor "
            "SpaceAfter=No; leave tokens out of `heads`"
        )
    return False


def train_tokenizer(
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    training: TrainingConfig,
    train_task: TrainTask,
    *,
    output: Path | None,
    resume: bool,
    hooks: Hooks,
) -> tuple[ModelFile, bool]:
    """Train a tokenizer.

    Args:
        train, dev: sentences that say how their text was written; `dev` may be empty.
        training: of the model that is to have it: its seed, threads and device, and the most
            epochs, unless they are 0.
        train_task: `run.train_task`.
        output: the model file; the tokenizer is stored beside it meanwhile. None: nowhere.
        resume: take the one that is stored, or go on with it.
        hooks: receive progress, and Notes; `stop` is asked meanwhile.

    Returns:
        The tokenizer, and whether the model has a checkpoint from which to resume.

    Raises:
        ConfigError: the run to resume does not exist, or had other settings or other data.
        DataError: it cannot be stored.
        KeyboardInterrupt: `hooks.stop` returned True.
    """
    config, settings = TokenizerConfig(), _settings(training, len(Boundaries.of(train).text))
    identity = {
        TOKENIZER: config.to_dict(),
        "data": {"train": fingerprint(train), "dev": fingerprint(dev)},
    }
    path = None if output is None else tokenizer_path(output)
    begun = False
    if path is not None and resume:
        begun = checkpoint_path(path).exists()
        there = path.exists() and not begun
        if there and is_finished(path):
            file = read_model_file(path)
            wanted = {"training": settings.training.to_dict(), **identity}
            demand_same_parts(file.header.get("training", {}), wanted)
            file.header[TOKENIZER]["scores"] = file.header["scores"]
            return file, checkpoint_path(output or path).exists()
        if not begun and not there:
            demand_checkpoint(output)

    def build(device: torch.device) -> Task:
        return TokenizerTask(train, dev, config, device)

    def on_record(record: Any) -> None:
        if isinstance(record, Step):
            hooks.on_record(record)
        elif isinstance(record, Note) and not record.warning:  # which epoch is kept
            hooks.on_record(Note(f"tokenizer: {record.text}"))

    start = time.perf_counter()
    hooks.on_record(Note("tokenizer: learns where the words and sentences of a text end"))
    file = train_task(
        build,
        settings,
        identity=identity,
        output=path,
        resume=begun,
        hooks=Hooks(on_record=on_record, stop=hooks.stop),
    )
    file = _judging_as_dev_wants(file, dev)
    file.header[TOKENIZER]["scores"] = scores = file.header["scores"]
    if path is not None:
        write_model_file(path, file.header, file.arrays)
        remove_checkpoint(path)
    shown = "  ".join(f"{SCORE_NAMES[name]} {value:.2f}" for name, value in scores.items())
    seconds = time.perf_counter() - start
    hooks.on_record(Note(f"tokenizer: {seconds:.0f} s{'; dev: ' if shown else ''}{shown}"))
    return file, resume and output is not None and checkpoint_path(output).exists()


def _judging_as_dev_wants(file: ModelFile, dev: Sequence[Sentence]) -> ModelFile:
    """Return a tokenizer without its composition where the network alone does better on dev."""
    arrays = {n: array for n, array in file.arrays.items() if not n.startswith(COMPOSITION)}
    if not dev or len(arrays) == len(file.arrays):
        return file
    alone = ModelFile({**file.header, TOKENIZER: dict(file.header[TOKENIZER])}, arrays)
    alone.header["scores"] = _scores(Tokenizer(alone), dev, raw_text(dev))
    return alone if alone.header["scores"]["words"] > file.header["scores"]["words"] else file


def _scores(tokenizer: Tokenizer, gold: Sequence[Sentence], text: str) -> dict[str, float]:
    """Return how well a tokenizer finds what stands in a text."""
    system = read_text(tokenizer.conllu(text), input_format="conllu")
    scores = evaluate(gold, system, trees=False)
    return {name: getattr(scores, name) for name in ("tokens", "sentence_spans", "words")}


def tokenizer_path(output: Path) -> Path:
    """Return where the tokenizer of a model stands while the model is trained."""
    return output.with_name(f"{output.name.removesuffix('.safetensors')}.tokenizer.safetensors")


def has_begun_tokenizer(output: Path) -> bool:
    """Return whether the tokenizer of a model that is being trained is there, whole or in part."""
    path = tokenizer_path(output)
    return path.exists() or checkpoint_path(path).exists()


def remove_tokenizer(output: Path) -> None:
    """Remove what training the tokenizer of a model has left beside it."""
    path = tokenizer_path(output)
    for each in (path, checkpoint_path(path), log_path(path)):
        each.unlink(missing_ok=True)


def _settings(training: TrainingConfig, n_characters: int) -> Settings:
    """Return the settings of a tokenizer's training, given those of the model's."""
    epochs = fitting_epochs(n_characters)
    step = LEARNING_RATE * math.sqrt(fitting_batch_size(n_characters) / LARGEST_BATCH)
    own = TrainingConfig(
        epochs=min(epochs, training.epochs or epochs),
        learning_rate=step,
        warmup=50,
        beta2=0.99,
        average=0.99,
        clip=1.0,
        patience=0,
        seed=training.seed,
        threads=training.threads,
        device=training.device,
    )
    return Settings(network=JointConfig(), training=own)
