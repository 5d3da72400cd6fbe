"""`Sources`: what a training draws on beside its treebank, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from meprop_nlp.config import Knowledge
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.initial import InitialModel
from meprop_nlp.training.knowledge.vectors import Vectors, checksum_of, read_pretrained


@dataclass(frozen=True, slots=True)
class Sources:
    """What `Knowledge` names, in memory.

    Attributes:
        vectors: pretrained word vectors by form.
        initial: the model that training starts from, if there is one.
    """

    vectors: Vectors = field(default_factory=dict)
    initial: InitialModel | None = None

    def identity(self) -> dict[str, Any]:
        """Return what must be the same when the run is resumed."""
        initial = self.initial.identity() if self.initial else {}
        return {"vectors": checksum_of(self.vectors), **initial}


def read_sources(
    knowledge: Knowledge,
    train: Sequence[Sentence],
    width: int,
    hooks: Hooks,
    initial: InitialModel | None = None,
) -> Sources:
    """Read what a training draws on, and report what was found.

    Args:
        width: of the word embeddings, which pretrained vectors must have.
        initial: the model that training starts from, which has been read.

    Raises:
        ConfigError: a source does not fit the settings.
        DataError: a file cannot be used.
    """
    vectors = knowledge.vectors
    found = read_pretrained(vectors, train, width, hooks) if vectors else {}
    return Sources(found, initial)
