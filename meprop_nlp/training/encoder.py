"""The torch side of the joint model's encoder: words in, a vector of each word in context out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.characters import Characters
from meprop_nlp.data.lexicon import FEATURES
from meprop_nlp.data.ngrams import ngram_bags
from meprop_nlp.nn.bilstm import BiLSTM
from meprop_nlp.nn.embedding import dropout, embedding_concat
from meprop_nlp.training.batching import packed_rows
from meprop_nlp.training.knowledge.layer_mix import LayerMix
from meprop_nlp.training.knowledge.transformer import Pieces, Transformer


class Ngrams:
    """The rows of the character n-grams of U distinct forms.

    Args:
        forms: the U forms.
        n_rows: of the table that they are hashed to.
        device: of the tensors.
    """

    def __init__(self, forms: Sequence[str], n_rows: int, device: torch.device) -> None:
        self._rows, self._bounds = ngram_bags(forms, n_rows)
        self._device = device

    def of(self, forms: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return the rows of some forms' n-grams and the index of each form's first: (G,), (n,)."""
        firsts, sizes = self._bounds[forms], self._bounds[forms + 1] - self._bounds[forms]
        starts = np.cumsum(sizes) - sizes
        places = np.arange(int(sizes.sum())) + np.repeat(firsts - starts, sizes)
        arrays = self._rows[places], starts
        rows, starts = (torch.from_numpy(array).to(self._device) for array in arrays)
        return rows, starts


class Spelling(NamedTuple):
    """The characters of D forms, packed: all first characters, longest form first, and so on.

    Attributes:
        characters: (C,) the numbers of the characters.
        batch_sizes: (longest form,) on the CPU.
        form_of: (D,) where each form stands among the packed ones.
    """

    characters: Tensor
    batch_sizes: Tensor
    form_of: Tensor


class Spellings:
    """The characters of U distinct forms.

    Args:
        forms: the U forms.
        characters: numbers them.
        device: of the tensors.
    """

    def __init__(self, forms: Sequence[str], characters: Characters, device: torch.device) -> None:
        self._numbers, self._bounds = characters.spell(forms)
        self._device = device

    def of(self, forms: npt.NDArray[np.int64]) -> Spelling:
        """Return the characters of some forms, by their numbers."""
        lengths = self._bounds[forms + 1] - self._bounds[forms]
        order = np.argsort(-lengths, kind="stable")
        rows, batch_sizes = packed_rows(self._bounds[forms[order]], lengths[order])
        place = np.empty(len(forms), np.int64)
        place[order] = np.arange(len(forms))
        return Spelling(
            torch.from_numpy(self._numbers[rows]).to(self._device),
            torch.from_numpy(batch_sizes),
            torch.from_numpy(place).to(self._device),
        )


class Inputs(NamedTuple):
    """What the encoder reads of a minibatch of N words with D distinct forms, packed.

    Attributes:
        rows: (N, 8) int32 rows of the word and feature tables.
        ngrams, starts: the n-grams of the D forms, see `Ngrams.of`.
        spelling: the characters of the D forms.
        form_of: (N,) which of the D forms each word has.
        batch_sizes: (T,) on the CPU, how many sentences have a word at each time step.
        vectors: (D, V) the pretrained vectors of the D forms, if there are any.
        states: (N, layers, width) by a pretrained encoder, if there is one that is frozen.
        treebanks: (N,) the number of each word's treebank, if there are several.
        pieces: what a pretrained encoder reads, if there is one that is trained too.
    """

    rows: Tensor
    ngrams: Tensor
    starts: Tensor
    spelling: Spelling
    form_of: Tensor
    batch_sizes: Tensor
    vectors: Tensor | None = None
    states: Tensor | None = None
    treebanks: Tensor | None = None
    pieces: Pieces | None = None


INITIAL = 0.2  # standard deviation of the initial embeddings


