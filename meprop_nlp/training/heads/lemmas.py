"""The torch side of the lemma head: which edit script turns a form into its lemma."""

from collections import Counter
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import JointConfig
from meprop_nlp.data.lemma_script import script_of
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.nn.embedding import dropout
from meprop_nlp.training.encoder import States
from meprop_nlp.training.simplification.teacher import distilled


class LemmasNetwork(nn.Module):
    """Vectors of words in, logits of edit scripts out.

    Args:
        context, forms: widths of the encoder's states and of its input vectors.
        n_tags: how many tags of all columns the tag head predicts; 0 without tags.
        n_scripts: how many edit scripts there are.
        config: width and dropout.
    """

    def __init__(
        self, context: int, forms: int, n_tags: int, n_scripts: int, config: JointConfig
    ) -> None:
        super().__init__()
        self.dropout, self.dropout_share = config.dropout, 1.0
        self.hidden = nn.Linear(context + forms + n_tags, config.lemma_dim)
        self.output = nn.Linear(config.lemma_dim, n_scripts)

    def forward(self, states: States, tags: Tensor | None) -> Tensor:
        """Return the logits of all scripts for each word: (N, scripts).

        Args:
            tags: (N, n_tags) each word's probability of each tag; None without tags.
        """
        parts = [states.context, states.forms] + ([] if tags is None else [tags])
        hidden = F.leaky_relu(self.hidden(torch.cat(parts, 1)), 0.1)
        return self.output(dropout(hidden, self.dropout * self.dropout_share, self.training))  # type: ignore[no-any-return]


class LemmasTargets:
    """The gold lemmas of a treebank of N words, as edit scripts.

    Attributes:
        scripts: the edit scripts.
    """

    def __init__(self, sentences: Sequence[Sentence], device: torch.device) -> None:
        pairs = [
            (word.form, word.lemma) for sentence in sentences for word in sentence.words
        ]
        scripts = {pair: script_of(*pair) for pair in Counter(pairs)}
        self.scripts = Vocab.build([scripts[pair] for pair in pairs])
        self._targets = torch.tensor([self.scripts.index(scripts[pair]) for pair in pairs]).to(
            device
        )

    def loss(
        self, logits: Tensor, words: Tensor, smoothing: float, answers: Tensor | None = None
    ) -> Tensor:
        """Return the mean loss of the words' scripts, with a teacher's logits if there are any."""
        loss = F.cross_entropy(logits, self._targets[words], label_smoothing=smoothing)
        return loss if answers is None else distilled(loss, logits, answers, synthetic=False)
