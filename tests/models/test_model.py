"""`Model`: which files each class takes, what a model says of itself, and a head more."""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meprop_nlp.config import ParserConfig, TaggerConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import CheckpointError, ConfigError, DataError
from meprop_nlp.models import model as models
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.file import ModelFile, write_model_file
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.tags import TagsHead
from meprop_nlp.models.model import Model, freeze, load
from meprop_nlp.models.prediction import Prediction, TextColumn, Values
from meprop_nlp.models.speed import measure
from meprop_nlp.models.words import Words
from meprop_nlp.training.parser import DependencyParser
from meprop_nlp.training.tagger import Tagger

from .models import FORMS, random_joint, random_parser, random_sentences, random_tagger

MAKE = {"tagger": random_tagger, "parser": random_parser}
CLASSES = {"tagger": Tagger, "parser": DependencyParser}


@pytest.mark.parametrize("task", MAKE)
def test_models_are_loaded_by_their_own_class_and_by_model(task: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    file = MAKE[task](1)
    write_model_file(path, file.header, file.arrays)
    sentences = random_sentences(1, [3, 5])
    expected = list(map(str, load(path).pipe(sentences)))
    for kind in (Model, CLASSES[task]):
        model = kind.load(path)
        assert type(model) is kind
        assert model.task == task
        assert list(map(str, model.pipe(sentences))) == expected
    assert isinstance(load(path), Model)
    (other,) = {"tagger", "parser"} - {task}
    with pytest.raises(CheckpointError) as caught:
        CLASSES[other].load(path)
    assert str(caught.value) == f"{path}: is a {task}, expected a {other}"
    with pytest.raises(CheckpointError, match=f"the model is a {task}, expected a {other}"):
        CLASSES[other](file)
    copy = pickle.loads(pickle.dumps(CLASSES[task](file)))
    assert type(copy) is CLASSES[task]


@pytest.mark.parametrize("task", MAKE)
def test_bytes_are_those_of_the_file(task: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model = CLASSES[task](MAKE[task](1))
    model.save(path)
    assert model.to_bytes() == path.read_bytes()
    again = CLASSES[task].from_bytes(path.read_bytes())
    assert type(again) is CLASSES[task]
    assert again.to_bytes() == path.read_bytes()  # what was stored is not rounded once more
    sentences = random_sentences(1, [3, 5])
    assert list(map(str, again.pipe(sentences))) == list(map(str, load(path).pipe(sentences)))
    (other,) = {"tagger", "parser"} - {task}
    with pytest.raises(CheckpointError, match=f"<bytes>: is a {task}, expected a {other}"):
        CLASSES[other].from_bytes(path.read_bytes())


def test_bytes_that_are_no_model_are_refused() -> None:
    content = freeze(random_tagger(1)).to_bytes()
    with pytest.raises(CheckpointError, match=r"<bytes>: the file is cut short: [0-9,]+ of "):
        Model.from_bytes(content[:-1])
    damaged = bytearray(content)
    damaged[-1] ^= 1
    with pytest.raises(CheckpointError, match=r"<bytes>: the file is damaged"):
        Model.from_bytes(bytes(damaged))
    with pytest.raises(CheckpointError, match=r"<bytes>: is not a meprop_nlp model \(empty file"):
        Model.from_bytes(b"")
    with pytest.raises(CheckpointError, match=r"<bytes>: is not a meprop_nlp model"):
        Model.from_bytes(pickle.dumps({"weights": [1.0]}))
    with pytest.raises(DataError, match=r"is of type str, .* for a file use `load`"):
        Model.from_bytes("m.safetensors")  # type: ignore[arg-type]


def test_pickled_model_keeps_every_bit_of_its_weights_and_the_choice_of_heads() -> None:
    file = random_joint(1)
    model = freeze(file).only("tags", "tree")
    again = pickle.loads(pickle.dumps(model))
    assert list(again.heads) == ["tags", "tree"]
    assert {*again.file.arrays} == {*file.arrays}
    for name, array in file.arrays.items():
        np.testing.assert_array_equal(again.file.arrays[name], array)
    stored = freeze(file).to_bytes()
    assert len(pickle.dumps(Model.from_bytes(stored))) < len(stored) + 500  # it stays packed


def test_pickle_of_an_earlier_version_holds_a_model_file() -> None:
    file = random_joint(1)
    again = models._rebuilt(models.Model, file, ("tags", "tree"), None, None)
    assert list(again.heads) == ["tags", "tree"]
    assert again.file.arrays.keys() == file.arrays.keys()


def test_model_with_fewer_heads_shares_the_weights() -> None:
    model = freeze(random_joint(1))
    tags = model.only("tags")
    assert tags.encoder is model.encoder
    assert tags.heads["tags"] is model.heads["tags"]
    assert tags.file is model.file
    assert len(model.heads) == 3


def test_classifiers_are_refused_with_where_to_go(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    write_model_file(path, {"kind": "model", "task": "classifier"}, {"a": np.ones(1)})
    for read in (load, Tagger.load):
        with pytest.raises(CheckpointError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: is a classifier of MNIST images")
        assert "see experiments/mnist" in str(caught.value)
    with pytest.raises(CheckpointError, match="the model is a classifier of MNIST"):
        freeze(ModelFile({"task": "classifier"}, {}))


@pytest.mark.parametrize("task", [None, 3, [], {}, ""])
def test_task_that_is_none_is_refused(task: Any, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    write_model_file(path, {"kind": "model", "task": task}, {"a": np.ones(1)})
    with pytest.raises(CheckpointError, match=r"is for the task .*, which is not known here"):
        load(path)


def test_checkpoint_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    write_model_file(path, {"kind": "checkpoint"}, {"a": np.ones(1)})
    with pytest.raises(CheckpointError, match="expected its model; go on training with `resume`"):
        load(path)


def test_models_say_what_they_read_and_fill() -> None:
    tagger = freeze(random_tagger(1, columns=("xpos",)))
    assert list(tagger.heads) == ["tags"]
    assert (tagger.reads, tagger.fills, tagger.predicted) == ((), ("xpos",), ("xpos",))
    assert isinstance(tagger.config, TaggerConfig)
    parser = freeze(random_parser(1, tag_columns=("xpos", "upos")))
    assert list(parser.heads) == ["tree"]
    assert (parser.reads, parser.fills) == (("xpos", "upos"), ("head", "deprel"))
    assert parser.predicted == ("uas", "las", "clas", "ucm", "lcm")
    assert isinstance(parser.config, ParserConfig)


class LowerHead(Head):
    """A third head, as an example: lemmas are forms in small letters, behind their UPOS."""

    name = "lower"
    activity = "lowering"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = TaggerConfig()
        self.reads, self.fills, self.scores = ("upos",), ("lemma",), ()

    def annotate(
        self, words: Words, states: Any = None, *, confidence: bool = False, keep: Any = ()
    ) -> Prediction:
        pairs = zip(words.column("form"), words.column("upos"), strict=True)
        lemmas = [f"{form.lower()}/{upos}" for form, upos in pairs]
        values = Values(dict.fromkeys(lemmas))
        ids = np.array([values.texts.index(lemma) for lemma in lemmas], np.int32)
        chances = {"LemmaConf": np.full(len(lemmas), 0.25, np.float32)} if confidence else {}
        return Prediction({"lemma": TextColumn(values, ids)}, confidence=chances)


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> list[Model]:
    """A tagger that makes lemmas too, and a parser."""
    monkeypatch.setitem(models.HEADS, "tagger", (TagsHead, LowerHead))
    return [freeze(random_tagger(1)), freeze(random_parser(2, tag_columns=("upos",)))]


def test_third_head_needs_a_line_in_the_table(three: list[Model], tmp_path: Path) -> None:
    tagger, parser = three
    assert tagger.fills == ("upos", "xpos", "lemma")
    assert tagger.reads == ()  # the head reads what the one before it fills
    sentences = random_sentences(3, [4, 9, 1])
    piped = list(parser.pipe(tagger.pipe(sentences, confidence=True), confidence=True))
    for sentence, plain in zip(piped, tagger.predict(sentences), strict=True):
        upos = sentence.column("upos")
        lemmas = [f"{a.lower()}/{b}" for a, b in zip(sentence.forms, upos, strict=True)]
        assert sentence.column("lemma") == plain["lemma"] == lemmas
        assert plain.keys() == set(tagger.fills)
        assert all("LemmaConf=0.2500|ArcConf=" in misc for misc in sentence.column("misc"))
    text = "".join(map(str, sentences)).encode()
    pieces = annotate(io.BytesIO(text), three, confidence=True)
    assert b"".join(piece.text for piece in pieces).decode() == "".join(map(str, piped))
    path = tmp_path / "f.conllu"
    path.write_bytes(text)
    speeds = measure(path, three, rounds=1, seconds=0).words_per_second
    steps = ["reading", "tagging", "lowering", "parsing", "writing", "together"]
    assert list(speeds) == steps
    assert tagger.evaluate(sentences).annotated >= {"upos", "xpos"}


def test_steps_that_are_timed_are_those_of_annotating(tmp_path: Path) -> None:
    path = tmp_path / "f.conllu"
    path.write_text("".join(map(str, random_sentences(1, [3, 5]))), encoding="utf-8")
    joint = freeze(random_joint(1))
    calls: list[int] = []
    models = [joint.only("tree"), joint.only("tags")]
    for number, model in enumerate(models):
        encoder = model.encoder

        def encode(words: Any, number: int = number, encoder: Any = encoder) -> Any:
            calls.append(number)
            return encoder(words)

        model.encoder = encode
    found = measure(path, models, rounds=1, seconds=0).words_per_second
    # the tree reads the tags' probabilities, so that these are made though they are not written
    steps = ["reading", "encoding", "tagging", "parsing", "writing", "together"]
    assert list(found) == steps
    assert calls.count(0) == calls.count(1)


def test_parsed_sentences_have_no_stale_enhanced_graph() -> None:
    parser = freeze(random_parser(1))
    sentence = Sentence.from_words(["a", "b"], deps=["0:root", "1:obj"])
    parsed = parser(sentence)
    tree = zip(parsed.column("head"), parsed.column("deprel"), strict=True)
    assert parsed.column("deps") == [f"{head}:{deprel}" for head, deprel in tree]
    assert parser(["a", "b"]).column("deps") == ["_", "_"]


TRAINING = {
    "data": {"train": {"sentences": 12544}, "dev": {"sentences": 0}},
    "epoch": 7,
}


def test_a_model_prints_what_it_is() -> None:
    file = random_tagger(1)
    file.header.update(scores={"upos": 95.456, "new": 1.0}, neurons={"a.b": 1024, "c": 5})
    model = Tagger(ModelFile(file.header | {"training": TRAINING}, file.arrays))
    lines = dict(line.split("  ", 1) for line in str(model).splitlines())
    assert {name: line.strip() for name, line in lines.items()} == {
        "tagger": "tags",
        "takes": "words",
        "predicts": "upos, xpos",
        "trained": "12,544 train sentences, epoch 7",
        "dev, words given": "UPOS 95.46",
        "network": "a.b 1,024  c 5",
        "knows": f"forms {len(set(FORMS))}  upos 3  xpos 2",
        "size": lines["size"].strip(),
    }
    weights = sum(array.size for array in file.arrays.values())
    assert lines["size"].strip().startswith(f"{weights:,} weights, 0.0 MB")
    assert repr(model) == "<Tagger: tagger, predicts upos, xpos>"


def test_only_some_heads_share_the_weights_of_all() -> None:
    model = freeze(random_joint(1))
    part = model.only("tree")
    assert type(part) is type(model)
    assert part.encoder is model.encoder
    assert part.heads == {"tree": model.heads["tree"]}
    assert len(model.heads) > 1


def test_a_model_of_some_heads_is_not_saved_with_all(tmp_path: Path) -> None:
    model = freeze(random_joint(1))
    with pytest.raises(ConfigError, match="restricted to tags, tree by `only`"):
        model.only("tags", "tree").save(tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())
    model.only(*model.heads).save(tmp_path / "m.safetensors")  # as it has them all


def test_a_model_of_some_heads_prints_these() -> None:
    model = freeze(random_joint(1)).only("tree")
    assert str(model).splitlines()[0].split("  ")[-1] == "tree"
    assert repr(model) == "<Model: joint model, predicts head, deprel>"
    parser = freeze(random_parser(1, tag_columns=("upos",)))
    assert "reads     upos\n" in str(parser)


@pytest.mark.parametrize("odd", [None, 3, "x", [], [3], {}, {"train": 3, "upos": []}])
def test_a_header_with_odd_values_prints_too(odd: Any) -> None:
    file = random_tagger(1)
    names = ("scores", "neurons", "training", "treebanks", "labels", "scripts", "pretrained")
    for header in (dict.fromkeys(names, odd), {"training": {"data": odd, "epoch": odd}}):
        model = freeze(ModelFile(file.header | header, file.arrays))
        assert re.search(r"\npredicts +upos, xpos\n", str(model))
