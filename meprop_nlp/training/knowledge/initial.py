"""`InitialModel`: the trained joint model that a training starts from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from meprop_nlp.config import FINE_TUNING, LEARNING_RATES, JointConfig, Settings, usual_k
from meprop_nlp.data.characters import Characters
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.model import Model
from meprop_nlp.models.tokenizer import part_of
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.knowledge.weight_names import Name, column_names, row_names, unknown
from meprop_nlp.training.simplification.widths import shrink, widths_of

# the settings that the shapes of weights depend on, by the head that they belong to
_SHAPING: dict[str, tuple[str, ...]] = {
    "encoder": (
        "hidden", "layers", "word_dim", "feature_dim", "ngram_dim", "ngram_rows", "character_dim",
        "spelling_dim", "pretrained_dim", "treebank_dim",
    ),
    "lemmas": ("lemma_dim",),
    "tree": ("tree", "tag_dim", "arc_dim", "label_dim"),
}  # fmt: skip

Places = npt.NDArray[np.int64]


class _JointModel(Model):
    task = "joint"


class InitialModel:
    """A joint model whose weights are the first ones of a training.

    Args:
        path: of its file.

    Attributes:
        header: of the file.
        lexicon, characters: the vocabularies of forms and of characters.
        tokenizer: the parts of the file that are its tokenizer; None if it has none.

    Raises:
        CheckpointError: the file is not a joint model, damaged, or too new.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            model = _JointModel.load(path)
        except CheckpointError as error:
            raise CheckpointError(f"`init_from`: {error}") from None
        self._path = os.fspath(path)
        self.header, self._arrays = model.file.header, model.file.arrays
        self.lexicon = model.lexicon
        self.characters = Characters(Vocab.from_list(self.header["characters"]))
        self._config = JointConfig.from_dict(self.header["config"])
        self.tokenizer = part_of(model.file)

    def identity(self) -> dict[str, Any]:
        """Return what tells the model from others."""
        return {"init_from": self.header["checksum"]}

    def fitted(self, settings: Settings) -> Settings:
        """Return settings with the model's widths, and with a learning rate for fine-tuning.

        Raises:
            ConfigError: the user gives another width.
        """
        given, network = settings.given, settings.network
        assert isinstance(network, JointConfig)
        usual, widths = JointConfig(), {}
        for part, names in _SHAPING.items():
            if part != "encoder" and part not in self._config.heads:
                continue
            for name in names:
                value, own = getattr(network, name), getattr(self._config, name)
                if value != own and (name in given or value != getattr(usual, name)):
                    raise ConfigError(
                        f"`{name}` is {value}, but the model {self._path}, from which training "
                        f"starts, has {own}; give `{name}={own}` or leave it out"
                    )
                widths[name] = own
        meprop, training = settings.meprop, settings.training
        if "k" not in given and meprop.k == usual_k("joint", network.hidden):
            meprop = replace(meprop, k=usual_k("joint", self._config.hidden))
        if training.learning_rate is None and training.optimizer == "adam":
            rate = FINE_TUNING * LEARNING_RATES["joint"]["adam"]
            training = replace(training, learning_rate=rate)
        network = replace(network, **widths)
        return replace(settings, network=network, meprop=meprop, training=training)

    def lost(self, header: Mapping[str, Any]) -> list[str]:
        """Return a warning of columns that the model predicts and a new one does not; or nothing.

        Args:
            header: of the new model.
        """
        kept = _predicted(header)
        gone = [name for name in _predicted(self.header) if name not in kept]
        if not gone:
            return []
        return [
            f"{self._path} also predicts {', '.join(gone)}, and the new model will not: the "
            "training file has no data for that, or other heads or columns were asked for"
        ]

    def give_weights(
        self, network: nn.Module, layers: Sequence[SimplifiedLayer], header: Mapping[str, Any]
    ) -> None:
        """Cut a newly built network as the model is cut, and copy the model's weights into it.

        What a row or column stands for decides where it goes. A form, a spelling feature or a
        character that the model does not know gets the weights of its unknown one. Other rows and
        columns that it does not have, and whole heads, keep their initial weights.

        Args:
            network: of the new training.
            layers: those of its layers that can be cut.
            header: of the new model, with the names of its rows and columns.

        Raises:
            ConfigError: an array has other widths, as it reads something that the model lacks.
        """
        neurons = self.header.get("neurons", {})
        shrink(layers, {name: neurons.get(name, n) for name, n in widths_of(layers).items()})
        axes = (row_names(header), row_names(self.header)), (
            column_names(header), column_names(self.header),
        )  # fmt: skip
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                old = self._arrays.get(name)
                if old is None:
                    continue
                new = parameter.detach().cpu().numpy().copy()
                places = []
                for n, (new_names, old_names) in enumerate(axes[: new.ndim]):
                    new_axis = _axis(new.shape[n], new_names.get(name, []))
                    old_axis = _axis(old.shape[n], old_names.get(name, []))
                    if _n_unnamed(new_axis) != _n_unnamed(old_axis):
                        raise self._misfit(name, new.shape, old.shape)
                    places.append(_matched(new_axis, old_axis))
                new[np.ix_(*(to for to, _ in places))] = old[np.ix_(*(of for _, of in places))]
                parameter.copy_(torch.from_numpy(new))

    def _misfit(self, name: str, new: tuple[int, ...], old: tuple[int, ...]) -> ConfigError:
        found, expected = (" x ".join(map(str, shape)) for shape in (old, new))
        return ConfigError(
            f"the weights {name} of {self._path} are {found}, and this training needs {expected}; "
            "start it with the settings and the files, such as `vectors`, that the model had"
        )


def _predicted(header: Mapping[str, Any]) -> list[str]:
    """Return what a model predicts, in words."""
    heads = header["config"]["heads"]
    tags = [column.upper() for column in header["tags"]]
    return tags + ["lemmas"] * ("lemmas" in heads) + ["trees"] * ("tree" in heads)


def _axis(size: int, names: Sequence[Name]) -> list[Name]:
    """Return the names of all rows or all columns; those before the named ones have numbers."""
    return [*range(size - len(names)), *names]


def _n_unnamed(axis: Sequence[Name]) -> int:
    return sum(isinstance(name, int) for name in axis)


def _matched(new: Sequence[Name], old: Sequence[Name]) -> tuple[Places, Places]:
    """Return places in `new`, and the places in `old` that have the same name, or the unknown."""
    place = {name: n for n, name in enumerate(old)}
    found = [(n, place.get(name, place.get(unknown(name)))) for n, name in enumerate(new)]
    pairs = np.array([pair for pair in found if pair[1] is not None], np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
