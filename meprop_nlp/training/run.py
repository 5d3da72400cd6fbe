"""`train`: from files and settings to a trained model, as one visible flow."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch

from meprop_nlp.config import HEAD_NAMES, JointConfig, Knowledge, ParserConfig, Settings
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vectors import demand_vectors
from meprop_nlp.errors import ConfigError
from meprop_nlp.files import demand_writable, remove_unfinished
from meprop_nlp.models.encoder_folder import remove_fine_tuned
from meprop_nlp.models.file import VECTOR_WIDTH, ModelFile, read_header, write_model_file
from meprop_nlp.models.heads.lemma_evidence import WEIGHTS as LEMMA_WEIGHTS
from meprop_nlp.models.heads.lemmas import LemmasHead
from meprop_nlp.models.model import HEADS, Model, joint_heads
from meprop_nlp.models.word_states import states_of
from meprop_nlp.nn.backends.choose import announce
from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.threads import usable_threads
from meprop_nlp.training.checkpoint import (
    checkpoint_path,
    demand_checkpoint,
    demand_same,
    demand_same_parts,
)
from meprop_nlp.training.device import pick_device
from meprop_nlp.training.distribution.beginning import begin_alike
from meprop_nlp.training.distribution.ranks import ALONE, Ranks, joined
from meprop_nlp.training.heads.predicted_tags import predict_tags, tags_path
from meprop_nlp.training.heads.sentences import SentenceTask, columns_to_read
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.answers import remove_answers
from meprop_nlp.training.knowledge.encoder_output import (
    demand_encoder_output,
    replaced_encoders,
)
from meprop_nlp.training.knowledge.ensemble import TEACHER_NUMBER, train_teachers
from meprop_nlp.training.knowledge.initial import InitialModel
from meprop_nlp.training.knowledge.several_treebanks import SeveralTreebanks, read_treebanks
from meprop_nlp.training.knowledge.sources import Sources, answers_path, demand_use, read_sources
from meprop_nlp.training.knowledge.swapped import swapped_sentences
from meprop_nlp.training.knowledge.teacher_files import read_teachers
from meprop_nlp.training.knowledge.unlabelled import read_unlabelled
from meprop_nlp.training.loop import Trainer
from meprop_nlp.training.measured.calibration import measure_calibration
from meprop_nlp.training.measured.lemma_weights import measure_lemma_weights
from meprop_nlp.training.output.lock import writing_alone
from meprop_nlp.training.output.side_files import (
    demand_own,
    demand_places,
    demand_replaceable,
    models_of,
    remove_left,
    side_files,
    tools_of,
)
from meprop_nlp.training.outputs import Outputs, remove_checkpoint
from meprop_nlp.training.records import EpochRecord, Note
from meprop_nlp.training.task import Task
from meprop_nlp.training.tokenizer import (
    allows_tokenizer,
    has_begun_tokenizer,
    remove_tokenizer,
    train_tokenizer,
    wants_tokenizer,
)
from meprop_nlp.training.treebanks import (
    Treebank,
    demand_scorable,
    fingerprint,
    hold_out,
    note_partial,
    paths_of,
    read_treebank,
)

# the module with the class that trains each task, its `TASK`
_TASKS = {"tagger": "heads.tags", "parser": "heads.tree", "joint": "joint"}


def train(
    task: str,
    train: Treebank,
    dev: Treebank | None = None,
    *,
    settings: Settings | None = None,
    knowledge: Knowledge | None = None,
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    held_out: bool = False,
    input_format: str = "auto",
    hooks: Hooks | None = None,
    ranks: Ranks | None = None,
) -> Model:
    """Train a model of a task; return the one with the best score on dev.

    Args:
        task: `tagger`, `parser` or `joint`, a key of `models.model.HEADS`.
        settings: None means the defaults, without simplification.
        knowledge: what the training draws on beside the treebank.
        train, dev, output, resume, held_out, input_format, hooks: see
            `TrainableModel.train`.
        ranks: the processes that train together; None: those that torchrun started.

    Raises:
        ConfigError, DataError, KeyboardInterrupt: see `TrainableModel.train`.
    """
    _task_class(task)  # refuses what is none
    settings, hooks = settings or Settings.of(task), hooks or Hooks()
    knowledge = knowledge or Knowledge()
    demand_use(knowledge, settings.network)
    wanted = _Wanted(
        task=task,
        train=train,
        dev=dev,
        settings=settings,
        knowledge=knowledge,
        held_out=held_out,
        input_format=input_format,
        hooks=hooks,
    )
    if ranks is not None:
        return _train_together(wanted, ranks, output=output, resume=resume)
    with joined(settings.training.device) as ranks:
        return _train_together(wanted, ranks, output=output, resume=resume)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a caller of `train` wants, in all processes alike; explained there."""

    task: str
    train: Treebank
    dev: Treebank | None
    settings: Settings
    knowledge: Knowledge
    held_out: bool
    input_format: str
    hooks: Hooks

    @property
    def files(self) -> list[str | os.PathLike[str]]:
        """The files of the treebanks, as far as these are files."""
        return [*paths_of(self.train), *paths_of(self.dev)]


