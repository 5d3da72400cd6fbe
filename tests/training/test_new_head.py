"""A head that the package has never heard of: trained, saved, loaded and run over a file.

Steps 2 to 4 of "How to add a head" in CONTRIBUTING.md, with a lemmatizer that knows the lemma of
each form of its training data. Nothing else has to know the task.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from meprop_nlp.config import Settings, TaggerConfig, TrainingConfig
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.model import HEADS, load
from meprop_nlp.models.parts import take
from meprop_nlp.models.prediction import Prediction, TextColumn, Values
from meprop_nlp.models.words import Words
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training import run
from meprop_nlp.training.heads.sentences import SentenceTask
from meprop_nlp.training.run import train

TRAIN = [
    [("Dogs", "dog"), ("sleep", "sleep")],
    [("Cats", "cat"), ("slept", "sleep")],
    [("Dogs", "dog"), ("slept", "sleep"), ("well", "well")],
]


class LemmasHead(Head):
    name = "lemmas"
    activity = "lemmatizing"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = TaggerConfig.from_dict(file.header["config"])
        self.reads, self.fills, self.scores = (), ("lemma",), ()
        lemmas = file.header["tags"]["lemma"]
        self._lexicon, self._values = lexicon, Values(lemmas)
        self._table = take(file.arrays, "words.weight", len(lexicon.forms), len(lemmas))

    def annotate(
        self, words: Words, states: Any = None, *, confidence: bool = False, keep: Any = ()
    ) -> Prediction:
        rows = [self._lexicon.forms.index(form) for form in words.column("form")]
        ids = self._table[rows].argmax(1).astype(np.int32)
        return Prediction({"lemma": TextColumn(self._values, ids)})


@dataclass
class LemmaBatch:
    rows: Tensor
    targets: Tensor

    @property
    def n_words(self) -> int:
        return len(self.rows)


class LemmatizerNetwork(nn.Module):
    def __init__(self, n_words: int, n_lemmas: int) -> None:
        super().__init__()
        self.words = nn.Embedding(n_words, n_lemmas)

    def forward(self, rows: Tensor) -> Tensor:
        return self.words(rows)  # type: ignore[no-any-return]


class LemmatizerTask(SentenceTask):
    name = "lemmatizer"
    config_class = TaggerConfig
    learning_rates: ClassVar[dict[str, float]] = {"adam": 0.1}
    prune_rate = 0.1
    main_scores = ("accuracy",)
    n_batches = 1

    def _prepare(self, train: Sequence[Sentence], settings: Settings) -> None:
        words = [word for sentence in train for word in sentence.words]
        vocab = Vocab.build(word.lemma for word in words)
        self.tags = {"lemma": vocab}
        self.network = LemmatizerNetwork(len(self.lexicon.forms), len(vocab))
        forms = [self.lexicon.forms.index(word.form) for word in words]
        lemmas = [vocab.index(word.lemma) for word in words]
        self.batch = LemmaBatch(torch.tensor(forms), torch.tensor(lemmas))

    @staticmethod
    def word_width(config: Any) -> int:
        return 1

    def batches(self, rng: np.random.Generator) -> Iterator[LemmaBatch]:
        yield self.batch

    def loss(self, batch: LemmaBatch, teacher: Any = None) -> Tensor:
        return nn.functional.cross_entropy(self.network(batch.rows), batch.targets)

    def evaluate(self) -> dict[str, float]:
        pairs = [
            (gold.lemma, found.lemma)
            for sentence in self.dev
            for gold, found in zip(sentence.words, self.frozen()(sentence).words, strict=True)
        ]
        return {"accuracy": 100 * sum(gold == found for gold, found in pairs) / len(pairs)}

    def simplified_layers(self) -> list[SimplifiedLayer]:
        return []


@pytest.fixture
def lemmatizer(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("meprop_nlp.training.heads.lemmas")
    module.TASK = LemmatizerTask  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(HEADS, "lemmatizer", (LemmasHead,))
    monkeypatch.setitem(run._TASKS, "lemmatizer", "heads.lemmas")


def sentences(*, with_lemmas: bool) -> list[Sentence]:
    made = []
    for words in TRAIN:
        sentence = Sentence.from_words([form for form, _ in words])
        lemmas = [lemma for _, lemma in words]
        made.append(sentence.with_columns(lemma=lemmas) if with_lemmas else sentence)
    return made


@pytest.mark.usefixtures("lemmatizer")
def test_new_head_trains_saves_and_annotates_a_file(tmp_path: Path) -> None:
    gold = sentences(with_lemmas=True)
    path, text = tmp_path / "lemmas.safetensors", tmp_path / "in.conllu"
    settings = Settings(network=TaggerConfig(), training=TrainingConfig(epochs=60, patience=0))
    model = train("lemmatizer", gold, gold, settings=settings, output=path)
    assert model.task == "lemmatizer"
    text.write_text("".join(s.to_text() for s in sentences(with_lemmas=False)), encoding="utf-8")

    pieces = annotate(text, [load(path)])
    out = tmp_path / "out.conllu"
    out.write_bytes(b"".join(piece.text for piece in pieces))

    assert [s.column("lemma") for s in read(out)] == [s.column("lemma") for s in gold]
    assert [s.column("form") for s in read(out)] == [s.column("form") for s in gold]
