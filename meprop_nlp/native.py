"""The native core: whether it is there, and which instruction set it uses.

It is built with the package where a C++ compiler is found. `MEPROP_NLP_KERNELS` chooses:
`reference` leaves the core alone; `baseline`, `avx2` or `avx512` is the instruction set to use.
"""

import os
from functools import cache
from importlib import import_module
from types import ModuleType

from meprop_nlp.errors import ConfigError
from meprop_nlp.signals import uninterrupted

CHOICE = "MEPROP_NLP_KERNELS"


@cache
def core() -> ModuleType | None:
    """Return the native module, or None where it was not built or is not wanted.

    Raises:
        ConfigError: `MEPROP_NLP_KERNELS` names what this core or processor does not have.
    """
    wanted = os.environ.get(CHOICE, "")
    if wanted == "reference":
        return None
    try:
        with uninterrupted():  # an exception while its types are made would end the process
            native = import_module("meprop_nlp._native")
    except ImportError:
        if wanted:
            raise ConfigError(f"{CHOICE} is {wanted!r}, but {why_missing()}") from None
        return None
    sets: list[str] = native.instruction_sets()
    if wanted and wanted not in sets:
        choices = ", ".join([*sets, "reference"])
        raise ConfigError(f"{CHOICE} is {wanted!r}, expected one of {choices}")
    if wanted:
        native.use_instruction_set(wanted)
    return native


def is_available() -> bool:
    """Whether there is a native core, and it is wanted."""
    return core() is not None


def why_missing() -> str:
    """Return what to say where `core()` is None."""
    if os.environ.get(CHOICE) == "reference":
        return f"{CHOICE} asks for the reference kernels"
    return (
        "the native core was not built: install a C++20 compiler (g++ 11, clang 14 or newer) and "
        "install meprop_nlp again"
    )


def kernels_in_use() -> str:
    """Return what training computes with, in a few words."""
    native = core()
    if native is None:
        return f"reference (PyTorch): {why_missing()}"
    return f"native, {native.instruction_set()}"
