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
from meprop_nlp.models.tokenizer import part_of
from meprop_nlp.parsing.features import STATE_WORDS
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.knowledge.joint_file import read_joint
from meprop_nlp.training.knowledge.weight_names import Name, column_names, row_names, unknown
from meprop_nlp.training.simplification.widths import shrink, widths_of

# The settings that the shapes of weights depend on, each with an array and the dimension that has
# its size, or a smaller one after a cut.
_SHAPING: dict[str, tuple[str, int]] = {
    "hidden": ("encoder.layers.0.left_to_right.weight_hh_l0", 1),
    "word_dim": ("encoder.words.weight", 1),
    "feature_dim": ("encoder.features.weight", 1),
    "ngram_dim": ("encoder.ngrams.weight", 1),
    "ngram_rows": ("encoder.ngrams.weight", 0),
    "character_dim": ("encoder.characters.weight", 1),
    "spelling_dim": ("encoder.spelling.left_to_right.weight_hh_l0", 1),
    "pretrained_dim": ("encoder.pretrained.projection.weight", 0),
    "treebank_dim": ("encoder.treebanks.weight", 1),
    "lemma_dim": ("lemmas.hidden.weight", 0),
    "tag_dim": ("tree.tags.weight", 0),
    "label_dim": ("tree.label_dep.weight", 0),
}
_ARCS = {"graph": "tree.arc_dep.weight", "transitions": f"tree.{STATE_WORDS[0]}.weight"}
_CUT = ("hidden", "lemma_dim", "arc_dim", "label_dim")
# A layer that was cut is built whole first, and a stranger's file may say anything of its width.
WIDEST = 2048

Places = npt.NDArray[np.int64]


class InitialModel:
    """A joint model whose weights are the first ones of a training.

    Args:
        path: of its file.

    Attributes:
        file: the model, of which `header` is a part.
        lexicon, characters: the vocabularies of forms and of characters.
        tokenizer: the parts of the file that are its tokenizer; None if it has none.

    Raises:
        CheckpointError: the file is not a joint model, damaged, or too new.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        model = read_joint(path, "init_from")
        self._path = os.fspath(path)
        self.file = model.file
        self.header, self._arrays = model.file.header, model.file.arrays
        self.lexicon = model.lexicon
        self.characters = Characters(Vocab.from_list(self.header["characters"]))
        self._config = JointConfig.from_dict(self.header["config"])
        self.tokenizer = part_of(model.file)
        self._widths = self._stated_widths()

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
        usual = JointConfig()
        for name, own in self._widths.items():
            value = getattr(network, name)
            if value != own and (name in given or value != getattr(usual, name)):
                raise ConfigError(
                    f"`{name}` is {value}, but the model {self._path}, from which training "
                    f"starts, has {own}; give `{name}={own}` or leave it out"
                )
        meprop, training = settings.meprop, settings.training
        if "k" not in given and meprop.k == usual_k("joint", network.hidden):
            meprop = replace(meprop, k=usual_k("joint", self._config.hidden))
        if training.learning_rate is None and training.optimizer == "adam":
            rate = FINE_TUNING * LEARNING_RATES["joint"]["adam"]
            training = replace(training, learning_rate=rate)
        network = replace(network, **self._widths)
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
        shrink(layers, self._neurons(network, layers))
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

    def _stated_widths(self) -> dict[str, Any]:
        """Return the settings that the weights have their shapes from.

        Raises:
            CheckpointError: the weights have other shapes.
        """
        config, arrays = self._config, self._arrays
        found: dict[str, Any] = {"layers": config.layers}
        shaping = dict(_SHAPING)
        if "tree" in config.heads:
            found["tree"] = config.tree
            shaping["arc_dim"] = _ARCS[config.tree], 0
        for name, (array, axis) in shaping.items():
            if array not in arrays:
                continue
            stated, size = getattr(config, name), arrays[array].shape[axis]
            most = max(size, WIDEST) if name in _CUT else size
            if not size <= stated <= most:
                expected = f"{size} to {most}" if most > size else str(size)
                raise CheckpointError(
                    f"`init_from`: {self._path}: `{name}` is {stated}, but of the weights {array} "
                    f"one would expect {expected}; train it anew"
                )
            found[name] = stated
        return found

    def _neurons(self, network: nn.Module, layers: Sequence[SimplifiedLayer]) -> dict[str, int]:
        """Return the number of neurons of each layer in the model; all where it lacks the layer.

        Raises:
            CheckpointError: a layer has more than its settings say.
        """
        names = {module: name for name, module in network.named_modules()}
        found = widths_of(layers)
        for part in layers:
            array = "weight_hh_l0" if isinstance(part.layer, nn.LSTM) else "weight"
            old = self._arrays.get(f"{names[part.layer]}.{array}")
            if old is None:
                continue
            size = old.shape[1] if isinstance(part.layer, nn.LSTM) else old.shape[0]
            if size > found[part.name]:
                raise CheckpointError(
                    f"`init_from`: {self._path}: the weights {names[part.layer]}.{array} have "
                    f"{size} neurons, expected at most {found[part.name]}; train it anew"
                )
            found[part.name] = size
        return found

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