class Encoder(nn.Module):
    """A stack of BiLSTMs over vectors of form, spelling features, n-grams and characters.

    A pretrained vector may be one more part of a word's vector. It is not trained, so the table of
    these vectors is no part of the network: the rows come with the inputs.

    The characters of a form are read by a small BiLSTM of their own, whose last states in both
    directions are a part of the form's vector.

    Args:
        n_words: rows of the word table.
        n_features: rows of the table that holds all features' values.
        n_characters: rows of the table of characters.
        config, meprop: widths and dropout; how gradients are sparsified.
        vector_width: of the pretrained vectors; 0 if there are none.
        pretrained: layers and width of the states of a pretrained encoder, of which the first layer
            reads a second part of a word's vector.
        n_treebanks: how many treebanks the words are of, where the first layer reads an embedding
            of each; else 0.
        transformer: the pretrained encoder, if it is trained too; its states need not be given.
    """

    layers: Sequence[BiLSTM]
    _sizes: Tensor  # of the parts of a word's vector

    def __init__(
        self,
        n_words: int,
        n_features: int,
        n_characters: int,
        config: JointConfig,
        meprop: MePropConfig,
        vector_width: int = 0,
        pretrained: tuple[int, int] | None = None,
        n_treebanks: int = 0,
        transformer: Transformer | None = None,
    ) -> None:
        super().__init__()
        assert config.dropout is not None
        self.dropout, self.part_dropout = config.dropout, config.part_dropout
        half = config.dropout / 2
        self.input_dropout = half if config.input_dropout is None else config.input_dropout
        self.dropout_share = 1.0
        self.words = nn.Embedding(n_words, config.word_dim)
        self.features = nn.Embedding(n_features, config.feature_dim)
        self.ngrams = nn.EmbeddingBag(config.ngram_rows, config.ngram_dim, mode="mean", sparse=True)
        self.characters = nn.Embedding(n_characters, config.character_dim)
        self.spelling = BiLSTM(config.character_dim, config.spelling_dim)
        for table in (self.words, self.features, self.ngrams, self.characters):
            nn.init.normal_(table.weight, std=INITIAL)
        features = [config.feature_dim] * len(FEATURES)
        widths = [config.word_dim, *features, config.ngram_dim, 2 * config.spelling_dim]
        if vector_width:
            widths.append(vector_width)
        self.register_buffer("_sizes", torch.tensor(widths), persistent=False)
        self.input_width = sum(widths)
        width = self.input_width
        self.pretrained: LayerMix | None = None
        if pretrained is not None:
            self.pretrained = LayerMix(*pretrained, config.pretrained_dim)
            width += config.pretrained_dim
        self.transformer = transformer
        self.treebanks: nn.Embedding | None = None
        if n_treebanks:
            self.treebanks = nn.Embedding(n_treebanks, config.treebank_dim)
            nn.init.normal_(self.treebanks.weight, std=INITIAL)
            width += config.treebank_dim
        layers = []
        for _ in range(config.layers):
            layers.append(BiLSTM(width, config.hidden, k=meprop.k, topk_mode=meprop.topk_mode))
            width = 2 * config.hidden
        self.layers = nn.ModuleList(layers)  # type: ignore[assignment]

    @property
    def width(self) -> int:
        """Return the width of the states."""
        return sum(self.layers[-1].hidden_sizes)

    def forward(self, inputs: Inputs) -> tuple[Tensor, list[Tensor]]:
        """Return the vectors of all words without context, and the states of each layer.

        They are (N, I), and (N, 2H) for each layer, the last of which the heads read.
        """
        words = embedding_concat(self.words.weight, inputs.rows[:, :1], sparse_grad=True)
        features = embedding_concat(self.features.weight, inputs.rows[:, 1:], sparse_grad=True)
        ngrams = self.ngrams(inputs.ngrams, inputs.starts).index_select(0, inputs.form_of)
        spelled = self._spelled(inputs.spelling).index_select(0, inputs.form_of)
        parts = [words, features, ngrams, spelled]
        if inputs.vectors is not None:
            parts.append(inputs.vectors.index_select(0, inputs.form_of))
        x = torch.cat(parts, 1)  # (N, I)
        if self.training and self.part_dropout:
            chance = 1 - self.part_dropout * self.dropout_share
            kept = x.new_empty(len(x), len(self._sizes)).bernoulli_(chance)
            x = x * kept.repeat_interleave(self._sizes, 1)
        x = dropout(x, self.input_dropout * self.dropout_share, self.training)
        states = x if self.pretrained is None else torch.cat([x, self._pretrained(inputs)], 1)
        if self.treebanks is not None:
            states = torch.cat([states, self.treebanks(inputs.treebanks)], 1)
        of_layers = []
        for layer in self.layers:
            packed, _ = layer(PackedSequence(states, inputs.batch_sizes))
            states = dropout(packed.data, self.dropout * self.dropout_share, self.training)
            of_layers.append(states)
        return x, of_layers

    def _pretrained(self, inputs: Inputs) -> Tensor:
        """Return the part of the words' vectors that depends on their context: (N, P)."""
        assert self.pretrained is not None
        states = inputs.states
        if self.transformer is not None:
            assert inputs.pieces is not None
            states = self.transformer(inputs.pieces)
        assert states is not None
        rate = self.input_dropout * self.dropout_share
        part: Tensor = self.pretrained(states, rate)
        if self.training and self.part_dropout:
            chance = 1 - self.part_dropout * self.dropout_share
            part = part * part.new_empty(len(part), 1).bernoulli_(chance)
        return dropout(part, rate, self.training)

    def _spelled(self, spelling: Spelling) -> Tensor:
        """Return the last states of both directions over the characters of each form."""
        characters = self.characters(spelling.characters)
        _, (last, _) = self.spelling(PackedSequence(characters, spelling.batch_sizes))
        return last[0].index_select(0, spelling.form_of)  # type: ignore[no-any-return]
