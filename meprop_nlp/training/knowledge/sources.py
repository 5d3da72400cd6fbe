"""`Sources`: what a training draws on beside its treebank, read and checked."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from meprop_nlp.config import TOKENS, JointConfig, Knowledge, ParserConfig, TaggerConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.model import Model
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.settings import settings_of
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.initial import InitialModel
from meprop_nlp.training.knowledge.pretrained_states import PretrainedStates
from meprop_nlp.training.knowledge.several_treebanks import SeveralTreebanks
from meprop_nlp.training.knowledge.teachers import Teachers
from meprop_nlp.training.knowledge.transformer import FineTuning
from meprop_nlp.training.knowledge.vectors import (
    Vectors,
    checksum_of,
    read_most_frequent,
    read_pretrained,
)
from meprop_nlp.training.records import Note


@dataclass(frozen=True, slots=True)
class Sources:
    """What `Knowledge` names, in memory.

    Attributes:
        vectors: pretrained word vectors by form.
        states: the states of the words of all these sentences by a pretrained encoder.
        fine_tuning: in place of these, the pretrained encoder that is trained too.
        teachers: models to learn from.
        unlabelled: the forms of sentences that the teachers annotate.
        unlabelled_share: of the minibatches.
        treebanks: which treebank each training sentence is of, where there are several.
        initial: the model that training starts from, if there is one.
        tokenizer: the trained tokenizer that the model is to have, if any.
    """

    vectors: Vectors = field(default_factory=dict)
    states: PretrainedStates | None = None
    fine_tuning: FineTuning | None = None
    teachers: Teachers | None = None
    unlabelled: Sequence[Sequence[str]] = ()
    unlabelled_share: float = 0.0
    treebanks: SeveralTreebanks | None = None
    initial: InitialModel | None = None
    tokenizer: ModelFile | None = None

    def of_teacher(self) -> "Sources":
        """Return what the models of `teachers` draw on: all but teachers of their own."""
        return replace(self, teachers=None, unlabelled=(), unlabelled_share=0.0)

    def taught_by(
        self, models: Sequence[Model], knowledge: Knowledge, output: Path | None, hooks: Hooks
    ) -> "Sources":
        """Return these sources with teachers, which read the same states as the network.

        Args:
            models: the teachers; without any, nothing changes.
            output: the model file; what teachers answer is kept beside it while the training goes
                on, unless `knowledge` names a folder.
        """
        if not models:
            return self
        cache = Path(knowledge.cache) if knowledge.cache else output and answers_path(output)
        return replace(self, teachers=Teachers(models, cache, hooks, self.states))

    def identity(self) -> dict[str, Any]:
        """Return what must be the same when the run is resumed."""
        identity: dict[str, Any] = {"vectors": checksum_of(self.vectors)}
        if self.states is not None:
            identity["pretrained"] = self.states.card.fingerprint
        if self.fine_tuning is not None:
            identity["pretrained"] = self.fine_tuning.encoder.card.fingerprint
            identity["fine_tune_rate"] = self.fine_tuning.learning_rate
        if self.teachers:
            identity["teachers"] = self.teachers.identity()
        if self.unlabelled:
            identity["unlabelled"] = {
                "sentences": len(self.unlabelled),
                "checksum": zlib.crc32(repr(self.unlabelled).encode("utf-8", "surrogatepass")),
                "share": self.unlabelled_share,
            }
        if self.treebanks:
            numbers = zlib.crc32(self.treebanks.numbers.tobytes())
            identity["treebanks"] = {"names": self.treebanks.names, "checksum": numbers}
        if self.initial:
            identity |= self.initial.identity()
        return identity


def read_sources(
    knowledge: Knowledge,
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    width: int | None,
    device: str,
    hooks: Hooks,
    *,
    unlabelled: Sequence[Sequence[str]] = (),
    treebanks: SeveralTreebanks | None = None,
    initial: InitialModel | None = None,
) -> Sources:
    """Read what a training draws on, except its teachers, and report what was found.

    Args:
        width: of the word embeddings that begin as pretrained vectors, which must have it too;
            None: pretrained vectors are a part of words' vectors of their own.
        device: where a pretrained encoder runs, as torch names it.
        unlabelled: the forms of sentences that teachers annotate.
        treebanks: which treebank each sentence of `train` is of, where there are several.
        initial: the model that training starts from, which has been read.

    Raises:
        ConfigError: a source does not fit the settings.
        DataError: a file cannot be used.
        KeyboardInterrupt: `hooks.stop` returned True while states were computed.
    """
    folder, states, fine_tuning = knowledge.pretrained, None, None
    if folder is not None and knowledge.fine_tune:
        encoder = PretrainedEncoder(folder, device=device)
        fine_tuning = FineTuning(encoder, knowledge.fine_tune_rate)
        if device == "cpu":
            text = "is trained on the CPU, several times slower than a network that reads it frozen"
            hooks.on_record(Note(f"{encoder.card.name} {text}"))
    elif folder is not None:
        encoder = PretrainedEncoder(folder, device=device)
        all_forms = [(s.forms for s in train), (s.forms for s in dev), unlabelled]
        states = PretrainedStates(encoder, all_forms, knowledge.cache, hooks)
    return Sources(
        vectors=_vectors(knowledge, train, dev, width, hooks),
        states=states,
        fine_tuning=fine_tuning,
        unlabelled=unlabelled,
        unlabelled_share=knowledge.unlabelled_share if unlabelled else 0.0,
        treebanks=treebanks,
        initial=initial,
    )


def answers_path(output: Path) -> Path:
    """Return the folder beside a model file that keeps what its teachers answered."""
    return output.with_name(output.name.removesuffix(".safetensors") + ".answers")


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


def demand_use(knowledge: Knowledge, network: TaggerConfig | ParserConfig | JointConfig) -> None:
    """Raise ConfigError for settings that would have no effect on this network."""
    default = JointConfig().pretrained_dim
    if not isinstance(network, JointConfig):
        if knowledge.pretrained is not None:
            raise ConfigError("`pretrained` goes with a joint model")
        for name in ("treebank_id", "teacher", "teachers", "unlabelled"):
            if getattr(knowledge, name):
                raise ConfigError(f"`{name}` goes with a joint model")
        return
    if knowledge.treebank_id is None and network.treebank_dim != JointConfig().treebank_dim:
        raise ConfigError("`treebank_dim` goes with `treebank_id`")
    if knowledge.pretrained is None and network.pretrained_dim != default:
        raise ConfigError("`pretrained_dim` goes with `pretrained`")
    only_tree = set(network.heads) - {TOKENS} == {"tree"}
    if (knowledge.teacher or knowledge.teachers) and only_tree and network.tree == "transitions":
        raise ConfigError("`tree` transitions is not learnt from teachers; use `tree` graph")
