"""The device on which a network is trained."""

import torch

from meprop_nlp.errors import ConfigError


def pick_device(name: str) -> torch.device:
    """Return the device that a setting names.

    Args:
        name: `auto`, `cpu`, `cuda` or `cuda:N`; or a number, as other tools take it: -1 for the
            CPU, N for cuda:N.

    Raises:
        ConfigError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = {"-1": "cpu"}.get(name, f"cuda:{name}" if name.isdigit() else name)
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ConfigError(f"`device` is {name!r}, expected auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"`device` is {name!r}, but there is no such GPU here; use `device` cpu")
    return device
