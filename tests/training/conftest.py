"""Fixtures of the model tests: a few sentences, tiny networks, a way to train them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch

from meprop_nlp.config import (
    JointConfig,
    MePropConfig,
    ParserConfig,
    Settings,
    SimplifyConfig,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.training.heads.tags import TaggerTask
from meprop_nlp.training.heads.tree import ParserTask
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.joint import JointTask
from meprop_nlp.training.joint_model import JointModel
from meprop_nlp.training.knowledge.sources import Sources
from meprop_nlp.training.parser import DependencyParser
from meprop_nlp.training.records import EpochRecord
from meprop_nlp.training.tagger import Tagger

Treebank = list[Sentence]
LEMMAS = {
    "Dogs": "dog", "cats": "cat", "cuts": "cut", "rains": "rain", "knows": "know", "is": "be",
}  # fmt: skip
JOINT_WIDTHS: dict[str, Any] = {
    "layers": 2, "word_dim": 6, "feature_dim": 4, "ngram_dim": 5, "ngram_rows": 50,
    "character_dim": 3, "spelling_dim": 4, "lemma_dim": 7, "tag_dim": 3, "arc_dim": 9,
    "label_dim": 5,
}  # fmt: skip


def _sentence(*rows: str) -> Sentence:
    """One word a row: form, upos, xpos, head, deprel; the lemma follows from these."""
    forms, upos, xpos, heads, deprels = zip(*(row.split() for row in rows), strict=True)
    lemmas = [
        "see" if (form, tag) == ("saw", "VERB") else LEMMAS.get(form, form.lower())
        for form, tag in zip(forms, upos, strict=True)
    ]
    heads = [int(head) for head in heads]
    return Sentence.from_words(
        forms, lemma=lemmas, upos=upos, xpos=xpos, head=heads, deprel=deprels
    )


@pytest.fixture
def fine_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained models run in NumPy, with so many digits that rounding is too small to see."""
    monkeypatch.setattr("meprop_nlp.models.model.core", lambda: None)
    for name in ("STATE_DIGITS", "WEIGHT_DIGITS"):
        monkeypatch.setattr(f"meprop_nlp.models.digits.{name}", 1 << 20)


@pytest.fixture(scope="session")
def treebank() -> Treebank:
    """Projective trees of 1 to 7 words; `saw` is a noun once and a verb once."""
    return [
        _sentence("The DET DT 2 det", "dog NOUN NN 3 nsubj", "saw VERB VBD 0 root",
                  "a DET DT 5 det", "cat NOUN NN 3 obj", ". PUNCT . 3 punct"),
        _sentence("It PRON PRP 2 nsubj", "rains VERB VBZ 0 root"),
        _sentence("Run VERB VB 0 root", "! PUNCT . 1 punct"),
        _sentence("A DET DT 3 det", "sharp ADJ JJ 3 amod", "saw NOUN NN 4 nsubj",
                  "cuts VERB VBZ 0 root", "old ADJ JJ 6 amod", "wood NOUN NN 4 obj",
                  "well ADV RB 4 advmod"),
        _sentence("Why ADV WRB 0 root"),
        _sentence("She PRON PRP 2 nsubj", "knows VERB VBZ 0 root", "it PRON PRP 4 nsubj",
                  "rains VERB VBZ 2 ccomp"),
        _sentence("Dogs NOUN NNS 2 nsubj", "bark VERB VBP 0 root", "in ADP IN 5 case",
                  "the DET DT 5 det", "rain NOUN NN 2 obl"),
        _sentence("cats NOUN NNS 2 nsubj", "run VERB VBP 0 root", "well ADV RB 2 advmod"),
    ]  # fmt: skip


@pytest.fixture(scope="session")
def crossing(treebank: Treebank) -> Treebank:
    """The same, a tree whose arcs cross, and one with several roots."""
    return [
        *treebank,
        _sentence("A DET DT 2 det", "hearing NOUN NN 4 nsubj:pass", "is AUX VBZ 4 aux:pass",
                  "set VERB VBN 0 root", "on ADP IN 7 case", "the DET DT 7 det",
                  "issue NOUN NN 2 nmod", "today NOUN NN 4 obl"),
        _sentence("Yes INTJ UH 0 root", ", PUNCT , 1 punct", "go VERB VB 0 root",
                  "home ADV RB 3 advmod"),
    ]  # fmt: skip


