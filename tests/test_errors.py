"""A missing library is told in one form; what an installed one lacks itself is not hidden."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from meprop_nlp.errors import ConfigError, is_lack_of, missing_extra


def with_ray() -> None:
    from meprop_nlp.integrations.ray import annotate

    annotate(None, "en")  # type: ignore[arg-type]


def with_spark() -> None:
    from meprop_nlp.integrations.spark import annotate_udf

    annotate_udf("en")


def with_tensorboard() -> None:
    from meprop_nlp.integrations.tensorboard import TensorBoard

    TensorBoard("runs")


def with_udtools() -> None:
    from meprop_nlp.data.conll.official import OfficialValidator

    OfficialValidator(2)


def with_the_hub() -> None:
    from meprop_nlp import Model

    Model.from_pretrained("owner/model")


USES: list[tuple[str, Callable[[], None], str]] = [
    ("ray", with_ray, "Ray is not installed; install it with: pip install 'meprop-nlp[ray]'"),
    (
        "pyspark",
        with_spark,
        "PySpark is not installed; install it with: pip install 'meprop-nlp[spark]'",
    ),
    (
        "tensorboard.compat.proto.event_pb2",
        with_tensorboard,
        "`tensorboard`: TensorBoard is not installed; install it with: pip install "
        "'meprop-nlp[tensorboard]'",
    ),
    (
        "udtools.validator",
        with_udtools,
        "`level`: udtools, the official validator, is not installed; install it with: pip install "
        "'meprop-nlp[ud]'",
    ),
    (
        "huggingface_hub",
        with_the_hub,
        "owner/model: there is no such folder or file; to look on the Hugging Face Hub: "
        "huggingface_hub is not installed; install it with: pip install 'meprop-nlp[hub]'",
    ),
]


@pytest.mark.parametrize(("module", "use", "message"), USES)
def test_a_missing_extra_is_told_in_one_form(
    module: str, use: Callable[[], None], message: str, monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError) as caught:
        use()
    assert str(caught.value) == message
    assert message.endswith(
        missing_extra("x", message.rpartition("[")[2].removesuffix("]'"))[len("x ") :]
    )


def test_what_an_installed_library_lacks_is_another_error() -> None:
    lack = ModuleNotFoundError(name="ray.data")
    assert is_lack_of(lack, "ray")
    assert not is_lack_of(lack, "pyspark", "rays")
    assert not is_lack_of(ModuleNotFoundError(), "ray")
    assert missing_extra("Ray", "ray", "`workers`").startswith("`workers`: Ray is not installed;")
