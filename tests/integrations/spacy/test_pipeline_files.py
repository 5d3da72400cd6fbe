"""Pipelines on disk, as bytes and in other processes, and how spaCy finds the components."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.extras
spacy = pytest.importorskip("spacy", reason="spaCy is not installed: meprop-nlp[spacy]")

import srsly  # noqa: E402
from spacy.lang.en import English  # noqa: E402
from spacy.language import Language  # noqa: E402
from spacy.vocab import Vocab  # noqa: E402

import meprop_nlp.integrations.spacy  # noqa: E402  # registers the factories
from meprop_nlp import JointConfig, JointModel, TrainingConfig, read  # noqa: E402
from meprop_nlp.data.sample.treebank import sample_treebank  # noqa: E402
from meprop_nlp.errors import CheckpointError, ConfigError, DataError  # noqa: E402
from meprop_nlp.integrations.spacy.component import Component  # noqa: E402

ROOT = Path(__file__).parents[3]
TEXT = "She can't come today. The old dog barked at him!"
FACTORIES = ("meprop", "meprop_tagger", "meprop_parser")


def rows(doc: Any) -> list[tuple[Any, ...]]:
    """All that is written for each token."""
    return [(t.text, t.pos_, t.tag_, str(t.morph), t.lemma_, t.head.i, t.dep_) for t in doc]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> JointModel:
    """A tiny model; where its file was, there is none any more."""
    train = list(read(sample_treebank("train")))[:30]
    config = JointConfig(hidden=8)
    return JointModel.train(train, config=config, training=TrainingConfig(epochs=1))


@pytest.mark.parametrize("factory", FACTORIES)
def test_saved_pipeline_is_read_elsewhere_without_the_models_file(
    factory: str, trained: JointModel, tmp_path: Path
) -> None:
    model = tmp_path / "model.safetensors"
    trained.save(model)
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": str(model)})
    expected = rows(nlp(TEXT))
    (tmp_path / "here").mkdir()
    nlp.to_disk(tmp_path / "here" / "pipeline")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here" / "pipeline").rename(tmp_path / "elsewhere" / "pipeline")
    model.unlink()
    again = spacy.load(tmp_path / "elsewhere" / "pipeline")
    assert again.pipe_names == [factory]
    assert rows(again(TEXT)) == expected
    again.to_disk(tmp_path / "third")  # and so on
    assert rows(spacy.load(tmp_path / "third")(TEXT)) == expected
    assert [path.name for path in (tmp_path / "third" / factory).iterdir()] == ["model.safetensors"]


def test_another_process_reads_a_saved_pipeline_by_the_entry_points(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("meprop")
    nlp.to_disk(tmp_path / "pipeline")
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    info = tmp_path / "meprop_nlp-0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: meprop-nlp\nVersion: 0.0\n")
    lines = []
    for group in ("spacy_factories", "spacy_tokenizers"):
        lines += [f"[{group}]"]
        lines += [f"{k} = {v}" for k, v in pyproject["project"]["entry-points"][group].items()]
    (info / "entry_points.txt").write_text("\n".join(lines))
    code = f"""
import sys
import spacy
loaded = sorted(m for m in sys.modules if m.startswith("meprop_nlp"))
assert not loaded, loaded
nlp = spacy.load({str(tmp_path / "pipeline")!r})
print([(t.dep_, t.head.i) for t in nlp({TEXT!r})])
tokenizer = {{"@tokenizers": "meprop_tokenizer.v1"}}
blank = spacy.blank("de", config={{"nlp": {{"tokenizer": tokenizer}}}})
for factory in {FACTORIES!r}:
    blank.add_pipe(factory)
