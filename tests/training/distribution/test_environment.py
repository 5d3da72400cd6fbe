"""What torchrun sets is read, and what it would never set is named."""

from __future__ import annotations

import pytest

from meprop_nlp.errors import ConfigError
from meprop_nlp.training.distribution.environment import is_first, is_one_of_several


def test_a_process_is_one_of_several_by_the_size_of_the_world() -> None:
    assert not is_one_of_several({"WORLD_SIZE": "2"})
    assert not is_one_of_several({"TORCHELASTIC_RUN_ID": "a", "WORLD_SIZE": "1"})
    several = {"TORCHELASTIC_RUN_ID": "a", "WORLD_SIZE": "2"}
    assert is_one_of_several(several)
    assert is_first({**several, "RANK": "0"})
    assert not is_first({**several, "RANK": "1"})


@pytest.mark.parametrize("value", ["", "two", "2.0"])
def test_what_is_no_number_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match=r"variable WORLD_SIZE is .*expected a whole"):
        is_first({"TORCHELASTIC_RUN_ID": "a", "WORLD_SIZE": value})
