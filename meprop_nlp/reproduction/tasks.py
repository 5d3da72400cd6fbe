"""The tasks that are reproduced: how each finds its data, trains a cell and scores the model.

A task is one entry of `TASKS`; experiments name it and know nothing else of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from meprop_nlp.config import (
    MNIST_TRAINING,
    ClassifierConfig,
    ParserConfig,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.data.trees import is_labelled
from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.corpus import Corpus, sample_corpus, treebank_corpus
from meprop_nlp.reproduction.images import image_corpus, images_of, made_up_corpus
from meprop_nlp.settings import Config
from meprop_nlp.training.hooks import Hooks

__all__ = ["TASKS", "Scored", "Task"]

ROUNDS = 3  # of decoding, of which the median is kept
SECONDS = 0.1  # of a round, at least


@dataclass(frozen=True, slots=True)
class Scored:
    """What a finished model can do.

    Attributes:
        main: name of the score that tables and verdicts go by.
        dev, test: scores in percent, by name.
        words_per_second: of predicting dev on one thread; None where that is not measured.
    """

    main: str
    dev: dict[str, float]
    test: dict[str, float]
    words_per_second: float | None


class Task(Protocol):
    """What the machinery asks of a task."""

    @property
    def config(self) -> type[Config]:
        """Return the class of its own settings."""

    @property
    def kind(self) -> str:
        """Return its name in `config.KEPT_SHARES`, which is that of its models."""

    @property
    def training(self) -> TrainingConfig:
        """Return the settings of the loop that its train command has by default."""

    def find(self, data: Path | None, part: str) -> Corpus:
        """Return the data for a part (`corpus.FULL` or `corpus.SWEEP`); None: a small built-in set.

        Raises:
            DataError: it is not there.
        """

    def train(self, cell: Cell, output: Path, *, resume: bool, hooks: Hooks) -> None:
        """Train a cell; the best model on dev goes to `output`."""

    def score(self, cell: Cell, model: Path) -> Scored:
        """Score a model on dev and, once, on test."""


@dataclass(frozen=True, slots=True)
class TreebankTask:
    """Parsing or tagging."""

    config: type[Config]
    kind: str
    training: TrainingConfig

    def find(self, data: Path | None, part: str) -> Corpus:
        return sample_corpus() if data is None else treebank_corpus(data, part)

    def train(self, cell: Cell, output: Path, *, resume: bool, hooks: Hooks) -> None:
        corpus = cell.corpus
        self._model_class().train(
            corpus.treebank("train"),
            corpus.treebank("dev"),
            **cell.arguments(),
            output=output,
            resume=resume,
            hooks=hooks,
        )

    def score(self, cell: Cell, model: Path) -> Scored:
        from meprop_nlp.models.speed import measure

        parsing = self.kind == "parser"
        predictor = self._model_class().load(model)
        corpus = cell.corpus
        scored = {}
        for role in ("dev", "test"):
            scores = predictor.evaluate(
                corpus.treebank(role), exclude_punct=parsing and corpus.exclude_punct
            )
            names = sorted(scores.annotated - {"words"})
            scored[role] = {name: float(getattr(scores, name)) for name in names}
        speeds = measure(
            corpus.files["dev"], [predictor], rounds=ROUNDS, seconds=SECONDS
        ).words_per_second["parsing" if parsing else "tagging"]
        main = _main_score(scored["dev"], predictor.file.header.get("labels", ()))
        return Scored(main, scored["dev"], scored["test"], speeds[1])

    def _model_class(self) -> Any:
        from meprop_nlp.training.parser import DependencyParser
        from meprop_nlp.training.tagger import Tagger

        return DependencyParser if self.kind == "parser" else Tagger


@dataclass(frozen=True, slots=True)
class ImageTask:
    """MNIST, the same for both parts."""

    config: type[Config] = ClassifierConfig
    kind: str = "classifier"
    training: TrainingConfig = MNIST_TRAINING

    def find(self, data: Path | None, part: str) -> Corpus:
        return made_up_corpus() if data is None else image_corpus(data)

    def train(self, cell: Cell, output: Path, *, resume: bool, hooks: Hooks) -> None:
        from meprop_nlp.training.classifier import ImageClassifier

        mnist = images_of(cell.corpus)
        ImageClassifier.train(
            mnist.train, mnist.dev, **cell.arguments(), output=output, resume=resume, hooks=hooks
        )

    def score(self, cell: Cell, model: Path) -> Scored:
        from meprop_nlp.training.classifier import ImageClassifier

        classifier, mnist = ImageClassifier.load(model), images_of(cell.corpus)
        dev, test = ({"accuracy": classifier.evaluate(x)} for x in (mnist.dev, mnist.test))
        return Scored("accuracy", dev, test, None)


def _main_score(scores: dict[str, float], labels: Any) -> str:
    """LAS, or UAS of unlabelled trees; for tags the first column that was predicted."""
    if "uas" in scores:
        return "las" if is_labelled(labels) else "uas"
    return next(name for name in ("upos", "xpos", "ufeats") if name in scores)


TASKS: dict[str, Task] = {
    "parsing": TreebankTask(ParserConfig, "parser", TrainingConfig()),
    "tagging": TreebankTask(TaggerConfig, "tagger", TrainingConfig()),
    "mnist": ImageTask(),
}