def _train_together(
    wanted: _Wanted, ranks: Ranks, *, output: str | os.PathLike[str] | None, resume: bool
) -> Model:
    """Train in this process, with the others; only the first one has files; see `train`."""
    settings, knowledge = wanted.settings, wanted.knowledge
    if ranks.are_several and knowledge.cache is not None:
        raise ConfigError(
            "`cache` is written by one process, and torchrun started several; leave it out, or "
            "train in one process"
        )
    if not ranks.is_first:
        silent = replace(wanted, hooks=Hooks(stop=wanted.hooks.stop))
        return _train_from_files(silent, ranks, None, resume=False)
    if output is None:
        if resume:
            demand_checkpoint(None)
        demand_encoder_output(knowledge, None, resume=resume)
        return _train_from_files(wanted, ranks, None, resume=resume)
    path = Path(output)
    demand_places(path)
    with writing_alone(*models_of(path, settings, knowledge)):
        demand_replaceable(path, *tools_of(wanted.task, settings))
        beside = list(side_files(path, settings, knowledge))
        demand_own(beside, resume=resume, inputs=[*wanted.files, *knowledge.files])
        demand_encoder_output(knowledge, path, resume=resume)
        replaced = replaced_encoders(knowledge, path)
        remove_unfinished([path, *(each.path for each in beside)])
        model = _train_from_files(wanted, ranks, path, resume=resume)
        for encoder in replaced:
            remove_fine_tuned(encoder)
        remove_checkpoint(path)
    return model


