"""What `torchrun` tells a process that it started; loads no torch."""

import os
from collections.abc import Mapping

from meprop_nlp.errors import ConfigError


def number_in(environment: Mapping[str, str], name: str, default: int) -> int:
    """Return the whole number in a variable of the environment.

    Raises:
        ConfigError: it holds something else.
    """
    value = environment.get(name)
    if value is None:
        return default
    try:
        return int(value)
    except ValueError:
        raise ConfigError(
            f"the environment variable {name} is {value!r}, expected a whole number, as torchrun "
            "sets it"
        ) from None


def is_one_of_several(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether `torchrun` started this process together with others.

    Raises:
        ConfigError: WORLD_SIZE is no number.
    """
    is_elastic = "TORCHELASTIC_RUN_ID" in environment
    return is_elastic and number_in(environment, "WORLD_SIZE", 1) > 1


def is_first(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process is alone, or the one of several that writes and reports."""
    return not is_one_of_several(environment) or environment.get("RANK") == "0"
