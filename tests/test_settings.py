"""`setting` says everything about a setting; a Config checks it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from meprop_nlp import config as config_module
from meprop_nlp.config import NETWORKS, TrainingConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import Config, Heading, listed, setting, settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Oven(Config):
    heading = Heading.NETWORK

    degrees: int = setting(180, at_least=0, at_most=300, help="Heat in degrees Celsius.")
    trays: int | None = setting(None, help="Trays.")
    rack: int = setting(1, at_least=1, help="Rack.")
    fan: float = setting(0.5, at_least=0, below=1, help="Share of the time that the fan runs.")
    steam: float = setting(0.5, above=0, at_most=1, help="Share of steam.")
    weight: float = setting(2.0, above=0, help="Weight in kg.")
    salt: float = setting(0.0, at_least=0, heading=Heading.RUN, help="Salt in g.")
    mode: Literal["bake", "grill"] = setting("bake", help="Mode.")
    dishes: tuple[str, ...] = setting((), choices=("bread", "cake"), distinct=True, help="Dishes.")
    book: Path | None = setting(None, in_words="a cookery book", help="Book.")


WRONG: list[tuple[str, Any, str]] = [
    *(("degrees", value, "a whole number from 0 to 300") for value in (-1, 301, 20.0, True, None)),
    ("trays", 1.5, "a whole number"),
    ("rack", 0, "a whole number of at least 1"),
    *(("fan", n, "a number from 0 up to, not including, 1") for n in (-0.1, 1, float("nan"), True)),
    *(("steam", value, "a number above 0, up to 1") for value in (0, 1.1, "a")),
    *(("weight", value, "more than 0") for value in (0, float("inf"))),
    *(("salt", value, "at least 0") for value in (-1, float("inf"), None)),
    *(("weight", value, "a number below 1e+20") for value in (1e20, 10**400)),
    ("mode", "boil", "one of bake, grill"),
    *(("dishes", value, "any of bread, cake, each once") for value in (("pie",), ("cake",) * 2)),
]


@pytest.mark.parametrize(("name", "value", "expected"), WRONG, ids=lambda value: str(value))
def test_value_out_of_range_is_named_with_what_is_expected(
    name: str, value: Any, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Oven(**{name: value})
    shown = ",".join(value) if isinstance(value, tuple) else repr(value)
    assert str(caught.value) == f"`{name}` is {shown}, expected {expected}"


def test_what_may_be_meant_is_named() -> None:
    with pytest.raises(ConfigError, match=r"is bred,pie, .*each once; did you mean 'bread'\?$"):
        Oven(dishes=("bred", "pie"))


def test_bounds_belong_to_what_is_allowed_or_not() -> None:
    Oven(degrees=0, trays=-4, fan=0, steam=1, weight=1e-9, dishes=("cake", "bread"))
    Oven(degrees=300, trays=None, fan=0.999, steam=1e-9, weight=9e19, book=Path("a"))


@pytest.mark.parametrize(("given", "is_on"), [(1, True), (0, False), (np.bool_(True), True)])
def test_a_flag_may_be_one_or_zero(given: Any, is_on: bool) -> None:
    training = TrainingConfig(lazy=given, decay=given)
    assert training.lazy is is_on
    assert training.decay is is_on
    assert json.loads(json.dumps(training.to_dict()))["lazy"] is is_on


@pytest.mark.parametrize("given", [2, 1.0, "yes", None, np.array([True]), np.float64(1)])
def test_a_flag_is_nothing_else(given: Any) -> None:
    with pytest.raises(ConfigError, match="expected True or False"):
        TrainingConfig(lazy=given)


def test_setting_has_name_type_default_and_heading_of_its_field() -> None:
    settings = settings_of(Oven)
    assert list(settings) == list(Oven.__dataclass_fields__)
    mode, trays = settings["mode"], settings["trays"]
    assert (mode.name, mode.kind, mode.choices, mode.default) == (
        "mode",
        str,
        ("bake", "grill"),
        "bake",
    )
    assert (trays.kind, trays.optional, settings["degrees"].optional) == (int, True, False)
    assert (trays.heading, settings["salt"].heading) == (Heading.NETWORK, Heading.RUN)
    kinds = [settings[name].kind for name in ("fan", "dishes", "book")]
    assert kinds == [float, tuple, Path]
    assert settings["book"].expected == "a cookery book"


def test_fields_that_are_no_settings_are_left_to_their_class() -> None:
    @dataclass(frozen=True)
    class Kettle(Config):
        litres: float = 1.0

    assert settings_of(Kettle) == {}
    assert Kettle(litres=-1).to_dict() == {"litres": -1}


CLASSES = [
    value
    for value in vars(config_module).values()
    if isinstance(value, type) and issubclass(value, Config) and value is not Config
]


@pytest.mark.parametrize("config", CLASSES)
def test_every_setting_says_what_it_is_and_its_default_is_allowed(config: type[Config]) -> None:
    for about in settings_of(config).values():
        for network in NETWORKS:
            narrowed = about.of_network(network)
            assert isinstance(narrowed.help, str)
            assert narrowed.help.endswith(".")
            assert isinstance(narrowed.unless_given, str)
            assert bool(narrowed.unless_given) == bool(about.unless_given)
        assert isinstance(about.heading, Heading)
        assert about.allows(about.default)


def test_values_are_listed_in_words() -> None:
    assert listed(("a", "b", "c")) == "a, b or c"