def _train_from_files(wanted: _Wanted, ranks: Ranks, path: Path | None, *, resume: bool) -> Model:
    """Read what a training needs, train, and remove what is kept meanwhile; see `train`."""
    knowledge, hooks = wanted.knowledge, wanted.hooks
    found = _read(wanted, ranks)
    data, settings = found.data, found.data.settings
    with_tokenizer = wants_tokenizer(settings.network, found.of_text)
    if path is not None and not resume:
        remove_left(path, settings, knowledge)
    elif path is not None:
        begins_otherwise = with_tokenizer and has_begun_tokenizer(path)
        begins_otherwise |= bool(knowledge.teachers or getattr(settings.network, "jackknife", 0))
        _demand_resumable(data, path, begins_otherwise=begins_otherwise)
    unlabelled = _unlabelled(found, wanted)
    torch.set_num_threads(usable_threads(settings.training.threads))
    sources = read_sources(
        knowledge,
        data.train,
        data.dev,
        _task_class(wanted.task).word_width(settings.network),
        str(pick_device(settings.training.device)),
        hooks,
        unlabelled=unlabelled,
        treebanks=found.treebanks,
        initial=found.initial,
    )
    data = replace(data, sources=sources)
    teachers = [*found.teachers]
    if knowledge.teachers:
        teachers += train_teachers(
            knowledge.teachers,
            partial(_train_teacher, data),
            partial(_demand_teacher, data),
            output=path,
            resume=resume,
            hooks=hooks,
        )
        # a run that was stopped before its own first epoch ended has only teachers to go on from
        begun = path is not None and with_tokenizer and has_begun_tokenizer(path)
        resume = resume and path is not None and (begun or checkpoint_path(path).exists())
    data = replace(data, sources=sources.taught_by(teachers, knowledge, path, hooks))
    tokenizer = None
    if found.initial and allows_tokenizer(settings.network):
        tokenizer = found.initial.tokenizer
    if with_tokenizer:
        tokenizer, resume = train_tokenizer(
            found.of_text,
            data.dev,
            settings.training,
            train_task,
            output=path,
            resume=resume,
            hooks=hooks,
        )
    data = replace(data, sources=replace(data.sources, tokenizer=tokenizer))
    model = _train(data, path, resume, hooks)
    if path is not None and teachers and not knowledge.cache:
        remove_answers(answers_path(path))
    if path is not None and with_tokenizer:
        remove_tokenizer(path)
    return model


class _Read(NamedTuple):
    """What the files of a training hold.

    Attributes:
        data: the treebanks and the settings; without its sources, which take their time.
        of_text: the sentences whose texts a tokenizer learns from, and which are swapped: those of
            the first treebank, as the texts of others may be of other languages.
        treebanks: which treebank each sentence is of, where there are several.
        initial: the model that training starts from.
        teachers: the trained ones, which are given.
    """

    data: "TrainingData"
    of_text: Sequence[Sentence]
    treebanks: SeveralTreebanks | None
    initial: InitialModel | None
    teachers: list[Model]


def _read(wanted: _Wanted, ranks: Ranks) -> _Read:
    """Read the treebanks and models of a training, and refuse settings that do not fit them."""
    settings, knowledge, hooks = wanted.settings, wanted.knowledge, wanted.hooks
    task_class, dev = _task_class(wanted.task), wanted.dev
    # other files than the treebanks first: they may be wrong, and treebanks take their time
    initial = _initial_model(knowledge, wanted.task)
    if initial is not None:
        settings = initial.fitted(settings)
    teachers = read_teachers(knowledge)
    if knowledge.vectors is not None:
        demand_vectors(knowledge.vectors)
    if knowledge.cache is not None and Path(knowledge.cache).is_file():
        raise ConfigError(f"`cache` is {knowledge.cache}, a file, expected the name of a folder")
    how: dict[str, Any] = {"trees": settings.demands_trees, "input_format": wanted.input_format}
    names, treebanks = knowledge.treebank_id, None
    if names is None:
        sentences = read_treebank(wanted.train, "train", hooks, **how)
    else:
        if dev is None and wanted.held_out:
            raise ConfigError("`treebank_id` goes with `dev`, a file of the first treebank")
        sentences, treebanks = read_treebanks(wanted.train, names, hooks, **how)
    dev_sentences = [] if dev is None else read_treebank(dev, "dev", hooks, **how)
    if dev is None and wanted.held_out:
        sentences, dev_sentences = hold_out(sentences, hooks)
    demand_scorable(dev_sentences, _most_words(wanted.task, settings))
    task_class.demand_data(sentences, settings)
    data = TrainingData(wanted.task, sentences, dev_sentences, settings, Sources(), ranks=ranks)
    _ = data.fitted  # refuses cuts that would never come
    if task_class.partial:
        for role, of in (("train", sentences), ("dev", dev_sentences)):
            note_partial(role, of, hooks)
    of_text: Sequence[Sentence] = sentences
    if treebanks is not None:
        of_text = [s for s, number in zip(sentences, treebanks.numbers, strict=True) if not number]
    return _Read(data, of_text, treebanks, initial, teachers)


