"""`Sources`: what a training draws on beside its treebank, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from meprop_nlp.config import JointConfig, Knowledge, ParserConfig, TaggerConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.settings import settings_of
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.pretrained_states import PretrainedStates
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
        states: the states of the words of train and dev by a pretrained encoder.
    """

    vectors: Vectors = field(default_factory=dict)
    states: PretrainedStates | None = None

    def identity(self) -> dict[str, Any]:
        """Return what must be the same when the run is resumed."""
        identity: dict[str, Any] = {"vectors": checksum_of(self.vectors)}
        if self.states is not None:
            identity["pretrained"] = self.states.card.fingerprint
        return identity


def read_sources(
    knowledge: Knowledge,
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    width: int | None,
    network: TaggerConfig | ParserConfig | JointConfig,
    device: str,
    hooks: Hooks,
) -> Sources:
    """Read what a training draws on, and report what was found.

    Args:
        width: of the word embeddings that begin as pretrained vectors, which must have it too;
            None: pretrained vectors are a part of words' vectors of their own.
        network: the settings of the network.
        device: where a pretrained encoder runs, as torch names it.

    Raises:
        ConfigError: a source does not fit the settings.
        DataError: a file cannot be used.
        KeyboardInterrupt: `hooks.stop` returned True while states were computed.
    """
    _demand_use(knowledge, network)
    folder, states = knowledge.pretrained, None
    if folder is not None:
        encoder = PretrainedEncoder(folder, device=device)
        states = PretrainedStates(encoder, [train, dev], knowledge.cache, hooks)
    return Sources(vectors=_vectors(knowledge, train, dev, width, hooks), states=states)


def _vectors(
    knowledge: Knowledge,
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    width: int | None,
    hooks: Hooks,
) -> Vectors:
    """Return the pretrained vectors of a training; see `read_sources`."""
    path, limit = knowledge.vectors, knowledge.vectors_limit
    if path is None:
        return {}
    if width is None:
        return read_most_frequent(path, limit, train, dev, hooks)
    if limit != settings_of(Knowledge)["vectors_limit"].default:
        raise ConfigError(
            "`vectors_limit` goes with the joint model and `encoder` bilstm; other networks read "
            "the vectors of the training file's words alone"
        )
    return read_pretrained(path, train, width, hooks)


def _demand_use(knowledge: Knowledge, network: TaggerConfig | ParserConfig | JointConfig) -> None:
    """Raise ConfigError for settings that would have no effect on this network."""
    default = JointConfig().pretrained_dim
    if not isinstance(network, JointConfig):
        if knowledge.pretrained is not None:
            raise ConfigError("`pretrained` goes with a joint model")
    elif knowledge.pretrained is None and network.pretrained_dim != default:
        raise ConfigError("`pretrained_dim` goes with `pretrained`")
