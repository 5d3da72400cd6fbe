"""A cell is named by what decides its outcome, and by nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.cell import Cell, key_of
from experiments.data import Corpus
from meprop_nlp.config import MePropConfig, ParserConfig, SimplifyConfig, TrainingConfig
from meprop_nlp.errors import ConfigError

CORPUS = Corpus("made", {"train": Path("t"), "test": Path("test.conllu")}, "0123456789ab")
BASE = Cell(
    task="parsing",
    corpus=CORPUS,
    config=ParserConfig(),
    meprop=MePropConfig(),
    training=TrainingConfig(),
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "k": st.integers(0, 50),
        "topk_mode": st.sampled_from(["example", "unified", "random"]),
        "hidden": st.integers(50, 500),
        "dropout": st.sampled_from([0.0, 0.4, 0.5]),
        "oracle": st.sampled_from(["static", "hybrid"]),
        "epochs": st.integers(1, 20),
        "learning_rate": st.sampled_from([None, 0.001, 0.01]),
        "seed": st.integers(0, 5),
        "simplify": st.sampled_from([None, SimplifyConfig(), SimplifyConfig(min_neurons=3)]),
    },
)


@given(CHANGES, CHANGES)
def test_keys_and_names_are_equal_where_settings_are(first: dict, second: dict) -> None:
    one, other = BASE.changed(**first), BASE.changed(**second)
    assert (one.key == other.key) == (one.settings() == other.settings())
    assert (one.name == other.name) == (one.settings() == other.settings())


@given(CHANGES)
def test_changes_go_where_they_belong_and_leave_the_rest(changes: dict) -> None:
    settings = BASE.changed(**changes).settings()
    simplify = changes.get("simplify")
    assert settings["simplify"] == (simplify.to_dict() if simplify else None)
    before = {
        name: value
        for part in ("config", "meprop", "training")
        for name, value in BASE.settings()[part].items()
    }
    after = {n: v for part in ("config", "meprop", "training") for n, v in settings[part].items()}
    assert after == before | {n: v for n, v in changes.items() if n != "simplify"}


def test_threads_and_device_do_not_make_another_cell() -> None:
    other = BASE.changed(threads=7, device="cpu")
    assert (other.key, other.name) == (BASE.key, BASE.name)


def test_other_data_make_another_cell() -> None:
    other = dataclasses.replace(BASE, corpus=dataclasses.replace(CORPUS, fingerprint="ff"))
    assert other.key != BASE.key
    assert other.name != BASE.name
    assert BASE.changed(k=20, epochs=3).name.startswith("parsing-made-h500-k20-adam-e3-s1-")
    cut = BASE.changed(k=20, topk_mode="unified", simplify=SimplifyConfig())
    assert cut.name.startswith("parsing-made-h500-unified20-cut-adam-e8-s1-")


def test_setting_that_was_new_or_is_gone_does_not_matter_but_another_default_does() -> None:
    cell = BASE.changed(simplify=SimplifyConfig())
    settings = cell.settings()
    del settings["config"]["oracle"]
    del settings["simplify"]["keep"]
    settings["training"]["of_an_older_version"] = 3
    assert key_of("parsing", CORPUS.fingerprint, settings) == cell.key
    settings["config"]["dropout"] = 0.123
    assert key_of("parsing", CORPUS.fingerprint, settings) != cell.key


def test_small_copy_has_the_same_proportions() -> None:
    cell = BASE.changed(k=20, epochs=10)
    assert cell.shrunk(1) is cell
    small = cell.shrunk(10)
    assert (small.config.hidden, small.meprop.k, small.training.epochs) == (50, 2, 2)
    assert small.shrunk(100).meprop.k == 1
    assert BASE.shrunk(10).meprop.k is None


def test_unknown_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="parsing has no setting hiden"):
        BASE.changed(hiden=3)
    with pytest.raises(ConfigError, match=r"dropout.? is 2"):
        BASE.changed(dropout=2)
