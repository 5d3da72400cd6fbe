"""`train-tagger` and `train-parser`: what is refused, what is written, stopping and going on."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.commands.options import PARSER_MODEL, TAGGER_MODEL
from meprop_nlp.commands.stopping import StopOnce, Stopped
from meprop_nlp.errors import DataError
from meprop_nlp.models.file import read_header, read_model_file
from meprop_nlp.training.display import TrainingDisplay
from meprop_nlp.training.output.lock import writing_alone
from meprop_nlp.training.outputs import is_finished
from meprop_nlp.training.records import EpochRecord, Note, Step

TINY = ("--hidden", 8, "--word-dim", 8, "-t", 1, "--no-progress")


def train(run: Any, task: str, *arguments: object) -> Any:
    return run(f"train-{task}", *TINY, *arguments)


def weights(path: Path) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in read_model_file(path).arrays.items()}


# settings that cannot be


@pytest.mark.parametrize(
    ("task", "flags", "message"),
    [
        ("tagger", "--k 9", "--k is 9, expected at most the layer's width, 8"),
        ("parser", "--k 9", "--k is 9, expected at most the layer's width, 8"),
        ("tagger", "--k -1", "--k is -1, expected"),
        ("tagger", "--simplify --schedule paper --k 0", "need --k"),
        ("tagger", "--simplify --criterion hits --k 0", "need --k"),
        (
            "parser",
            "--simplify --schedule paper --k 2 --topk-mode random",
            "--topk-mode random draws",
        ),
        ("tagger", "--simplify --k 10", "--k is 10, expected at most"),
        ("tagger", "--topk-mode unified", "--topk-mode goes with --k"),
        ("tagger", "--k 2 --topk-mode all", "expected one of example, unified, random"),
        ("tagger", "--prune-rate 0.5", "--prune-rate goes with --simplify"),
        ("parser", "--min-neurons 2", "--min-neurons goes with --simplify"),
        ("parser", "--simplify --schedule paper --prune-rate 2", "--prune-rate is 2.0, expected"),
        ("parser", "--simplify --prune-rate 0.1", "--prune-rate goes with --schedule paper"),
        ("parser", "--simplify --cycle 3", "--cycle goes with --schedule paper"),
        ("tagger", "--simplify --cuts-per-epoch 2", "--cuts-per-epoch goes with --schedule paper"),
        ("parser", "--simplify --schedule paper --keep 0.1", "--keep goes with --schedule late"),
        (
            "tagger",
            "--simplify --schedule paper --no-teacher",
            "--no-teacher goes with --schedule late",
        ),
        ("tagger", "--simplify --keep 0", "--keep is 0.0, expected"),
        ("tagger", "--keep 0.3", "--keep goes with --simplify"),
        (
            "tagger",
            "--simplify --schedule paper --criterion random",
            "--criterion goes with --schedule late",
        ),
        ("parser", "--k 2 --simplify --cycle 0", "--cycle is 0, expected"),
        ("tagger", "--optimizer lion", "expected one of adam, adagrad, sgd"),
        ("parser", "--activation sin", "expected one of relu, cube, tanh"),
        ("parser", "--transition-system x", "arc-standard, arc-hybrid, arc-standard-swap"),
        ("parser", "--oracle x", "expected one of static, hybrid"),
        ("parser", "--oracle hybrid --transition-system arc-hybrid", "arc-standard only"),
        ("parser", "--nonprojective x", "expected one of pseudo, lift, drop"),
        ("parser", "--layers 9", "--layers is 9, expected a whole number from 1 to 5"),
        ("parser", "--layers -1", "--layers is -1"),
        ("parser", "--jackknife 1", "--jackknife is 1, expected 0, or a whole number of at least"),
        (
            "parser",
            "--jackknife 999",
            "--jackknife is 999, expected at most the number of training",
        ),
        ("tagger", "--device x", "--device is 'x', expected auto, cpu, cuda or cuda:N"),
        ("tagger", "--device cuda:99", "no such GPU here"),
        ("tagger", "--device 99", "no such GPU here"),
        ("tagger", "--input-format x", "--input-format is 'x'"),
        ("tagger", "--columns lemma", "expected any of upos, xpos, feats"),
        ("parser", "--tag-columns lemma", "expected any of upos, xpos, feats"),
        ("tagger", "--epochs -1", "--epochs is -1"),
        ("tagger", "--epochs -3", "--epochs is -3"),
        ("tagger", "--epochs x", "Invalid value for '--epochs'"),
        ("tagger", "--batch-size -1", "--batch-size is -1"),
        ("tagger", "--hidden 0", "--hidden is 0"),
        ("tagger", "--dropout 1", "--dropout is 1.0"),
        ("tagger", "--dropout nan", "--dropout is nan"),
        ("tagger", "--word-dropout -1", "--word-dropout is -1.0"),
        ("tagger", "--learning-rate 0", "--learning-rate is 0.0"),
        ("tagger", "--learning-rate nan", "--learning-rate is nan"),
        ("tagger", "--learning-rate inf", "--learning-rate is inf"),
        ("tagger", "--clip -1", "--clip is -1.0"),
        ("tagger", "--patience -1", "--patience is -1"),
        ("tagger", "--seed -1", "--seed is -1"),
        ("tagger", "--seed 99999999999999999999", "--seed is 99999999999999999999"),
        ("tagger", "--threads -1", "--threads is -1"),
        ("tagger", "--threads 100000", "--threads is 100000"),
        ("tagger", "--test -", "--test is read more than once"),
        ("tagger", "--resume", "there is no"),
    ],
)
def test_impossible_setting_is_refused(
    task: str, flags: str, message: str, run: Any, treebank: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model.safetensors"
    result = train(run, task, "--train", treebank, "-o", output, "--epochs", 1, *flags.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_more_memory_than_there_is(run: Any, treebank: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    result = train(run, "tagger", "--train", treebank, "-o", output, "--hidden", 99_999_999_999)
    assert result.exit_code == 1
    assert "error: out of memory; try a smaller --hidden" in result.stderr


@pytest.mark.parametrize("role", ["--train", "--dev", "--test", "--vectors"])
def test_missing_file_is_told_before_anything_is_trained(
    role: str, run: Any, treebank: Path, tmp_path: Path
) -> None:
    output, missing = tmp_path / "m.safetensors", tmp_path / "nowhere"
    result = train(run, "tagger", "--train", treebank, role, missing, "-o", output)
    assert (result.exit_code, result.stderr) == (1, f"error: {missing}: no such file\n")


def test_faulty_test_file_is_told_before_anything_is_trained(
    run: Any, treebank: Path, tmp_path: Path
) -> None:
    output, faulty = tmp_path / "m.safetensors", tmp_path / "faulty.conllu"
    faulty.write_text("1\ta\t_\tX\tX\t_\t1\tx\t_\t_\n\n")
    result = train(run, "parser", "--train", treebank, "--test", faulty, "-o", output)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {faulty}:1: the heads go round")
    assert not output.exists()


def test_dev_without_train_is_refused(run: Any, treebank: Path) -> None:
    result = train(run, "tagger", "--dev", treebank)
    assert result.exit_code == 2
    assert "--dev and --test go with --train" in result.stderr


def test_treebank_without_tags_has_nothing_to_learn(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "bare.conllu"
    path.write_text("1\ta\t_\t_\t_\t_\t0\troot\t_\t_\n\n")
    result = train(run, "tagger", "--train", path, "-o", tmp_path / "m.safetensors")
    assert result.exit_code != 0
    assert "hold only '_'" in result.stderr
    result = train(run, "parser", "--train", path, "-o", tmp_path / "m.safetensors", "--epochs", 1)
    assert result.exit_code == 0


# where the model goes


def test_model_never_takes_the_place_of_something_else(
    run: Any, treebank: Path, small: Path, tagger: Path, parser: Path, tmp_path: Path
) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("dear diary")
    for task, output, message in (
        ("tagger", treebank, "is an input file too"),
        ("tagger", small, "is an input file too"),
        ("tagger", other, "is not a meprop_nlp model"),
        ("tagger", parser, "is a parser already"),
        ("parser", tagger, "is a tagger already"),
        ("tagger", "-", "expected the name of a model file"),
        ("tagger", tmp_path / "log.jsonl", "expected the name of a model file"),
    ):
        before = Path(output).read_bytes() if Path(output).exists() else None
        result = train(run, task, "--train", treebank, "--dev", small, "-o", output)
        assert result.exit_code == 2
        assert message in result.stderr
        assert before == (Path(output).read_bytes() if Path(output).exists() else None)


@pytest.mark.parametrize("place", ["folder", "pipe", "file/model", "/proc/nowhere/model"])
def test_place_that_cannot_be_written_is_told_first(
    place: str, run: Any, treebank: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    result = train(run, "tagger", "--train", treebank, "-o", tmp_path / place)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("length", [215, 237, 256])
def test_name_that_is_too_long_is_told_before_anything_is_read(
    length: int, run: Any, tmp_path: Path
) -> None:
    faulty, folder = tmp_path / "faulty.conllu", tmp_path / "models"
    faulty.write_text("not CoNLL")
    output = folder / ("n" * (length - len(".safetensors")) + ".safetensors")
    result = train(run, "tagger", "--train", faulty, "--test", faulty, "-o", output)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {output}: ")
    assert "cannot be written: File name too long" in result.stderr
    assert ("; choose a shorter name" in result.stderr) == (length == 215)
    assert list(folder.iterdir()) == []


def test_existing_model_is_replaced_by_a_better_one_only(
    run: Any, treebank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt_after: Any
) -> None:
    output = tmp_path / "m.safetensors"
    options = ("--train", treebank, "-o", output, "--epochs", 2, "--batch-size", 8)
    assert train(run, "tagger", *options).exit_code == 0
    before = output.read_bytes()
    with monkeypatch.context() as patch:
        interrupt_after(patch, TrainingDisplay, "__call__", steps=3)
        assert train(run, "tagger", *options, "--seed", 2).exit_code == 130
    assert output.read_bytes() == before
    assert train(run, "tagger", *options, "--seed", 2).exit_code == 0
    assert output.read_bytes() != before


# what is read and said


@pytest.mark.parametrize(("task", "default"), [("tagger", TAGGER_MODEL), ("parser", PARSER_MODEL)])
@pytest.mark.slow
def test_without_files_the_sample_treebank_is_used(
    task: str, default: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = train(run, task, "--epochs", 1)
    assert result.exit_code == 0
    assert "warning: no --train: using the built-in sample treebank" in result.stderr
    assert "scores on it prove nothing" in result.stderr
    assert default.is_file()
    assert result.stdout.count("\n") == 1
    assert {"tagger": "UPOS", "parser": "LAS"}[task] in result.stdout
    command = {"tagger": "tag", "parser": "parse"}[task]
    assert run(command, stdin="1\ta\t_\tX\tX\t_\t_\t_\t_\t_\n\n").exit_code == 0


def test_quiet_says_results_and_warnings_only(
    run: Any, treebank: Path, small: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    options = ("--train", treebank, "--test", small, "-o", output, "--epochs", 1)
    loud, quiet = train(run, "tagger", *options), train(run, "tagger", *options, "-q")
    assert "\n epoch    loss   time    left\n   1/1  " in loud.stderr
    assert "\nkept: epoch 1; " in loud.stderr
    assert "train: 40 sentences" in loud.stderr
    assert f"\n{output}: 0." in loud.stderr
    assert " MB, neurons 8+8\n" in loud.stderr
    assert f"next: meprop-nlp tag FILE --model {output}\n" in loud.stderr
    assert quiet.stderr == ""
    assert quiet.stdout == loud.stdout
    assert quiet.stdout.startswith(f"{small}: UPOS ")


def test_labels_that_only_dev_has_are_a_warning(run: Any, treebank: Path, tmp_path: Path) -> None:
    dev = tmp_path / "dev.conllu"
    dev.write_text("1\ta\t_\tNEW\tNEW\t_\t0\troot\t_\t_\n2\tb\t_\tX\tX\t_\t1\todd\t_\t_\n\n")
    options = ("--train", treebank, "--dev", dev, "-o", tmp_path / "m.safetensors", "--epochs", 1)
    for task in ("tagger", "parser"):
        (tmp_path / "m.safetensors").unlink(missing_ok=True)
        result = train(run, task, *options, "-q")
        assert result.exit_code == 0
        assert "in dev but not in train" in result.stderr


def test_packed_several_and_other_formats_are_read(
    run: Any, treebank: Path, tmp_path: Path
) -> None:
    output, packed = tmp_path / "m.safetensors", tmp_path / "more.conllu.gz"
    packed.write_bytes(gzip.compress(treebank.read_bytes()))
    options = ("-o", output, "--epochs", 1)
    result = train(run, "tagger", "--train", treebank, "--train", packed, *options)
    assert "train: 80 sentences" in result.stderr
    tab = tmp_path / "words.tab"
    tab.write_text("The\tDT\ndog\tNN\n\nbarks\tVBZ\n\n")
    result = train(run, "tagger", "--train", tab, *options)
    assert result.exit_code == 0
    assert "train: 2 sentences, 3 words; 3 XPOS" in result.stderr
    output.unlink()
    unlabelled = tmp_path / "trees.conll"
    unlabelled.write_text("1\tThe\t_\tD\tDT\t_\t2\t_\n2\tdog\t_\tN\tNN\t_\t0\t_\n\n")
    result = train(run, "parser", "--train", unlabelled, *options)
    assert result.exit_code == 0, result.stderr
    parsed = run("parse", "-m", output, unlabelled)
    assert {line.split("\t")[7] for line in parsed.stdout.strip().split("\n")} == {"_"}


# the joint model's encoder

TINY_BILSTM = (
    *("--encoder", "bilstm", "--hidden", 8, "--layers", 1, "--word-dim", 8, "--ngram-rows", 500),
    *("-t", 1, "--no-progress"),
)


@pytest.mark.parametrize(("task", "head"), [("tagger", "tags"), ("parser", "tree")])
def test_bilstm_trains_the_joint_model_with_one_head(
    task: str, head: str, run: Any, treebank: Path, small: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    options = ("--train", treebank, "--dev", small, "--test", small, "--epochs", 1)
    result = run(f"train-{task}", *TINY_BILSTM, *options, "-o", one)
    assert result.exit_code == 0, result.stderr
    joint = run("train", "--heads", head, *TINY_BILSTM[2:], *options, "-o", other)
    assert one.read_bytes() == other.read_bytes()
    assert result.stdout == joint.stdout
    command, score = {"tagger": ("tag", "UPOS"), "parser": ("parse", "LAS")}[task]
    assert result.stdout.startswith(f"{small}: {'UAS' if task == 'parser' else score} ")
    assert run(command, "-m", one, small).stdout.count("\n") > 100


def test_parser_with_bilstm_is_found_and_needs_no_tagger(
    run: Any, treebank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--train", treebank, "--epochs", 1)
    for task in ("tagger", "parser"):
        result = run(f"train-{task}", *TINY_BILSTM, *options)
        assert result.exit_code == 0, result.stderr
    assert TAGGER_MODEL.is_file()
    bare = "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    parsed = run("parse", stdin=bare)
    assert parsed.exit_code == 0, parsed.stderr
    assert "tagging it" not in parsed.stderr
    assert parsed.stdout.split("\t")[6] == "0"
    assert run("tag", stdin=bare).stdout.split("\t")[3] != "_"
    # a parser that reads tags finds this tagger
    own = tmp_path / "own.safetensors"
    assert train(run, "parser", *options, "-o", own).exit_code == 0
    parsed = run("parse", "-m", own, stdin=bare)
    assert f"tagging it with {TAGGER_MODEL} first" in parsed.stderr
    assert parsed.stdout.split("\t")[3] != "_"


def test_model_is_replaced_by_one_with_another_encoder_but_not_by_another_tool(
    run: Any, treebank: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    options = ("--train", treebank, "--epochs", 1, "-o", output)
    for bilstm in (True, False, True, True):
        flags = TINY_BILSTM if bilstm else TINY
        result = run("train-parser", *flags, *options)
        assert result.exit_code == 0, result.stderr
        assert read_header(output)["task"] == ("joint" if bilstm else "parser")
    before = output.read_bytes()
    for flags in (TINY, TINY_BILSTM):
        result = run("train-tagger", *flags, *options)
        assert result.exit_code == 2
        assert "is a joint model already, and would be replaced by a tagger" in result.stderr
    assert output.read_bytes() == before


@pytest.mark.parametrize(
    ("task", "flags", "message"),
    [
        ("parser", "--encoder x", "--encoder is 'x', expected one of table, bilstm"),
        ("tagger", "--encoder table", "--encoder is 'table', expected one of lstm, bilstm"),
        ("parser", "--encoder bilstm --oracle hybrid", "--oracle goes with --encoder table"),
        ("parser", "--encoder bilstm --jackknife 5", "--jackknife goes with --encoder table"),
        (
            "parser",
            "--encoder bilstm --embedding-dim 5",
            "--embedding-dim goes with --encoder table",
        ),
        ("parser", "--arc-dim 5", "--arc-dim goes with --encoder bilstm"),
        ("parser", "--embedding-dim 5", "--word-dim is another name of --embedding-dim"),
        ("tagger", "--layers 2", "--layers goes with --encoder bilstm"),
        ("tagger", "--encoder bilstm --k 9", "--k is 9, expected at most the layer's width, 8"),
    ],
)
def test_option_of_another_encoder_is_refused(
    task: str, flags: str, message: str, run: Any, treebank: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model.safetensors"
    result = train(run, task, "--train", treebank, "-o", output, *flags.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


# stopping and going on


@pytest.mark.parametrize(
    ("task", "extra"),
    [
        ("tagger", ()),
        ("parser", ("--batch-size", 200)),
        (
            "parser",
            (
                "--batch-size",
                200,
                "--k",
                3,
                "--simplify",
                "--first-cut-epoch",
                1,
                "--min-neurons",
                3,
            ),
        ),
    ],
)
@pytest.mark.parametrize("steps", [1, 8])
def test_ctrl_c_saves_and_resume_ends_with_the_same_weights(
    task: str,
    extra: tuple[object, ...],
    steps: int,
    run: Any,
    treebank: Path,
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupt_after: Any,
) -> None:
    batch = ("--batch-size", 8) if task == "tagger" else ()
    files = ("--train", treebank, "--dev", small)
    options = (*files, *batch, *extra, "--epochs", 3, "--patience", 0)
    expected, actual = tmp_path / "a" / "m.safetensors", tmp_path / "b" / "m.safetensors"
    assert train(run, task, *options, "-o", expected).exit_code == 0
    checkpoint = actual.with_name("m.checkpoint.safetensors")
    with monkeypatch.context() as patch:
        interrupt_after(patch, TrainingDisplay, "__call__", steps=steps)
        result = train(run, task, *options, "-o", actual)
    assert result.exit_code == 130
    assert f"saved {checkpoint}; to go on, give the same command with --resume" in result.stderr
    assert checkpoint.exists()
    result = train(run, task, *options, "-o", actual, "--resume")
    assert result.exit_code == 0, result.stderr
    # it went on, and did not begin again: five minibatches are an epoch
    assert ("\n   1/" in result.stderr) == (steps < 5)
    assert weights(actual) == weights(expected)
    assert not checkpoint.exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("after", "name"), [(2, "m[1].teacher-1"), (7, "m[1]")])
def test_ctrl_c_names_the_network_that_was_saved(
    run: Any, treebank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    interrupt_after: Any, after: int, name: str,
) -> None:  # fmt: skip
    output = tmp_path / "m[1].safetensors"
    few = ("--hidden", 8, "--layers", 1, "--word-dim", 8, "--ngram-rows", 100, "--heads", "tags")
    options = ("--train", treebank, "-o", output, *few, "--epochs", 2, "--teachers", 1)
    with monkeypatch.context() as patch:
        interrupt_after(patch, TrainingDisplay, "__call__", steps=after)
        result = run("train", *options, "--dev", "none")
    assert result.exit_code == 130
    saved = tmp_path / f"{name}.checkpoint.safetensors"
    assert f"saved {saved}; to go on, give the same command with --resume" in result.stderr
    assert saved.exists()


def test_ctrl_c_while_tags_are_predicted_says_what_was_saved(
    run: Any, treebank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "m.safetensors"
    options = ("--train", treebank, "-o", output, "--epochs", 1, "--jackknife", 2)

    def interrupt(display: TrainingDisplay, record: Any) -> None:
        if isinstance(record, Note) and "part 1" in record.text:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrainingDisplay, "__call__", interrupt)
        result = train(run, "parser", *options)
    assert result.exit_code == 130
    saved = tmp_path / "m.tags.safetensors"
    assert f"saved {saved}; to go on, give the same command with --resume" in result.stderr
    result = train(run, "parser", *options, "--resume")
    assert result.exit_code == 0, result.stderr
    assert "train, part 2 of 2: tags predicted, UPOS " in result.stderr
    assert not saved.exists()


def test_resume_with_other_settings_is_refused(
    run: Any, treebank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt_after: Any
) -> None:
    output = tmp_path / "m.safetensors"
    options = ("--train", treebank, "-o", output, "--epochs", 2, "--batch-size", 8)
    with monkeypatch.context() as patch:
        interrupt_after(patch, TrainingDisplay, "__call__", steps=2)
        train(run, "tagger", *options)
    result = train(run, "tagger", *options, "--seed", 5, "--resume")
    assert result.exit_code == 2
    assert "--resume goes on with the settings" in result.stderr
    checkpoint = tmp_path / "m.checkpoint.safetensors"
    result = run("tag", "-m", checkpoint, treebank)
    assert result.exit_code == 1
    assert "is a checkpoint" in result.stderr
    checkpoint.write_bytes(checkpoint.read_bytes()[:2000])
    result = train(run, "tagger", *options, "--resume")
    assert result.exit_code == 1
    assert "is cut short" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "KILL"])
def test_process_that_was_stopped_goes_on(
    name: str, run: Any, treebank: Path, small: Path, tmp_path: Path
) -> None:
    number = signal.Signals[f"SIG{name}"]
    expected, actual = tmp_path / "a" / "m.safetensors", tmp_path / "b" / "m.safetensors"
    options = ("--train", treebank, "--dev", small, "--epochs", 40, "--patience", 0)
    assert train(run, "parser", *options, "-o", expected).exit_code == 0
    command = [*TINY, *options, "-o", actual]
    process = subprocess.Popen(
        [sys.executable, "-m", "meprop_nlp.cli", "train-parser", *map(str, command)],
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch  3"):
            process.send_signal(number)
            break
    told = process.communicate(timeout=60)[1]
    assert process.returncode == (-9 if name == "KILL" else 128 + number)
    assert "Traceback" not in told
    assert train(run, "parser", *options, "-o", actual, "--resume").exit_code == 0
    assert weights(actual) == weights(expected)
    left = {p.name for p in actual.parent.iterdir()}
    assert left == {"m.safetensors", "m.jsonl"}


@pytest.mark.parametrize(("name", "status"), [("TERM", 143), ("HUP", 129)])
def test_other_signals_save_as_ctrl_c_does_however_often_they_are_sent(
    name: str, status: int, run: Any, treebank: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    number = signal.Signals[f"SIG{name}"]
    before = signal.getsignal(number)
    if before == signal.SIG_IGN:
        pytest.skip("ignored where these tests were started, as by nohup")

    def send_twice(self: Any, record: Any) -> None:
        if isinstance(record, Step):
            signal.raise_signal(number)
            signal.raise_signal(number)

    output = tmp_path / "m.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(TrainingDisplay, "__call__", send_twice)
        result = train(run, "tagger", "--train", treebank, "-o", output)
    saved = tmp_path / "m.checkpoint.safetensors"
    assert result.exit_code == status
    assert result.stderr.splitlines()[-3:] == [
        f"SIG{name}: stopping after this minibatch",
        f"saved {saved}; to go on, give the same command with --resume",
        f"error: stopped by SIG{name}",
    ]
    assert signal.getsignal(number) == before
    assert train(run, "tagger", "--train", treebank, "-o", output, "--resume").exit_code == 0


@pytest.mark.parametrize(("name", "status"), [("TERM", 143), ("INT", 130)])
def test_signal_after_the_last_minibatch_ends_the_command_with_a_finished_model(
    name: str, status: int, run: Any, treebank: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    number = signal.Signals[f"SIG{name}"]
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("ignored where these tests were started, as by nohup")

    def send(self: Any, record: Any) -> None:
        if isinstance(record, EpochRecord):
            signal.raise_signal(number)

    monkeypatch.setattr(TrainingDisplay, "__call__", send)
    output = tmp_path / "m.safetensors"
    files = ("--train", treebank, "--test", treebank)
    result = train(run, "tagger", *files, "-o", output, "--epochs", 1)
    assert result.exit_code == status
    assert result.stdout == ""
    told = {"TERM": "SIGTERM", "INT": "Ctrl-C"}[name]
    assert f"{told}: the training was at its end, and is finished\nerror: " in result.stderr
    assert is_finished(output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.jsonl", "m.safetensors"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_signal_that_is_ignored_stays_so(
    number: signal.Signals, run: Any, treebank: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def send(self: Any, record: Any) -> None:
        if isinstance(record, Step):
            signal.raise_signal(number)

    monkeypatch.setattr(TrainingDisplay, "__call__", send)
    before = signal.signal(number, signal.SIG_IGN)
    try:
        result = train(run, "tagger", "--train", treebank, "-o", tmp_path / "m", "--epochs", 1)
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert result.exit_code == 0


@pytest.mark.parametrize("task", ["tagger", "parser"])
def test_file_of_a_stranger_beside_the_model_is_told_before_anything_is_read(
    task: str, run: Any, tmp_path: Path
) -> None:
    corpus, faulty = tmp_path / "corpus.jsonl", tmp_path / "faulty.conllu"
    corpus.write_text('{"text": "Hello"}\n')
    faulty.write_text("not CoNLL")
    output = tmp_path / "corpus.safetensors"
    result = train(run, task, "--train", faulty, "--test", faulty, "-o", output)
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {corpus}: stands where the log would be stored, and is something else; move it "
        "away, or choose another --output\n"
    )
    assert corpus.read_text() == '{"text": "Hello"}\n'


def test_two_trainings_into_one_output_are_told(run: Any, treebank: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    with writing_alone(output):
        result = train(run, "tagger", "--train", treebank, "-o", output)
    assert result.exit_code == 2
    assert (
        f"error: {output}: another training writes here, process {os.getpid()}; wait until it "
        "ends, or choose another --output\n" in result.stderr
    )
    assert train(run, "tagger", "--train", treebank, "-o", output, "--epochs", 1).exit_code == 0


def test_second_ctrl_c_stops_at_once(
    run: Any, treebank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_twice(self: Any, record: Any) -> None:
        if isinstance(record, EpochRecord | Step):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(TrainingDisplay, "__call__", press_twice)
    output = tmp_path / "m.safetensors"
    result = train(run, "tagger", "--train", treebank, "-o", output)
    assert result.exit_code == 130
    assert "saved" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [(TypeError, Stopped), (KeyboardInterrupt, Stopped), (DataError, DataError)],
)
def test_error_of_a_library_that_was_interrupted_is_taken_for_the_signal(
    error: type[BaseException], expected: type[BaseException]
) -> None:
    def interrupted() -> None:
        with StopOnce():
            try:
                signal.raise_signal(signal.SIGINT)
            except Stopped:
                raise error("of the library") from None

    with pytest.raises(expected):
        interrupted()
    with pytest.raises(TypeError), StopOnce():  # without a signal it is a fault of ours
        raise TypeError
