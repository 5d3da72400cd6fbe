"""What stands in a dev file: scored where it can be, and refused before the first epoch if not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FEW = {
    "train": ("--hidden", "8", "--layers", "1", "--word-dim", "8", "--ngram-rows", "100",
              "--arc-dim", "8", "--label-dim", "8", "--heads", "tags,lemmas,tree"),
    "train-tagger": ("--hidden", "8"),
    "train-parser": ("--hidden", "8"),
}  # fmt: skip
ONE = "1\tA\ta\tX\tX\tF=a\t0\troot\t_\t_\n2\tb\tb\tX\tX\tF=b\t1\tdep\t_\t_\n\n"
TWO_ROOTS = ONE.replace("1\tdep", "0\troot")
HALF = f"{ONE}1\tA\ta\tX\tX\t_\t_\t_\t_\t_\n\n"


@pytest.fixture
def trained(run: Any, tmp_path: Path) -> Any:
    """Train for an epoch, with this dev file; return the result and the model's path."""

    def train(command: str, dev: str, *options: str) -> tuple[Any, Path]:
        path = tmp_path / "model.safetensors"
        for role, text in (("train", ONE * 3), ("dev", dev)):
            (tmp_path / f"{role}.conllu").write_text(text, encoding="utf-8")
        files = [f"--{role}={tmp_path / role}.conllu" for role in ("train", "dev")]
        few = (*FEW[command], "--epochs", "1", *options)
        return run(command, *files, "-o", path, *few), path

    return train


@pytest.mark.parametrize("command", FEW)
def test_a_dev_sentence_with_several_roots_is_scored(command: str, trained: Any) -> None:
    result, path = trained(command, TWO_ROOTS)
    assert result.exit_code == 0, result.stderr
    assert path.exists()


@pytest.mark.parametrize("command", FEW)
def test_none_is_no_dev_file(command: str, run: Any, tmp_path: Path) -> None:
    (tmp_path / "train.conllu").write_text(ONE * 3, encoding="utf-8")
    files = (
        "--train",
        tmp_path / "train.conllu",
        "--dev",
        "none",
        "-o",
        tmp_path / "m.safetensors",
    )
    result = run(command, *files, *FEW[command], "--epochs", "1")
    assert result.exit_code == 0, result.stderr
    assert "no dev data: keeps the model of the last epoch" in result.stderr + result.stdout
    several = run(command, *files, "--dev", tmp_path / "train.conllu", "--epochs", "1")
    assert several.exit_code == 2
    assert "--dev none and dev files exclude each other" in several.stderr


@pytest.mark.parametrize("dev", [HALF, TWO_ROOTS + HALF, HALF[len(ONE) :] + ONE])
def test_a_tagger_does_not_look_at_the_trees_of_dev(dev: str, trained: Any) -> None:
    result, path = trained("train-tagger", dev)
    assert result.exit_code == 0, result.stderr
    assert path.exists()


@pytest.mark.parametrize("command", FEW)
@pytest.mark.parametrize("form", ["\u00a0", "\u3000"])
def test_a_dev_token_of_spaces_is_refused_before_the_first_epoch(
    command: str, form: str, trained: Any
) -> None:
    dev = f"{ONE}1\t{form}\t_\tX\tX\t_\t0\troot\t_\t_\n\n"
    result, path = trained(command, dev)
    assert result.exit_code == 1
    assert "dev.conllu:4: token 1 is nothing but spaces, and cannot be aligned" in result.stderr
    assert "epoch" not in result.stderr
    assert not path.exists()


def test_a_dev_sentence_that_is_too_long_is_refused_before_the_first_epoch(trained: Any) -> None:
    words = "".join(f"{n}\ta\ta\tX\tX\t_\t{n - 1}\tdep\t_\t_\n" for n in range(2, 10_051))
    dev = f"{ONE}1\ta\ta\tX\tX\t_\t0\troot\t_\t_\n{words}\n"
    result, path = trained("train", dev)
    assert result.exit_code == 1
    assert "dev.conllu:4: a sentence of 10,050 words, expected at most 10,000" in result.stderr
    assert not path.exists()
    few_heads, _ = trained("train-tagger", dev)
    assert few_heads.exit_code == 0, few_heads.stderr


@pytest.mark.parametrize(
    ("command", "dev", "scored"),
    [
        ("train", "1\tA\t_\t_\t_\t_\t0\t_\t_\t_\n2\tb\t_\t_\t_\t_\t1\t_\t_\t_\n\n", {"uas"}),
        ("train", ONE.replace("F=a", "_").replace("F=b", "_"),
         {"upos", "xpos", "lemmas", "uas", "las"}),
        ("train-tagger", ONE.replace("F=a", "_").replace("F=b", "_"), {"upos", "xpos"}),
        ("train-parser", ONE.replace("root", "_").replace("dep", "_"), {"uas"}),
    ],
)  # fmt: skip
def test_columns_that_dev_lacks_do_not_choose_the_best_epoch(
    command: str, dev: str, scored: set[str], trained: Any
) -> None:
    result, path = trained(command, dev)
    assert result.exit_code == 0, result.stderr
    (line,) = path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    record = json.loads(line)
    assert {name for name, score in record["scores"].items() if score is not None} == scored
    assert set(record["main_scores"]) <= scored
    values = [record["scores"][name] for name in record["main_scores"]]
    assert record["score"] == pytest.approx(sum(values) / len(values))
