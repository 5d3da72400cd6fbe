"""Models of the package by name: `load("en")`, what is there, and what a text or a path means."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from meprop_nlp import JointModel, Tagger, load
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models import boxed
from meprop_nlp.models.boxed import boxed_models
from meprop_nlp.models.file import write_model_file
from meprop_nlp.models.model import Model

from .models import random_joint, random_parser

ROOT = Path(__file__).parents[2]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the boxed models, with an English one in it; the working folder is empty."""
    folder, working = tmp_path / "box", tmp_path / "working"
    working.mkdir()
    model = random_joint(1)
    write_model_file(folder / "english.safetensors", model.header, model.arrays)
    monkeypatch.setattr(boxed, "FOLDER", folder)
    monkeypatch.chdir(working)
    return folder


def heads(model: Model) -> list[str]:
    return list(model.heads)


def test_name_loads_the_model_of_the_package(box: Path) -> None:
    assert boxed_models() == {"en": box / "english.safetensors"}
    sentence = ["the", "old", "man"]
    expected = str(load(box / "english.safetensors")(sentence))
    assert str(load("en")(sentence)) == str(JointModel.load("en")(sentence)) == expected


def test_model_of_the_package_is_refused_where_another_task_is_asked_for(box: Path) -> None:
    with pytest.raises(CheckpointError, match="is a joint model, expected a tagger"):
        Tagger.load("en")


def test_name_means_the_package_and_a_path_means_a_file(box: Path) -> None:
    parser = random_parser(1)
    write_model_file("en", parser.header, parser.arrays)
    assert heads(load("en")) == ["tags", "lemmas", "tree"]
    for path in ("./en", Path("en"), Path("./en"), str(Path("en").absolute())):
        assert load(path).task == "parser"


def test_file_with_a_short_name_is_loaded_where_no_model_has_it(box: Path) -> None:
    parser = random_parser(1)
    write_model_file("mine", parser.header, parser.arrays)
    assert load("mine").task == "parser"


@pytest.mark.parametrize("name", ["de", "En", "english"])
def test_unknown_name_says_which_there_are_and_how_to_train(name: str, box: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        load(name)
    assert str(caught.value) == (
        f"{name}: no model of this name comes with the package, and there is no such file; "
        f"models that come with this installation: en; train one on a treebank of "
        f"yours: meprop-nlp train -o {name}.safetensors"
    )


def test_a_file_that_may_be_meant_is_named(box: Path, tmp_path: Path) -> None:
    Path("de.safetensors").touch()
    with pytest.raises(CheckpointError, match=r"no such file; did you mean de\.safetensors\?"):
        load("de")


def test_missing_file_says_which_models_there_are(box: Path, tmp_path: Path) -> None:
    for path in ("no.safetensors", tmp_path / "no.safetensors"):
        with pytest.raises(CheckpointError) as caught:
            load(path)
        assert str(caught.value) == (
            f"{path}: there is no such file; models that come with this installation: en; train "
            f"one on a treebank of yours: meprop-nlp train -o {path}"
        )


def test_installation_without_models_says_so(box: Path) -> None:
    (box / "english.safetensors").unlink()
    assert boxed_models() == {}
    with pytest.raises(CheckpointError, match="no models come with this installation"):
        load("en")


@pytest.mark.parametrize("path", ["", ".", "de.safetensors", "./de", "models/de"])
def test_path_that_leads_nowhere_is_no_unknown_name(path: str, box: Path) -> None:
    with pytest.raises(MePropError) as caught:
        load(path)
    assert "of this name" not in str(caught.value)


def test_licence_of_each_boxed_model_is_in_the_package_s_metadata() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for file in boxed._FILES.values():
        notice = boxed.FOLDER / Path(file).with_suffix(".NOTICE")
        text = notice.read_text(encoding="utf-8")
        assert str(notice.relative_to(ROOT)) in project["license-files"]
        assert all(name in text for name in ("UD English EWT", "CC BY-SA 4.0", "Apache-2.0"))
    assert project["license"] == "MIT AND CC-BY-SA-4.0"
