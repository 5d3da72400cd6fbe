"""A model with a tokenizer on the command line: training it, `info`, text in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.tokens.boundaries import raw_text

from .conftest import Run

TRAIN = (
    "train", "--epochs", "1", "--hidden", "12", "--k", "3", "--layers", "1", "--word-dim", "8",
    "--ngram-rows", "100", "--arc-dim", "8", "--label-dim", "8",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokenizer")


@pytest.fixture(scope="module")
def model(run: Run, treebank: Path, small: Path, folder: Path) -> Path:
    path = folder / "model.safetensors"
    result = run(*TRAIN, "--train", treebank, "--dev", small, "-o", path)
    assert result.exit_code == 0, result.output
    assert "tokenizer: learns where the words and sentences of a text end" in result.stderr
    chosen = (
        "tokenizer: keeps the model of the epoch with the best mean of Words, Sentences on dev\n"
    )
    assert chosen in result.stderr
    assert "dev: Tokens " in result.stderr
    return path


def test_nothing_is_left_beside_the_model(model: Path) -> None:
    found = sorted(path.name for path in model.parent.iterdir())
    assert found == ["model.jsonl", "model.safetensors"]


def test_info_says_what_the_tokenizer_reached(run: Run, model: Path) -> None:
    line = next(
        line for line in run("info", model).stdout.split("\n") if line.startswith("tokenizer")
    )
    assert "characters" in line
    assert "on the text of dev: Tokens " in line
    assert "on dev, words given: UPOS " in run("info", model).stdout
    scores = json.loads(run("info", model, "--json").stdout)["tokenizer"]["scores"]
    assert set(scores) == {"tokens", "sentence_spans", "words"}


@pytest.mark.parametrize("command", ["annotate", "tag", "parse"])
def test_text_becomes_conllu(run: Run, model: Path, command: str) -> None:
    result = run(command, "--model", model, stdin="Time flies. It rains\n\nYes")
    assert result.exit_code == 0, result.output
    assert "# newpar\n" in result.stdout
    assert text_of(read_text(result.stdout)) == "Time flies. It rains\n\nYes"


def test_text_becomes_words_alone(run: Run, model: Path) -> None:
    text = "The old dog barks. It sees a cat.\n"
    found = run("annotate", "-m", model, "--heads", "tokens", stdin=text)
    whole = run("annotate", "-m", model, stdin=text)
    assert (found.exit_code, found.stderr) == (0, "")
    for words, annotated in zip(read_text(found.stdout), read_text(whole.stdout), strict=True):
        assert words.forms == annotated.forms
        assert words.comments == annotated.comments
        assert {*words.column("upos"), *words.column("deprel")} == {"_"}
    kept = run("annotate", "-m", model, "--heads", "tokens", "--keep", "upos", stdin=text)
    assert kept.exit_code == 2
    assert "--keep goes with a head that predicts the columns, found --heads tokens" in kept.stderr


def test_a_stopped_run_goes_on(run: Run, treebank: Path, small: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    files = ("--train", treebank, "--dev", small, "-o", path)
    assert run(*TRAIN, *files, "--resume").exit_code == 2
    whole = run(*TRAIN, *files)
    assert whole.exit_code == 0, whole.output


@pytest.mark.parametrize(
    ("columns", "options", "complaint"),
    [
        (range(2, 8), (), "no tags, no lemmas and no trees"),
        ([2], ("--heads", "tokens,lemmas"), "no lemmas"),
        ([3], ("--columns", "upos"), "columns upos hold only '_'"),
        ([3, 4, 5], ("--columns", "upos"), "--columns goes with the head tags"),
    ],
)
def test_data_that_lack_what_is_wanted_are_refused_before_the_tokenizer_learns(
    run: Run,
    treebank: Path,
    tmp_path: Path,
    columns: Sequence[int],
    options: tuple[str, ...],
    complaint: str,
) -> None:
    lines = [line.split("\t") for line in treebank.read_text(encoding="utf-8").split("\n")]
    for fields in lines:
        for column in columns:
            fields[column : column + 1] = ["_"] * (len(fields) > 1)
    path = tmp_path / "bare.conllu"
    path.write_text("\n".join("\t".join(fields) for fields in lines), encoding="utf-8")
    output = tmp_path / "model.safetensors"
    result = run(*TRAIN, *options, "--train", path, "--dev", "none", "-o", output)
    assert result.exit_code in (1, 2), result.output
    assert complaint in result.stderr
    assert "tokenizer: learns" not in result.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--tree", "transitions"), "--tree transitions learns from whole trees"),
        (
            ("--layers", "2", "--simplify", "--epochs", "2", "--criterion", "reconstruction"),
            "--criterion reconstruction is for layers that linear layers read",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_before_the_tokenizer_learns(
    run: Run, treebank: Path, tmp_path: Path, options: tuple[str, ...], complaint: str
) -> None:
    lines = [line.split("\t") for line in treebank.read_text(encoding="utf-8").split("\n")]
    for fields in lines:
        if fields[0] == "1":
            fields[7] = "_"
    path = tmp_path / "partial.conllu"
    path.write_text("\n".join("\t".join(fields) for fields in lines), encoding="utf-8")
    output = tmp_path / "model.safetensors"
    result = run(*TRAIN, *options, "--train", path, "--dev", "none", "-o", output)
    assert result.exit_code == 2, result.output
    assert complaint in result.stderr
    assert "tokenizer: learns" not in result.stderr


def test_heads_without_tokens_make_no_tokenizer(
    run: Run, treebank: Path, small: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    result = run(*TRAIN, "--heads", "tags", "--train", treebank, "--dev", small, "-o", path)
    assert result.exit_code == 0, result.output
    assert "tokenizer" not in json.loads(run("info", path, "--json").stdout)
    result = run("annotate", "--model", path, stdin="Time flies.")
    assert result.exit_code in (1, 2)
    assert "tokenizer" in result.stderr
    for heads in ("tokens", "tokens,tags"):
        result = run("annotate", "--model", path, "--heads", heads, stdin="Time flies.")
        assert result.exit_code == 2
        assert "has no tokenizer; train one with tokens among its --heads" in result.stderr


def test_tokens_alone_are_refused(run: Run, treebank: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    result = run(*TRAIN, "--heads", "tokens", "--train", treebank, "-o", path)
    assert result.exit_code == 2
    assert "--heads tokens goes with another head" in result.stderr


def test_tokens_say_where_they_stood_in_a_file_of_several_pieces(
    run: Run, model: Path, tmp_path: Path
) -> None:
    text = "\ufeffÜber it.\r\n\r\n" + "It rains. " * 10 + "\n\n" + "Time flies\n\n" * 9000
    (tmp_path / "in.txt").write_bytes(text.encode())
    result = run("tag", "--model", model, "--token-ranges", tmp_path / "in.txt", "-t", 2)
    assert result.exit_code == 0, result.output
    found = 0
    for line in result.stdout.split("\n"):
        columns = line.split("\t")
        if "TokenRange=" in line:
            start, end = map(int, columns[9].split("TokenRange=")[1].split(":"))
            assert text[1:][start:end] == columns[1]
            found += 1
    assert found > 18000


def test_evaluate_raw_scores_what_annotate_makes_of_the_text(
    run: Run, model: Path, small: Path, tmp_path: Path
) -> None:
    (tmp_path / "raw.txt").write_text(raw_text(read(small)), encoding="utf-8")
    run("annotate", "-m", model, tmp_path / "raw.txt", "-o", tmp_path / "system.conllu", "-q")
    expected = json.loads(run("evaluate", small, tmp_path / "system.conllu", "--json").stdout)
    for option in ("--raw", "--tokenize"):
        scores = json.loads(run("evaluate", small, "-m", model, option, "--json").stdout)
        assert scores["metrics"]["sentence_spans"] == expected["metrics"]["sentence_spans"]
        assert scores["metrics"]["tokens"] == expected["metrics"]["tokens"]
        for name, metric in scores["metrics"].items():
            assert metric is None or metric == expected["metrics"][name]
        assert scores["metrics"]["upos"] is not None
    table = run("evaluate", small, "-m", model, "--raw").stdout
    assert [line.split()[0] for line in table.splitlines()[2:5]] == ["Tokens", "Sentences", "Words"]


def test_evaluate_raw_needs_a_model_that_reads_text(
    run: Run, model: Path, tagger: Path, small: Path
) -> None:
    for options, message in (
        ((small,), "--raw goes with --model"),
        (("-m", model, "--keep", "upos"), "--raw goes without --keep: text has no columns"),
        (("-m", tagger), "--raw needs a tokenizer, but the model has no tokenizer"),
    ):
        result = run("evaluate", small, *options, "--raw")
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
