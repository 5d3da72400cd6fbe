"""Settings that cannot work together are refused before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from meprop_nlp.errors import ConfigError


@pytest.mark.parametrize("task", ["tagger", "parser"])
def test_cutting_that_would_begin_after_the_last_epoch_is_refused(
    train: Callable[..., Any], task: str
) -> None:
    with pytest.raises(ConfigError, match="--first-cut-epoch is 2, but training ends after 2"):
        train(task, k=2, simplify={"first_cut_epoch": 2}, training={"epochs": 2})
