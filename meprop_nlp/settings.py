"""`Config`, the base of all settings: a plain-dict form, and checks that name the option."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from meprop_nlp.errors import ConfigError

__all__ = ["Config", "is_whole"]


class Config:
    """What the configurations below share: a plain-dict form that refuses unknown keys."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-able values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name in self.__dataclass_fields__
            for value in (getattr(self, name),)
        }

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Make a configuration of stored settings.

        Raises:
            ConfigError: a key is unknown or a value out of range.
        """
        unknown = sorted(set(settings) - set(cls.__dataclass_fields__))
        if unknown:
            raise ConfigError(
                f"{cls.__name__} has no setting {', '.join(map(repr, unknown))}; "
                f"it has {', '.join(sorted(cls.__dataclass_fields__))}"
            )
        return cls(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in settings.items()
            }
        )

    def _demand(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            option = "--" + name.replace("_", "-")
            raise ConfigError(f"{option} is {getattr(self, name)!r}, expected {expected}")

    def _demand_choice(self, name: str, choices: tuple[str, ...]) -> None:
        self._demand(name, getattr(self, name) in choices, "one of " + ", ".join(choices))

    def _demand_share(self, *names: str) -> None:
        for name in names:
            self._demand(
                name, 0 <= getattr(self, name) < 1, "a number from 0 up to, not including, 1"
            )

    def _demand_share_or_none(self, *names: str) -> None:
        self._demand_share(*(name for name in names if getattr(self, name) is not None))

    def _demand_positive(self, *names: str) -> None:
        for name in names:
            holds = is_whole(getattr(self, name)) and getattr(self, name) >= 1
            self._demand(name, holds, "a whole number of at least 1")


def is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