@pytest.fixture(scope="session")
def stop_after_epoch() -> Callable[[int], Hooks]:
    """Hooks that interrupt a training after an epoch, counted from 1."""

    def hooks(number: int) -> Hooks:
        def on_record(record: Any) -> None:
            if isinstance(record, EpochRecord) and record.epoch == number:
                raise KeyboardInterrupt

        return Hooks(on_record=on_record)

    return hooks


@pytest.fixture(scope="session")
def model_class() -> dict[str, Any]:
    return {"tagger": Tagger, "parser": DependencyParser, "joint": JointModel}


@pytest.fixture(scope="session")
def train(treebank: Treebank, model_class: dict[str, Any]) -> Callable[..., Any]:
    """Train a tiny model for few epochs: 4 minibatches each, with dropout, on one thread.

    `config` and `training` take fields of the two configurations, by name.
    """

    def run(
        task: str,
        sentences: Any = None,
        dev: Any = None,
        *,
        config: dict[str, Any] | None = None,
        training: dict[str, Any] | None = None,
        simplify: dict[str, Any] | None = None,
        k: int | None = 3,
        topk_mode: str = "example",
        **options: Any,
    ) -> Any:
        batch_size = {"tagger": 2, "parser": 15, "joint": 8}[task]
        small = {"hidden": 8, "dropout": 0.2, "word_dropout": 0.25}
        make: Any = {
            "tagger": functools.partial(TaggerConfig, word_dim=6, feature_dim=4),
            "parser": functools.partial(ParserConfig, embedding_dim=6),
            "joint": functools.partial(JointConfig, **JOINT_WIDTHS),
        }[task]
        loop: dict[str, Any] = {"epochs": 3, "batch_size": batch_size, "patience": 0}
        loop |= {"threads": 1, "seed": 7, "device": "cpu"}
        if task == "joint":
            loop |= {"warmup": 3, "average": 0.9}
        cuts: dict[str, Any] = {"first_cut_epoch": 1, "min_neurons": 2}
        if (simplify or {}).get("schedule") == "paper":
            cuts |= {"cycle": 1, "cuts_per_epoch": 2}
        return model_class[task].train(
            treebank if sentences is None else sentences,
            dev,
            config=make(**small | (config or {})),
            meprop=MePropConfig(k=k, topk_mode=topk_mode),
            simplify=None if simplify is None else SimplifyConfig(**{**cuts, **simplify}),
            training=TrainingConfig(**{**loop, **(training or {})}),
            **options,
        )

    return run


@pytest.fixture(params=["tagger", "parser"])
def narrow_task(request: Any, treebank: Any) -> Any:
    """A tagger's or a parser's task with several layers of six neurons."""
    torch.manual_seed(2)
    if request.param == "tagger":
        settings = Settings.of("tagger", hidden=6, columns=("upos", "xpos"), k=3, batch_size=3)
        return TaggerTask(treebank, [], settings, torch.device("cpu"))
    settings = Settings.of(
        "parser", hidden=6, activation="tanh", layers=2, k=3, batch_size=40, seed=1
    )
    return ParserTask(treebank, [], settings, torch.device("cpu"))


@pytest.fixture(scope="session")
def make_joint() -> Callable[..., JointTask]:
    """Make the task of a small joint model, without dropout unless it is asked for."""

    def make(
        sentences: Treebank,
        dev: Any = (),
        *,
        seed: int | None = None,
        vectors: Any = (),
        sources: Sources | None = None,
        **given: Any,
    ) -> Any:
        still = {"dropout": 0.0, "part_dropout": 0.0, "word_dropout": 0.0}
        settings = {"hidden": 6, "k": 2, "batch_size": 10, **JOINT_WIDTHS, **still, **given}
        task = JointTask(
            sentences,
            dev,
            Settings.of("joint", **settings),
            torch.device("cpu"),
            sources or Sources(dict(vectors)),
        )
        if seed is not None:  # weights large enough that every part of the network matters
            generator = torch.Generator().manual_seed(seed)
            with torch.no_grad():
                for parameter in task.network.parameters():
                    parameter.normal_(0, 0.4, generator=generator)
        return task

    return make
