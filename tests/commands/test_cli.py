"""Help, start, and the round trip: `tag` and `parse` change what they predict and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer.main

from meprop_nlp import __version__
from meprop_nlp.cli import _COMMANDS, make_app
from meprop_nlp.config import LATE_TRAINING, SIMPLIFY_EPOCHS, TrainingConfig

COMMANDS = tuple(_COMMANDS)

AWKWARD = (
    "# newdoc id = d1\n# sent_id = s1\n# text = Don't go\tthere!\n"
    "1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No|x\n"
    "1\tDo\tdo\tAUX\tVBP\tMood=Ind\t3\taux\t3:aux\t_|odd=\n"
    "# a comment inside\n"
    "2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t3:advmod\t_\n"
    "3\tgo\tgo\tVERB\tVB\tVerbForm=Inf\t0\troot\t0:root|3.1:x\tA=1||B\n"
    "3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t3:conj\tCopyOf=3\n"
    "4\t\u00a0there\tthere\tADV\tRB\tfoo\t3\tadvmod:x\t3:advmod\tx|y|z\n"
    "5\t!\t!\tPUNCT\t.\t_\t3\tpunct\t3:punct\t_\n\n"
    "1\t#\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
)


def columns(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.split("\n")]


def outside(text: str, changed: slice) -> list[list[str]]:
    """The lines as columns, without those that may change in lines of words."""
    kept = columns(text)
    for fields in kept:
        if len(fields) == 10 and fields[0].isdecimal():
            fields[changed] = []
    return kept


# help and start


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command: str, run: Any) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"  meprop-nlp {command} " in result.stdout
    known = typer.main.get_command(make_app()).commands[command].params  # type: ignore[attr-defined]
    assert not [parameter.name for parameter in known if not parameter.help]
    assert run(command, "-h").stdout == result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_screen_and_all_options_are_one_option_away(command: str, run: Any) -> None:
    short = run(command, "--help").stdout
    assert len(short.splitlines()) <= 45
    assert max(map(len, short.splitlines())) <= 80
    known = typer.main.get_command(make_app()).commands[command].params  # type: ignore[attr-defined]
    whole = run(command, "--help-all").stdout
    named = set(re.findall(r"--[a-z0-9-]+", whole))
    shown = [parameter for parameter in known if not getattr(parameter, "hidden", False)]
    assert {parameter.opts[0] for parameter in shown if "--" in parameter.opts[0]} <= named
    if "--help-all" in short:
        assert len(whole) > len(short)
    else:
        assert whole == short
    assert run(command, "--help").stdout == short  # as before


@pytest.mark.parametrize("command", COMMANDS)
def test_help_writes_placeholders_plainly_and_shows_every_argument(command: str, run: Any) -> None:
    short = run(command, "--help").stdout
    assert not re.search(r"[<{]", short.replace(" < ", " "))
    known = typer.main.get_command(make_app()).commands[command].params  # type: ignore[attr-defined]
    arguments = [p.metavar for p in known if p.param_type_name == "argument"]
    assert all(f"\n  {name} " in short for name in arguments)


def test_names_with_hyphens_are_not_broken_in_help(run: Any) -> None:
    lines = run("train", "--help-all").stdout
    assert "pip install 'meprop-nlp[transformers]'" in " ".join(lines.split())
    assert not re.search(r"\w-\n", lines.partition("Data:")[2])
    assert "\u2011" not in lines


def test_short_help_leaves_out_a_default_that_it_does_not_explain(run: Any) -> None:
    words = " ".join(run("train", "--help").stdout.split())
    assert "CPU threads. -d" in words
    assert "Seed of all random numbers. [default: 1]" in words
    assert "CPU threads; 0: OMP_NUM_THREADS" in " ".join(run("train", "--help-all").stdout.split())


@pytest.mark.parametrize(("command", "other"), [("train-tagger", "parser"), ("train", "tagger")])
def test_help_speaks_of_the_network_that_is_trained(command: str, other: str, run: Any) -> None:
    assert other not in run(command, "--help-all").stdout.replace("train-tagger", "")


def test_defaults_in_help_are_those_of_the_configuration(run: Any) -> None:
    words = " ".join(run("train-parser", "--help-all").stdout.split())
    training, late_training = TrainingConfig(), LATE_TRAINING["parser"]
    late = "with --simplify and the late --schedule"
    epochs = f"[default: {training.epochs}, or {SIMPLIFY_EPOCHS} {late}; with --encoder bilstm, 0]"
    assert epochs in words.partition("--epochs")[2]
    patience = f"[default: {training.patience}, or {late_training['patience']} {late};"
    assert patience in words.partition("--patience")[2]
    assert (training.lazy, late_training["lazy"]) == (False, True)
    assert f"[default: --exact, or --lazy {late}; with --encoder bilstm, --exact]" in words
    swap = "arc-standard, arc-hybrid or arc-standard-swap. Only with --encoder table."
    assert f"{swap} [default: arc-" in words


@pytest.mark.parametrize("heading", ["Data:", "meProp and meSimp:", "Network:", "Training:"])
def test_options_of_training_stand_under_headings(heading: str, run: Any) -> None:
    assert f"\n{heading}\n" in run("train-tagger", "--help-all").stdout


def test_list_of_commands_cuts_no_sentence(run: Any) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "..." not in result.stdout.split("Commands:")[1]


def test_version(run: Any) -> None:
    assert run("--version").stdout == f"meprop-nlp {__version__}\n"


def test_no_command_loads_torch_but_training(
    tagger: Path, parser: Path, joint: Path, small: Path
) -> None:
    arguments = [
        *([command, "--help"] for command in COMMANDS),
        ["tag", "-m", tagger, small],
        ["parse", "-m", parser, "--tagger", tagger, small],
        ["evaluate", small, small],
        ["evaluate", small, "--model", parser],
        ["annotate", "-m", joint, small],
        ["evaluate", small, "--model", joint],
        ["info", parser],
        ["info", joint],
        ["validate", small],
        ["benchmark", parser, small, "--rounds", 1],
    ]
    script = f"""
