"""`view`: a page, a drawing in the terminal, or one SVG, from files, pipes and text."""

from __future__ import annotations

import json
import os
import re
import webbrowser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from meprop_nlp.commands import console
from meprop_nlp.models import boxed

GOLD = """\
# sent_id = dogs
1	Dogs	dog	NOUN	NNS	Number=Plur	2	nsubj	_	_
2	bark	bark	VERB	VBP	_	0	root	_	SpaceAfter=No
3	.	.	PUNCT	.	_	2	punct	_	_

# sent_id = 9
1	Stop	stop	VERB	VB	_	0	root	_	_

"""
SYSTEM = GOLD.replace("NOUN", "VERB").replace("2\tnsubj", "3\tdep")


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.conllu"
    path.write_text(GOLD, encoding="utf-8")
    return path


@pytest.fixture
def system(tmp_path: Path) -> Path:
    path = tmp_path / "system.conllu"
    path.write_text(SYSTEM, encoding="utf-8")
    return path


def data_of(html: str) -> Any:
    (found,) = re.findall(r'id="data">(.*?)</script>', html, flags=re.S)
    return json.loads(found)


def test_name_of_a_file_need_not_be_utf8(run: Any, system: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff.conllu")
    odd.write_bytes(system.read_bytes())
    result = run("view", odd, "-o", tmp_path / "page.html", "--no-open")
    assert result.exit_code == 0, result.stderr
    assert "?.conllu</title>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_page_of_a_file_and_gold(run: Any, gold: Path, system: Path, tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    result = run("view", system, gold, "-o", output, "--no-open")
    assert (result.exit_code, result.stdout) == (0, "")
    data = data_of(output.read_text(encoding="utf-8"))
    assert data["title"] == f"{system} and {gold}"
    assert data["sentences"][0][1] == {"1": {"upos": "NOUN", "head": 2, "deprel": "nsubj"}}
    assert dict(data["scores"])["UAS"] == 75.0


def test_page_from_standard_input_to_standard_output(run: Any) -> None:
    result = run("view", "-", "-o", "-", stdin=GOLD)
    assert result.exit_code == 0
    assert data_of(result.stdout)["sentences"][1] == [GOLD.split("\n\n")[1], {}, []]
    assert data_of(run("view", "-o", "-", stdin=GOLD).stdout)["title"] == "standard input"


@pytest.mark.parametrize(
    ("display", "seen", "option", "opened"),
    [
        (":0", True, (), True),
        (":0", True, ("--no-open",), False),
        (":0", False, (), False),
        ("", True, (), False),
    ],
)
def test_page_without_output_goes_to_a_temporary_file_and_is_opened_where_somebody_sees_it(
    run: Any, gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    display: str, seen: bool, option: tuple[str, ...], opened: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(console, "is_seen", lambda: seen)
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not addresses.append(url))
    result = run("view", gold, *option)
    path = Path(result.stdout.strip())
    assert path.parent == tmp_path
    assert len(data_of(path.read_text(encoding="utf-8"))["sentences"]) == 2
    assert addresses == ([path.as_uri()] if opened else [])


def test_nothing_is_left_of_a_page_that_fails(
    run: Any, gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gold.write_text(GOLD + "1\tx\n\n", encoding="utf-8")
    result = run("view", gold)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{gold}:9: " in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["gold.conllu"]
    result = run("view", gold, "-o", tmp_path / "page.html")
    assert (result.exit_code, [path.name for path in tmp_path.iterdir()]) == (1, ["gold.conllu"])
    gold.write_text("", encoding="utf-8")
    result = run("view", gold)
    assert result.exit_code == 1
    assert "no sentences in it, nothing to show" in result.stderr


def test_terminal(run: Any, gold: Path, system: Path) -> None:
    assert run("view", gold, "--terminal").stdout == (
        "# sent_id = dogs\n# text = Dogs bark.\n"
        "1  Dogs  NOUN   ◄─┐  2  nsubj\n"
        "2  bark  VERB   ●─┤  0  root\n"
        "3  .     PUNCT  ◄─┘  2  punct\n\n"
        "# sent_id = 9\n# text = Stop\n"
        "1  Stop  VERB  ●  0  root\n\n"
    )
    marked = run("view", system, gold, "--terminal").stdout.splitlines()
    assert marked[2].endswith("3  dep    ✗ gold: 2 nsubj, NOUN")
    assert sum("✗" in line for line in marked) == 1


def test_a_reader_that_leaves_is_no_fault(shell: Any, gold: Path) -> None:
    big = gold.with_name("big.conllu")
    big.write_text(GOLD * 3000, encoding="utf-8")
    done = shell(f"$MEPROP view {big} --terminal | head -1; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "# sent_id = dogs\n", "")


def test_a_reader_that_leaves_is_no_fault_of_a_text(
    shell: Any, joint: Path, tmp_path: Path
) -> None:
    big = tmp_path / "big.txt"
    big.write_text("The old dog barks.\n\n" * 3000, encoding="utf-8")
    options = f"--model {joint} --terminal"
    for given in (f"{big} {options}", f"- {options} < {big}"):
        done = shell(f"$MEPROP view {given} | head -1; exit ${{PIPESTATUS[0]}}")
        assert (done.returncode, done.stderr) == (0, "")


def test_svg_of_one_sentence(run: Any, gold: Path, system: Path, tmp_path: Path) -> None:
    first = run("view", gold, "--svg", "1").stdout
    assert ElementTree.fromstring(first).attrib["aria-label"] == "Dogs bark ."
    assert run("view", gold, "--svg", "dogs").stdout == first
    assert "Stop" in run("view", gold, "--svg", "2").stdout
    marked = run("view", system, gold, "--svg", "1", "-o", tmp_path / "tree.svg")
    assert (marked.exit_code, marked.stdout) == (0, "")
    drawn = (tmp_path / "tree.svg").read_text(encoding="utf-8")
    assert "stroke-dasharray" in drawn
    assert "stroke-dasharray" not in first


def test_svg_has_tokens_of_several_words_and_empty_nodes(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "tokens.conllu"
    lines = ["1-2\tDame", "1\tDa", "2\tme", "2.1\tdas"]
    path.write_text("".join(f"{line}" + "\t_" * 8 + "\n" for line in lines) + "\n", "utf-8")
    drawn = run("view", path, "--svg", "1").stdout
    assert re.findall(">([^<]+)</text>", drawn) == ["Da", "me", "(das)", "Dame"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["gold.conllu", "--svg", "3"], 1, "--svg names sentence 3, expected a number from 1 to 2"),
        (["gold.conllu", "--svg", "cat"], 1, "no sentence has the sent_id 'cat'"),
        (["gold.conllu", "--svg", "1", "--terminal"], 2, "give one of them"),
        (["-", "-"], 2, "standard input (-) can be FILE or GOLD, not both"),
        (["gold.conllu", "-o", "gold.conllu"], 2, "is an input file too"),
        (["none.conllu"], 1, "none.conllu: no such file"),
        (["gold.conllu", "other.conllu"], 1, "gold.conllu:2: sentence dogs: the words are not"),
    ],
)
def test_faults(
    run: Any, gold: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], status: int, message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(gold.parent)
    Path("other.conllu").write_text(GOLD.replace("Dogs", "Cats"), encoding="utf-8")
    result = run("view", *arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert message in result.stderr


def test_text_is_annotated_first(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the model of the package is there
    assert boxed.boxed_models()
    monkeypatch.chdir(tmp_path)
    text = tmp_path / "new.txt"
    text.write_text("The dogs bark. They do not bite.\n", encoding="utf-8")
    result = run("view", text, "--terminal")
    assert result.exit_code == 0
    assert "2  dogs  NOUN   ◄─┴─┐  3  nsubj" in result.stdout
    assert "# text = They do not bite." in result.stdout
    assert "using the English model of the package" in result.stderr
    again = run("view", text, "--terminal", "--model", "en")
    assert (again.stdout, again.stderr) == (result.stdout, "")


def test_a_model_annotates_conll_anew(
    run: Any, gold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    bare = gold.with_name("bare.conllu")
    bare.write_text("1\tDogs" + "\t_" * 8 + "\n2\tbark" + "\t_" * 8 + "\n\n", encoding="utf-8")
    assert "_  _" in run("view", bare, "--terminal").stdout
    drawn = run("view", bare, "--terminal", "-m", "en").stdout
    assert "●" in drawn
    assert "◄" in drawn
    result = run("view", gold, "--input-format", "conllu", "-m", "en", "--terminal")
    assert result.exit_code == 0


def test_help_is_short_and_has_examples(run: Any) -> None:
    shown = run("view", "--help").stdout
    assert len(shown.splitlines()) < 45
    assert shown.count("  meprop-nlp view ") == 3


@pytest.mark.parametrize("how", [["--terminal"], ["--svg", "1"], ["--svg", "dogs"], []])
def test_a_file_without_sentences_is_one_error_however_it_is_shown(
    how: list[str], run: Any, tmp_path: Path
) -> None:
    empty, output = tmp_path / "empty.conllu", tmp_path / "output"
    empty.write_text("")
    result = run("view", empty, *how, "-o", output)
    assert (result.exit_code, result.stderr) == (
        1, f"error: {empty}: no sentences in it, nothing to show\n"
    )  # fmt: skip
    assert not output.exists()
