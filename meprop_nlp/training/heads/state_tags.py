"""The torch side of the joint model's tag head: an output layer over the states for each column."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.training.simplification.teacher import distilled


class TagsNetwork(nn.Module):
    """Vectors of words in, one tensor of logits per predicted column out.

    Args:
        width: of the encoder's states.
        n_tags: how many values each predicted column has.
    """

    def __init__(self, width: int, n_tags: Mapping[str, int]) -> None:
        super().__init__()
        self.outputs = nn.ModuleDict({column: nn.Linear(width, n) for column, n in n_tags.items()})

    def forward(self, states: Tensor) -> dict[str, Tensor]:
        """Return logits by column, each (N, tags of the column), for states (N, width)."""
        return {column: output(states) for column, output in self.outputs.items()}


def probabilities(logits: Mapping[str, Tensor]) -> Tensor:
    """Return the probability of each tag of all columns, side by side: (N, tags).

    Other heads read them; they teach the tag head nothing.
    """
    return torch.cat([F.softmax(scores.detach(), 1) for scores in logits.values()], 1)


class TagsTargets:
    """The gold tags of a treebank of N words.

    Attributes:
        vocabs: the values of each column, by its name.
    """

    def __init__(
        self, sentences: Sequence[Sentence], columns: Sequence[str], device: torch.device
    ) -> None:
        tags = {
            name: [tag for sentence in sentences for tag in sentence.column(name)]
            for name in columns
        }
        self.vocabs = {name: Vocab.build(values) for name, values in tags.items()}
        self._targets = {
            name: torch.tensor([vocab.index(tag) for tag in tags[name]]).to(device)
            for name, vocab in self.vocabs.items()
        }

    def loss(
        self,
        column: str,
        logits: Tensor,
        words: Tensor,
        smoothing: float,
        answers: Tensor | None = None,
    ) -> Tensor:
        """Return a column's mean loss, with a teacher's logits if there are any."""
        loss = F.cross_entropy(logits, self._targets[column][words], label_smoothing=smoothing)
        return loss if answers is None else distilled(loss, logits, answers, synthetic=False)
