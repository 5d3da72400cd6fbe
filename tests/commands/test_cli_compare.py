"""`compare`, and the page and the confusions of `evaluate`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

GOLD = """\
1	Dogs	dog	NOUN	NNS	Number=Plur	2	nsubj	_	_
2	bark	bark	VERB	VBP	VerbForm=Fin	0	root	_	_
3	.	.	PUNCT	.	_	2	punct	_	_

"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with twelve gold sentences, a bad system, and one with a single mistake."""
    monkeypatch.chdir(tmp_path)
    wrong = GOLD.replace("2\tnsubj", "3\tnsubj").replace("Plur", "Sing").replace("NNS", "NN")
    for name, text in (
        ("gold", GOLD * 12),
        ("bad", wrong * 12),
        ("good", GOLD * 11 + GOLD.replace("nsubj", "obj")),
        ("other", GOLD * 11 + GOLD.replace("bark", "bite")),
    ):
        Path(f"{name}.conllu").write_text(text, encoding="utf-8")
    return tmp_path


def test_compare_shows_both_and_what_the_difference_means(run: Any, folder: Path) -> None:
    result = run("compare", "gold.conllu", "bad.conllu", "good.conllu", "--resamples", 1000)
    assert result.exit_code == 0
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert rows["UAS"][:4] == ["66.67", "100.00", "+33.33", "+33.33"]
    assert rows["LAS"][:3] == ["66.67", "97.22", "+30.56"]
    assert rows["LEMMA"] == ["36", "0", "0", "0"]
    assert rows["HEAD"] == ["24", "0", "12", "0"]
    assert rows["DEPREL"] == ["35", "1", "0", "0"]
    assert "B is 30.56 points of LAS above A, more than chance explains (p = 0.0020)." in (
        result.stdout
    )
    assert "bootstrap over 12 sentences, 1,000 resamples, seed 1" in result.stdout
    turned = run("compare", "gold.conllu", "good.conllu", "bad.conllu", "--resamples", 100).stdout
    assert "A is 30.56 points of LAS above B" in turned
    same = run("compare", "gold.conllu", "good.conllu", "good.conllu", "--resamples", 100).stdout
    assert "A and B have the same LAS." in same


def test_compare_as_json_is_the_same_for_the_same_seed(run: Any, folder: Path) -> None:
    files = ("gold.conllu", "good.conllu", "gold.conllu")
    found = json.loads(run("compare", *files, "--json", "--seed", 5).stdout)
    assert found["metrics"]["las"]["difference"] == pytest.approx(100 / 36)
    assert 0.05 < found["metrics"]["las"]["p_value"] <= 1
    assert found["words"]["deprel"] == {"both": 35, "only_a": 0, "only_b": 1, "neither": 0}
    assert (found["resamples"], found["seed"], found["units"]) == (10_000, 5, 12)
    assert json.loads(run("compare", *files, "--json", "--seed", 5).stdout) == found
    assert "chance may explain" in run("compare", *files).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["gold.conllu", "good.conllu", "other.conllu"], 1, "other.conllu:46: the words are not"),
        (["gold.conllu", "none.conllu", "bad.conllu"], 1, "none.conllu: no such file"),
        (["-", "-", "bad.conllu"], 2, "standard input (-) can be one of the files"),
        (["gold.conllu", "bad.conllu", "bad.conllu", "--resamples", "9"], 2, "--resamples is 9"),
    ],
)
def test_faults_of_compare(
    run: Any, folder: Path, arguments: list[str], status: int, message: str
) -> None:
    result = run("compare", *arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert message in result.stderr


def test_evaluate_tells_what_is_confused_in_each_column(run: Any, folder: Path) -> None:
    shown = run("evaluate", "gold.conllu", "bad.conllu").stdout
    assert "Wrong XPOS: gold -> system  Words\n" in shown
    assert "\nNNS -> NN " in shown
    assert re.search(r"^Number=Plur -> Number=Sing +12$", shown, flags=re.M)
    assert "Wrong UPOS" not in shown
    assert "\nnsubj -> obj " in run("evaluate", "gold.conllu", "good.conllu").stdout
    found = json.loads(run("evaluate", "gold.conllu", "bad.conllu", "--json").stdout)
    assert found["confusions_by"] == {
        "upos": [],
        "xpos": [["NNS", "NN", 12]],
        "feats": [["Number=Plur", "Number=Sing", 12]],
        "deprel": [],
    }


def data_of(path: str) -> Any:
    held = Path(path).read_text(encoding="utf-8").partition('id="data">')[2]
    return json.loads(held.partition("</script>")[0])


def test_evaluate_writes_the_page_of_view(run: Any, folder: Path) -> None:
    result = run("evaluate", "gold.conllu", "bad.conllu", "--html", "a.html")
    assert result.stdout == run("evaluate", "gold.conllu", "bad.conllu").stdout
    run("view", "bad.conllu", "gold.conllu", "-o", "b.html", "--no-open")
    first, second = data_of("a.html"), data_of("b.html")
    assert first == second
    assert first["title"] == "bad.conllu and gold.conllu"


def test_page_of_a_model_shows_what_it_predicts(run: Any, folder: Path, tagger: Path) -> None:
    result = run("evaluate", "gold.conllu", "--model", tagger, "--html", "model.html")
    assert result.exit_code == 0
    data = data_of("model.html")
    assert set(data["confusions"]) <= {"upos", "xpos", "feats"}
    assert not any("head" in gold for _, wrong, _ in data["sentences"] for gold in wrong.values())


def test_the_page_does_not_replace_an_input(run: Any, folder: Path) -> None:
    result = run("evaluate", "gold.conllu", "bad.conllu", "--html", "bad.conllu")
    assert (result.exit_code, result.stdout) == (2, "")
    result = run("evaluate", "gold.conllu", "bad.conllu", "--html", "-")
    assert result.exit_code == 2
    assert "--html needs a file" in result.stderr