def _unlabelled(found: _Read, wanted: _Wanted) -> list[list[str]]:
    """Return the forms of the sentences that teachers annotate beside the treebank."""
    data, knowledge = found.data, wanted.knowledge
    if knowledge.unlabelled:
        epochs = data.fitted.training.epochs
        most_words = _drawn_words(epochs, data.train, knowledge.unlabelled_share)
        return read_unlabelled(knowledge.unlabelled, wanted.hooks, most_words=most_words)
    if (knowledge.teacher or knowledge.teachers) and not knowledge.pretrained:
        # of the first treebank, as sentences without annotation are
        seed = data.settings.training.seed
        return swapped_sentences(found.of_text, knowledge.swapped_copies, seed, wanted.hooks)
    return []


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What one network is trained from, in memory.

    Attributes:
        task: as for `train`.
        train, dev: sentences; `dev` may be empty.
        settings: of the training; with 0 epochs, there are as many as `train` needs.
        sources: what it draws on beside `train`.
        teacher_number: of a teacher of an ensemble, from 1; 0: it is none.
        ranks: the processes that train the network together; each teacher is trained in each.
    """

    task: str
    train: Sequence[Sentence]
    dev: Sequence[Sentence]
    settings: Settings
    sources: Sources
    teacher_number: int = 0
    ranks: Ranks = ALONE

    @property
    def fitted(self) -> Settings:
        """The settings, with the number of epochs."""
        if self.settings.training.epochs:
            return self.settings
        n_words = sum(map(len, self.train))
        return _with_epochs(self.settings, _task_class(self.task), n_words)

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same, beside the other settings, when the run is resumed."""
        return {
            self.task: self.settings.network.to_dict(),
            **self.sources.identity(),
            "data": {"train": fingerprint(self.train), "dev": fingerprint(self.dev)},
            **({TEACHER_NUMBER: self.teacher_number} if self.teacher_number else {}),
            **({"processes": self.ranks.size} if self.ranks.are_several else {}),
        }

    def of_teacher(self, number: int) -> "TrainingData":
        """Return what a teacher of an ensemble is trained from: a whole network, another seed."""
        training = replace(self.settings.training, seed=self.settings.training.seed + number)
        settings = replace(self.settings, simplify=None, training=training)
        sources = self.sources.of_teacher()
        return replace(self, settings=settings, sources=sources, teacher_number=number, ranks=ALONE)


def _train(data: TrainingData, path: Path | None, resume: bool, hooks: Hooks) -> Model:
    """Train one network from what was read; see `train`."""
    task_class, sources, settings = _task_class(data.task), data.sources, data.fitted
    sentences, dev_sentences = data.train, data.dev
    identity = data.identity
    stored_tags: Path | None = None
    if isinstance(settings.network, ParserConfig) and settings.network.jackknife:
        stored_tags = path and tags_path(path)
        columns = columns_to_read(sentences, settings.network)
        sentences, dev_sentences = predict_tags(
            sentences,
            dev_sentences,
            settings.network.jackknife,
            columns,
            settings.training,
            _train_tagger,
            output=path,
            resume=resume,
            hooks=hooks,
        )
        settings = replace(settings, network=replace(settings.network, tag_columns=columns))
        # a run that was stopped before the parser's first epoch ended has only tags to go on from
        resume = resume and path is not None and checkpoint_path(path).exists()

    def build(device: torch.device) -> Task:
        return task_class(sentences, dev_sentences, settings, device, sources)

    file = train_task(
        build,
        settings,
        identity=identity,
        output=path,
        resume=resume,
        hooks=hooks,
        ranks=data.ranks,
    )
    if stored_tags is not None:
        stored_tags.unlink(missing_ok=True)
    if not dev_sentences:
        return Model(file)
    # a run that was killed at its end may have left a calibration, which is not calibrated again
    left = ("checksum", "calibration", LEMMA_WEIGHTS)
    header = {key: value for key, value in file.header.items() if key not in left}
    device = str(pick_device(settings.training.device))
    states = sources.states or states_of(header, device=device)
    model = Model(ModelFile(header, file.arrays), states)
    if weights := measure_lemma_weights(model, dev_sentences):
        header[LEMMA_WEIGHTS] = weights
        model = Model(ModelFile(header, file.arrays), states)
        lemmas = model.evaluate(dev_sentences, multiple_roots=True).lemmas
        header["scores"] = header["scores"] | {LemmasHead.name: lemmas}
    header["calibration"] = measure_calibration(model, dev_sentences)
    if path is not None:
        write_model_file(path, header, file.arrays)
    return Model(ModelFile(header, file.arrays))


