"""Files that are no models, wrong usage, and what `evaluate`, `info` and `validate` print."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.models.file import read_model_file, write_model_file

# models that are none


def test_missing_model_says_how_to_train_one(
    run: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("tag", "parse"):
        result = run(command, small)
        assert result.exit_code == 1
        task = {"tag": "tagger", "parse": "parser"}[command]
        assert result.stderr == (
            f"error: there is no model models/{task}.safetensors; "
            f"train one with: meprop-nlp train-{task}\n"
        )
    assert "train-tagger --train FILE -o mine.safetensors" in run("tag", "-m", "mine", small).stderr
    assert "train-tagger or train-parser" in run("evaluate", small, "-m", "mine").stderr


def test_missing_model_says_which_there_are(
    run: Any,
    small: Path,
    tagger: Path,
    joint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    for side in ("tokenizer", "teacher-1", "tags", "checkpoint"):
        shutil.copy(joint, f"models/a.{side}.safetensors")
    Path("models/empty.safetensors").touch()
    file = read_model_file(joint)
    config = {**file.header["config"], "heads": ["tags"]}
    names = {
        tagger.name: {"tag"},
        joint.name: {"annotate", "tag", "parse"},
        "only-tags.safetensors": {"annotate", "tag"},
    }
    write_model_file("models/only-tags.safetensors", {**file.header, "config": config}, file.arrays)
    write_model_file("models/other.safetensors", {**file.header, "task": "other"}, file.arrays)
    for model in (tagger, joint):
        shutil.copy(model, Path("models", model.name))
    for command in ("annotate", "tag", "parse", "info", "evaluate"):
        files = [] if command == "info" else [small]
        option = () if command == "info" else ("-m",)
        of_any = command in ("info", "evaluate")
        fit = sorted(f"models/{name}" for name, does in names.items() if of_any or command in does)
        result = run(command, *files, *option, "nonsense")
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert "there is no model nonsense; train one with: meprop-nlp train" in result.stderr
        assert result.stderr.endswith(f", or give --model {' or '.join(fit)}\n")
        result = run(command, *files, *option, "models")
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        told = f"models is a folder, expected the file of a model, such as {fit[0]}\n"
        assert told in result.stderr


def _too_new(tagger: Path, path: Path) -> None:
    content = tagger.read_bytes()
    path.write_bytes(content.replace(b'\\"format_version\\": 3', b'\\"format_version\\": 9', 1))


WRONG_MODELS: dict[str, tuple[Any, str]] = {
    "treebank": (
        lambda tagger, path: path.write_text("# text = a\n1\ta" + "\t_" * 8),
        "looks like CoNLL-U",
    ),
    "zip": (lambda t, path: zipfile.ZipFile(path, "w").writestr("a", "b"), "looks like a zip"),
    "empty": (lambda tagger, path: path.write_bytes(b""), "empty file"),
    "three bytes": (lambda tagger, path: path.write_bytes(b"abc"), "is not a meprop_nlp model"),
    "cut": (lambda t, path: path.write_bytes(t.read_bytes()[:-999]), "is cut short"),
    "cut in the header": (lambda t, path: path.write_bytes(t.read_bytes()[:999]), "is cut short"),
    "one byte off": (
        lambda t, path: path.write_bytes(t.read_bytes()[:-1] + b"\xff"),
        "checksum differs",
    ),
    "too new": (_too_new, "format version 9, this meprop_nlp reads up to 3"),
    "folder": (lambda tagger, path: path.mkdir(), "is a folder, expected the file of a model"),
}


@pytest.mark.parametrize("name", WRONG_MODELS)
def test_file_that_is_no_model_is_told_as_what_it_is(
    name: str, run: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    make, message = WRONG_MODELS[name]
    path = tmp_path / "model"
    make(tagger, path)
    result = run("tag", "-m", path, small)
    assert result.exit_code == 1
    assert message in result.stderr
    assert str(path) in result.stderr
    assert result.stdout == ""


def _odd_header(tagger: Path, path: Path) -> None:
    file = read_model_file(tagger)
    write_model_file(path, {**file.header, "neurons": [10**400]}, file.arrays)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_odd_header, "`neurons` in its header is [1000"),
        (lambda tagger, path: os.mkfifo(path), "is a pipe or a device, expected a model file"),
    ],
)
def test_every_command_refuses_a_file_that_is_checked_as_it_is_opened(
    make: Any, message: str, run: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    make(tagger, path)
    for command in (
        ("info", path),
        ("tag", "-m", path, small),
        ("annotate", "-m", path, small),
        ("evaluate", small, "-m", path),
        ("benchmark", path, small),
        ("parse", "--tagger", path, small, "-m", path),
    ):
        result = run(*command)
        assert (result.exit_code, result.stdout) == (1, ""), command
        assert result.stderr.startswith(f"error: {path}: {message}"), command
        assert result.stderr.count("\n") == 1, command


def test_model_for_another_task_is_refused(
    run: Any, tagger: Path, parser: Path, small: Path
) -> None:
    assert "is a parser, expected a tagger" in run("tag", "-m", parser, small).stderr
    assert "is a tagger, expected a parser" in run("parse", "-m", tagger, small).stderr
    result = run("parse", "-m", parser, "--tagger", parser, small)
    assert (result.exit_code, result.stdout) == (1, "")


# wrong usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["tag", "--nonsense"], "No such option"),
        (["benchmark"], "Missing argument"),
        (["info", "PARSER", "PARSER"], "unexpected extra argument"),
        (["evaluate", "SMALL"], "found neither"),
        (["evaluate", "SMALL", "SMALL", "--model", "PARSER"], "found both"),
        (["evaluate", "SMALL", "SMALL", "--tagger", "TAGGER"], "--tagger goes with --model"),
        (["evaluate", "SMALL", "-m", "TAGGER", "--tagger", "TAGGER"], "found a tagger"),
        (["evaluate", "SMALL", "-m", "TAGGER", "--min-las", "1"], "--min-las needs trees"),
        (["evaluate", "-", "-"], "not both"),
        (["evaluate", "SMALL", "SMALL", "--input-format", "x"], "--input-format is 'x'"),
        (["tag", "-m", "TAGGER", "SMALL", "--input-format", "x"], "--input-format is 'x'"),
        (["tag", "-m", "TAGGER", "SMALL", "--on-error", "x"], "--on-error is 'x', expected fail"),
        (["tag", "-m", "TAGGER", "SMALL", "--threads", "-1"], "--threads is -1, expected"),
        (["parse", "-m", "PARSER", "SMALL", "-t", "257"], "--threads is 257, expected"),
        (["benchmark", "TAGGER", "SMALL", "--threads", "-1"], "--threads is -1, expected"),
        (["validate", "SMALL", "--input-format", "x"], "--input-format is 'x'"),
    ],
)
def test_wrong_usage_exits_with_2(
    arguments: list[str], message: str, run: Any, tagger: Path, parser: Path, small: Path
) -> None:
    named = {"SMALL": small, "TAGGER": tagger, "PARSER": parser}
    result = run(*(named.get(a, a) for a in arguments))
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_no_command_shows_the_help(run: Any) -> None:
    result = run()
    assert result.exit_code == 2
    assert "Commands:" in result.output


@pytest.mark.parametrize("command", ["tag", "parse", "evaluate", "validate"])
def test_input_that_cannot_be_opened(
    command: str, run: Any, tagger: Path, parser: Path, tmp_path: Path
) -> None:
    model = {"tag": ["-m", tagger], "parse": ["-m", parser]}.get(command, [])
    other = [tmp_path / "nowhere"] if command == "evaluate" else []
    result = run(command, *model, tmp_path / "nowhere", *other)
    assert (result.exit_code, result.stderr) == (1, f"error: {tmp_path}/nowhere: no such file\n")
    result = run(command, *model, tmp_path, *other)
    assert result.exit_code == 1
    assert "is a directory" in result.stderr


# scores and descriptions


def test_evaluate_of_a_file_with_itself(run: Any, small: Path) -> None:
    result = run("evaluate", small, small)
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.split("\n")[:17]}
    assert result.exit_code == 0
    assert rows["LAS"] == ["100.00"] * 4
    assert rows["LCM"] == ["100.00"] * 3
    assert rows["Metric"] == ["Precision", "Recall", "F1", "Aligned"]
    assert "Punctuation is counted" in result.stdout
    assert "Wrong " not in result.stdout


def test_evaluate_of_a_model_leaves_out_what_it_copied(
    run: Any, tagger: Path, parser: Path, small: Path
) -> None:
    tagged = run("evaluate", small, "--model", tagger).stdout
    assert "\nUPOS " in tagged
    assert not any(f"\n{name} " in tagged for name in ("UAS", "LAS", "MLAS", "UCM", "Label"))
    assert "\nAllTags " in tagged
    assert "unctuation" not in tagged
    parsed = run("evaluate", small, "--model", parser).stdout
    assert "\nUAS " in parsed
    assert not any(f"\n{name} " in parsed for name in ("UPOS", "AllTags", "MLAS", "Wrong UPOS"))
    both = run("evaluate", small, "--model", parser, "--tagger", tagger).stdout
    assert "\nUAS " in both
    assert "\nUPOS " in both
    assert "\nMLAS " in both
    assert not any(f"\n{name} " in both for name in ("Tokens", "Sentences", "Lemmas", "BLEX"))
    metrics = json.loads(run("evaluate", small, "-m", tagger, "--json").stdout)["metrics"]
    assert metrics["las"] is None
    assert metrics["upos"]["gold"] > 0


def test_tagger_is_scored_where_trees_are_broken(run: Any, tagger: Path, tmp_path: Path) -> None:
    path = tmp_path / "circle.conllu"
    path.write_text("1\ta\t_\tX\tX\t_\t1\tx\t_\t_\n\n")
    assert run("evaluate", path, "-m", tagger).exit_code == 0
    assert run("evaluate", path, path).exit_code == 1


def test_min_las_decides_the_exit_status(run: Any, parser: Path, small: Path) -> None:
    assert run("evaluate", small, small, "--min-las", 100).exit_code == 0
    result = run("evaluate", small, "-m", parser, "--min-las", 99.5)
    assert result.exit_code == 1
    assert "below --min-las 99.50" in result.stderr
    assert "\nLAS " in result.stdout


def test_json_is_all_that_is_printed(run: Any, parser: Path, small: Path) -> None:
    described = json.loads(run("info", parser, "--json").stdout)
    assert described["task"] == "parser"
    assert described["bytes"] == parser.stat().st_size
    scores = json.loads(run("evaluate", small, small, "--json").stdout)
    assert scores["metrics"]["las"]["f1"] == 100
    (report,) = json.loads(run("validate", small, "--json").stdout)
    assert (report["sentences"], report["findings"]) == (10, [])


def test_info_says_what_a_person_asks_first(run: Any, tagger: Path, parser: Path) -> None:
    lines = run("info", parser).stdout.split("\n")
    assert lines[0].split() == ["file", str(parser)]
    assert lines[1].endswith("format version 3")
    assert lines[2].split() == ["holds", "parser", "model"]
    assert "sentences    40 train" in lines
    assert "neurons      layers.0 16" in lines
    assert "checksum" not in "".join(lines)
    assert "meProp settings: k none, plain backpropagation" in lines
    assert "\nholds         tagger model\n" in run("info", tagger).stdout


def test_validate_of_a_good_file_says_what_is_in_it(run: Any, small: Path) -> None:
    result = run("validate", small)
    assert result.exit_code == 0
    assert f"{small}: 0 errors, 0 warnings\n{small}: 10 sentences, " in result.stdout


def test_options_reach_what_they_name(run: Any, tagger: Path, parser: Path) -> None:
    line = "1\tGo\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    models = ("-m", parser, "--tagger", tagger)
    assert "Conf=" not in run("parse", *models, stdin=line).stdout
    confident = run("parse", *models, "--confidence", stdin=line).stdout
    assert "UPOSConf=" in confident
    assert "ArcConf=" in confident
    assert run("validate", "--no-trees", stdin=line).exit_code == 0
    assert run("validate", stdin=line).exit_code == 1


def test_evaluation_says_that_no_word_is_left_to_count(run: Any, tmp_path: Path) -> None:
    gold = tmp_path / "gold.conllu"
    gold.write_text("1\t!\t_\tPUNCT\t_\t_\t0\troot\t_\t_\n\n")
    command = ("evaluate", gold, gold, "--exclude-punct")
    shown = run(*command).stdout
    assert "No word is left to count in the parsing metrics: punctuation is excluded" in shown
    assert "\nLAS " in shown
    assert " 0.00" not in shown
    assert json.loads(run(*command, "--json").stdout)["metrics"]["las"]["f1"] is None
    held = run(*command, "--min-las", 50)
    assert held.exit_code == 1
    assert "there is no LAS to hold against --min-las. No word is left" in held.stderr


def test_punctuation_is_left_out_when_asked_for(run: Any, tmp_path: Path) -> None:
    gold, system = tmp_path / "gold.conllu", tmp_path / "system.conllu"
    text = "1\tGo\t_\tVERB\t_\t_\t0\troot\t_\t_\n2\t!\t_\tPUNCT\t_\t_\t1\tpunct\t_\t_\n\n"
    gold.write_text(text, encoding="utf-8")
    system.write_text(text.replace("punct", "dep"), encoding="utf-8")
    for options, las, told in (((), 50, "counted"), (("--exclude-punct",), 100, "not counted")):
        scored = json.loads(run("evaluate", gold, system, "--json", *options).stdout)
        assert scored["metrics"]["las"]["f1"] == las
        assert f"Punctuation is {told} in" in run("evaluate", gold, system, *options).stdout


def test_validate_adds_what_the_official_validator_finds(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(
        "# sent_id = s\n# text = It will\n"
        "1\tIt\tit\tPRON\t_\tPronType=Prs\t2\tnsubj\t_\t_\n"
        "2\twill\twill\tVERB\t_\tVerbForm=Fin\t0\troot\t_\t_\n\n"
    )
    assert "0 errors, 0 warnings" in run("validate", path).stdout
    result = run("validate", path, "--level", 3, "--lang", "en")
    assert result.exit_code == 0
    assert f"warning: {path}:4: sentence s: Finite verb 'will' lacks" in result.stdout
    assert "[verbform-fin-without-mood]\n" in result.stdout
    assert "0 errors, 1 warning\n" in result.stdout
    assert "level 3, language en\n" in result.stdout
    [report] = json.loads(run("validate", path, "--level", 3, "--json").stdout)
    assert [each["line"] for each in report["findings"]] == [4]
    with path.open() as stdin:
        assert run("validate", "-", "--level", 3, stdin=stdin.read()).stdout.startswith("warning: ")


def test_official_validator_is_called_as_it_can_be(run: Any, small: Path) -> None:
    result = run("validate", small, "--lang", "en")
    assert result.exit_code == 2
    assert "give it a level, as by --level 4" in result.stderr
    for options in (("--encoding", "latin-1"), ("--input-format", "conllx")):
        result = run("validate", small, "--level", 2, *options)
        assert result.exit_code == 2
        assert "--level reads CoNLL-U in UTF-8 alone" in result.stderr
    result = run("validate", small, "--level", 2, "--lang", "xx")
    assert result.exit_code == 2
    assert "--lang is 'xx'" in result.stderr


def test_nothing_in_a_file_steers_the_terminal(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    word = "1\ta\ta\tNO\x1b[31mUN\t_\t_\t{}\tro\x1b[31mot\t_\t_\n\n"
    path.write_text(f"# sent_id = a\x1b]0;owned\x07\n{word.format('x')}", encoding="utf-8")
    told = run("validate", path)
    assert "sentence a\\x1b]0;owned\\x07: HEAD is 'x'" in told.stdout
    path.write_text(word.format("0"), encoding="utf-8")
    other = tmp_path / "b.conllu"
    other.write_text(word.format("0").replace("\x1b", ""), encoding="utf-8")
    scores = run("evaluate", path, other)
    assert "NO\\x1b[31mUN -> NO[31mUN" in scores.stdout
    for result in (told, scores):
        assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.parametrize("deps", ["9" * 5000 + ":x", "1." + "9" * 5000 + ":x"])
def test_a_number_of_any_length_is_a_fault(deps: str, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(f"1\ta\ta\tX\t_\t_\t0\troot\t{deps}\t_\n\n", encoding="utf-8")
    result = run("validate", path)
    assert result.exit_code in (0, 1)
    assert "expected HEAD:RELATION" in result.stdout


def test_wrong_number_of_columns_is_one_fault(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    rows = [
        f"{n}\ta\ta\tX\t_\t_\t{n - 1}\t{'root' if n == 1 else 'dep'}\t_\t_" for n in range(1, 6)
    ]
    rows[1], rows[3] = rows[1].rpartition("\t")[0], rows[3] + "\t_"
    path.write_text("\n".join(rows) + "\n\n")
    result = run("validate", path)
    assert [line.partition("found")[0] for line in result.stdout.splitlines()[:3]] == [
        f"error: {path}:2: ",
        f"error: {path}:4: ",
        f"{path}: 2 errors, 0 warnings",
    ]
