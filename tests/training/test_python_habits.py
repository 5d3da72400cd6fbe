"""Training as people type it in Python: settings as dicts, callbacks, progress, quiet."""

from __future__ import annotations

import io
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from meprop_nlp import (
    DependencyParser,
    EpochRecord,
    JointModel,
    MePropConfig,
    Sentence,
    Settings,
    Tagger,
    TrainingConfig,
)
from meprop_nlp.config import ParserConfig, TaggerConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.training.hooks import Hooks

SMALL: dict[str, Any] = {"hidden": 8}


def fit(treebank: list[Sentence], **given: Any) -> Tagger:
    options: dict[str, Any] = {"config": SMALL, "training": {"epochs": 2}} | given
    return Tagger.train(treebank, treebank[:3], **options)


def test_dicts_are_settings_beside_the_defaults_of_the_task(treebank: list[Sentence]) -> None:
    model = JointModel.train(
        treebank,
        config={"hidden": 24, "layers": 1, "heads": ["tags"]},
        training={"epochs": 2},
        simplify=True,
    )
    stated = model.file.header["training"]
    wanted = Settings.of("joint", hidden=24, layers=1, heads=("tags",), simplify=True, epochs=2)
    assert stated["training"] == wanted.training.to_dict()
    assert stated["training"]["average"] == 0.999
    assert stated["meprop"] == wanted.meprop.to_dict()


def test_dicts_and_objects_lead_to_the_same_model(treebank: list[Sentence]) -> None:
    one = fit(treebank, meprop={"k": 3})
    two = fit(
        treebank,
        config=TaggerConfig(hidden=8),
        meprop=MePropConfig(k=3),
        training=TrainingConfig(epochs=2),
    )
    assert one.file.header == two.file.header
    assert all((one.file.arrays[name] == two.file.arrays[name]).all() for name in one.file.arrays)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"training": {"epoch": 1}}, "TrainingConfig has no setting 'epoch'.*mean 'epochs'"),
        ({"training": {"epochs": "3"}}, "`epochs` is '3', expected a whole number"),
        ({"training": {"lazy": 2}}, "`lazy` is 2, expected True or False"),
        ({"training": {"device": 0}}, "`device` is 0, expected a text"),
        ({"training": 3}, "`training` is of type int, expected TrainingConfig or a dict"),
        ({"config": ParserConfig()}, "`config` is of type ParserConfig, expected TaggerConfig"),
        ({"config": {"columns": "upos"}}, "`columns` is 'upos', expected any of"),
        ({"meprop": {"k": 2, "hiden": 1}}, "MePropConfig has no setting 'hiden'"),
        ({"simplify": {"schedul": "late"}}, "SimplifyConfig has no .*mean 'schedule'"),
        ({"knowledge": {"vector": "a"}}, "Knowledge has no .*mean 'vectors'"),
        ({"callbacks": 3}, "`callbacks` has an object of type int"),
        ({"callbacks": [print, "p"]}, "`callbacks` has an object of type str"),
    ],
)
def test_what_is_no_setting_is_refused_with_the_class_to_use(
    given: dict[str, Any], message: str, treebank: list[Sentence]
) -> None:
    with pytest.raises(ConfigError, match=message):
        fit(treebank, **given)


def test_settings_take_dicts_too() -> None:
    settings = Settings(network=TaggerConfig(), training={"epochs": 2}, simplify={"keep": 0.5})
    assert settings.training == TrainingConfig(epochs=2)
    assert settings.simplify is not None
    assert settings.simplify.keep == 0.5
    with pytest.raises(
        ConfigError, match=r"TaggerConfig, ParserConfig or JointConfig; Settings.of"
    ):
        Settings(network={"hidden": 3})  # type: ignore[arg-type]
    with pytest.raises(
        ConfigError, match=r"a tagger has no setting 'epoch'; did you mean 'epochs'"
    ):
        Settings.of("tagger", epoch=3)


def test_callbacks_are_called_in_order_at_each_epoch_and_may_end_the_training(
    treebank: list[Sentence],
) -> None:
    seen: list[tuple[str, int]] = []

    def count(record: EpochRecord) -> int:
        seen.append(("count", record.epoch))
        return 1  # is not True, so it goes on

    def stop(record: EpochRecord) -> bool:
        assert set(record.scores) == {"upos", "xpos"}
        assert record.loss > 0
        assert record.seconds > 0
        seen.append(("stop", record.epoch))
        return record.epoch == 2

    model = fit(treebank, training={"epochs": 5}, callbacks=[stop, count])
    assert seen == [("stop", 1), ("count", 1), ("stop", 2), ("count", 2)]
    assert model.file.header["training"]["epoch"] <= 2
    assert model(["The", "dog"]).column("upos")


def test_a_callback_is_called_for_the_model_and_not_for_what_helps_it(
    treebank: list[Sentence],
) -> None:
    epochs: list[int] = []
    DependencyParser.train(
        treebank,
        config={"hidden": 8, "jackknife": 2},
        training={"epochs": 2},
        callbacks=lambda record: epochs.append(record.epoch),
    )
    assert epochs == [1, 2]


def test_what_a_callback_raises_comes_out_and_the_training_can_be_resumed(
    treebank: list[Sentence], tmp_path: Any
) -> None:
    path = tmp_path / "m.safetensors"

    def fail(record: EpochRecord) -> None:
        if record.epoch == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(treebank, output=path, callbacks=fail)
    epochs: list[int] = []
    resumed = fit(
        treebank, output=path, resume=True, callbacks=lambda record: epochs.append(record.epoch)
    )
    assert epochs == [2]
    whole = fit(treebank).file
    assert all((resumed.file.arrays[n] == array).all() for n, array in whole.arrays.items())


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_is_shown_on_a_terminal(
    quiet: bool, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    fit(treebank)
    assert terminal.getvalue() == ""  # not a terminal yet
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    fit(treebank, quiet=quiet)
    assert ("epoch 1/2" in terminal.getvalue()) != quiet
    assert ("   2/2  " in terminal.getvalue()) != quiet


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_is_shown_in_a_notebook(
    quiet: bool,
    treebank: list[Sentence],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    fit(treebank, quiet=quiet)
    captured = capsys.readouterr()
    assert captured.err == ""
    assert ("\repoch 1/2" in captured.out) != quiet
    # after the row before it, or in place of the line of its own epoch, if that took long enough
    assert bool(re.search(r"[\n\r]   2/2  ", captured.out)) != quiet


def test_hooks_that_return_nothing_follow_the_training(treebank: list[Sentence]) -> None:
    seen: list[int] = []

    def follow(record: EpochRecord) -> bool:
        seen.append(record.epoch)
        return None  # type: ignore[return-value]

    hooks = Hooks(on_epoch=follow)
    fit(treebank, training={"epochs": 2}, hooks=hooks, callbacks=lambda record: None)
    assert seen == [1, 2]
