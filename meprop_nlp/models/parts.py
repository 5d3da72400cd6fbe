"""Checks of the parts of a model file, which may come from a stranger.

Every array and vocabulary is checked against the others before it is used, and a model that would
need far more memory than its file has bytes is refused.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import TAG_COLUMNS
from meprop_nlp.data.lines import shortened
from meprop_nlp.data.vocab import UNK, Vocab
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.packing import StoredArrays, Table
from meprop_nlp.native import core

Array = npt.NDArray[np.float32]

_LONGEST_MESSAGE = 600  # characters
_FORBIDDEN = frozenset("\t\n\r\0")


def take(
    arrays: Mapping[str, npt.NDArray[Any]],
    name: str,
    *shape: int | None,
    dtype: type[np.generic] = np.float32,
) -> npt.NDArray[Any]:
    """Return an array of weights.

    Args:
        shape: the expected shape; None for a dimension of any size from 1 on.
        dtype: the expected type.

    Raises:
        CheckpointError: the array is missing, or has another type or shape.
        MePropError: a weight is NaN or infinite.
    """
    array = arrays.get(name)
    if array is None:
        raise CheckpointError(f"the model has no weights {name}")
    if array.dtype != dtype:
        raise CheckpointError(f"the weights {name} are {array.dtype}, expected {np.dtype(dtype)}")
    _demand_shape(name, array, shape)
    _demand_finite(name, array)
    return array


def take_table(
    arrays: Mapping[str, npt.NDArray[Any]], name: str, n_rows: int, width: int | None
) -> Table:
    """Return a table of embeddings, (n_rows, width); errors are as for `take`.

    One that is stored packed stays so: it may be most of a model, and a text needs few of its rows.
    """
    table = arrays.table(name) if isinstance(arrays, StoredArrays) else None
    if table is None:
        return Table(take(arrays, name, n_rows, width))
    _demand_shape(name, table.values, (n_rows, width))
    assert table.scales is not None
    _demand_finite(name, table.scales)
    return table


def _demand_shape(name: str, array: npt.NDArray[Any], shape: Sequence[int | None]) -> None:
    fits = array.ndim == len(shape) and all(
        found >= 1 if size is None else found == size
        for found, size in zip(array.shape, shape, strict=True)
    )
    if not fits:
        expected = " x ".join("1 or more" if size is None else str(size) for size in shape)
        found = " x ".join(map(str, array.shape)) or "one number"
        raise CheckpointError(f"the weights {name} are {found}, expected {expected}")


def _demand_finite(name: str, array: npt.NDArray[Any]) -> None:
    # NaN is the least and the largest of all; `np.isfinite` of all would take an array of its own
    if array.size and not (np.isfinite(array.min()) and np.isfinite(array.max())):
        raise MePropError(f"the weights {name} are not finite; train the model anew")


def demand_texts(what: str, texts: object) -> None:
    """Raise CheckpointError unless `texts` is a list of texts that can stand in a column."""
    if not isinstance(texts, list) or not texts:
        raise CheckpointError(f"the model's {what} are not a list, or the list is empty")
    for text in texts:
        if not isinstance(text, str) or not text or not _FORBIDDEN.isdisjoint(text):
            raise CheckpointError(
                f"{shortened(repr(text))} is among the model's {what}, expected text of at least "
                "one character without tab, line break or NUL"
            )
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise CheckpointError(
                f"{shortened(repr(text))} is among the model's {what}: it is not valid Unicode"
            )


def tag_lists(tags: object) -> dict[str, list[str]]:
    """Check and return the tag values of a model file, a list for each column name.

    Raises:
        CheckpointError: `tags` is anything else.
    """
    if not isinstance(tags, dict) or not set(tags) <= set(TAG_COLUMNS):
        raise CheckpointError(
            f"the model's tags are for the columns {list(tags) if isinstance(tags, dict) else tags}"
            f", expected some of {', '.join(TAG_COLUMNS)}"
        )
    for column, values in tags.items():
        demand_texts(f"values of {column}", values)
    return tags


def numbers_of_tags(file: ModelFile) -> list[int]:
    """Return how many tags of each column the joint model's tag head predicts; none without one.

    Raises:
        CheckpointError: the header's tags are not lists of tags.
    """
    if "tags" not in file.header["config"]["heads"]:
        return []
    return [len(values) for values in tag_lists(file.header["tags"]).values()]


def demand_unknown_entries(*vocabularies: Vocab) -> None:
    """Raise CheckpointError if a vocabulary has no entry for unknown strings."""
    for vocab in vocabularies:
        if vocab.unk_id is None:
            raise CheckpointError(f"a vocabulary of the model has no entry {UNK}")


def demand_size(what: str, found: int, most: int) -> None:
    """Raise CheckpointError if a part of the model is larger than decoding allows."""
    if found > most:
        raise CheckpointError(f"the model has {found:,} {what}, expected at most {most:,}")


def demand_inputs(name: str, found: int, expected: int) -> None:
    """Raise CheckpointError if a layer has more or fewer inputs than it is given values."""
    if found != expected:
        raise CheckpointError(f"the weights {name} have {found} inputs, expected {expected}")


@contextmanager
def naming_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the file's name into the errors of a model that is built from its content.

    Raises:
        CheckpointError: instead of every error about a missing or wrong part.
        ConfigError: the choice of kernels is wrong, which is no fault of the file.
        MePropError: nor is a core that does not fit the package.
    """
    core()
    name = os.fspath(path)
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {_cut(error)}; train it anew") from None
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        if "incompatible function arguments" in str(error):  # what nanobind says
            raise MePropError(
                "the native core is of another version than the package, which is installed or "
                "built only in part; install it again"
            ) from None
        raise CheckpointError(
            f"{name}: the model is incomplete ({_cut(repr(error))}); train it anew"
        ) from None
    except MePropError as error:
        raise CheckpointError(
            f"{name}: the model was made by another version: {_cut(error)}; train it anew"
        ) from None


def _cut(message: object) -> str:
    """Return the beginning of a message, which may quote a part of any length."""
    text = str(message)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"