print([t.text for t in blank("I can't.")])
"""
    path = os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:meprop_nlp", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == str([(t.dep_, t.head.i) for t in nlp(TEXT)])
    assert second == str(["I", "ca", "n't", "."])


def test_entry_points_name_what_the_module_registers() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = pyproject["project"]["entry-points"]
    assert set(groups["spacy_factories"]) == set(FACTORIES)
    for name, target in groups["spacy_factories"].items():
        module, _, function = target.partition(":")
        assert module == "meprop_nlp.integrations.spacy"
        made = getattr(meprop_nlp.integrations.spacy, function)
        assert Language.get_factory_meta(name).factory == name
        assert Language.factories[name].__name__ == made.__name__
    (tokenizer,) = groups["spacy_tokenizers"]
    assert spacy.registry.tokenizers.get(tokenizer)


def test_importing_the_factories_loads_no_model_code() -> None:
    code = (
        "import sys, spacy; before = {*sys.modules}; import meprop_nlp.integrations.spacy; "
        "print(sorted({*sys.modules} - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == str(
        [
            "meprop_nlp",
            "meprop_nlp.errors",
            "meprop_nlp.integrations",
            "meprop_nlp.integrations.spacy",
        ]
    )


def test_missing_spacy_is_told_in_one_line() -> None:
    code = (
        "import sys; sys.modules['spacy'] = None\n"
        "try:\n    import meprop_nlp.integrations.spacy\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    expected = "spaCy is not installed; install it with: pip install 'meprop-nlp[spacy]'\n"
    assert done.stdout == expected


@pytest.mark.parametrize("factory", FACTORIES)
def test_pipeline_as_bytes_holds_the_model(
    factory: str, trained: JointModel, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    trained.save(path)
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": str(path)})
    content = nlp.to_bytes()
    expected = rows(nlp(TEXT))
    path.unlink()
    config = nlp.config.to_str()
    assert f'factory = "{factory}"' in config
    assert str(path) in config
    again = English.from_config(spacy.util.load_config_from_str(config))
    assert rows(again.from_bytes(content)(TEXT)) == expected
    assert again.get_pipe(factory).to_bytes() == nlp.get_pipe(factory).to_bytes()


def test_pipeline_is_made_from_its_configuration() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("meprop_tagger", name="tags")
    nlp.add_pipe("meprop_parser", config={"treebank": None})
    again = spacy.util.load_model_from_config(spacy.Config().from_str(nlp.config.to_str()))
    assert again.pipe_names == ["tags", "meprop_parser"]
    assert again.config["components"]["tags"] == {
        "factory": "meprop_tagger", "model": "en", "pretrained": None, "treebank": None,
    }  # fmt: skip
    assert rows(again(TEXT)) == rows(nlp(TEXT))


def test_component_goes_to_bytes_and_disk_without_its_model_if_asked(tmp_path: Path) -> None:
    vocab = spacy.blank("en").vocab
    component = Component(vocab, "all", None, "en")
    assert len(component.to_bytes()) > 1_000_000
    assert len(component.to_bytes(exclude=["model"])) < 100
    component.to_disk(tmp_path / "with")
    component.to_disk(tmp_path / "without", exclude=["model"])
    assert [p.name for p in (tmp_path / "with").iterdir()] == ["model.safetensors"]
    assert not list((tmp_path / "without").iterdir())
    other = Component(vocab, "all", None, "nowhere")
    other.from_bytes(component.to_bytes(exclude=["model"]))
    other.from_bytes(component.to_bytes(), exclude=["model"])
    other.from_disk(tmp_path / "with", exclude=["model"])
    with pytest.raises(CheckpointError, match="nowhere"):
        other.loaded()
    other.from_bytes(component.to_bytes())
    assert other.loaded().to_bytes() == component.loaded().to_bytes()
    third = Component(vocab, "all", None, "nowhere").from_disk(tmp_path / "with")
    assert third.to_bytes() == component.to_bytes()


def test_damaged_pipeline_is_refused(tmp_path: Path) -> None:
    component = Component(Vocab(), "trees", ("tree",), "en")
    with pytest.raises(CheckpointError, match=r"model\.safetensors: there is no such file"):
        component.from_disk(tmp_path)
    component.to_disk(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="cut short"):
        component.from_disk(tmp_path)
    with pytest.raises(CheckpointError, match="<bytes>: is not a meprop_nlp model"):
        component.from_bytes(srsly.msgpack_dumps({"model": b"nothing"}))


def test_saving_where_nothing_can_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        Component(Vocab(), "all", None, "en").to_disk(tmp_path / "file")


def test_treebank_of_a_model_of_one_is_refused() -> None:
    component = Component(Vocab(), "all", None, "en", treebank="fr")
    with pytest.raises(ConfigError, match="`treebank_id` is fr, but the model was trained on one"):
        component.loaded()


def test_pickled_pipeline_holds_each_model_once(trained: JointModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    trained.save(path)
    nlp = spacy.blank("en")
    nlp.add_pipe("meprop_tagger", config={"model": str(path)})
    one = len(pickle.dumps(nlp))
    nlp.add_pipe("meprop_parser", config={"model": str(path)})
    expected = rows(nlp(TEXT))
    content = pickle.dumps(nlp)
    assert len(content) < one + 0.2 * path.stat().st_size
    path.unlink()
    again = pickle.loads(content)
    tagger, parser = (pipe for _, pipe in again.pipeline)
    assert tagger.loaded() is parser.loaded()
    assert tagger.vocab is again.vocab
    assert rows(again(TEXT)) == expected


def annotated(nlp: Any, text: str) -> list[tuple[Any, ...]]:
    return rows(nlp(text))


def test_pipeline_goes_to_a_spawned_process() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("meprop")
    context: Any = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(annotated, nlp, TEXT).result(timeout=120) == rows(nlp(TEXT))
