"""`train`: one model for tags, lemmas and trees; where its dev data comes from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meprop_nlp.commands.options import JOINT_MODEL
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.conll.writing import write
from meprop_nlp.models.file import read_header, read_model_file
from meprop_nlp.training.display import TrainingDisplay

from .conftest import TINY_JOINT


def weights(path: Path) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in read_model_file(path).arrays.items()}


def without(treebank: Path, path: Path, **columns: str | int) -> Path:
    """The treebank with some columns emptied."""
    emptied = [
        sentence.with_columns(**{name: [value] * len(sentence) for name, value in columns.items()})
        for sentence in read(treebank)
    ]
    write(emptied, path)
    return path


def test_one_model_has_all_heads_and_is_scored_by_all_of_them(
    train_joint: Any, treebank: Path, small: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    files = ("--train", treebank, "--dev", small, "--test", small)
    result = train_joint(*files, "--epochs", 1, "-o", output)
    assert result.exit_code == 0, result.stderr
    header = read_header(output)
    assert (header["task"], header["config"]["heads"]) == ("joint", ["tags", "lemmas", "tree"])
    (header_line,) = [line for line in result.stderr.split("\n") if line.startswith(" epoch ")]
    assert header_line.split()[2:9] == ["UPOS", "XPOS", "UFeats", "Lemmas", "UAS", "LAS", "mean"]
    assert re.search(r"\nbest: epoch 1; .* in all\ndev: UPOS .*  LAS .*\n", result.stderr)
    assert f"\n{output}: 0." in result.stderr
    assert " MB, neurons 16+16+8+8+8+8\n" in result.stderr
    assert result.stderr.endswith(f"\nnext: meprop-nlp annotate FILE --model {output}\n")
    assert result.stdout.startswith(f"{small}: UPOS ")
    assert " LAS " in result.stdout
    assert "held out" not in result.stderr


def test_pretrained_vectors_are_kept_up_to_a_limit_and_described(
    run: Any, train_joint: Any, treebank: Path, tmp_path: Path
) -> None:
    output, vectors = tmp_path / "m.safetensors", tmp_path / "vectors.bin"
    rows = [(f"w{n}", [n, 0.5, 1]) for n in range(1200)]
    content = b"".join(w.encode() + b" " + np.array(row, "<f4").tobytes() for w, row in rows)
    vectors.write_bytes(b"1200 3\n" + content)
    options = ("--vectors", vectors, "--vectors-limit", 1100, "--epochs", 1, "-o", output)
    result = train_joint("--train", treebank, *options)
    assert result.exit_code == 0, result.stderr
    assert re.search(
        r"warning: vectors: 0 of \d+ forms of train, 0 of \d+ forms of dev; 1,100 kept, "
        "of 3 values each\n",
        result.stderr,
    )
    assert re.search(r"\nvectors +of 1,100 word forms, 3 values each\n", run("info", output).stdout)
    described = json.loads(run("info", output, "--json").stdout)
    assert (described["vector_forms"], described["vector_width"]) == (1100, 3)
    result = train_joint("--train", treebank, "--vectors-limit", 5, "-o", output)
    assert result.exit_code == 2
    assert "error: --vectors-limit goes with --vectors" in result.stderr


@pytest.mark.parametrize(
    ("command", "score", "without"),
    [
        ("train", "best mean of the heads' scores on dev", "none: the last epoch"),
        ("train-tagger", "best accuracy on dev", "Without it, or with none: the last epoch."),
        ("train-parser", "best LAS on dev", "Without it, or with none: the last epoch."),
    ],
)
def test_help_says_how_the_best_epoch_is_chosen(
    command: str, score: str, without: str, run: Any
) -> None:
    words = " ".join(run(command, "--help-all").stdout.split())
    assert f"The best epoch is the one with the {score}" in words
    assert without in words


@pytest.mark.parametrize(
    ("command", "scores", "names"),
    [
        ("train-tagger", "upos", "UPOS"),
        ("train-parser", "las", "LAS"),
        ("train", "upos,xpos,feats,lemmas,uas,las", "mean of UPOS, XPOS, UFeats, Lemmas, UAS, LAS"),
    ],
)
def test_screen_and_log_say_how_the_best_epoch_is_chosen(
    command: str, scores: str, names: str, run: Any, treebank: Path, small: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    options = {"train-tagger": ("--columns", "upos"), "train": TINY_JOINT[2:]}.get(command, ())
    common = ("--hidden", 8, "--epochs", 2, "-t", 1, "--no-progress", "-o", output, *options)
    result = run(command, "--train", treebank, "--dev", small, *common)
    assert result.exit_code == 0, result.stderr
    assert f"keeps the model of the epoch with the best {names} on dev\n" in result.stderr
    (first, _) = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    mean = np.mean([first["scores"][name] for name in scores.split(",")])
    assert (first["score"], first["best"], first["kept"]) == (pytest.approx(mean), True, True)
    cut = ("--simplify", "--k", 2, "--first-cut-epoch", 1, "--min-neurons", 2)
    result = run(command, "--train", treebank, "--dev", small, *common, *cut)
    assert f"with the best {names} on dev after the last cut\n" in result.stderr
    none = ("--dev", "none") if command == "train" else ()
    result = run(command, "--train", treebank, *none, *common)
    assert "no dev data: keeps the model of the last epoch\n" in result.stderr
    assert "best" not in result.stderr
    records = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    found = [(record["score"], record["best"], record["kept"]) for record in records]
    assert found == [(None, False, True)] * 2


def test_without_dev_every_tenth_sentence_is_held_out(
    train_joint: Any, treebank: Path, tmp_path: Path
) -> None:
    options = ("--epochs", 2, "--batch-size", 100)
    held_out, apart = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    result = train_joint("--train", treebank, *options, "-o", held_out)
    assert result.exit_code == 0, result.stderr
    assert "every tenth training sentence is held out" in result.stderr
    assert ": 4 of 40 sentences\n" in result.stderr
    sentences = list(read(treebank))
    dev = [sentences[n] for n in (9, 19, 29, 39)]
    train, small = tmp_path / "train.conllu", tmp_path / "dev.conllu"
    write([sentence for sentence in sentences if sentence not in dev], train)
    write(dev, small)
    result = train_joint("--train", train, "--dev", small, *options, "-o", apart)
    assert "held out" not in result.stderr
    assert weights(held_out) == weights(apart)
    assert read_header(held_out)["scores"] == read_header(apart)["scores"] != {}


def test_dev_none_learns_from_all_sentences(
    train_joint: Any, treebank: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    result = train_joint("--train", treebank, "--dev", "none", "--epochs", 2, "-o", output)
    assert result.exit_code == 0, result.stderr
    assert "held out" not in result.stderr
    header = read_header(output)
    assert header["training"]["data"]["train"]["sentences"] == 40
    assert (header["training"]["epoch"], header["scores"]) == (2, {})
    result = train_joint("--train", treebank, "--dev", "none", "--dev", treebank, "-o", output)
    assert result.exit_code == 2
    assert "--dev none and dev files exclude each other" in result.stderr


def test_too_few_sentences_are_all_learnt_from(
    train_joint: Any, treebank: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.conllu"
    write(list(read(treebank))[:9], few)
    output = tmp_path / "m.safetensors"
    result = train_joint("--train", few, "--epochs", 1, "-o", output, "-q")
    assert result.exit_code == 0, result.stderr
    assert "warning: no dev data, and 9 sentences are too few to hold any out" in result.stderr
    assert read_header(output)["training"]["data"]["train"]["sentences"] == 9


def test_tagger_and_parser_hold_nothing_out(run: Any, treebank: Path, tmp_path: Path) -> None:
    options = ("--hidden", 8, "--word-dim", 8, "-t", 1, "--epochs", 1)
    for command in ("train-tagger", "train-parser"):
        output = tmp_path / f"{command}.safetensors"
        result = run(command, "--train", treebank, *options, "-o", output)
        assert "held out" not in result.stderr
        assert read_header(output)["training"]["data"]["train"]["sentences"] == 40


def test_trees_are_demanded_where_they_are_learnt(
    train_joint: Any, treebank: Path, tmp_path: Path
) -> None:
    flat = without(treebank, tmp_path / "flat.conllu", head=-1, deprel="_")
    options = ("--train", flat, "--epochs", 1, "-o", tmp_path / "m.safetensors", "-q")
    result = train_joint(*options, "--heads", "tags,lemmas", "--test", flat)
    assert result.exit_code == 0, result.stderr
    assert read_header(tmp_path / "m.safetensors")["config"]["heads"] == ["tags", "lemmas"]
    result = train_joint(*options, "--heads", "tags,tree")
    assert result.exit_code == 2
    assert "the training file has no tree; choose others with --heads" in result.stderr


def test_faulty_test_file_is_found_before_anything_is_trained(
    train_joint: Any, treebank: Path, tmp_path: Path
) -> None:
    output, faulty = tmp_path / "m.safetensors", tmp_path / "faulty.conllu"
    faulty.write_text("1\ta\t_\tX\tX\t_\t1\tx\t_\t_\n\n")
    result = train_joint("--train", treebank, "--test", faulty, "-o", output)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {faulty}:1: the heads go round")
    assert not output.exists()


def test_sample_treebank_and_the_usual_place_need_no_option(
    train_joint: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = train_joint("--epochs", 1)
    assert result.exit_code == 0, result.stderr
    assert "warning: no --train: using the built-in sample treebank" in result.stderr
    assert "held out" not in result.stderr
    assert JOINT_MODEL.is_file()
    line = "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    (fields,) = [line.split("\t") for line in run("annotate", stdin=line).stdout.split("\n")[:1]]
    assert "_" not in (fields[2], fields[3], fields[4], fields[6], fields[7])
    result = run("tag", stdin=line)
    assert result.exit_code == 1
    assert "train-tagger, or give --model models/model.safetensors" in result.stderr


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        ("--heads tags,nouns", 2, "--heads is tags,nouns, expected any of tokens, tags"),
        ("--heads tree,tree", 2, "each once"),
        ("--hidden 8 --k 9", 2, "--k is 9, expected at most the layer's width, 8"),
        ("--layers 6", 2, "--layers is 6, expected a whole number from 1 to 5"),
        ("--dev nowhere", 1, "nowhere: no such file"),
        ("--train nowhere", 1, "nowhere: no such file"),
        ("--resume", 2, "there is no"),
    ],
)
def test_what_cannot_be_is_refused(
    flags: str, status: int, message: str, train_joint: Any, treebank: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    result = train_joint("--train", treebank, "-o", output, *flags.split())
    assert result.exit_code == status
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_joint_model_and_others_never_replace_each_other(
    train_joint: Any, run: Any, treebank: Path, tagger: Path, joint: Path
) -> None:
    before = tagger.read_bytes(), joint.read_bytes()
    result = train_joint("--train", treebank, "-o", tagger)
    assert result.exit_code == 2
    assert "is a tagger already, and would be replaced by a joint model" in result.stderr
    result = run("train-tagger", "--train", treebank, "-o", joint)
    assert result.exit_code == 2
    assert "is a joint model already, and would be replaced by a tagger" in result.stderr
    assert before == (tagger.read_bytes(), joint.read_bytes())


def test_stopped_run_with_held_out_sentences_goes_on_to_the_same_weights(
    train_joint: Any,
    treebank: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupt_after: Any,
) -> None:
    heads = ("--heads", "tags,lemmas,tree")
    options = ("--train", treebank, "--epochs", 3, "--batch-size", 100, *heads)
    expected, actual = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    assert train_joint(*options, "-o", expected).exit_code == 0
    with monkeypatch.context() as patch:
        interrupt_after(patch, TrainingDisplay, "__call__", steps=6)
        assert train_joint(*options, "-o", actual).exit_code == 130
    result = train_joint(*options, "-o", actual, "--resume")
    assert result.exit_code == 0, result.stderr
    assert "\n   1/" not in result.stderr
    assert weights(actual) == weights(expected)


@pytest.mark.parametrize("steps", [5, 40, 70])
def test_run_with_a_tokenizer_goes_on_wherever_it_was_stopped(
    steps: int,
    train_joint: Any,
    treebank: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupt_after: Any,
) -> None:
    options = ("--train", treebank, "--dev", "none", "--epochs", 3, "--batch-size", 20)
    expected, actual = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    whole = train_joint(*options, "-o", expected)
    assert whole.exit_code == 0, whole.stderr
    with monkeypatch.context() as patch:
        interrupt_after(patch, TrainingDisplay, "__call__", steps=steps)
        stopped = train_joint(*options, "-o", actual)
    assert stopped.exit_code == 130, "too few steps to be stopped"
    assert "with --resume" in stopped.stderr
    result = train_joint(*options, "-o", actual, "--resume")
    assert result.exit_code == 0, result.stderr
    assert weights(actual) == weights(expected)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.safetensors", "a.jsonl", "b.safetensors", "b.jsonl"}


def half_annotated(treebank: Path, path: Path) -> Path:
    """The treebank with nothing but forms in every other sentence."""
    columns = {"upos": "_", "xpos": "_", "feats": "_", "lemma": "_", "head": -1, "deprel": "_"}
    sentences = [
        sentence.with_columns(**{name: [value] * len(sentence) for name, value in columns.items()})
        if n % 2
        else sentence
        for n, sentence in enumerate(read(treebank))
    ]
    write(sentences, path)
    return path


def test_partly_annotated_files_train_and_score(
    train_joint: Any, run: Any, treebank: Path, small: Path, tmp_path: Path
) -> None:
    train, gold = (half_annotated(path, tmp_path / path.name) for path in (treebank, small))
    output = tmp_path / "m.safetensors"
    files = ("--train", train, "--dev", gold, "--test", gold)
    result = train_joint(*files, "--epochs", 1, "-o", output)
    assert result.exit_code == 0, result.stderr
    assert "train: partly annotated: UPOS of " in result.stderr
    assert "dev: partly annotated: UPOS of " in result.stderr
    scored = json.loads(run("evaluate", gold, "--model", output, "--json").stdout)["metrics"]
    annotated = sum(len(s) for s in read(gold) if s.column("head")[0] >= 0)
    assert {scored[name]["gold"] for name in ("upos", "xpos", "uas", "las")} == {annotated}
    assert f"UAS {scored['uas']['f1']:.2f}" in result.stdout
    # of two files, all of gold is demanded
    result = run("evaluate", gold, gold)
    assert result.exit_code == 1
    assert "has no heads, and trees are scored; without them: --no-trees" in result.stderr


def test_training_starts_from_a_model(
    run: Any, train_joint: Any, joint: Path, small: Path, tagger: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    options = ("--train", small, "--dev", "none", "--epochs", 1, "-t", 1, "--no-progress")
    result = run("train", *options, "--init-from", joint, "-o", output)
    assert result.exit_code == 0, result.stderr
    header = read_header(output)
    assert header["config"]["hidden"] == 16
    assert header["training"]["training"]["learning_rate"] == 0.0005
    assert header["training"]["init_from"] == read_header(joint)["checksum"]

    refused = run("train", *options, "--init-from", joint, "--hidden", 300, "-o", output)
    assert refused.exit_code == 2
    assert f"--hidden is 300, but the model {joint}" in refused.stderr
    assert "has 16; give --hidden 16 or leave it out" in refused.stderr
    refused = run("train", *options, "--init-from", tagger, "-o", output)
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"error: --init-from: {tagger}: is a tagger, expected a joint model; the command train "
        "makes one, and so does --encoder bilstm\n"
    )
    refused = run("train", *options, "--init-from", joint, "-o", joint)
    assert refused.exit_code == 2
    assert "is an input file too" in refused.stderr
    refused = run("train", *options, "--init-from", tmp_path / "none", "-o", output)
    assert (refused.exit_code, refused.stderr) == (1, f"error: {tmp_path / 'none'}: no such file\n")
