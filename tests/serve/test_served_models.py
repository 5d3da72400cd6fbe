"""Models are found by the names that UDPipe's clients use."""

from __future__ import annotations

from pathlib import Path

import pytest

from meprop_nlp.errors import ConfigError
from meprop_nlp.models.boxed import boxed_models
from meprop_nlp.models.model import Model
from meprop_nlp.serve.errors import RequestError
from meprop_nlp.serve.served_models import ModelChoice, ServedModel, ServedModels, model_choice


@pytest.fixture(scope="module")
def several(english: Model) -> ServedModels:
    names = [
        ("english-ewt-ud-2.12-230717", "en"),
        ("english-gum-ud-2.12-230717",),
        ("czech-pdt", "english"),
    ]
    return ServedModels([ServedModel(one, english) for one in names])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("english-ewt-ud-2.12-230717", 0),
        ("english-ewt", 0),
        ("english-ewt-ud", 0),
        ("english-gum", 1),
        ("english", 2),  # a whole name goes before the beginning of another
        ("en", 0),
        ("czech", 2),
        (None, 0),
        ("", 0),
    ],
)
def test_model_is_found_by_a_name_or_its_beginning(
    several: ServedModels, name: str | None, found: int
) -> None:
    assert several.find(name) is several.models[found]


@pytest.mark.parametrize("name", ["engl", "english-", "english-ewt-ud-2.13", "German", "-"])
def test_other_names_are_refused(several: ServedModels, name: str) -> None:
    with pytest.raises(RequestError, match="does not exist") as refused:
        several.find(name)
    assert refused.value.status == 400


def test_two_models_cannot_be_shown_under_one_name(english: Model) -> None:
    with pytest.raises(ConfigError, match=r"two models are called a; .*NAME=FILE"):
        ServedModels([ServedModel(("a",), english), ServedModel(("a", "b"), english)])


def test_components_are_those_that_the_model_has(english: Model) -> None:
    models = ServedModels(
        [ServedModel(("all",), english), ServedModel(("tree",), english.only("tree"))]
    )
    assert models.to_dict() == {
        "models": {"all": ["tokenizer", "tagger", "parser"], "tree": ["tokenizer", "parser"]},
        "default_model": "all",
    }


def test_choice_of_a_model_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    boxed = boxed_models()["en"]
    assert model_choice("en") == ModelChoice(("english-ewt", "en", "en_ewt", "eng"), boxed)
    assert model_choice("mine:m=en") == ModelChoice(("mine", "m"), boxed)
    path = Path("models/german.safetensors")
    assert model_choice(str(path)) == ModelChoice(("german",), path)
    assert model_choice(f"de:deu={path}") == ModelChoice(("de", "deu"), path)
    Path("a=b.safetensors").touch()
    assert model_choice("a=b.safetensors") == ModelChoice(("a=b",), Path("a=b.safetensors"))
    for wrong in ("=x", "a:=x", "a="):
        with pytest.raises(ConfigError, match="expected FILE, NAME=FILE"):
            model_choice(wrong)
