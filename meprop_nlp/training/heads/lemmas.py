"""The torch side of the lemma head: which edit script turns a form into its lemma."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, repeat
from typing import Any

import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.known_lemmas import KnownLemmas
from meprop_nlp.data.lemma_script import script_of
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.heads.joint_native import SLOPE
from meprop_nlp.models.heads.lemma_evidence import NO_TAG, Evidence
from meprop_nlp.nn.embedding import dropout
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.heads.head import CHEAP, LANES, States, TrainedHead, Widths
from meprop_nlp.training.heads.sentences import columns_to_predict
from meprop_nlp.training.heads.state_tags import StateTags
from meprop_nlp.training.heads.targets import mean_loss, targets_of
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.simplification.teacher import Width


class LemmasNetwork(nn.Module):
    """Vectors of words in, logits of edit scripts out.

    Args:
        widths: of what it reads: states, vectors of forms, and the tags' probabilities.
        n_scripts: how many edit scripts there are.
        config: width and dropout.
    """

    def __init__(self, widths: Widths, n_scripts: int, config: JointConfig) -> None:
        super().__init__()
        assert config.dropout is not None
        self.dropout, self.dropout_share = config.dropout, 1.0
        # dense: a MePropLinear because simplification can cut it
        self.hidden = MePropLinear(widths.context + widths.forms + widths.tags, config.lemma_dim)
        self.output = nn.Linear(config.lemma_dim, n_scripts)

    def forward(self, states: States) -> Tensor:
        """Return the logits of all scripts for each word: (N, scripts)."""
        parts = [states.context, states.forms]
        if states.tags is not None:
            parts.append(states.tags)
        hidden = F.leaky_relu(self.hidden(torch.cat(parts, 1)), SLOPE)
        p = self.dropout * self.dropout_share
        return self.output(dropout(hidden, p, self.training))  # type: ignore[no-any-return]


class Lemmas(TrainedHead):
    """The lemma head, with the gold lemmas of a treebank as edit scripts.

    Attributes:
        scripts: the edit scripts.
        known: what the treebank knows of lemmas.
    """

    name = "lemmas"
    network: LemmasNetwork
    scores = ("lemmas",)

    @staticmethod
    def is_in(sentences: Sequence[Sentence]) -> bool:
        return any(lemma != "_" for sentence in sentences for lemma in sentence.column("lemma"))

    def __init__(
        self,
        train: Sequence[Sentence],
        config: JointConfig,
        meprop: MePropConfig,
        widths: Widths,
        device: torch.device,
    ) -> None:
        self._smoothing = config.smoothing
        known = Annotation(train).known("lemma")
        each = [(word.form, word.lemma) for sentence in train for word in sentence.words]
        pairs = list(compress(each, known))
        script_by_pair = {pair: script_of(*pair) for pair in set(pairs)}
        scripts = [script_by_pair[pair] for pair in pairs]
        tags: Iterable[str] = repeat(NO_TAG)
        if StateTags.name in config.heads and "upos" in columns_to_predict(train, config.columns):
            tags = (tag for sentence in train for tag in sentence.column("upos"))
        words = ((form, tag, lemma) for (form, lemma), tag in zip(each, tags, strict=False))
        self.known = KnownLemmas.build(compress(words, known))
        self.scripts = Vocab.build(scripts)
        self._targets = targets_of(map(self.scripts.index, scripts), known).to(device)
        self._partial = not known.all()
        self.network = LemmasNetwork(widths, len(self.scripts), config)

    def inherit(self, file: ModelFile) -> None:
        evidence = Evidence.of(file)
        if evidence is not None:
            self.known = self.known.joined(evidence.known)

    def loss(
        self,
        answer: Tensor,
        words: Tensor,
        layout: Layout,
        teacher: Mapping[str, Tensor] | None = None,
        *,
        synthetic: bool = False,
    ) -> Tensor:
        return mean_loss(
            answer,
            None if synthetic else self._targets[words],
            None if teacher is None else teacher["scripts"],
            partial=self._partial,
            smoothing=self._smoothing,
        )

    def soft_targets(
        self, answer: Tensor, words: Tensor, layout: Layout, *, synthetic: bool = False
    ) -> dict[str, Tensor]:
        return {"scripts": answer}

    def soft_widths(self) -> dict[str, Width]:
        return {"scripts": len(self.scripts)}

    def readers(self) -> Iterable[nn.Module]:
        return [self.network.hidden]

    def hidden_layers(self) -> list[SimplifiedLayer]:
        hidden, output = self.network.hidden, self.network.output
        return [
            SimplifiedLayer(
                "lemmas.hidden", hidden, [Consumer(output)], power=CHEAP, multiple=LANES
            )
        ]

    def header(self) -> dict[str, Any]:
        return {"scripts": self.scripts.to_list()}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        return Evidence.arrays(self.known)
