"""A model as a folder: `config.json`, `model.safetensors` and `README.md`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from meprop_nlp.errors import CheckpointError, DataError
from meprop_nlp.files import replacing, replacing_folder
from meprop_nlp.models.boxed import boxed_models, notice_of, published_as
from meprop_nlp.models.file import read_header
from meprop_nlp.models.hub.card import demand_metadata, model_card

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
CARD = "README.md"
NOTICE = "NOTICE"
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5")


class Description(NamedTuple):
    """What a folder says of a model beside the model itself.

    Attributes:
        header: of the model file.
        heads: the names of the model's heads.
        language, licence: as for `model_card`; None: what is known of a model of the package.
    """

    header: Mapping[str, Any]
    heads: tuple[str, ...]
    language: str | None = None
    licence: str | None = None


def write_folder(
    path: str | os.PathLike[str], save: Callable[[Path], None], description: Description
) -> None:
    """Write a model as a folder.

    A new folder is there completely or not at all. In one that has files, each file is replaced so,
    the others stay, and so does a model card, which may have been written by hand.

    Args:
        path: the folder.
        save: writes the model file.
        description: what the other files say.

    Raises:
        ConfigError: the language or the licence is not written as the Hub expects it.
        DataError: it cannot be written.
    """
    demand_metadata(description.language, description.licence)
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise DataError(f"{target}: is a file, expected the name of a folder to write")
    if target.is_dir() and any(target.iterdir()):
        _write_into(target, save, description)
    else:
        with replacing_folder(target) as new:
            _write_into(new, save, description)


def _write_into(folder: Path, save: Callable[[Path], None], description: Description) -> None:
    header, heads, language, licence = description
    boxed = _boxed_name(header)
    if boxed is not None:
        known = published_as(boxed)
        language, licence = language or known.language, licence or known.licence
    save(folder / WEIGHTS)
    _write(folder / CONFIG, json.dumps(_config(header, heads), indent=2, ensure_ascii=False) + "\n")
    notice = None
    if boxed is not None:
        notice = NOTICE
        _write(folder / NOTICE, notice_of(boxed))
    if not (folder / CARD).exists():
        card = model_card(header, heads, language=language, licence=licence, notice=notice)
        _write(folder / CARD, card)


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _config(header: Mapping[str, Any], heads: tuple[str, ...]) -> dict[str, Any]:
    """Return what `config.json` holds: for readers; the model file alone is what is loaded."""
    settings = header.get("config") or {}
    return {
        "model_type": "meprop_nlp",
        "task": header.get("task"),
        "heads": [*heads],
        "config": dict(settings),
        "scores": header.get("scores") or {},
    }


def _boxed_name(header: Mapping[str, Any]) -> str | None:
    """Return the name of the package's model that has this header; None for any other."""
    checksum = header.get("checksum")
    if checksum is None:
        return None
    for name, path in boxed_models().items():
        if read_header(path).get("checksum") == checksum:
            return name
    return None


def weights_in(folder: Path) -> Path:
    """Return the model file of a folder.

    Raises:
        CheckpointError: there is none, or only a pickle.
    """
    path = folder / WEIGHTS
    if path.is_file():
        return path
    pickled = sorted(p.name for p in folder.iterdir() if p.suffix in _PICKLED)
    if pickled:
        raise CheckpointError(
            f"{folder}: its weights are in {pickled[0]}, which could run code when it is read; "
            f"expected {WEIGHTS}, as `save_pretrained` writes it"
        )
    raise CheckpointError(
        f"{folder}: there is no {WEIGHTS} in it, expected a folder that `save_pretrained` has "
        "written"
    )
