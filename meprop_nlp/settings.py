"""`Setting`, the description of one setting, and `Config`, the base of classes of settings.

They are apart from config.py, which holds the settings of a training, because the command line
describes settings of its own in the same way: which files to read, and how.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from numbers import Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints

from meprop_nlp.errors import ConfigError
from meprop_nlp.kinds import LARGEST


class Heading(StrEnum):
    """The headings of the options in a command's help, in order."""

    DATA = "Data"
    METHOD = "meProp and meSimp"
    NETWORK = "Network"
    TRANSITIONS = "Transitions"
    KNOWLEDGE = "Knowledge beside the treebank"
    TRAINING = "Training"
    RUN = "Run"


class Setting(NamedTuple):
    """The description of one setting.

    Attributes:
        help: its meaning and unit; other settings are named in backticks. Where it differs from
            network to network, the text of each.
        unless_given: the default in words, where it depends on other settings; or that of each
            network.
        heading: the heading of its option; None: that of its class.
        at_least, above, at_most, below: the bounds of a number.
        choices: the allowed values of a text, or of each part of a tuple; taken from a Literal.
        distinct: whether the parts of a tuple must differ.
        in_words: the expected values in words, where the bounds alone would not read well.
        names: the names of its option, without dashes, if there is more than its own name: an
            alias, a single letter, or both sides of a flag, `lazy/exact`.
        metavar: the placeholder for a text in the help.
        name, annotation, default: those of the field.
    """

    help: str | Mapping[str, str]
    heading: Heading | None = None
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    distinct: bool = False
    in_words: str = ""
    names: tuple[str, ...] = ()
    metavar: str = "NAME"
    unless_given: str | Mapping[str, str] = ""
    name: str = ""
    annotation: Any = None
    default: Any = None

    def of_network(self, network: str) -> Self:
        """Return the description with the texts of one network, a key of `NETWORKS`."""
        return self._replace(
            help=_of(self.help, network), unless_given=_of(self.unless_given, network)
        )

    @property
    def varies(self) -> bool:
        """Whether the default depends on other settings; `unless_given` then says how."""
        return bool(self.unless_given) and self.default is not None

    @property
    def optional(self) -> bool:
        """Whether it may be None."""
        return NoneType in get_args(self.annotation)

    @property
    def kind(self) -> type:
        """The type of its values other than None: int, float, bool, str, tuple, list or Path."""
        annotation = self.annotation
        if get_origin(annotation) is UnionType:
            annotation = next(part for part in get_args(annotation) if part is not NoneType)
        origin = get_origin(annotation) or annotation
        return str if origin is Literal else origin

    @property
    def expected(self) -> str:
        """The allowed values in words."""
        if self.in_words:
            return self.in_words
        if self.choices:
            if self.kind is tuple:
                return f"any of {', '.join(self.choices)}" + ", each once" * self.distinct
            return f"one of {', '.join(self.choices)}"
        if self.kind in _IN_WORDS:
            return _IN_WORDS[self.kind]
        if self.kind is int:
            if self.at_most is not None:
                return f"a whole number from {self.at_least} to {self.at_most}"
            low = f" of at least {self.at_least}" if self.at_least is not None else ""
            return f"a whole number{low}"
        if self.below is not None:
            return f"a number from {self.at_least} up to, not including, {self.below}"
        if self.at_most is not None:
            return f"a number above {self.above}, up to {self.at_most}"
        return f"at least {self.at_least}" if self.above is None else f"more than {self.above}"

    def allows(self, value: Any) -> bool:
        """Whether a value is allowed; the code that uses a text without choices checks it."""
        if value is None:
            return self.optional
        if self.kind is tuple:
            if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
                return False
            n_different = len(set(value)) if self.distinct else len(value)
            return set(value) <= set(self.choices) and n_different == len(value)
        if self.choices:
            return value in self.choices
        if self.kind in (int, float):
            wanted = int if self.kind is int else Real
            is_number = isinstance(value, wanted) and not isinstance(value, bool)
            return is_number and self._is_within_bounds(value)
        if self.kind is list:
            return isinstance(value, list | tuple) and all(isinstance(v, _PATHS) for v in value)
        return _is_flag(value) if self.kind is bool else isinstance(value, _PATHS)

    def demand(self, value: Any) -> None:
        """Raise ConfigError unless a value is allowed."""
        if not self.allows(value):
            shown, expected = repr(value), self.expected
            if isinstance(value, int | float) and LARGEST <= abs(value) < float("inf"):
                expected = f"a number below {LARGEST:g}"
            elif self.kind is tuple and isinstance(value, list | tuple):
                shown = ",".join(map(str, value))
                expected += nearest([v for v in value if v not in self.choices], self.choices)
            raise ConfigError(f"`{self.name}` is {shown}, expected {expected}")

    def _is_within_bounds(self, number: Any) -> bool:
        return (
            abs(number) < LARGEST  # what a model file can state
            and (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
            and (self.at_most is None or number <= self.at_most)
            and (self.below is None or number < self.below)
        )


def _of(text: str | Mapping[str, str], network: str) -> str:
    return text if isinstance(text, str) else text.get(network, "")


_PATHS: tuple[type, ...] = (str, os.PathLike)
_IN_WORDS: dict[type, str] = {
    bool: "True or False",
    str: "a text",
    list: "a list of texts",
    Path: "the name of a file",
}


def _is_flag(value: Any) -> bool:
    """Return whether it is True or False, 1 or 0, or NumPy's."""
    is_numpy = str(getattr(value, "dtype", "")) == "bool" and value.ndim == 0
    return is_numpy or (isinstance(value, int) and value in (0, 1))


def setting(default: Any, **description: Any) -> Any:
    """Return a field of a Config, described by the attributes of a Setting.

    >>> @dataclass(frozen=True)
    ... class Oven(Config):
    ...     degrees: int = setting(180, at_least=0, at_most=300, help="Heat in degrees Celsius.")
    >>> Oven(degrees=400)
    Traceback (most recent call last):
    meprop_nlp.errors.ConfigError: `degrees` is 400, expected a whole number from 0 to 300
    """
    return dataclasses.field(default=default, metadata={"setting": Setting(**description)})


def setting_of(config: type[Config], name: str, *, default: Any = dataclasses.MISSING) -> Any:
    """Return a field described as another class's setting, whose default it has unless given."""
    field = config.__dataclass_fields__[name]
    if default is dataclasses.MISSING:
        default = field.default
    return dataclasses.field(default=default, metadata=field.metadata)


def settings_of(config: type[Config]) -> Mapping[str, Setting]:
    """Return the descriptions of a class's settings by name, in order."""
    if config not in _SETTINGS_OF:
        hints = get_type_hints(config)
        _SETTINGS_OF[config] = {
            field.name: _of_field(config, field, hints[field.name])
            for field in config.__dataclass_fields__.values()
            if "setting" in field.metadata
        }
    return _SETTINGS_OF[config]


_SETTINGS_OF: dict[type[Config], dict[str, Setting]] = {}  # resolving type hints is slow


def _of_field(config: type[Config], field: dataclasses.Field[Any], hint: Any) -> Setting:
    described: Setting = field.metadata["setting"]
    return described._replace(
        heading=described.heading or config.heading,
        choices=get_args(hint) if get_origin(hint) is Literal else described.choices,
        name=field.name,
        annotation=hint,
        default=field.default,
    )


class Config:
    """Base of classes of settings: checks their values, and converts them to and from a dict.

    Attributes:
        heading: the heading of their options, except for settings that name another.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    heading: ClassVar[Heading | None] = None

    def __post_init__(self) -> None:
        for name, described in settings_of(type(self)).items():
            value = getattr(self, name)
            described.demand(value)
            if described.kind is bool and value is not None:
                object.__setattr__(self, name, bool(value))  # 1, 0 and NumPy's become Python's
        self._demand_agreement()

    def _demand_agreement(self) -> None:
        """Raise ConfigError for settings that cannot work together."""

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as values that JSON can store."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name in self.__dataclass_fields__
            for value in (getattr(self, name),)
        }

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Return a configuration with stored settings.

        Raises:
            ConfigError: a key is unknown, or a value is out of range.
        """
        unknown = sorted(set(settings) - set(cls.__dataclass_fields__), key=str)
        if unknown:
            raise ConfigError(
                f"{cls.__name__} has no setting {', '.join(map(repr, unknown))}"
                f"; it has {', '.join(sorted(cls.__dataclass_fields__))}"
                f"{nearest(unknown, cls.__dataclass_fields__)}"
            )
        return cls(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in settings.items()
            }
        )

    @classmethod
    def given(cls, value: Any, name: str) -> Self:
        """Return settings that a caller gives as an object of this class, or as a dict of them.

        Args:
            name: of the argument, for the message.

        Raises:
            ConfigError: it is neither, a key is unknown, or a value is out of range.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, Mapping):
            return cls.from_dict(value)
        raise ConfigError(
            f"`{name}` is of type {type(value).__name__}, expected {cls.__name__} or a dict of its "
            f"settings, such as {name}={{{next(iter(cls.__dataclass_fields__))!r}: ...}}"
        )

    def _demand(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ConfigError(f"`{name}` is {getattr(self, name)!r}, expected {expected}")


def nearest(unknown: Iterable[object], known: Iterable[str]) -> str:
    """Return which names may be meant by unknown ones: `; did you mean 'epochs'?`, or nothing."""
    names = list(known)
    found = [name for one in unknown for name in get_close_matches(str(one), names, 1, 0.7)]
    return f"; did you mean {', '.join(map(repr, dict.fromkeys(found)))}?" if found else ""


def listed(values: Sequence[str]) -> str:
    """Return values in words: `a, b or c`."""
    return f"{', '.join(values[:-1])} or {values[-1]}"
