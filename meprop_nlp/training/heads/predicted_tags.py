"""`predict_tags`: a parser's treebank with predicted tags in place of gold ones, by jackknifing.

A parser that learns from gold tags trusts tags that will later be wrong. Here taggers make the
mistakes that it will meet: no sentence is tagged by a tagger that has learnt from it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from meprop_nlp.config import MePropConfig, Settings, TaggerConfig, TrainingConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.model import Model
from meprop_nlp.training.checkpoint import Checkpoint, checkpoint_path, demand_checkpoint
from meprop_nlp.training.heads.sentences import filled_columns
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note
from meprop_nlp.training.treebanks import fingerprint

# Small taggers that learn for a short time: all of them together shall take minutes.
HIDDEN = 100
K = 10
FEWEST_EPOCHS, MOST_EPOCHS = 4, 12
SENTENCES = 40_000  # that a tagger reads in all its epochs, within these bounds
# The sentences after one another that go into one part. Dealt one by one, neighbours would teach a
# tagger the words of the sentence that it tags, and its tags would be too good.
RUN = 100

# The tags of sentences by column, sentence after sentence.
Tags = Mapping[str, Sequence[str]]
# Trains a tagger on sentences, and reports nothing.
TrainTagger = Callable[[Sequence[Sentence], Settings, Hooks], Model]


def tags_path(output: Path) -> Path:
    """Return where the training of a model keeps predicted tags until it ends."""
    return output.with_name(output.name.removesuffix(".safetensors") + ".tags.safetensors")


def predict_tags(
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    n_parts: int,
    columns: Sequence[str],
    training: TrainingConfig,
    train_tagger: TrainTagger,
    *,
    output: Path | None,
    resume: bool,
    hooks: Hooks,
) -> tuple[list[Sentence], list[Sentence]]:
    """Return copies of train and dev with predicted tags.

    What a tagger has tagged is stored, so that a resumed run need not train that tagger again.

    Args:
        dev: may be empty.
        n_parts: into how many parts train is dealt, `jackknife`.
        columns: the tag columns to predict.
        training: of the parser; the taggers have its seed, threads and device.
        train_tagger: see `TrainTagger`.
        output: the parser's model file; None: nothing is stored.
        resume: use the tags that are stored.
        hooks: receive a Note on each tagger; `stop` is asked while they learn.

    Raises:
        ConfigError: a tagger would have nothing to learn; or the run to resume does not exist, or
            had other settings or other data.
        DataError: the tags cannot be stored.
        KeyboardInterrupt: `hooks.stop` returned True.
    """
    lessons = _lessons(train, dev, n_parts)
    _demand_tags(lessons, columns)
    settings = Settings(
        network=TaggerConfig(columns=tuple(columns), hidden=HIDDEN),
        meprop=MePropConfig(k=K),
        training=TrainingConfig(
            epochs=max(FEWEST_EPOCHS, min(MOST_EPOCHS, SENTENCES // len(train))),
            lazy=True,
            seed=training.seed,
            threads=training.threads,
            device=training.device,
        ),
    )
    stored = _StoredTags(
        output,
        {
            "jackknife": n_parts,
            "tagger": settings.network.to_dict(),
            "meprop": settings.meprop.to_dict(),
            "training": settings.training.to_dict(),
            "data": {"train": fingerprint(train), "dev": fingerprint(dev)},
        },
        resume=resume,
    )
    tagged: list[list[Sentence]] = []
    for lesson in lessons:
        tags = stored.get(lesson.name, columns)
        if tags is None:
            tagger = train_tagger(lesson.known, settings, Hooks(stop=hooks.stop))
            sentences = list(tagger.predict(lesson.unknown))
            tags = {name: [tag for s in sentences for tag in s[name]] for name in columns}
            stored.add(lesson.name, tags)
        tagged.append(_with_tags(lesson.unknown, tags))
        hooks.on_record(Note(f"{lesson.name}: tags predicted, {_rightness(lesson.unknown, tags)}"))
    parts = [iter(part) for part in tagged[:n_parts]]
    in_order = [next(parts[part]) for part in _parts(len(train), n_parts)]
    return in_order, tagged[n_parts] if dev else []


class _Lesson(NamedTuple):
    """What a tagger learns from, and what it tags; `name` is that of what it tags."""

    name: str
    known: Sequence[Sentence]
    unknown: Sequence[Sentence]


def _lessons(train: Sequence[Sentence], dev: Sequence[Sentence], n_parts: int) -> list[_Lesson]:
    """Return a lesson for each part of train, then one for dev unless it is empty."""
    if n_parts > len(train):
        raise ConfigError(
            f"`jackknife` is {n_parts}, expected at most the number of training sentences, "
            f"{len(train)}"
        )
    lessons = []
    part_of = _parts(len(train), n_parts)
    for part in range(n_parts):
        known = [s for s, its_part in zip(train, part_of, strict=True) if its_part != part]
        unknown = [s for s, its_part in zip(train, part_of, strict=True) if its_part == part]
        lessons.append(_Lesson(f"train, part {part + 1} of {n_parts}", known, unknown))
    if dev:
        lessons.append(_Lesson("dev", train, dev))
    return lessons


def _parts(n_sentences: int, n_parts: int) -> list[int]:
    """Return the part of each sentence; neighbours, which share words, are mostly in one part."""
    if n_sentences <= RUN * n_parts:
        return [i * n_parts // n_sentences for i in range(n_sentences)]
    return [i // RUN % n_parts for i in range(n_sentences)]


def _demand_tags(lessons: Sequence[_Lesson], columns: Sequence[str]) -> None:
    """Raise ConfigError unless each tagger has tags of all columns to learn."""
    if not columns:
        raise ConfigError(
            "`jackknife` learns to predict tags, and the training file has none: UPOS, XPOS and "
            "FEATS hold only '_'; leave it out"
        )
    for lesson in lessons:
        filled = filled_columns(lesson.known)
        empty = [name for name in columns if name not in filled]
        if empty:
            raise ConfigError(
                f"`jackknife`: without {lesson.name}, the training file's columns "
                f"{', '.join(empty)} hold only '_'; choose others with `tag_columns`"
            )


class _StoredTags:
    """The predicted tags of a run, stored as a checkpoint while it goes on.

    Args:
        output: the parser's model file; None: they are kept in memory.
        identity: what must be the same when the run is resumed.
        resume: read the tags that are stored.

    Raises:
        CheckpointError, ConfigError: there is no run to resume, or it was another.
    """

    def __init__(
        self, output: Path | None, identity: Mapping[str, object], *, resume: bool
    ) -> None:
        self._output, self._resume = output, resume
        self._checkpoint = Checkpoint(dict(identity), progress={}, arrays={})
        if resume and output is not None and tags_path(output).exists():
            self._checkpoint = Checkpoint.load(tags_path(output))
            self._checkpoint.demand_settings(identity)
        elif resume:
            demand_checkpoint(output)

    def get(self, name: str, columns: Sequence[str]) -> Tags | None:
        """Return the tags of what has this name; None if they are not there yet."""
        arrays = self._checkpoint.arrays
        if any(f"{name}/{column}" not in arrays for column in columns):
            return None
        texts = {column: arrays[f"{name}/{column}"].tobytes().decode() for column in columns}
        return {column: text.split("\n") for column, text in texts.items()}

    def add(self, name: str, tags: Tags) -> None:
        """Store the tags of what has this name."""
        for column, values in tags.items():
            # no tag holds a line break
            text = np.frombuffer("\n".join(values).encode(), np.uint8)
            self._checkpoint.arrays[f"{name}/{column}"] = text
        if self._output is not None:
            self._checkpoint.save(tags_path(self._output))
            if not self._resume:
                checkpoint_path(self._output).unlink(missing_ok=True)  # that of an earlier run


def _with_tags(sentences: Sequence[Sentence], tags: Tags) -> list[Sentence]:
    """Return copies of sentences with these tags."""
    tagged, start = [], 0
    for sentence in sentences:
        end = start + len(sentence)
        columns = {name: values[start:end] for name, values in tags.items()}
        tagged.append(sentence.with_columns(**columns))
        start = end
    return tagged


def _rightness(sentences: Sequence[Sentence], tags: Tags) -> str:
    """Return in words how many of the tags are those of the sentences."""
    found = []
    for name, values in tags.items():
        gold = [tag for sentence in sentences for tag in sentence.column(name)]
        n_right = sum(tag == value for tag, value in zip(gold, values, strict=True))
        found.append(f"{name.upper()} {100 * n_right / len(gold):.2f}")
    return ", ".join(found)
