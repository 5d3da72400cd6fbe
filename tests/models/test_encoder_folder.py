"""`EncoderFolder` and `EncoderCard`: what is refused, what identifies an encoder."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from meprop_nlp.errors import CheckpointError, ConfigError, DataError
from meprop_nlp.models.encoder_folder import EncoderCard, EncoderFolder

CARD = {"name": "b", "fingerprint": "0", "licence": "unknown", "layers": 3, "width": 4}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of the right names."""
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    return tmp_path


def test_other_paths_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"`pretrained` is .*/none, which does not exist"):
        EncoderFolder(folder / "none")
    with pytest.raises(ConfigError, match=r"config.json, which is a file; expected the folder"):
        EncoderFolder(folder / "config.json")
    (folder / "tokenizer.json").rename(folder / "vocab.txt")
    EncoderFolder(folder)
    (folder / "vocab.txt").unlink()
    with pytest.raises(DataError, match=f"{folder}: there is no tokenizer in it; expected"):
        EncoderFolder(folder)
    (folder / "config.json").unlink()
    with pytest.raises(DataError, match=f"{folder}: there is no config.json in it; expected"):
        EncoderFolder(folder)


def test_pickled_weights_are_refused(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"")
    EncoderFolder(folder)  # with safetensors beside it, which are read
    (folder / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"pytorch_model\.bin, a pickle, .*save_pretrained"):
        EncoderFolder(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(DataError, match="there are no weights in it"):
        EncoderFolder(folder)


@pytest.mark.parametrize("name", ["x.bin", "../x.safetensors", "lacks.safetensors"])
def test_an_index_may_name_safetensors_of_the_folder_only(folder: Path, name: str) -> None:
    (folder / "model.safetensors").rename(folder / "one.safetensors")
    (folder / "x.bin").write_bytes(b"")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}}))
    assert EncoderFolder(folder).weights == [folder / "one.safetensors"]
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors", "b": name}}))
    with pytest.raises(DataError, match=f"names {re.escape(Path(name).name)}, expected only"):
        EncoderFolder(folder)
    index.write_text("[]")
    with pytest.raises(DataError, match="is damaged"):
        EncoderFolder(folder)


def test_fingerprint_is_of_everything_that_settles_the_states(folder: Path) -> None:
    found = {EncoderFolder(folder).fingerprint()}
    (folder / "README.md").write_text("# Another title")
    assert EncoderFolder(folder).fingerprint() in found
    for name in ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt"):
        (folder / name).write_text("{ }")
        fingerprint = EncoderFolder(folder).fingerprint()
        assert fingerprint not in found
        found.add(fingerprint)


def test_name_and_licence_come_from_the_model_card(folder: Path) -> None:
    assert EncoderFolder(folder).name == folder.name
    assert EncoderFolder(folder).licence == "unknown"
    card = "---\nlanguage: en\nlicense: apache-2.0\n---\n\n# MiniLM  of ours\n\nlicense: mit\n# B\n"
    (folder / "README.md").write_text(card)
    assert EncoderFolder(folder).name == "MiniLM of ours"
    assert EncoderFolder(folder).licence == "apache-2.0"
    (folder / "README.md").write_text("license: mit\n")
    assert EncoderFolder(folder).licence == "unknown"


def test_card_of_a_model_file_finds_its_folder(folder: Path) -> None:
    fingerprint = EncoderFolder(folder).fingerprint()
    card = EncoderCard.from_dict(CARD | {"folder": str(folder), "fingerprint": fingerprint})
    assert EncoderCard.from_dict(card.to_dict()) == card
    assert card.find().path == card.find(folder).path == folder
    gone = EncoderCard.from_dict(CARD | {"folder": "gone"})
    with pytest.raises(ConfigError, match=r"needs .* b \(fingerprint 0\), which is no longer in"):
        gone.find()
    with pytest.raises(ConfigError, match=f"fingerprint {fingerprint}, but .* with b, 0; give"):
        gone.demand("a", fingerprint, folder)
    card.demand("a", fingerprint, folder)


@pytest.mark.parametrize(
    "stored", [None, CARD, CARD | {"folder": 1}, CARD | {"folder": "", "x": 1}]
)
def test_incomplete_card_is_refused(stored: object) -> None:
    with pytest.raises(CheckpointError, match="expected folder, name, fingerprint"):
        EncoderCard.from_dict(stored)