import sys
from typer.testing import CliRunner
from meprop_nlp.cli import _COMMANDS, main, make_app
for arguments in {[[str(a) for a in line] for line in arguments]!r}:
    result = CliRunner().invoke(make_app(), arguments)
    assert result.exit_code == 0, result.output
    assert "torch" not in sys.modules, arguments
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "import meprop_nlp",
        "from meprop_nlp.cli import _COMMANDS, main, make_app; make_app()(['-h'])",
    ],
)
def test_start_is_fast(code: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment, stdout=-3)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1.5  # 0.1 and 0.2 on a quiet machine


# what comes out is what went in


def test_tag_changes_tags_only(run: Any, tagger: Path) -> None:
    result = run("tag", "-m", tagger, stdin=AWKWARD)
    assert result.exit_code == 0
    assert result.stdout != AWKWARD
    assert outside(result.stdout, slice(3, 6)) == outside(AWKWARD, slice(3, 6))


def test_parse_changes_heads_and_relations_only(run: Any, parser: Path) -> None:
    tagged = AWKWARD.replace("1\t#\t_\t_\t_", "1\t#\t_\tSYM\tNN")
    result = run("parse", "-m", parser, stdin=tagged)
    assert result.exit_code == 0
    assert outside(result.stdout, slice(6, 9)) == outside(tagged, slice(6, 9))
    words = [fields for fields in columns(result.stdout) if fields[0].isdecimal()]
    assert all(fields[6] != "_" and fields[7] != "_" for fields in words)
    # where there was a graph, the tree takes its place
    graphs = [fields[8] for fields in words]
    assert graphs == [*(f"{fields[6]}:{fields[7]}" for fields in words[:-1]), "_"]


def test_parse_with_a_tagger_changes_both(run: Any, tagger: Path, parser: Path) -> None:
    result = run("parse", "-m", parser, "--tagger", tagger, stdin=AWKWARD)
    assert outside(result.stdout, slice(3, 9)) == outside(AWKWARD, slice(3, 9))
    assert result.stdout.split("\n")[-3].split("\t")[3] != "_"
    assert "warning" not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("command", "changed"), [("tag", slice(3, 6)), ("parse", slice(6, 9))])
def test_real_treebank_comes_out_as_it_went_in(
    command: str, changed: slice, run: Any, tagger: Path, parser: Path, shared_data: Path
) -> None:
    (path,) = (shared_data / "ud-english-ewt").glob("*dev.conllu")
    result = run(command, "-m", tagger if command == "tag" else parser, path)
    text = path.read_text(encoding="utf-8")
    assert outside(result.stdout, changed) == outside(text, changed)


def test_tab_and_conllx_stay_what_they_are(run: Any, tagger: Path, parser: Path) -> None:
    tab = "The\tDT\ndog\tNN\n\nbarks\tVBZ\n\n"
    result = run("tag", "-m", tagger, stdin=tab)
    assert [f[0] for f in columns(result.stdout)] == ["The", "dog", "", "barks", "", ""]
    assert all(len(fields) in (1, 2) for fields in columns(result.stdout))
    tree = "The\tDT\t2\tdet\ndog\tNN\t0\troot\n\n"
    result = run("parse", "-m", parser, "--input-format", "tab", stdin=tree)
    assert result.exit_code == 1  # the parser reads UPOS too
    assert "no UPOS" in result.stderr
    tagged = ["--tagger", tagger, "--input-format", "tab"]
    result = run("parse", "-m", parser, *tagged, stdin=tree)
    assert [len(fields) for fields in columns(result.stdout)] == [4, 4, 1, 1]
    assert [fields[0] for fields in columns(result.stdout)[:2]] == ["The", "dog"]
    unlabelled = "1\tThe\t_\tD\tDT\t_\t2\t_\n2\tdog\t_\tN\tNN\t_\t0\t_\n\n"
    result = run("parse", "-m", parser, stdin=unlabelled)
    assert result.exit_code == 0
    assert [len(fields) for fields in columns(result.stdout)] == [8, 8, 1, 1]
