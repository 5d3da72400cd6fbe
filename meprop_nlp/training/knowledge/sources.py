"""`Sources`: what a training draws on beside its treebank, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from meprop_nlp.config import Knowledge
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import settings_of
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.vectors import (
    Vectors,
    checksum_of,
    read_most_frequent,
    read_pretrained,
)


@dataclass(frozen=True, slots=True)
class Sources:
    """What `Knowledge` names, in memory.

    Attributes:
        vectors: pretrained word vectors by form.
    """

    vectors: Vectors = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """Return what must be the same when the run is resumed."""
        return {"vectors": checksum_of(self.vectors)}


def read_sources(
    knowledge: Knowledge,
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    width: int | None,
    hooks: Hooks,
) -> Sources:
    """Read what a training draws on, and report what was found.

    Args:
        width: of the word embeddings that begin as pretrained vectors, which must have it too;
            None: pretrained vectors are a part of words' vectors of their own.

    Raises:
        ConfigError: a source does not fit the settings.
        DataError: a file cannot be used.
    """
    path, limit = knowledge.vectors, knowledge.vectors_limit
    if path is None:
        return Sources()
    if width is None:
        return Sources(vectors=read_most_frequent(path, limit, train, dev, hooks))
    if limit != settings_of(Knowledge)["vectors_limit"].default:
        raise ConfigError(
            "`vectors_limit` goes with the joint model and `encoder` bilstm; other networks read "
            "the vectors of the training file's words alone"
        )
    return Sources(vectors=read_pretrained(path, train, width, hooks))
