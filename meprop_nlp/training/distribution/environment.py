"""What `torchrun` tells a process that it started; loads no torch."""

import os
from collections.abc import Mapping


def is_one_of_several(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether `torchrun` started this process together with others."""
    is_elastic = "TORCHELASTIC_RUN_ID" in environment
    return is_elastic and int(environment.get("WORLD_SIZE", 1)) > 1


def is_first(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process is alone, or the one of several that writes and reports."""
    return not is_one_of_several(environment) or environment.get("RANK") == "0"
