"""Each `meprop-nlp` line and each Python block of README and docs/ runs as it stands.

A page is run from its top to its end in one folder, as a reader would. Trainings have two epochs
and small networks, whatever the page says. What cannot be run stands in `NOT_RUN` with the reason,
and pages that have a test of their own in `ELSEWHERE`.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from meprop_nlp import Document, JointModel, read, write
from meprop_nlp.cli import make_app
from meprop_nlp.data.sample.treebank import sample_treebank

ROOT = Path(__file__).parents[1]
PAGES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
# Pages whose lines, and pages whose Python, are run by a test of their own
ELSEWHERE = {
    "serve": "tests/serve/test_server.py",
    "integrations": "tests/integrations/test_pages.py",
    "coming-from": "tests/integrations/test_pages.py",
}
PYTHON_ELSEWHERE = ELSEWHERE | {page: "tests/test_docs.py" for page in ("layers", "training")}
NETWORK, LICENSED = "needs the network", "needs the Penn Treebank, which is licensed"
TRANSFORMER = "needs a transformer: tests/training/test_pretrained_joint.py makes one"
# Lines by how they begin
NOT_RUN = {
    "meprop-nlp download UD_German-GSD": NETWORK,
    "meprop-nlp train-parser --ptb wsj": LICENSED,
    "meprop-nlp train-tagger --ptb wsj": LICENSED,
    "meprop-nlp convert data/ptb-sample/mrg": LICENSED,
    "meprop-nlp evaluate gold.conllx converted.conllx": LICENSED,
    "meprop-nlp --install-completion": "changes the shell of whoever runs the tests",
    "meprop-nlp train --train train.conllu --dev dev.conllu --pretrained": TRANSFORMER,
    "meprop-nlp train --train train.conllu --tensorboard": "tests/integrations/test_tensorboard.py",
    "meprop-nlp view parsed.conllu gold.conllu --svg dev-12": "the sample has no such sentence",
}
TINY = ["--epochs", "2", "--hidden", "24", "--quiet"]
SMALL = {
    "train": [*TINY, "--layers", "1"],
    "train-tagger": TINY,
    "train-parser": TINY,
    "benchmark": ["--rounds", "1"],
}


def lines_of(page: str) -> list[str]:
    """The lines of a page's indented blocks that call `meprop-nlp`, continued ones joined."""
    found = []
    for block in re.findall(r"((?:^ {4,}.+\n)+)", PAGES[page], flags=re.M):
        for line in re.sub(r" *\\\n *", " ", block).splitlines():
            line = line.strip().removeprefix("$ ")
            if re.match(r"(meprop-nlp|echo .*\| meprop-nlp) ", line):
                found.append(line)
    return found


def not_run(line: str, listed: Iterable[str] = NOT_RUN) -> list[str]:
    """The entries of a list, here `NOT_RUN`, that a line begins with."""
    return [known for known in listed if line.startswith(known)]


def tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    return list(lexer)


def run_line(line: str) -> str:
    """Run a line of a page in the current folder, like a shell; return what it prints."""
    words, given = tokens(line), None
    if words[0] == "echo":
        given, words = f"{words[1]}\n", words[3:]
    target, most = None, None
    if ">" in words:
        words, target = words[:-2], words[-1]
    if "|" in words:
        words, most = words[: words.index("|")], int(words[-1].removeprefix("-"))
    assert words.pop(0) == "meprop-nlp", line
    words = [
        name
        for word in words
        for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
    result = CliRunner().invoke(make_app([words[0]]), [*words, *SMALL.get(words[0], [])], given)
    assert result.exit_code == 0, f"{line}: {result.stderr} {result.exception}"
    if target:
        Path(target).write_bytes(result.stdout_bytes)
    return "\n".join(result.stdout.splitlines()[:most])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the files that the pages name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where `view` puts its page
    sentences = list(read(sample_treebank("dev")))[:12]
    for name in ("train", "dev", "test", "new", "gold", "tagged", "parsed", "small", "large"):
        write(sentences, f"{name}.conllu")
    write(sentences, "small-dev.conllu")
    Path("texts").mkdir()
    for text in ("new.txt", "more.txt", "texts/a.txt"):
        Path(text).write_text("It rains. Dogs bark.\n")
    Path("text.txt").write_text(Document(sentences).text)  # which gold.conllu annotates
    Path("glove.6B.50d.txt").write_text("the 0.1 0.2 0.3\ndog 0.3 0.2 0.1\n")
    return tmp_path


def prepare(page: str) -> None:
    """Make the models that a page's own lines would make elsewhere, or that only others can."""
    if page == "teachers":
        run_line("meprop-nlp train --train train.conllu --dev dev.conllu")
        Path("models/model.safetensors").rename("teacher.safetensors")
        run_line("meprop-nlp train --train train.conllu --dev dev.conllu")
    if page == "training":
        Path("mine.toml").write_text("hidden = 24\n")
    if page == "speed":
        for kind in ("tagger", "parser"):
            run_line(f"meprop-nlp train-{kind} --train train.conllu --dev dev.conllu")


RUN = [page for page in PAGES if page not in ELSEWHERE and lines_of(page)]


@pytest.mark.parametrize("page", RUN)
def test_commands_of_a_page_run(page: str, folder: Path) -> None:
    prepare(page)
    for line in lines_of(page):
        if not not_run(line):
            run_line(line)


@pytest.mark.parametrize("page", RUN)
def test_lines_that_are_not_run_have_options_that_there_are(page: str) -> None:
    for line in filter(not_run, lines_of(page)):
        words = tokens(line)
        group = typer.main.get_command(make_app())
        command = group.commands.get(words[1], group)  # type: ignore[attr-defined]
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        assert {word for word in words if word.startswith("-")} <= known, line


def test_the_readme_shows_what_its_first_command_prints(folder: Path) -> None:
    block = re.search(r"^    \$ (echo .*)\n((?:^    .*\n)+)", PAGES["README"], flags=re.M)
    assert block is not None
    shown = [line.removeprefix("    ").rstrip() for line in block[2].splitlines()]
    assert run_line(block[1]).rstrip().splitlines() == shown


def test_the_readme_is_read_to_its_end() -> None:
    assert len(PAGES["README"].splitlines()) <= 150


def test_what_is_not_run_is_in_the_pages() -> None:
    lines = [line for page in PAGES for line in lines_of(page)]
    for known, reason in NOT_RUN.items():
        assert any(line.startswith(known) for line in lines), known
        assert reason
    for page, test in PYTHON_ELSEWHERE.items():
        assert page in PAGES
        assert Path(page).stem in (ROOT / test).read_text(encoding="utf-8")


def blocks() -> Iterator[Any]:
    for page, text in PAGES.items():
        if page not in PYTHON_ELSEWHERE:
            for i, code in enumerate(re.findall(r"```python\n(.*?)```", text, flags=re.S)):
                yield pytest.param(code, id=f"{page}-{i}")


@pytest.mark.parametrize("code", [*blocks()])
def test_python_of_a_page_runs(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {"config": {"hidden": 8, "layers": 1}, "training": {"epochs": 1}}
    whole = JointModel.train
    monkeypatch.setattr(JointModel, "train", lambda *files, **more: whole(*files, **tiny, **more))
    names: dict[str, object] = {}
    exec(code, names)
    assert len(names) > 1


def test_pictures_are_those_that_the_script_draws(script: Any) -> None:
    for name, drawn in script("pictures").PICTURES.items():
        assert (ROOT / "docs" / f"{name}.svg").read_text(encoding="utf-8") == drawn(), name
