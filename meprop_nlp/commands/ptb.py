"""`--ptb`: the papers' split of the Penn Treebank in place of `--train`, `--dev` and `--test`."""

from __future__ import annotations

from typing import Any

from meprop_nlp.errors import ConfigError

__all__ = ["take_sections", "test_sets"]

_TASKS = {"parser": "parsing", "tagger": "tagging"}


def take_sections(task: str, options: dict[str, Any]) -> None:
    """Put the files of the papers' split where those of --train, --dev and --test would stand.

    Raises:
        ConfigError: one of those options is given too.
        DataError: sections are missing, or there twice.
    """
    from meprop_nlp.data.penn.wsj import split_sections

    given = [f"--{role}" for role in ("train", "dev", "test") if options[role] is not None]
    if given:
        raise ConfigError(
            f"--ptb and {' and '.join(given)} exclude each other: --ptb names all three sets by "
            "itself, the sections of the papers"
        )
    for role, files in split_sections(options["ptb"], _TASKS[task]).items():
        options[role] = [str(path) for path in files]


def test_sets(task: str, options: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """What to score the model on, and the files of each; all of --ptb's are one set."""
    if options["ptb"] is None:
        return [(path, [path]) for path in options["test"] or ()]
    from meprop_nlp.data.penn.wsj import SPLITS

    sections = SPLITS[_TASKS[task]]["test"]
    span = f"{sections[0]:02}" + (f"-{sections[-1]:02}" if len(sections) > 1 else "")
    return [(f"WSJ {span}", options["test"])]
