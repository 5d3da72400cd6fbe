"""`Transformer`: a pretrained encoder that is trained with the network which reads its states."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.models.encoder_folder import EncoderCard
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.models.word_states import RoundedStates, StateBatches


class FineTuning(NamedTuple):
    """What a training needs for training a pretrained encoder too.

    Attributes:
        encoder: as it is before; each network has a copy of its weights.
        learning_rate: the peak one of these weights.
    """

    encoder: PretrainedEncoder
    learning_rate: float


class PieceTensors(NamedTuple):
    """Passages that the transformer reads at once, B of them with T pieces, of n words.

    Attributes:
        ids, mask: (B, T), see `models.pretrained.PieceBatch`.
        rows: (R,) the pieces of all words among the B x T, word after word.
        owners: (R,) which of the n words each of them is of.
        counts: (n,) the number of pieces of each word, 1 where it has none.
    """

    ids: Tensor
    mask: Tensor
    rows: Tensor
    owners: Tensor
    counts: Tensor


class Pieces(NamedTuple):
    """What the transformer reads of a minibatch of N words.

    Attributes:
        batches: its passages.
        order: (N,) where each word stands among the words of all passages.
    """

    batches: list[PieceTensors]
    order: Tensor

    @classmethod
    def of(
        cls,
        encoder: PretrainedEncoder,
        sentences: Sequence[Sequence[str]],
        words: npt.NDArray[np.int64],
        device: torch.device,
    ) -> Pieces:
        """Cut sentences into pieces.

        Args:
            encoder: has the tokenizer.
            sentences: the forms of their words.
            words: (N,) the numbers of the words in the order of the minibatch, counted over all
                sentences.
            device: of the tensors.
        """
        batches: list[PieceTensors] = []
        found: list[npt.NDArray[np.int64]] = []
        for batch in encoder.pieces(sentences):
            sizes = batch.ends - batch.firsts
            owners = np.repeat(np.arange(len(sizes)), sizes)
            rows = np.arange(len(owners)) + np.repeat(
                batch.firsts - np.cumsum(sizes) + sizes, sizes
            )
            arrays = batch.ids, batch.mask, rows, owners, np.maximum(sizes, 1)
            batches.append(PieceTensors(*(torch.from_numpy(a).to(device) for a in arrays)))
            found.append(batch.words)
        place = np.empty(len(words), np.int64)
        place[np.concatenate([np.zeros(0, np.int64), *found])] = np.arange(len(words))
        return cls(batches, torch.from_numpy(place[words]).to(device))


class Transformer(nn.Module):
    """A copy of a pretrained encoder's network, to be trained.

    In training its own dropout is on, at the rates of its configuration.

    Args:
        network: the network, which stays as it is.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(True)

    def forward(self, pieces: Pieces) -> Tensor:
        """Return the states of N words, each the mean over its pieces: (N, layers, width)."""
        states = torch.cat([self._states(batch) for batch in pieces.batches])
        return states.index_select(0, pieces.order)

    def _states(self, batch: PieceTensors) -> Tensor:
        """Return the states of the words of some passages: (n, layers, width)."""
        output = self.network(
            input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True
        )
        hidden = torch.stack(output.hidden_states, 2).flatten(0, 1)  # (B x T, layers, width)
        total = hidden.new_zeros(len(batch.counts), *hidden.shape[1:])
        total = total.index_add(0, batch.owners, hidden.index_select(0, batch.rows))
        return total / batch.counts[:, None, None]


class PresentStates:
    """The states by an encoder that is being trained, as it is when they are asked for.

    They are rounded as those of the model file will be; see `WordStates`.

    Args:
        encoder: runs the network that is trained.

    Attributes:
        card: of the encoder before the training.
    """

    def __init__(self, encoder: PretrainedEncoder) -> None:
        self.card: EncoderCard = encoder.card
        self._encoder = encoder

    def batches(self, sentences: Sequence[Sequence[str]]) -> StateBatches:
        """Yield the states of all words, rounded; see `PretrainedEncoder.batches`."""
        for words, states in self._encoder.batches(sentences):
            yield words, RoundedStates.of(states).values()
