"""`TreeInputs`: what the joint model's tree heads read of words, checked against the encoder."""

from collections.abc import Iterable, Iterator

import numpy as np

from meprop_nlp.models.digits import DigitWeight
from meprop_nlp.models.encoder import SharedEncoder, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.heads.joint_native import Layer, TagWeight
from meprop_nlp.models.parts import Array, demand_inputs, numbers_of_tags, take


class TreeInputs:
    """The encoder's states, a vector of the tags if there is a tag head, and vectors of no words.

    Args:
        file: the model file.
        special: the name of the array with the vectors of what is no word, such as ROOT.
        n_special: how many of these there are.

    Attributes:
        tags: turns the probabilities of tags into a vector; None without a tag head.
        special: (n_special, W) those vectors.

    Raises:
        CheckpointError: an array is missing, or has another shape.
        MePropError: a weight is not finite.
    """

    def __init__(self, file: ModelFile, special: str, n_special: int) -> None:
        self._name = special
        self.special = take(file.arrays, special, n_special, None)
        sizes = numbers_of_tags(file)
        self.tags: TagWeight | None = None
        if sizes:
            self.tags = TagWeight(take(file.arrays, "tree.tags.weight", None, sum(sizes)).T, sizes)

    @property
    def width(self) -> int:
        """Return W."""
        width: int = self.special.shape[1]
        return width

    def demand_fit(self, encoder: SharedEncoder) -> None:
        """Raise CheckpointError unless the encoder's states have the width that is read."""
        tag_width = 0 if self.tags is None else self.tags.weight.shape[1]
        demand_inputs(self._name, self.width, encoder.width + tag_width)

    def products(self, states: States, layers: Iterable[Layer]) -> Iterator[Array]:
        """Yield each layer's outputs for N words, then for no words: (N + n_special, ...)."""
        width = states.context.shape[1]
        tags = None
        if self.tags is not None:
            assert states.tags is not None  # the head that gives them has run
            tags = states.tags @ self.tags.weight
        for weight, bias in layers:
            sums = DigitWeight.of(weight[:width]).product(states.context)
            if tags is not None:
                sums += tags @ weight[width:]
            yield np.concatenate([sums, self.special @ weight]) + bias