def train_task(
    build: Callable[[torch.device], Task],
    settings: Settings,
    *,
    identity: Mapping[str, Any],
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    hooks: Hooks,
    ranks: Ranks = ALONE,
) -> ModelFile:
    """Build any task, train it, and return the best model; its checkpoint stays.

    Args:
        build: makes the task on a device; called with seeded random numbers.
        settings: of the training; `settings.network` is the task's own affair.
        identity: everything else that must be the same when the run is resumed: the network's
            settings and checksums of the data. It is stored in the model file.
        output, resume, hooks, ranks: see `train`.

    Raises:
        ConfigError, DataError, KeyboardInterrupt: see `train`.
    """
    training, simplify = settings.training, settings.simplify
    device = pick_device(training.device)
    if device.type == "cpu":
        announce(lambda text: hooks.on_record(Note(text, warning=True)))
    torch.set_num_threads(usable_threads(training.threads))
    path = None if output is None else Path(output)
    if path is not None:
        demand_writable(path)  # now rather than after the first epoch
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(training.seed)
        task = build(device)
        for warning in task.warnings:
            hooks.on_record(Note(warning, warning=True))
        hooks.on_record(Note(_choice(task, cuts=simplify is not None)))
        trainer = Trainer(task, training=training, simplify=simplify, stop=hooks.stop, ranks=ranks)
        stated = _stated(settings, identity)
        outputs = Outputs(trainer, path, stated)
        if resume:
            outputs.resume()
        if ranks.are_several:
            begin_alike(ranks, trainer, stated, resumed=resume)
        for record in trainer.run():
            if isinstance(record, EpochRecord):
                outputs.keep(record)
            hooks.on_record(record)
            if isinstance(record, EpochRecord) and ranks.any(hooks.on_epoch(record) is True):
                break
        if trainer.stopped:
            outputs.save_checkpoint()
            raise KeyboardInterrupt
    return outputs.finish()


def _demand_resumable(data: TrainingData, path: Path, *, begins_otherwise: bool) -> None:
    """Refuse a run that cannot go on, or had other settings or other treebanks.

    The rest is compared when the network is there (`Outputs.resume`); until then a tokenizer would
    be trained anew, or teachers asked.

    Args:
        path: the model file.
        begins_otherwise: whether a run that has no checkpoint yet may have something else to go on
            from.

    Raises:
        CheckpointError, ConfigError: as there.
    """
    if not checkpoint_path(path).exists():
        if not begins_otherwise:
            demand_checkpoint(path)
        return
    of_sources = data.sources.identity()  # these are read later
    stated = {"processes": None, **_stated(data.fitted, data.identity)}
    now = {name: value for name, value in stated.items() if name not in of_sources}
    before = read_header(checkpoint_path(path)).get("settings")
    if isinstance(before, Mapping):
        demand_same_parts(before, now)


