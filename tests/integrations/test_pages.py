"""docs/integrations.md and docs/coming-from.md: their Python and their commands are run.

Trainings have one epoch and small networks, whatever the page says, and the Hub is a stand-in.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.extras
for _module, _extra in (("spacy", "spacy"), ("sklearn", "sklearn"), ("huggingface_hub", "hub")):
    pytest.importorskip(_module, reason=f"{_module} is not installed: meprop-nlp[{_extra}]")

from typer.testing import CliRunner  # noqa: E402

import meprop_nlp.integrations.spacy  # noqa: E402, F401  # registers the factories
from meprop_nlp import Document, read, write  # noqa: E402
from meprop_nlp.cli import make_app  # noqa: E402
from meprop_nlp.data.sample.treebank import sample_treebank  # noqa: E402
from meprop_nlp.models.hub import repository  # noqa: E402

DOCS = Path(__file__).parents[2] / "docs"
SMALL = {
    "train": ["--epochs", "1", "--hidden", "8", "--layers", "1", "--heads", "tags,lemmas,tree"],
    "train-tagger": ["--epochs", "1", "--hidden", "8"],
    "train-parser": ["--epochs", "1", "--hidden", "8"],
    "benchmark": ["--rounds", "1"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the files that the pages name."""
    monkeypatch.chdir(tmp_path)
    sentences = list(read(sample_treebank("dev")))[:12]
    for name in ("train", "dev", "gold", "in", "tagged", "a", "b"):
        write(sentences, f"{name}.conllu")
    Path("in.txt").write_text(Document(sentences).text)  # which gold.conllu annotates
    Path("words.txt").write_text("It rains .\nDogs bark .\n")
    Path("v.txt").write_text("the 0.1 0.2 0.3\ndog 0.3 0.2 0.1\n")
    return tmp_path


def rows() -> Iterator[tuple[str, list[str]]]:
    """The right-hand sides of each table of coming-from.md, after what stands above it."""
    page = (DOCS / "coming-from.md").read_text(encoding="utf-8")
    for table in re.findall(r"^\| .+\n\|---\|---\|\n((?:\| .+\n)+)", page, flags=re.M):
        lines = [re.fullmatch(r"\| `(.+)` \| `(.+)` \|", row) for row in table.splitlines()]
        assert all(lines), table
        yield lines[0][1], [line[2] for line in lines]  # type: ignore[index]


def run_command(line: str) -> None:
    words = shlex.split(line)
    assert words.pop(0) == "meprop-nlp"
    words, target = (words[:-2], words[-1]) if ">" in words else (words, None)
    result = CliRunner().invoke(make_app(), [*words, *SMALL.get(words[0], [])])
    assert result.exit_code == 0, f"{line}: {result.stderr}"
    assert result.stdout or "-o" in words or "--outfile" in words, line
    if target is not None:
        Path(target).write_text(result.stdout)


@pytest.mark.parametrize(("first", "lines"), [*rows()])
def test_what_one_types_here_runs(
    first: str, lines: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hub:
        """Has one repository, with what was uploaded."""

        def HfApi(self, **_: Any) -> Any:  # noqa: N802
            return self

        def create_repo(self, *_: Any, **__: Any) -> None:
            pass

        def file_exists(self, *_: Any, **__: Any) -> bool:
            return False

        def upload_folder(self, *, folder_path: Path, **_: Any) -> Any:
            folder_path.rename("hub")
            self.commit_url = "https://example.org/commit/1"
            return self

        def snapshot_download(self, *_: Any, **__: Any) -> str:
            return "hub"

    hub = Hub()
    monkeypatch.setattr(repository, "_hub", lambda purpose: hub)
    names: dict[str, Any] = {}
    for line in lines:
        if line.startswith("meprop-nlp "):
            run_command(line)
        else:
            exec(line, names)
    assert names or all(line.startswith("meprop-nlp ") for line in lines)


def test_tables_are_all_read() -> None:
    tables = list(rows())
    assert len(tables) == 8
    assert sum(len(lines) for _, lines in tables) > 60


def test_python_of_the_page_on_integrations_runs(folder: Path) -> None:
    page = (DOCS / "integrations.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    for code in blocks:
        exec(code, names)
    assert names["doc"][0].dep_ == "nsubj"
    assert names["search"].best_params_["hidden"] in (20, 50)
    assert (folder / "pipeline" / "meprop" / "model.safetensors").exists()
