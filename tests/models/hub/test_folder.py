"""Models as folders: what is written, what is kept, and that local paths need no network."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from meprop_nlp import JointModel, Model, Tagger, load
from meprop_nlp.errors import CheckpointError, ConfigError, DataError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.hub.card import model_card
from meprop_nlp.models.model import freeze

WORDS = ["It", "rains", "."]


@pytest.fixture(scope="module")
def english() -> Model:
    """The English model."""
    return load("en")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may open a connection, and huggingface_hub is not installed."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_folder_is_read_as_it_was_written(english: Model, tmp_path: Path, no_network: None) -> None:
    english.save_pretrained(tmp_path / "model")
    names = {"config.json", "model.safetensors", "README.md", "NOTICE"}
    assert files(tmp_path / "model").keys() == names
    for given in (
        tmp_path / "model",
        str(tmp_path / "model"),
        tmp_path / "model/model.safetensors",
    ):
        model = Model.from_pretrained(given)
        assert str(model(WORDS)) == str(english(WORDS))
    joint = JointModel.from_pretrained(tmp_path / "model")
    assert type(joint) is JointModel
    with pytest.raises(CheckpointError, match="is a joint model, expected a tagger"):
        Tagger.from_pretrained(tmp_path / "model")
    assert str(Model.from_pretrained("en")(WORDS)) == str(english(WORDS))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_folder_says_what_the_model_is(english: Model, tmp_path: Path) -> None:
    english.save_pretrained(tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "meprop_nlp"
    assert config["task"] == "joint"
    assert config["heads"] == ["tags", "lemmas", "tree"]
    assert config["config"]["hidden"] == 300
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    _, metadata, text = card.split("---\n", 2)
    assert {'library_name: "meprop-nlp"', 'language: "en"', 'license: "cc-by-sa-4.0"'} <= {
        *metadata.splitlines()
    }
    assert f"| LAS | {english.file.header['scores']['las']:.2f} |" in text
    assert "Learnt from 12,544 train sentences, 2,001 dev sentences." in text
    assert "all-MiniLM-L6-v2 (licence: apache-2.0)" in text
    assert "see NOTICE beside this file" in text
    assert "UD English EWT" in (tmp_path / "model" / "NOTICE").read_text(encoding="utf-8")


def test_card_of_a_model_of_ones_own_has_the_language_and_licence_that_are_given(
    english: Model, tmp_path: Path
) -> None:
    header = {k: v for k, v in english.file.header.items() if k not in ("checksum", "taught_with")}
    own = freeze(ModelFile(header, english.file.arrays))
    own.save_pretrained(tmp_path / "a", language="pt-BR", licence="mit")
    card = (tmp_path / "a" / "README.md").read_text(encoding="utf-8")
    assert 'language: "pt-BR"\nlicense: "mit"\n' in card
    assert card.endswith("\nLicence: mit.\n")
    assert not (tmp_path / "a" / "NOTICE").exists()
    own.save_pretrained(tmp_path / "b")
    card = (tmp_path / "b" / "README.md").read_text(encoding="utf-8")
    assert "license" not in card
    assert "Its licence is not stated" in card
    for wrong in ({"language": "English\nlicense: mit"}, {"licence": "CC BY"}):
        with pytest.raises(ConfigError, match="expected "):
            own.save_pretrained(tmp_path / "c", **wrong)
    assert not (tmp_path / "c").exists()


def test_codes_that_yaml_takes_for_other_values_are_texts() -> None:
    card = model_card({"task": "joint"}, ("tags",), language="no")
    assert '\nlanguage: "no"\n' in card  # Norwegian, and to YAML 1.1 otherwise false


def test_texts_of_a_file_do_not_break_the_card() -> None:
    header = {"task": "joint", "taught_with": ["a\n---\nlicense: mit", "<script>"]}
    card = model_card(header, ("tags",))
    assert card.count("\n---\n") == 1
    assert "<script>" not in card
    assert "license:" not in card.split("---\n")[1]


def test_folder_with_files_keeps_its_card_and_what_else_is_there(
    english: Model, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("by hand")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "config.json").write_text("{}")
    english.save_pretrained(tmp_path)
    assert files(tmp_path)["README.md"] == b"by hand"
    assert files(tmp_path)["notes.txt"] == b"mine"
    assert json.loads(files(tmp_path)["config.json"])["task"] == "joint"
    english.save_pretrained(tmp_path)  # and again
    assert len(files(tmp_path)) == 5


def test_new_folder_is_there_completely_or_not_at_all(
    english: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> NoReturn:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(json, "dumps", full)
        with pytest.raises((DataError, OSError)):
            english.save_pretrained(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file: is a file, expected the name of a folder"):
        english.save_pretrained(tmp_path / "file")


def test_folder_without_a_model_is_refused(tmp_path: Path, no_network: None) -> None:
    with pytest.raises(CheckpointError, match=r"there is no model\.safetensors in it"):
        Model.from_pretrained(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    with pytest.raises(CheckpointError, match=r"are in pytorch_model\.bin, which could run code"):
        Model.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(CheckpointError, match="looks like a zip file"):
        Model.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    "name", ["./model", "/nowhere/model", "a/b/c", "../x", "model?", "", Path("owner/model")]
)
def test_path_that_is_not_there_is_no_name_for_the_network(
    name: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="there is no "):
        Model.from_pretrained(name)


@pytest.mark.parametrize("name", ["models/tagger", "models/a.safetensors", "a.safetensors"])
def test_mistyped_file_is_not_looked_for_elsewhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    with pytest.raises(CheckpointError, match=f"^{name}: there is no such folder or file"):
        Model.from_pretrained(name)


def test_name_too_long_for_any_file_is_refused(no_network: None) -> None:
    for name in ("a" * 300, "owner/" + "a" * 97, "./" + "a" * 300):
        with pytest.raises(CheckpointError, match="there is no such folder or file"):
            Model.from_pretrained(name)


def test_name_without_huggingface_hub_says_what_to_install(
    english: Model, no_network: None
) -> None:
    for use in (
        lambda: Model.from_pretrained("owner/model"),
        lambda: english.push_to_hub("owner/model"),
    ):
        with pytest.raises(ConfigError, match=r": huggingface_hub is not .*'meprop-nlp\[hub\]'$"):
            use()
    with pytest.raises(ConfigError, match="`repo_id` is '/x', expected a name such as"):
        english.push_to_hub("/x")
