"""`JointModel`: its defaults, some of its heads, kept columns; what is held out without dev."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from meprop_nlp import JointModel, Tagger, freeze
from meprop_nlp.config import JointConfig, Settings
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import EpochRecord, Note, Step
from meprop_nlp.training.treebanks import hold_out

SMALL = JointConfig(
    heads=("tags", "tree"), hidden=30, layers=1, word_dim=8, ngram_rows=100, arc_dim=8, label_dim=8
)
WORDS = Sentence.from_words(["It", "rains"], upos=["NOUN", "_"])


@pytest.fixture(scope="module")
def path(
    treebank: list[Sentence],
    tmp_path_factory: pytest.TempPathFactory,
    stop_after_epoch: Callable[[int], Hooks],
) -> Path:
    """The file of a model after the first of its epochs."""
    path = tmp_path_factory.mktemp("joint") / "model.safetensors"
    with pytest.raises(KeyboardInterrupt):
        JointModel.train(treebank, config=SMALL, output=path, hooks=stop_after_epoch(1))
    return path


def test_joint_model_trains_with_its_own_defaults(path: Path) -> None:
    model = JointModel.load(path)
    defaults = Settings.of("joint", hidden=30)
    found = model.file.header["training"]["training"]
    assert found == defaults.training.to_dict() | {"epochs": found["epochs"]}  # by size
    assert model.file.header["training"]["meprop"]["k"] == defaults.meprop.k
    with pytest.raises(CheckpointError, match="is a joint model, expected a tagger"):
        Tagger.load(path)


def test_some_of_the_heads_are_a_model_too(path: Path) -> None:
    model = JointModel.load(path)
    tags, tree = model.only("tags"), model.only("tree")
    assert (tags.fills, tree.fills) == (("upos", "xpos"), ("head", "deprel"))
    assert (tags.predicted, tree.predicted[:2]) == (("upos", "xpos"), ("uas", "las"))
    copy = pickle.loads(pickle.dumps(tree))
    assert copy.fills == tree.fills
    for part in (tags, tree, copy):
        found = part(WORDS)
        assert (found.column("upos") != WORDS.column("upos")) == ("upos" in part.fills)
        assert (found.column("head") != WORDS.column("head")) == ("head" in part.fills)
    assert model.fills == ("upos", "xpos", "head", "deprel")
    for heads in (["lemmas"], [], ["tree", "x"]):
        with pytest.raises(ConfigError, match="expected some of this model's heads: tags, tree"):
            model.only(*heads)


def test_columns_that_are_kept_are_neither_predicted_nor_scored(
    path: Path, treebank: list[Sentence]
) -> None:
    model = freeze(JointModel.load(path).file)
    (found,) = model.pipe([WORDS], keep=["upos"])
    assert found.column("upos") == ["NOUN", "_"]
    assert found.column("xpos") != ["_", "_"]
    assert model.predicted_besides(["upos", "xpos"])[:2] == ("uas", "las")
    assert model.evaluate(treebank, keep=["upos"]).annotated.isdisjoint({"upos", "ufeats"})
    with pytest.raises(ConfigError, match="`keep` is lemma, expected some of upos, xpos"):
        next(model.pipe([WORDS], keep=["lemma"]))
    with pytest.raises(ConfigError, match="all that would be predicted"):
        next(model.only("tags").pipe([WORDS], keep=["upos", "xpos"]))


@pytest.mark.parametrize(("n", "dev"), [(9, []), (10, [9]), (25, [9, 19])])
def test_every_tenth_sentence_is_held_out(n: int, dev: list[int]) -> None:
    sentences = [Sentence.from_words([f"w{i}"]) for i in range(n)]
    records: list[Note | Step | EpochRecord] = []
    train, held_out = hold_out(sentences, Hooks(on_record=records.append))
    assert held_out == [sentences[i] for i in dev]
    assert train == [sentence for i, sentence in enumerate(sentences) if i not in dev]
    (note,) = records
    assert isinstance(note, Note)
    assert note.warning == (not dev)
