"""Models that a training starts from or learns from, with whatever a stranger puts into them."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from meprop_nlp.config import Knowledge, Settings
from meprop_nlp.data.conll.writing import write
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.file import ModelFile, write_model_file
from meprop_nlp.models.model import load
from meprop_nlp.models.opinion import values_of
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.joint import JointTask
from meprop_nlp.training.knowledge import joint_file
from meprop_nlp.training.knowledge.initial import WIDEST, InitialModel
from meprop_nlp.training.knowledge.joint_file import TAUGHT_WITH, read_joint
from meprop_nlp.training.knowledge.sources import Sources
from meprop_nlp.training.knowledge.teachers import Teachers

VALUES: list[Any] = [
    None, 5, -1, "x", [], {}, [["x"]], ["x"], {"x": [{}]}, {"upos": ["x"]}, 10**30, 10**9,
]  # fmt: skip
# not checksums and reports, which nothing is made from
READ = ("task", "config", "lexicon", "characters", "neurons", "tags", "scripts", "labels",
        "treebanks", "transition_system", "root_labels", "other_labels", TAUGHT_WITH)  # fmt: skip

Files = dict[str, ModelFile]


@pytest.fixture(scope="module")
def files(
    train: Callable[..., Any], crossing: list[Sentence], tmp_path_factory: pytest.TempPathFactory
) -> Files:
    """A cut model of two treebanks that was taught, and a whole one with transitions."""
    path = tmp_path_factory.mktemp("treebanks") / "train.conllu"
    write(crossing, path)
    cut = train(
        "joint",
        [path, path],
        simplify={"keep": 0.5},
        training={"epochs": 2},
        knowledge=Knowledge(treebank_id=["a", "b"]),
    )
    config = {"tree": "transitions"}
    whole = train("joint", crossing, config=config, training={"epochs": 1})
    header = {**cut.file.header, TAUGHT_WITH: ["tiny (licence: mit)"]}
    other = {name: value for name, value in whole.file.header.items() if name != "neurons"}
    return {
        "cut": ModelFile(header, cut.file.arrays),
        "transitions": ModelFile(other, whole.file.arrays),
    }


def places(header: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The fields of a header; of that of the cut model, also those in them."""
    for name, value in header.items():
        if name in READ:
            yield (name,)
            if isinstance(value, dict) and "neurons" in header:
                yield from ((name, part) for part in value)


def changed(file: ModelFile, place: tuple[str, ...], *value: Any) -> ModelFile:
    """The file with another value in this place of its header, or with none."""
    header = {**copy.deepcopy(file.header), "checksum": 7}
    parent = header
    for name in place[:-1]:
        parent = parent[name]
    parent.pop(place[-1])
    if value:
        parent[place[-1]] = value[0]
    return ModelFile(header, dict(file.arrays))


def start(sentences: list[Sentence]) -> None:
    """Build the network of a training that starts from the model."""
    initial = InitialModel("given")
    settings = initial.fitted(Settings.of("joint", device="cpu"))
    task = JointTask(sentences, [], settings, torch.device("cpu"), Sources(initial=initial))
    assert task.header()["config"] == task.config.to_dict()


def learn(sentences: list[Sentence]) -> None:
    """Ask the model as a teacher."""
    model = read_joint("given", "teacher")
    teachers, values = Teachers([model], None, Hooks()), values_of(model.file.header)
    assert isinstance(teachers.encoders(), list)
    assert teachers.ask(sentences, values).names >= set(values)


@pytest.mark.parametrize("use", [start, learn])
@pytest.mark.parametrize("kind", ["cut", "transitions"])
def test_any_header_is_used_or_refused_in_one_line_that_names_the_file(
    files: Files, kind: str, use: Any, crossing: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[str] = []
    for place in places(files[kind].header):
        for value in ([], *([value] for value in VALUES)):
            file = changed(files[kind], place, *value)
            monkeypatch.setattr(joint_file, "read_model_file", lambda _, file=file: file)
            try:
                use(crossing)
            except MePropError as error:
                refusals.append(str(error))
            except Exception as error:
                pytest.fail(f"{place} {value}: {error!r}")
    assert len(refusals) > 50
    assert [text for text in refusals if "\n" in text or not re.search(r"\bgiven\b", text)] == []


def rewritten(file: ModelFile, path: Path, *change: Any) -> Path:
    header = changed(file, *change).header
    header.pop("checksum")  # that of the whole file is written
    write_model_file(path, header, file.arrays)
    return path


def test_the_refusal_says_what_is_wrong(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    rewritten(files["cut"], path, (TAUGHT_WITH,), 5)
    with pytest.raises(CheckpointError) as caught:
        InitialModel(path)
    assert str(caught.value) == (
        f"`init_from`: {path}: `taught_with` in its header is 5, expected a list of texts; "
        "train it anew"
    )
    rewritten(files["cut"], path, ("config", "word_dim"), 10**6)
    with pytest.raises(CheckpointError, match=r"`word_dim` is 1000000, but .* one would expect 6;"):
        InitialModel(path)
    rewritten(files["cut"], path, ("config", "hidden"), 10**6)
    with pytest.raises(CheckpointError, match=rf"`hidden` is 1000000, but .* \d+ to {WIDEST};"):
        InitialModel(path)


def test_neurons_are_counted_in_the_weights(
    files: Files, crossing: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the header says of them may be missing or wrong."""
    for value in ([], [{"layer1.forward": 10**6}]):
        file = changed(files["cut"], ("neurons",), *value)
        monkeypatch.setattr(joint_file, "read_model_file", lambda _, file=file: file)
        initial = InitialModel("given")
        settings = initial.fitted(Settings.of("joint", device="cpu"))
        task = JointTask(crossing, [], settings, torch.device("cpu"), Sources(initial=initial))
        widths = {part.name: part.layer.hits.shape[0] for part in task.simplified_layers()}
        assert widths == files["cut"].header["neurons"]


def test_what_belongs_to_no_head_of_the_model_is_left_out(files: Files, tmp_path: Path) -> None:
    path = rewritten(files["cut"], tmp_path / "m.safetensors", ("config", "heads"), ["tags"])
    assert set(load(path).heads) == {"tags"}
    model = read_joint(path, "teacher")
    assert values_of(model.file.header).keys() == {"upos", "xpos"}
    assert {name.partition(".")[0] for name in model.file.arrays} == {"encoder", "tags"}
    np.testing.assert_array_equal(
        model.file.arrays["encoder.words.weight"], load(path).file.arrays["encoder.words.weight"]
    )
