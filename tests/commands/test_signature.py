"""Options are made of the settings that a command's function is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
import typer.main
from typer.testing import CliRunner

from meprop_nlp.cli import make_app
from meprop_nlp.commands.encoders import options_of
from meprop_nlp.commands.signature import NO_OPTION, as_command
from meprop_nlp.config import NETWORKS, Settings, SimplifyConfig, TrainingConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import Config, Heading, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Oven(Config):
    heading = Heading.NETWORK

    degrees: int = setting(180, at_least=0, names=("degrees", "d"), help="Heat.")
    fan: bool = setting(True, help="Whether the fan runs, beside `first_cut_epoch`.")
    steam: bool = setting(False, names=("steam",), help="Whether there is steam.")
    top_mode: str = setting("bake", choices=("bake", "grill"), metavar="MODE", help="Mode.")
    dishes: tuple[str, ...] = setting((), choices=("bread", "cake"), metavar="NAMES", help="What.")
    books: list[str] | None = setting(None, metavar="FILE", help="Cookery books.")
    log: Path | None = setting(None, metavar="FILE", help="Log.")


GIVEN: list[dict[str, Any]] = []


def bake(
    name: Annotated[str, typer.Argument(help="Who.")],
    *,
    oven: Oven,
    threads: Annotated[int, TrainingConfig],
    keep: Annotated[float, SimplifyConfig] = 0.5,
) -> None:
    """Bake."""
    GIVEN.append({"name": name, "oven": oven, "threads": threads, "keep": keep})


def learn(*, settings: Annotated[Settings, "parser"]) -> None:
    """Learn."""
    GIVEN.append({"settings": settings})


def run(function: Any, *arguments: object) -> Any:
    """Run a function as a command; a traceback fails the test."""
    app = typer.Typer(rich_markup_mode=None)
    app.command()(as_command(function))
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def given(function: Any, *arguments: object) -> dict[str, Any]:
    """Run a function as a command; return what it was given."""
    GIVEN.clear()
    assert run(function, *arguments).exit_code == 0
    (only,) = GIVEN
    return only


def test_what_is_not_given_has_the_default_of_its_class() -> None:
    assert given(bake, "Ann") == {"name": "Ann", "oven": Oven(), "threads": 0, "keep": 0.5}


def test_every_kind_of_setting_can_be_given() -> None:
    options = "-d 20 --no-fan --steam --top-mode grill --dishes cake,bread --books a --books b"
    oven = Oven(
        degrees=20,
        fan=False,
        steam=True,
        top_mode="grill",
        dishes=("cake", "bread"),
        books=["a", "b"],
        log=Path("c"),
    )
    found = given(bake, "Ann", *options.split(), "--log", "c", "-t", 3, "--keep", 0.75)
    assert found == {"name": "Ann", "oven": oven, "threads": 3, "keep": 0.75}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--degrees=-1", "`degrees` is -1, expected a whole number of at least 0"),
        ("--dishes=pie", "`dishes` is pie, expected any of bread, cake"),
        ("--threads=-1", "`threads` is -1, expected a whole number from 0 to 256"),
        ("--keep=2", "`keep` is 2.0, expected a number above 0, up to 1"),
    ],
)
def test_value_out_of_range_is_refused_however_it_is_declared(option: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run(bake, "Ann", option)


def test_help_names_types_and_defaults_and_the_options_of_other_settings() -> None:
    lines = " ".join(run(bake, "--help").stdout.split())
    for line in (
        "-d, --degrees <int> Heat. [default: 180]",
        "--fan / --no-fan Whether the fan runs, beside --first-cut-epoch. [default: fan]",
        "--steam Whether there is steam. --top-mode MODE Mode. [default: bake]",
        "--dishes NAMES What. --books FILE Cookery books. --log FILE Log. -t, --threads <int>",
        "--keep <float> Share of the neurons that the late cut keeps. [default: 0.5]",
    ):
        assert line in lines


def test_settings_of_a_training_are_told_only_what_was_given() -> None:
    assert given(learn)["settings"] == Settings.of("parser")
    cut = given(learn, "--simplify", "--hidden", 50, "--epochs", 8, "--exact", "--no-teacher")
    assert cut["settings"] == Settings.of(
        "parser", simplify=True, hidden=50, epochs=8, lazy=False, own_teacher=False
    )
    # eight epochs are the default, but not with --simplify
    assert given(learn, "--simplify")["settings"].training.epochs > 8
    tags = given(learn, "--tag-columns", "upos, feats", "--word-dim", 7)["settings"].network
    assert (tags.tag_columns, tags.embedding_dim) == (("upos", "feats"), 7)


@pytest.mark.parametrize("task", NETWORKS)
def test_every_setting_is_an_option_or_has_a_reason(task: str) -> None:
    commands = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]
    command = commands["train" if task == "joint" else f"train-{task}"]
    options = {parameter.name: parameter for parameter in command.params}
    settings = {about.name: about for about in options_of(task)}
    assert set(settings) - set(options) == set(NO_OPTION) == {"clip_value", "weight_decay"}
    assert all(NO_OPTION.values())
    for name in set(settings) & set(options):
        # the first name is that of Python, so that messages can be put into options
        assert options[name].opts[0] in (f"--{name.replace('_', '-')}", "--lazy")
        assert options[name].rich_help_panel == settings[name].heading
        fixed = not settings[name].varies and settings[name].kind is not tuple
        assert options[name].default == (settings[name].default if fixed else None)


def test_settings_of_each_encoder_are_options() -> None:
    assert given(learn, "--encoder", "table", "--word-dim", 7)["settings"] == Settings.of(
        "parser", embedding_dim=7
    )
    options = ("--encoder", "bilstm", "--word-dim", 7, "--arc-dim", 9, "--layers", 2, "--simplify")
    assert given(learn, *options)["settings"] == Settings.of(
        "joint", heads=("tree",), word_dim=7, arc_dim=9, layers=2, simplify=True
    )
    with pytest.raises(ConfigError, match="`embedding_dim` goes with `encoder` table"):
        run(learn, "--encoder", "bilstm", "--embedding-dim", 7)
    with pytest.raises(ConfigError, match="`arc_dim` goes with `encoder` bilstm"):
        run(learn, "--arc-dim", 9)


def test_help_says_what_depends_on_the_encoder() -> None:
    lines = " ".join(run(learn, "--help").stdout.split())
    for line in (
        "--encoder NAME Network that reads the words: table, ",
        "--hidden <int> Neurons of each hidden layer. With --encoder bilstm: LSTM units in each "
        "direction. [default: 500; with --encoder bilstm, 300] --layers",
        "--label-dim <int> Width of the vectors that labels are scored by",
        "Only with --encoder bilstm. [default: 100]",
        "--embedding-dim <int> Width of each embedding. Only with --encoder table. [default: 50]",
        "--word-dim <int> Width of the word embeddings. With --encoder table, another name of "
        "--embedding-",
        "--jackknife <int>",
    ):
        assert line in lines
    assert "--heads" not in lines
    assert "--lemma-dim" not in lines
    tagger = {about.name: about for about in options_of("tagger")}
    assert tagger["word_dim"].unless_given == "50; with `encoder` bilstm, 100"
    assert tagger["word_dim"].varies
    assert tagger["columns"] == next(a for a in Settings.choices("tagger") if a.name == "columns")
