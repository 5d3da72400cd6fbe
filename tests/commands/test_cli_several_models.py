"""`--pretrained` and `--treebank-id` where two models annotate one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.commands.options import Loading
from meprop_nlp.commands.streams import loadings_of
from meprop_nlp.models.file import write_model_file


@pytest.fixture(scope="module")
def several(
    train_joint: Any, treebank: Path, small: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A joint model of two treebanks."""
    path: Path = tmp_path_factory.mktemp("models") / "several.safetensors"
    files = ("--train", treebank, "--treebank-id", "a", "--train", small, "--treebank-id", "b")
    options = ("--dev", "none", "--epochs", 2, "--learning-rate", 0.05, "-o", path, "-q")
    result = train_joint(*files, *options)
    assert result.exit_code == 0, result.stderr
    return path


def test_tagger_reads_words_as_those_of_the_treebank(
    run: Any, several: Path, parser: Path, small: Path
) -> None:
    outputs = []
    for name in ("a", "b"):
        tagged = run("tag", small, "-m", several, "--treebank-id", name, "-q")
        assert tagged.exit_code == 0, tagged.stderr
        given = ("-m", parser, "--tagger", several, "--treebank-id", name)
        found = run("parse", small, *given, "-q")
        assert found.exit_code == 0, found.stderr
        columns = [
            [line.split("\t")[:6] for line in result.stdout.splitlines()]
            for result in (found, tagged)
        ]
        assert columns[0] == columns[1]
        scored = run("evaluate", small, *given, "--json")
        alone = run("evaluate", small, "-m", several, "--treebank-id", name, "--json")
        upos = [json.loads(result.stdout)["metrics"]["upos"] for result in (scored, alone)]
        assert upos[0] == upos[1]
        outputs.append(found.stdout)
    assert outputs[0] != outputs[1]


def test_name_that_no_model_knows_is_refused(
    run: Any, several: Path, parser: Path, tagger: Path, small: Path
) -> None:
    for command, first in (("parse", "-m"), ("evaluate", "-m"), ("benchmark", None)):
        models = [small, "-m", parser] if first else [parser, small]
        found = run(command, *models, "--tagger", several, "--treebank-id", "c")
        assert found.exit_code == 2
        assert "--treebank-id is c, expected one of a, b" in found.stderr
        found = run(command, *models, "--tagger", tagger, "--treebank-id", "a")
        assert found.exit_code == 2
        assert "the model was trained on one treebank" in found.stderr


def test_benchmark_reads_words_as_those_of_a_treebank(run: Any, several: Path, small: Path) -> None:
    given = ("--treebank-id", "b", "--rounds", 1, "-t", 1, "--json")
    result = run("benchmark", several, small, *given)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["start_seconds"] > 0


def test_options_are_for_the_models_that_they_fit(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("plain", "ab", "bc")]
    for path, names in zip(paths, ([], ["a", "b"], ["b", "c"]), strict=True):
        header = {"kind": "model", **({"treebanks": names} if names else {})}
        write_model_file(path, header, {})

    def given(name: str, *of: Path | None) -> list[str | None]:
        return [each.treebank_id for each in loadings_of(Loading(treebank_id=name), of)]

    assert given("a", *paths) == [None, "a", None]
    assert given("b", *paths) == [None, "b", "b"]
    assert given("x", *paths) == [None, "x", "x"]
    assert given("x", paths[0], None, tmp_path / "missing") == ["x", None, None]
    assert given("x", paths[0]) == ["x"]
