"""`--config` reads settings from TOML, `--print-config` writes what can be read again."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.commands.config_file import stated_settings
from meprop_nlp.config import Settings
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.file import read_header

LINES = (
    "train",
    "train --simplify",
    "train-tagger",
    "train-tagger --simplify --schedule paper --k 20",
    "train-tagger --encoder bilstm",
    "train-parser --jackknife 3",
    "train-parser --encoder bilstm --simplify --keep 0.5",
    "train --train a.conllu --dev b.conllu --test c.conllu -o m.safetensors --treebank-id x",
)


def printed(run: Any, *arguments: object, stdin: str | None = None) -> str:
    result = run(*arguments, "--print-config", stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    return str(result.stdout)


@pytest.mark.parametrize("line", LINES)
def test_what_is_printed_can_be_given_back(line: str, run: Any, tmp_path: Path) -> None:
    text = printed(run, *line.split())
    file = tmp_path / "c.toml"
    file.write_text(text, encoding="utf-8")
    command = line.split()[0]
    assert printed(run, command, "--config", file) == text
    assert printed(run, command, "--config", "-", stdin=text) == text


def test_all_settings_are_printed_with_their_present_values(run: Any) -> None:
    found = tomllib.loads(printed(run, "train", "--hidden", 40, "--epochs", 3, "--heads", "tags"))
    settings = Settings.of("joint", hidden=40, epochs=3, heads=("tags",))
    for part in (settings.network, settings.meprop, settings.training):
        for name, value in part.to_dict().items():
            if value is not None and name not in ("clip_value", "weight_decay"):
                assert found[name] == value, name
    assert found["simplify"] is False
    assert found["output"] == "models/model.safetensors"


def test_the_command_line_comes_before_the_file_and_the_file_before_defaults(
    run: Any, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        "simplify = true\nepochs = 9\nhidden=64\nlazy = false\nheads = 'tags, tree'\n"
        'train = "a.conllu"\noutput = "x/y.safetensors"\n'
    )
    found = tomllib.loads(printed(run, "train", "--config", file, "--epochs", 6, "--no-teacher"))
    assert found["epochs"] == 6
    assert found["hidden"] == 64
    assert found["k"] == 10  # of that width
    assert found["keep"] == 0.37  # as `simplify` is on
    assert found["own_teacher"] is False
    assert found["heads"] == ["tags", "tree"]
    assert found["train"] == ["a.conllu"]
    assert found["output"] == "x/y.safetensors"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nepoch = 3", ":2: epoch is no setting; did you mean 'epochs'?"),
        ("quiet = true", ":1: quiet is no setting"),
        ("# epochs\n'epochs' = \"3\"", ":2: epochs is '3', expected a whole number of at least 0"),
        ("lazy = 1", ":1: lazy is 1, expected true or false"),
        ("k = true", ":1: k is true, expected a whole number of at least 0"),
        ("epochs = 2.5", ":1: epochs is 2.5, expected a whole number"),
        ("heads = ['tag']", ":1: heads is ['tag'], expected any of tokens, tags, lemmas, tree"),
        ("train = 3", ":1: train is 3, expected a list of texts"),
        ("optimizer = 'Adam'", ":1: optimizer is 'Adam', expected one of adam, adagrad, sgd"),
        ("\n[training]\nepochs = 3", ":2: training is a table, expected settings by their names"),
        ("[[a]]", ":1: a is a table"),
        ("epochs = 3\nepochs = 4", "Cannot overwrite a value"),
        ("epochs = ", "c.toml: Invalid value"),
        ("keep = 0.5", "--keep goes with --simplify"),
        ("oracle = 'static'", ":1: oracle is no setting"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_key(
    text: str, message: str, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.toml").write_text(text)
    result = run("train", "--config", "c.toml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    if message.startswith(":"):
        assert result.stderr.startswith(f"error: c.toml{message[:3]}")
    assert not Path("models").exists()


def test_a_file_that_cannot_be_read_is_named(run: Any, tmp_path: Path) -> None:
    missing = run("train", "--config", tmp_path / "none.toml")
    assert (missing.exit_code, missing.stderr) == (
        1, f"error: {tmp_path}/none.toml: No such file or directory\n"
    )  # fmt: skip
    (tmp_path / "latin.toml").write_bytes(b"epochs = 1\n# \xe9\n")
    latin = run("train", "--config", tmp_path / "latin.toml")
    assert latin.exit_code == 2
    assert "latin.toml:2: is not UTF-8" in latin.stderr


@pytest.mark.parametrize("files", [["-"], ["a", "--dev", "-"], ["a", "--test", "-"]])
def test_standard_input_is_read_once(files: list[str], run: Any) -> None:
    twice = run("train", "--config", "-", "--train", *files, stdin="epochs = 1\n")
    assert twice.exit_code == 2
    assert "not both" in twice.stderr


def test_a_number_is_no_file_and_no_flag(run: Any, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    for line, expected in {
        "output = 3": "output is 3, expected the name of a file",
        "lazy = 1": "lazy is 1, expected true or false",
    }.items():
        config.write_text(line)
        result = run("train", "--config", config)
        assert (result.exit_code, result.stderr) == (2, f"error: {config}:1: {expected}\n")


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"task": "tagger"},
        {"task": "other", "training": {"other": {}}},
        {"task": "tagger", "training": {"tagger": {}}},
        {"task": "tagger", "training": {"tagger": {}, "meprop": {}}},
        {"task": "tagger", "training": {"tagger": {}, "meprop": [], "training": {}}},
        {"task": "tagger", "training": {"tagger": {"odd": 1}, "meprop": {}, "training": {}}},
        {"task": "tagger", "training": {"tagger": {}, "meprop": {}, "training": {}, "simplify": 1}},
    ],
)
def test_settings_that_a_model_does_not_state_are_an_error(header: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        stated_settings(header)


def test_a_model_from_before_a_setting_states_what_it_was_trained_with() -> None:
    training = {"joint": {"smoothing": 0.03}, "meprop": {}, "training": {}}
    _, settings = stated_settings({"task": "joint", "training": training})
    assert (settings.network.smoothing, settings.network.early_weight) == (0.03, 0)
    training["joint"]["early_weight"] = 0.5
    _, settings = stated_settings({"task": "joint", "training": training})
    assert settings.network.early_weight == 0.5


def test_a_model_states_the_settings_that_it_was_trained_with(run: Any, tmp_path: Path) -> None:
    config, path, again = (tmp_path / name for name in ("c.toml", "a.safetensors", "b.safetensors"))
    config.write_text("hidden = 8\nepochs = 1\nk = 3\n")
    assert run("train-tagger", "--config", config, "-q", "-o", path).exit_code == 0
    stated = run("info", path, "--print-config")
    assert stated.exit_code == 0
    found = tomllib.loads(stated.stdout)
    assert (found["hidden"], found["epochs"], found["k"], found["seed"]) == (8, 1, 3, 1)
    config.write_text(stated.stdout)
    assert run("train-tagger", "--config", config, "-q", "-o", again).exit_code == 0
    assert read_header(path) == read_header(again)
    assert run("info", "--print-config").exit_code == 2