def _choice(task: Task, *, cuts: bool) -> str:
    """Say which epoch's model is kept; `cuts` says whether meSimp makes the network smaller."""
    if not task.has_dev:
        return "no dev data: keeps the model of the last epoch"
    names = [SCORE_NAMES.get(name, name) for name in task.main_scores]
    score = names[0] if len(names) == 1 else f"mean of {', '.join(names)}"
    when = " after the last cut" if cuts else ""
    return f"keeps the model of the epoch with the best {score} on dev{when}"


def _stated(settings: Settings, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model file states of its training, except the epoch."""
    simplify = settings.simplify
    return {
        "training": settings.training.to_dict(),
        "meprop": settings.meprop.to_dict(),
        **identity,
        "simplify": simplify.to_dict() if simplify else None,
    }


def _train_teacher(
    data: TrainingData, number: int, path: Path | None, resume: bool, hooks: Hooks
) -> Model:
    """Train a teacher of an ensemble; `data` is that of the network that learns from it."""
    model = _train(data.of_teacher(number), path, resume, hooks)
    remove_checkpoint(path)
    return model


def _demand_teacher(data: TrainingData, number: int, model: Model) -> None:
    """Raise ConfigError if a finished teacher was trained otherwise than it would be now."""
    own = data.of_teacher(number)
    found = {k: v for k, v in model.file.header.get("training", {}).items() if k != "epoch"}
    demand_same(found, _stated(own.fitted, own.identity))


def _train_tagger(sentences: Sequence[Sentence], settings: Settings, hooks: Hooks) -> Model:
    return train("tagger", sentences, settings=settings, hooks=hooks, ranks=ALONE)


def _initial_model(knowledge: Knowledge, task: str) -> InitialModel | None:
    """Return the model that a training starts from; None where it starts from random weights.

    Raises:
        CheckpointError: the file is no joint model.
        ConfigError: the task is another.
    """
    if knowledge.init_from is None:
        return None
    if task != "joint":
        raise ConfigError(
            f"`init_from` is for the joint model, and not for a {task} with an encoder of its own"
        )
    initial = InitialModel(knowledge.init_from)
    width = initial.header.get(VECTOR_WIDTH)
    if bool(width) != bool(knowledge.vectors):
        raise ConfigError(
            f"the model {knowledge.init_from}, from which training starts, reads "
            + (
                f"word vectors of width {width}; give the same `vectors`"
                if width
                else "no word vectors; leave `vectors` out"
            )
        )
    return initial


def _with_epochs(settings: Settings, task_class: type[SentenceTask], n_words: int) -> Settings:
    """Return settings with as many epochs as a training file of so many words needs."""
    epochs = task_class.fitting_epochs(n_words)
    cuts = settings.simplify
    if cuts is not None and cuts.schedule == "late":
        first = epochs if cuts.first_cut_epoch is None else cuts.first_cut_epoch
        cuts = replace(cuts, first_cut_epoch=first)
        epochs = first + max(1, round(task_class.epochs_after_cut * epochs))
    training = replace(settings.training, epochs=epochs)
    return replace(settings, training=training, simplify=cuts)


def _drawn_words(epochs: int, labelled: Sequence[Sentence], share: float) -> int:
    """Return how many words without annotation the epochs draw, which are `share` of theirs."""
    return max(1, round(epochs * sum(map(len, labelled)) * share / (1 - share)))


def _most_words(task: str, settings: Settings) -> int:
    """Return how many words a sentence may have that a model of these settings annotates."""
    config, heads = settings.network, HEADS[task]
    if isinstance(config, JointConfig):
        heads = joint_heads(config, set(config.heads) & set(HEAD_NAMES) or HEAD_NAMES)
    return min(head.most_words for head in heads)


def _task_class(task: str) -> type[SentenceTask]:
    """Return the class that trains a task."""
    if task not in _TASKS:
        raise ConfigError(f"`task` is {task!r}, expected one of {', '.join(_TASKS)}")
    task_class: type[SentenceTask] = import_module(f"meprop_nlp.training.{_TASKS[task]}").TASK
    return task_class
