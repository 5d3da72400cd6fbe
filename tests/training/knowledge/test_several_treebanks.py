"""Several treebanks in one model: an embedding for each, and small ones repeated."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from meprop_nlp.config import Knowledge
from meprop_nlp.data.conll.writing import write
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.training.knowledge.several_treebanks import SeveralTreebanks
from meprop_nlp.training.knowledge.sources import Sources
from meprop_nlp.training.layout import Layout

Files = list[Path]


@pytest.fixture(scope="module")
def files(treebank: list[Sentence], tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A treebank of two sentences, and one of the others."""
    folder = tmp_path_factory.mktemp("treebanks")
    paths = [folder / "small.conllu", folder / "large.conllu"]
    for path, sentences in zip(paths, (treebank[:2], treebank[2:]), strict=True):
        write(sentences, path)
    return paths


@pytest.fixture(scope="module")
def model_path(
    train: Callable[..., Any], files: Files, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    train(
        "joint",
        files,
        knowledge=Knowledge(treebank_id=["small", "large"]),
        output=path,
        training={"epochs": 12, "learning_rate": 0.05},
    )
    return path


def test_small_treebanks_are_repeated() -> None:
    several = SeveralTreebanks(["a", "b", "c"], np.array([0, 1, 1, 2]))
    lengths = np.array([2, 40, 60, 25])
    assert several.repetitions(lengths).tolist() == [7, 1, 1, 2]


def test_an_epoch_has_each_sentence_as_often(make_joint: Any, treebank: list[Sentence]) -> None:
    numbers = np.array([0] * 2 + [1] * (len(treebank) - 2))
    task = make_joint(treebank, sources=Sources(treebanks=SeveralTreebanks(["a", "b"], numbers)))
    expected = task.sources.treebanks.repetitions(task._lengths)
    assert expected.max() == 2
    counts: Counter[int] = Counter()
    for batch in task.batches(np.random.default_rng(1)):
        np.testing.assert_array_equal(
            batch.sentences, np.searchsorted(task._firsts, batch.words, side="right") - 1
        )
        treebanks = task._treebanks(batch)
        np.testing.assert_array_equal(treebanks, numbers[batch.sentences])
        counts.update(batch.words.tolist())
    firsts = np.cumsum(task._lengths) - task._lengths
    assert [counts[int(first)] for first in firsts] == expected.tolist()


def test_trained_network_reads_words_as_those_of_their_treebank(
    make_joint: Any, treebank: list[Sentence], fine_digits: None
) -> None:
    """The frozen model, whose bias holds the embedding, against the network that reads it."""
    numbers = np.array([0, 1] * (len(treebank) // 2))
    several = SeveralTreebanks(["a", "b"], numbers)
    task = make_joint(treebank, sources=Sources(treebanks=several), seed=5)
    task.network.eval()
    for number, name in enumerate(several.names):
        of = [s for s, n in zip(treebank, numbers, strict=True) if n == number]
        model = Model(task.frozen().file, treebank=name)
        states = model.encoder(SentenceWords(of)).context  # type: ignore[misc]
        batch = task._batch(
            np.array(sorted(np.flatnonzero(numbers == number), key=lambda i: -len(treebank[i])))
        )
        with torch.no_grad():
            _, (*_, expected) = task.network.encoder(task._inputs(batch, hide=False))
        order = np.argsort(batch.words)
        np.testing.assert_allclose(states, expected.numpy()[order], atol=2e-2)


def test_model_reads_words_as_those_of_the_treebank_that_is_named(
    model_path: Path, treebank: list[Sentence]
) -> None:
    first, small, large = (load(model_path, treebank=name) for name in (None, "small", "large"))

    def states(model: Model) -> Any:
        assert model.encoder is not None
        return model.encoder(SentenceWords(treebank)).context

    np.testing.assert_array_equal(states(first), states(small))
    assert np.abs(states(small) - states(large)).max() > 0.01
    again = pickle.loads(pickle.dumps(large))
    np.testing.assert_array_equal(states(again), states(large))


def test_names_of_treebanks_are_checked(
    model_path: Path, train: Callable[..., Any], files: Files
) -> None:
    with pytest.raises(ConfigError, match="`treebank_id` is other, expected one of small, large"):
        load(model_path, treebank="other")
    alone = train("joint", training={"epochs": 1})
    with pytest.raises(ConfigError, match="was trained on one treebank; leave it out"):
        Model(alone.file, treebank="small")
    with pytest.raises(ConfigError, match="is given 1 for 2 training files"):
        train("joint", files, knowledge=Knowledge(treebank_id=["one"]))
    with pytest.raises(ConfigError, match="`treebank_id` goes with a joint model"):
        train("tagger", files, knowledge=Knowledge(treebank_id=["small", "large"]))
    with pytest.raises(ConfigError, match="`treebank_id` goes with `dev`"):
        train("joint", files, knowledge=Knowledge(treebank_id=["a", "b"]), held_out=True)


@pytest.mark.parametrize("names", [None, [], ["small", 3], {"small": 1}, ["a", "b", "c"]])
def test_model_with_other_names_than_embeddings_is_refused(model_path: Path, names: Any) -> None:
    file = load(model_path).file
    header = {**file.header, "treebanks": names}
    if names == ["a", "b", "c"]:  # one too many
        with pytest.raises(CheckpointError, match="embeddings of 2 treebanks only"):
            Model(ModelFile(header, file.arrays), treebank="c")
    else:
        with pytest.raises(CheckpointError, match="treebanks"):
            Model(ModelFile(header, file.arrays))


def test_run_is_resumed_only_with_the_same_treebanks(
    train: Callable[..., Any], files: Files, tmp_path: Path
) -> None:
    from meprop_nlp.training.hooks import Hooks

    output = tmp_path / "m.safetensors"
    polls = iter([False] * 5 + [True] * 99)
    with pytest.raises(KeyboardInterrupt):
        train(
            "joint",
            files,
            knowledge=Knowledge(treebank_id=["a", "b"]),
            output=output,
            hooks=Hooks(stop=lambda: next(polls)),
        )
    with pytest.raises(ConfigError, match=r"treebanks\.names was"):
        train(
            "joint", files, knowledge=Knowledge(treebank_id=["a", "c"]), output=output, resume=True
        )


def test_layout_of_a_batch_is_that_of_its_sentences(
    make_joint: Any, treebank: list[Sentence]
) -> None:
    task = make_joint(treebank)
    batch = next(task.batches(np.random.default_rng(3)))
    layout = Layout.of(batch.batch_sizes, torch.device("cpu"))
    first = batch.sentences[: len(layout.places)]
    np.testing.assert_array_equal(batch.sentences, first[layout.sentences.numpy()])
