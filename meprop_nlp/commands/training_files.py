"""`TrainingFiles`: the options that say which treebanks a training reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import Config, Heading, setting

_PAPERS_TASKS = {"parser": "parsing", "tagger": "tagging", "joint": "parsing"}
NO_DEV = "none"


class Treebanks(NamedTuple):
    """The treebanks of a training.

    Attributes:
        train: the files to learn from.
        dev: the files to choose the best epoch on; None: the last epoch is the best.
        test: the sets to score at the end, each with its name and its files.
        held_out: whether to choose the best epoch on a part of the training sentences.
    """

    train: list[str]
    dev: list[str] | None
    test: list[tuple[str, list[str]]]
    held_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFiles(Config):
    """Files named one by one, a folder of the WSJ, or neither: the built-in sample treebank."""

    heading = Heading.DATA

    train: list[str] | None = setting(
        None,
        metavar="FILE",
        help="Training file; may be given again. Without it: the built-in sample treebank.",
    )
    dev: list[str] | None = setting(
        None,
        metavar="FILE",
        help="File to choose the best epoch on; may be given again. Without it, or with none: the "
        "last epoch.",
    )
    test: list[str] | None = setting(
        None, metavar="FILE", help="File to score at the end; may be given again."
    )
    ptb: Path | None = setting(
        None,
        metavar="DIR",
        help="Instead of these three: the papers' sections of the Penn Treebank (WSJ), from a "
        "folder of files named wsj_0201.mrg (or .conllx, .dep, .dp), or 02.conllx for a section.",
    )

    def _demand_agreement(self) -> None:
        named = {"train": self.train, "dev": self.dev, "test": self.test}
        given = [f"`{role}`" for role, files in named.items() if files is not None]
        if self.ptb is not None and given:
            raise ConfigError(
                f"`ptb` and {' and '.join(given)} exclude each other: `ptb` names all three sets "
                "by itself, the sections of the papers"
            )
        if self.ptb is None and self.train is None and (self.dev or self.test):
            raise ConfigError("`dev` and `test` go with `train`; give the training file too")
        if self.dev and NO_DEV in self.dev and len(self.dev) > 1:
            raise ConfigError(
                f"`dev={NO_DEV}` and dev files exclude each other; a file of this name is "
                f"./{NO_DEV}"
            )

    @property
    def is_sample(self) -> bool:
        """Whether the built-in sample treebank is used, as no file is named."""
        return self.train is None and self.ptb is None

    def treebanks(self, task: str) -> Treebanks:
        """Return the treebanks for a task.

        Raises:
            DataError: sections of the WSJ are missing, or there twice.
        """
        if self.ptb is not None:
            return _sections(self.ptb, _PAPERS_TASKS[task])
        if self.train is not None:
            chosen_on = None if self.dev == [NO_DEV] else self.dev
            return Treebanks(self.train, chosen_on, [(path, [path]) for path in self.test or ()])
        from meprop_nlp.data.sample.treebank import sample_treebank

        train, dev, test = (str(sample_treebank(role)) for role in ("train", "dev", "test"))
        return Treebanks([train], [dev], [(test, [test])])


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTrainingFiles(TrainingFiles):
    """The same, but a part of the training sentences takes the place of a missing dev file."""

    dev: list[str] | None = setting(
        None,
        metavar="FILE",
        help="File to choose the best epoch on; may be given again. Without it: every tenth "
        "training sentence, which is then not learnt from. none: the last epoch.",
    )

    def treebanks(self, task: str) -> Treebanks:
        """Return the treebanks for a task; errors are as for `TrainingFiles.treebanks`."""
        treebanks = TrainingFiles.treebanks(self, task)
        return treebanks._replace(held_out=treebanks.dev is None and self.dev is None)


def _sections(folder: Path, task: str) -> Treebanks:
    """Return the papers' split of the WSJ; all test sections are one set."""
    from meprop_nlp.data.penn.wsj import SPLITS, split_sections

    split = {role: list(map(str, files)) for role, files in split_sections(folder, task).items()}
    sections = SPLITS[task]["test"]
    span = f"{sections[0]:02}" + (f"-{sections[-1]:02}" if len(sections) > 1 else "")
    return Treebanks(split["train"], split["dev"], [(f"WSJ {span}", split["test"])])
