"""`annotate` on a local Ray cluster of two workers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import meprop_nlp
from meprop_nlp import load
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.boxed import model_file

pytestmark = [
    pytest.mark.extras,
    pytest.mark.slow,
    # Ray 2.60 leaves sockets and files to the end of the process
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
ray = pytest.importorskip("ray", reason="needs meprop-nlp[ray]")

from meprop_nlp.integrations.ray import annotate  # noqa: E402

TEXTS = [f"Time flies {n} times. It rains." for n in range(40)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    root = str(Path(meprop_nlp.__file__).parents[1])
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}},
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray
    ray.shutdown()


def dataset(texts: list[str | None]) -> Any:
    return ray.data.from_items([{"n": n, "text": text} for n, text in enumerate(texts)])


def rows(found: Any) -> list[dict[str, Any]]:
    return sorted(found.take_all(), key=lambda row: row["n"])


def test_two_workers_annotate_what_only_the_driver_has_a_model_for(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(model_file("en"), tmp_path / "mine.safetensors")
    monkeypatch.chdir(tmp_path)
    found = annotate(dataset([*TEXTS]), "mine.safetensors", workers=2, batch_size=5)
    Path("mine.safetensors").unlink()
    monkeypatch.chdir("/")
    expected = [str(document) for document in load("en").pipe(TEXTS)]
    made = rows(found)
    assert [row["annotated"] for row in made] == expected
    assert [row["text"] for row in made] == TEXTS
    assert "\tVERB\t" in expected[0]


def test_columns_formats_and_what_is_no_text(cluster: Any) -> None:
    texts = ["It rains.", None, "", "a\0b"]
    options: dict[str, Any] = {"output_column": "parsed", "output_format": "json"}
    found = annotate(dataset(texts), load("en"), on_error="null", **options)
    first, *others = (row["parsed"] for row in rows(found))
    assert first == load("en")("It rains.")[0].to_json() + "\n"
    assert others == [None, "", None]
    with pytest.raises(Exception, match="NUL character"):
        annotate(dataset(texts), "en", **options).take_all()


def test_what_cannot_work_is_said_before_anything_is_sent(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`output_format` is 'xml', expected conllu or json"):
        annotate(dataset(["a"]), "en", output_format="xml")
    with pytest.raises(ConfigError, match="`on_error` is 'skip', expected fail or null"):
        annotate(dataset(["a"]), "en", on_error="skip")
    with pytest.raises(CheckpointError):
        annotate(dataset(["a"]), str(tmp_path / "none.safetensors"))
