"""The torch side of the joint model's tag head: an output layer over the states for each column."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.training.heads.early import WordClasses
from meprop_nlp.training.heads.head import States, TrainedHead, Widths
from meprop_nlp.training.heads.sentences import columns_to_predict, filled_columns, unseen
from meprop_nlp.training.heads.targets import mean_loss, targets_of
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.simplification.teacher import Width


class TagsNetwork(nn.Module):
    """Vectors of words in, one tensor of logits per predicted column out.

    Args:
        width: of the encoder's states.
        n_tags: how many values each predicted column has.
    """

    def __init__(self, width: int, n_tags: Mapping[str, int]) -> None:
        super().__init__()
        self.outputs = nn.ModuleDict({column: nn.Linear(width, n) for column, n in n_tags.items()})

    def forward(self, states: States) -> dict[str, Tensor]:
        """Return logits by column, each (N, tags of the column).

        Other heads read the tags' probabilities in `states`; they teach the tag head nothing.
        """
        logits = {column: output(states.context) for column, output in self.outputs.items()}
        states.tags = torch.cat([F.softmax(each.detach(), 1) for each in logits.values()], 1)
        return logits


class StateTags(TrainedHead):
    """The tag head of the joint model, with the gold tags of a treebank.

    Attributes:
        vocabs: the values of each column, by its name.
    """

    name = "tags"
    network: TagsNetwork

    @staticmethod
    def is_in(sentences: Sequence[Sentence]) -> bool:
        return bool(filled_columns(sentences))

    def __init__(
        self,
        train: Sequence[Sentence],
        config: JointConfig,
        meprop: MePropConfig,
        widths: Widths,
        device: torch.device,
    ) -> None:
        self._smoothing = config.smoothing
        self.scores = columns_to_predict(train, config.columns)
        self.vocabs: dict[str, Vocab] = {}
        self._targets: dict[str, Tensor] = {}
        self._partial: dict[str, bool] = {}
        annotation = Annotation(train)
        for name in self.scores:
            known = annotation.known(name)
            tags = (tag for sentence in train for tag in sentence.column(name))
            values = list(compress(tags, known))
            vocab = self.vocabs[name] = Vocab.build(values)
            self._targets[name] = targets_of(map(vocab.index, values), known).to(device)
            self._partial[name] = not known.all()
        sizes = {name: len(vocab) for name, vocab in self.vocabs.items()}
        self.n_tags = sum(sizes.values())
        self.network = TagsNetwork(widths.context, sizes)

    def loss(
        self,
        answer: Mapping[str, Tensor],
        words: Tensor,
        layout: Layout,
        teacher: Mapping[str, Tensor] | None = None,
        *,
        synthetic: bool = False,
    ) -> Tensor:
        losses = []
        for name, logits in answer.items():
            loss = mean_loss(
                logits,
                None if synthetic else self._targets[name][words],
                teacher.get(name) if teacher else None,
                partial=self._partial[name],
                smoothing=self._smoothing,
            )
            losses.append(loss)
        return torch.stack(losses).sum()

    def word_classes(self) -> dict[str, WordClasses]:
        return {
            name: WordClasses(targets, len(self.vocabs[name]), self._partial[name])
            for name, targets in self._targets.items()
        }

    def soft_widths(self) -> dict[str, Width]:
        return {name: len(vocab) for name, vocab in self.vocabs.items()}

    def readers(self) -> Iterable[nn.Module]:
        return self.network.outputs.values()

    def header(self) -> dict[str, Any]:
        return {"tags": {name: vocab.to_list() for name, vocab in self.vocabs.items()}}

    def unseen(self, dev: Sequence[Sentence]) -> list[str]:
        annotation = Annotation(dev)
        found = []
        for name, vocab in self.vocabs.items():
            tags = (tag for sentence in dev for tag in sentence.column(name))
            found += unseen(f"{name} values", compress(tags, annotation.known(name)), vocab)
        return found
