"""`EncoderFolder`: a folder with a pretrained encoder, as far as it is known without loading it.

`EncoderCard` is what a model file states of the encoder that it needs. An encoder that was trained
with a model, fine-tuned, is in a folder beside the model file, `encoder_path`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from meprop_nlp.data.lines import shortened
from meprop_nlp.errors import CheckpointError, ConfigError, DataError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
EXPECTED = f"the folder of a Hugging Face encoder, with config.json, {WEIGHTS} and tokenizer.json"
# One of these holds the pieces of the tokenizer.
_PIECES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
)
# The files beside the weights that the states depend on.
_SETTLING = (
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    *_PIECES,
)
# What a user of the encoder must be told, beside the model card.
_NOTICES = ("licen[sc]e*", "notice*", "copying*")
_MODEL_CARD = "README.md"
FINE_TUNED = "fine_tuned.json"  # in a folder that a training has written
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_LONGEST_NAME = 80
_HASHED_AT_ONCE = 1 << 20  # bytes


class EncoderFolder:
    """A local folder in the form of Hugging Face transformers.

    Args:
        path: the folder.

    Attributes:
        path: the same.
        name: of the encoder: the title of its model card, or else the name of the folder.
        licence: as the model card states it, or `unknown`.

    Raises:
        ConfigError: there is no such folder.
        DataError: it lacks a file, or has its weights in a pickle, which could run code.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            found = "is a file" if self.path.exists() else "does not exist"
            raise ConfigError(f"`pretrained` is {self.path}, which {found}; expected {EXPECTED}")
        if not (self.path / "config.json").is_file():
            raise DataError(f"{self.path}: there is no config.json in it; expected {EXPECTED}")
        self.weights = self._weights()
        # transformers would make an empty tokenizer
        if not any((self.path / name).is_file() for name in _PIECES):
            raise DataError(f"{self.path}: there is no tokenizer in it; expected {EXPECTED}")
        card = self._model_card()
        metadata, text = _front_matter(card)
        title = re.search(r"^# +(.+?) *$", text, re.MULTILINE)
        own = self.path.resolve().name
        self.name = " ".join((title[1] if title else own).split())[:_LONGEST_NAME]
        licence = re.search(r"^licen[sc]e: *['\"]?([\w.+-]+)", metadata, re.MULTILINE)
        self.licence = licence[1] if licence else "unknown"

    def fingerprint(self) -> str:
        """Return a checksum of the configuration, the tokenizer and the weights.

        Raises:
            DataError: a file cannot be read.
        """
        total = hashlib.sha256()
        try:
            for path in self._settling():
                total.update(f"{path.name} {path.stat().st_size}\n".encode())
                with path.open("rb") as stream:
                    while part := stream.read(_HASHED_AT_ONCE):
                        total.update(part)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
        return total.hexdigest()[:32]

    def companions(self) -> Iterator[Path]:
        """Yield the files of the tokenizer, the model card and what states a licence."""
        patterns = [re.compile(pattern.replace("*", ".*"), re.IGNORECASE) for pattern in _NOTICES]
        for path in sorted(self.path.iterdir()):
            is_notice = any(pattern.fullmatch(path.name) for pattern in patterns)
            settles = path.name in _SETTLING and path.name != "config.json"
            if path.is_file() and (settles or is_notice or path.name == _MODEL_CARD):
                yield path

    def _settling(self) -> Iterator[Path]:
        """Yield the files that settle what the encoder computes, in a fixed order."""
        for name in _SETTLING:
            if (self.path / name).is_file():
                yield self.path / name
        yield from self.weights

    def _weights(self) -> list[Path]:
        """Return the files with the weights.

        Raises:
            DataError: there are none, or they are not safetensors.
        """
        if (self.path / WEIGHTS).is_file():
            return [self.path / WEIGHTS]
        if (self.path / INDEX).is_file():
            return self._shards()
        pickled = sorted(p.name for p in self.path.iterdir() if p.suffix in _PICKLED)
        if pickled:
            raise DataError(
                f"{self.path}: its weights are in {pickled[0]}, a pickle, which could run code; "
                f"expected {WEIGHTS}; where you trust the file, load it with transformers and "
                "write it again with save_pretrained"
            )
        raise DataError(f"{self.path}: there are no weights in it; expected {EXPECTED}")

    def _shards(self) -> list[Path]:
        """Return the files that the index of divided weights names.

        Raises:
            DataError: it is damaged, or names a file that is missing or no safetensors file.
        """
        path = self.path / INDEX
        try:
            names = {*json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()}
            shards = [self.path / name for name in sorted(names)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise DataError(f"{path}: is damaged; copy the folder again") from None
        for shard in shards:
            if shard.suffix != ".safetensors" or shard.parent != self.path or not shard.is_file():
                raise DataError(
                    f"{path}: names {shard.name}, expected only .safetensors files that are in "
                    "the folder; copy the folder again"
                )
        return shards

    def _model_card(self) -> str:
        try:
            return (self.path / _MODEL_CARD).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def encoder_path(output: Path) -> Path:
    """Return the folder beside a model file that holds the encoder trained with the model."""
    return output.with_name(output.name.removesuffix(".safetensors") + ".encoder")


def is_fine_tuned(folder: Path) -> bool:
    """Return whether a training has written the folder."""
    return (folder / FINE_TUNED).is_file()


def demand_replaceable_folder(folder: Path) -> None:
    """Raise ConfigError unless a fine-tuned encoder may be written as this folder.

    It may if the folder is not there, is empty, or was written by a training.
    """
    if folder.is_dir():
        foreign = any(folder.iterdir()) and not is_fine_tuned(folder)
    else:
        foreign = folder.exists()
    if foreign:
        raise ConfigError(
            f"{folder}: is there already, and is no encoder that a training has written; the "
            "fine-tuned encoder would replace it; choose another name, or remove it first"
        )


def remove_fine_tuned(folder: Path) -> None:
    """Remove an encoder that a training has written; do nothing if the folder is none."""
    if is_fine_tuned(folder) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def _front_matter(card: str) -> tuple[str, str]:
    """Return the metadata at the beginning of a model card, and its text."""
    found = re.match(r"---\r?\n(.*?)\r?\n---\r?\n", card, re.DOTALL)
    return (found[1], card[found.end() :]) if found else ("", card)


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """The encoder that a model needs, as its file states it.

    Attributes:
        folder: the folder as it was given when the model was trained; that of a fine-tuned encoder,
            which moves with the model, is stored as seen from the folder of the model file.
        name: of the encoder.
        fingerprint: see `EncoderFolder.fingerprint`.
        licence: of the encoder.
        layers: the number of its hidden states, including the embeddings.
        width: of a hidden state.
        fine_tuned: whether it was trained with the model; `name` and `licence` are then those of
            the encoder that it was before.
    """

    folder: str
    name: str
    fingerprint: str
    licence: str
    layers: int
    width: int
    fine_tuned: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the card as values that JSON can store."""
        stored = asdict(self)
        if not self.fine_tuned:  # as in the files of earlier versions
            del stored["fine_tuned"]
        return stored

    @classmethod
    def from_dict(cls, stored: object) -> EncoderCard:
        """Return the card of a model file.

        Raises:
            CheckpointError: it is incomplete.
        """
        texts = dict.fromkeys(("folder", "name", "fingerprint", "licence"), str)
        kinds: dict[str, type] = {**texts, "layers": int, "width": int}
        kinds |= {"fine_tuned": bool}  # may be left out
        given: dict[str, Any] = {}
        if isinstance(stored, dict):
            given = {"fine_tuned": False} | stored
        if {name: type(value) for name, value in given.items()} != kinds:
            raise CheckpointError(
                f"the model states of its pretrained encoder {shortened(repr(stored))}, expected "
                f"{', '.join(kinds)}"
            )
        return cls(**given)

    def demand(self, name: str, fingerprint: str, folder: Path) -> None:
        """Raise ConfigError unless this is the encoder that was found in a folder."""
        if fingerprint != self.fingerprint:
            raise ConfigError(
                f"{folder}: holds {name} with the fingerprint {fingerprint}, but the model was "
                f"trained with {self.name}, {self.fingerprint}; give that one's folder with "
                "`pretrained`"
            )

    def find(self, folder: str | os.PathLike[str] | None = None) -> EncoderFolder:
        """Return the folder of this encoder, which may hold another by now; see `demand`.

        Args:
            folder: where it is; None: where it was when the model was trained, or beside the model
                if it was fine-tuned.

        Raises:
            ConfigError: there is no such folder.
            DataError: it lacks a file.
        """
        path = self.folder if folder is None else folder
        if folder is None and self.fine_tuned and not Path(path).is_dir():
            raise ConfigError(
                f"the model needs the encoder that was trained with it, {self.name}, which is not "
                f"in {path}; move both together, or give its folder with `pretrained`"
            )
        if folder is None and not Path(path).is_dir():
            raise ConfigError(
                f"the model needs the pretrained encoder {self.name} (fingerprint "
                f"{self.fingerprint}), which is no longer in {path}; give its folder with "
                "`pretrained`"
            )
        return EncoderFolder(path)
