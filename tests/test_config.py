"""Settings: stored and restored, and refused in one sentence that names the setting."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.config import (
    ACTIVATIONS,
    HEAD_NAMES,
    JOINT_TRAINING,
    KEPT_SHARES,
    NETWORKS,
    NONPROJECTIVE,
    OPTIMIZERS,
    ORACLES,
    SIMPLIFY_EPOCHS,
    TAG_COLUMNS,
    TOPK_MODES,
    TRANSITION_SYSTEMS,
    TREES,
    Config,
    Criterion,
    JointConfig,
    Knowledge,
    MePropConfig,
    ParserConfig,
    Settings,
    SimplifyConfig,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.errors import ConfigError

CLASSES: list[Any] = [
    MePropConfig, SimplifyConfig, TrainingConfig, TaggerConfig, ParserConfig, JointConfig,
]  # fmt: skip

whole = st.integers(1, 1000)
share = st.floats(0, 1, exclude_max=True)
rate = st.floats(0, 1e6)
columns = st.lists(st.sampled_from(TAG_COLUMNS), unique=True).map(tuple)
JOINT_WIDTHS = (
    "hidden", "word_dim", "feature_dim", "ngram_dim", "ngram_rows", "character_dim",
    "spelling_dim", "pretrained_dim", "treebank_dim", "lemma_dim", "tag_dim", "arc_dim",
    "label_dim",
)  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "MePropConfig": {
        "k": st.none() | st.integers(0, 1000), "topk_mode": st.sampled_from(TOPK_MODES),
    },
    "SimplifyConfig": {
        "schedule": st.just("late"), "criterion": st.sampled_from(get_args(Criterion)),
        "prune_rate": st.none(), "keep": st.floats(0.01, 1), "cycle": st.just(2),
        "own_teacher": st.booleans(), "cuts_per_epoch": st.just(8), "min_neurons": whole,
        "first_cut_epoch": st.none() | st.integers(1, 9),
    },
    "SimplifyConfig of the papers": {
        "schedule": st.just("paper"), "criterion": st.sampled_from(["magnitude", "hits"]),
        "prune_rate": st.none() | share, "cycle": whole, "cuts_per_epoch": whole,
        "min_neurons": whole, "first_cut_epoch": st.none() | st.integers(0, 9),
    },
    "TrainingConfig": {
        "epochs": st.integers(0, 1000), "batch_size": whole,
        "optimizer": st.sampled_from(OPTIMIZERS),
        "learning_rate": st.none() | st.floats(1e-9, 1e3), "decay": st.booleans(), "clip": rate,
        "lazy": st.booleans(), "clip_value": rate, "weight_decay": rate,
        "patience": st.integers(0, 9), "seed": st.integers(0, 2**63 - 1),
        "threads": st.integers(0, 256), "warmup": st.integers(0, 1000), "beta2": share,
        "average": share,
        "device": st.sampled_from(["auto", "cpu", "cuda:1"]),
    },
    "TaggerConfig": {
        "columns": columns, "hidden": whole, "word_dim": whole, "feature_dim": whole,
        "dropout": share, "input_dropout": st.none() | share, "word_dropout": rate,
    },
    "ParserConfig": {
        "tag_columns": columns, "jackknife": st.just(0) | st.integers(2, 20),
        "hidden": whole, "layers": st.integers(1, 5),
        "activation": st.sampled_from(ACTIVATIONS), "embedding_dim": whole,
        "dropout": st.none() | share, "input_dropout": st.none() | share,
        "word_dropout": rate, "transition_system": st.sampled_from(TRANSITION_SYSTEMS),
        "oracle": st.just("static"), "nonprojective": st.sampled_from(NONPROJECTIVE),
    },
    "JointConfig": {
        "heads": st.lists(st.sampled_from(HEAD_NAMES), unique=True).map(tuple), "columns": columns,
        "layers": st.integers(1, 5), **dict.fromkeys(JOINT_WIDTHS, whole),
        "dropout": share, "input_dropout": st.none() | share, "part_dropout": share,
        "word_dropout": rate, "smoothing": share, "early_weight": rate,
        "tree": st.sampled_from(TREES),
    },
}  # fmt: skip


@st.composite
def configurations(draw: st.DrawFn) -> Config:
    name = draw(st.sampled_from(sorted(SETTINGS)))
    make = next(make for make in CLASSES if make.__name__ == name.split()[0])
    optional = dict(SETTINGS[name])
    # what else may be set depends on it
    fixed = {key: optional.pop(key) for key in ("schedule",) if key in optional}
    config: Config = make(**draw(st.fixed_dictionaries(fixed, optional=optional)))
    return config


@given(configurations())
def test_json_form_gives_the_settings_back(config: Config) -> None:
    stored = json.loads(json.dumps(config.to_dict()))
    assert type(config).from_dict(stored) == config
    assert config.to_dict() == stored
    assert set(stored) == {field.name for field in dataclasses.fields(config)}  # type: ignore[arg-type]


@pytest.mark.parametrize("make", CLASSES)
def test_every_setting_is_tried_here_and_defaults_are_valid(make: Any) -> None:
    tried = (set(values) for name, values in SETTINGS.items() if name.split()[0] == make.__name__)
    assert set().union(*tried) == set(make.__dataclass_fields__)
    assert make.from_dict({}) == make()


@pytest.mark.parametrize("make", CLASSES)
def test_configurations_cannot_be_changed_or_given_by_position(make: Any) -> None:
    config = make()
    name = next(iter(make.__dataclass_fields__))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, name, None)
    with pytest.raises(TypeError, match="positional"):
        make(1)


@pytest.mark.parametrize("make", CLASSES)
def test_unknown_setting_is_named_with_those_there_are(make: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        make.from_dict({"hiden": 3, "colour": 1})
    message = str(caught.value)
    assert message.startswith(f"{make.__name__} has no setting 'colour', 'hiden'; it has ")
    assert all(name in message for name in make.__dataclass_fields__)


POSITIVE = "a whole number of at least 1"
NATURAL = "a whole number of at least 0"
SHARE = "a number from 0 up to, not including, 1"
NUMBER = "at least 0"
WRONG: list[tuple[Any, str, Any, str]] = [
    (MePropConfig, "k", -1, NATURAL),
    (MePropConfig, "k", 2.5, NATURAL),
    (MePropConfig, "topk_mode", "best", "one of example, unified, random"),
    (SimplifyConfig, "schedule", "sudden", "one of late, paper"),
    (SimplifyConfig, "criterion", "luck", "one of magnitude, reconstruction, taylor, hits, random"),
    *(
        (SimplifyConfig, "keep", value, "a number above 0, up to 1")
        for value in (0, -0.1, 1.5, math.nan)
    ),
    *((SimplifyConfig, "prune_rate", value, SHARE) for value in (-0.1, 1, 1.5, math.nan)),
    *((SimplifyConfig, name, 0, POSITIVE) for name in ("cycle", "cuts_per_epoch", "min_neurons")),
    (SimplifyConfig, "first_cut_epoch", 0, POSITIVE),
    *((TrainingConfig, "epochs", value, NATURAL) for value in (-3, 1.5, True, "3", None)),
    (TrainingConfig, "batch_size", -1, NATURAL),
    (TrainingConfig, "optimizer", "lamb", "one of " + ", ".join(OPTIMIZERS)),
    *(
        (TrainingConfig, "learning_rate", value, "more than 0")
        for value in (0, -0.1, math.inf, math.nan)
    ),
    *(
        (TrainingConfig, name, value, NUMBER)
        for name in ("clip", "clip_value", "weight_decay")
        for value in (-1, math.inf, math.nan)
    ),
    *((TrainingConfig, name, -1, NATURAL) for name in ("patience", "warmup")),
    *((TrainingConfig, name, 1, SHARE) for name in ("beta2", "average")),
    *((TrainingConfig, "seed", n, "a whole number from 0 to 2^63 - 1") for n in (-1, 2**63)),
    *((TrainingConfig, "threads", value, "a whole number from 0 to 256") for value in (-1, 10**6)),
    (TaggerConfig, "columns", ("lemma",), "any of upos, xpos, feats, each once"),
    (TaggerConfig, "columns", ("upos", "upos"), "any of upos, xpos, feats, each once"),
    *((TaggerConfig, name, 0, POSITIVE) for name in ("hidden", "word_dim", "feature_dim")),
    *((TaggerConfig, "dropout", value, SHARE) for value in (-0.5, 1.0)),
    *((TaggerConfig, "word_dropout", value, NUMBER) for value in (-0.5, math.inf)),
    (ParserConfig, "tag_columns", ("deprel",), "any of upos, xpos, feats"),
    *((ParserConfig, name, 0, POSITIVE) for name in ("hidden", "embedding_dim")),
    *((ParserConfig, "layers", value, "a whole number from 1 to 5") for value in (0, 6, 1.5)),
    (ParserConfig, "activation", "gelu", "one of " + ", ".join(ACTIVATIONS)),
    (ParserConfig, "dropout", 1, SHARE),
    (ParserConfig, "input_dropout", 1, SHARE),
    (TaggerConfig, "input_dropout", -0.1, SHARE),
    (ParserConfig, "word_dropout", -1, NUMBER),
    (ParserConfig, "transition_system", "eager", "one of " + ", ".join(TRANSITION_SYSTEMS)),
    (ParserConfig, "oracle", "gold", "one of " + ", ".join(ORACLES)),
    (ParserConfig, "nonprojective", "keep", "one of " + ", ".join(NONPROJECTIVE)),
    (Knowledge, "vectors_limit", -1, NATURAL),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "name", "value", "expected"), WRONG, ids=[f"{n}={v}" for _, n, v, _ in WRONG]
)
def test_value_out_of_range_is_refused_by_its_name(
    make: Any, name: str, value: Any, expected: str
) -> None:
    for build in (lambda: make(**{name: value}), lambda: make.from_dict({name: value})):
        with pytest.raises(ConfigError) as caught:
            build()
        shown = ",".join(value) if isinstance(value, tuple) else repr(value)
        assert str(caught.value) == f"`{name}` is {shown}, expected {expected}"


@pytest.mark.parametrize(("oracle", "own"), [("hybrid", "arc-standard"), ("dynamic", "arc-hybrid")])
def test_oracles_go_with_one_transition_system_only(oracle: Any, own: Any) -> None:
    assert ParserConfig(oracle=oracle, transition_system=own).oracle == oracle
    for system in set(TRANSITION_SYSTEMS) - {own}:
        with pytest.raises(
            ConfigError, match=rf"`oracle` {oracle} is .* {own} only; found {system}; use"
        ):
            ParserConfig(oracle=oracle, transition_system=system)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cycle": 3}, "`cycle` goes with `schedule` paper"),
        ({"prune_rate": 0.1}, "`prune_rate` goes with `schedule` paper"),
        ({"schedule": "paper", "keep": 0.1}, "`keep` goes with `schedule` late"),
        (
            {"schedule": "paper", "own_teacher": False},
            "`own_teacher=False` goes with `schedule` late",
        ),
        ({"schedule": "paper", "criterion": "random"}, "`criterion` goes with `schedule` late"),
    ],
)
def test_settings_of_the_other_schedule_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SimplifyConfig(**settings)
    assert SimplifyConfig(schedule="paper", criterion="hits").criterion == "hits"


@pytest.mark.parametrize(("k", "fits"), [(None, True), (0, True), (8, True), (9, False)])
def test_k_is_at_most_the_width(k: int | None, fits: bool) -> None:
    if fits:
        MePropConfig(k=k).check_width(8)
        return
    with pytest.raises(ConfigError, match=r"`k` is 9, expected at most the layer's width, 8"):
        MePropConfig(k=k).check_width(8)


def test_defaults_of_the_loop_are_valid() -> None:
    training = TrainingConfig()
    assert TrainingConfig.from_dict(training.to_dict()) == training


# all settings of one training


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"meprop": MePropConfig(k=501)}, "`k` is 501, expected at most the layer's width, 500"),
        (
            {"simplify": SimplifyConfig(first_cut_epoch=8)},
            "`first_cut_epoch` is 8, but training ends after 8 epochs.*give more `epochs`",
        ),
        ({"simplify": SimplifyConfig(criterion="hits")}, "so they need `k`, for instance `k=20`"),
        (
            {
                "simplify": SimplifyConfig(schedule="paper"),
                "meprop": MePropConfig(k=20, topk_mode="random"),
            },
            "`topk_mode` random draws neurons by chance",
        ),
    ],
)
def test_settings_that_cannot_work_together_are_refused(settings: Any, message: str) -> None:
    for network in (TaggerConfig(), ParserConfig()):
        with pytest.raises(ConfigError, match=message):
            Settings(network=network, **settings)


@pytest.mark.parametrize("task", NETWORKS)
def test_settings_are_taken_by_name(task: str) -> None:
    network = NETWORKS[task]
    own = JOINT_TRAINING if task == "joint" else {}
    k = round(KEPT_SHARES[task] * network().hidden) if task == "joint" else None
    defaults = Settings(network=network(), meprop=MePropConfig(k=k), training=TrainingConfig(**own))
    assert Settings.of(task) == defaults
    settings = Settings.of(task, hidden=40, k=7, epochs=3, simplify=True, keep=0.5, lazy=False)
    assert settings == Settings(
        network=network(hidden=40),
        meprop=MePropConfig(k=7),
        simplify=SimplifyConfig(keep=0.5),
        training=TrainingConfig(**{**own, "epochs": 3, "lazy": False, "patience": 0}),
    )


@pytest.mark.parametrize("task", NETWORKS)
def test_names_of_settings_are_those_of_one_class_each(task: str) -> None:
    names = [about.name for about in Settings.choices(task)]
    assert len(set(names)) == len(names)
    classes = (NETWORKS[task], MePropConfig, SimplifyConfig, TrainingConfig)
    of_no_class = {"simplify"} if task == "joint" else {"simplify", "encoder"}
    assert {*names} == of_no_class.union(*(make.__dataclass_fields__ for make in classes))


@pytest.mark.parametrize(("task", "head"), [("tagger", "tags"), ("parser", "tree")])
@pytest.mark.parametrize("simplify", [False, True])
def test_bilstm_is_the_joint_model_with_one_head(task: str, head: str, simplify: bool) -> None:
    settings = Settings.of(task, encoder="bilstm", hidden=40, word_dim=7, simplify=simplify)
    assert settings == Settings.of("joint", heads=(head,), hidden=40, word_dim=7, simplify=simplify)
    assert settings.task == "joint"
    assert settings.demands_trees is (None if task == "parser" else False)
    own = {"tagger": "lstm", "parser": "table"}[task]
    assert Settings.of(task, encoder=own) == Settings.of(task)
    assert Settings.of(task).task == task


@pytest.mark.parametrize(
    ("task", "given", "message"),
    [
        ("parser", {"encoder": "lstm"}, "`encoder` is 'lstm', expected one of table, bilstm"),
        ("tagger", {"encoder": "table"}, "`encoder` is 'table', expected one of lstm, bilstm"),
        ("joint", {"encoder": "bilstm"}, "`encoder` goes with tagger or parser, not with joint"),
        ("parser", {"arc_dim": 9}, "`arc_dim` goes with `encoder` bilstm"),
        ("tagger", {"encoder": "lstm", "layers": 2}, "`layers` goes with `encoder` bilstm"),
        ("parser", {"encoder": "bilstm", "oracle": "static"}, "`oracle` goes with `encoder` table"),
        ("parser", {"encoder": "bilstm", "jackknife": 5}, "`jackknife` goes with `encoder` table"),
        # what the other heads of the joint model have
        ("parser", {"encoder": "bilstm", "heads": ("tags",)}, "a parser has no setting 'heads'"),
        ("parser", {"encoder": "bilstm", "columns": ("upos",)}, "no setting 'columns'"),
        ("tagger", {"encoder": "bilstm", "arc_dim": 9}, "a tagger has no setting 'arc_dim'"),
        ("parser", {"word_dim": 7, "embedding_dim": 8}, "`embedding_dim`; give one of them"),
    ],
)
def test_settings_of_another_encoder_are_refused(
    task: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings.of(task, **given)


def test_setting_has_the_other_name_of_its_option_too() -> None:
    assert Settings.of("parser", word_dim=7) == Settings.of("parser", embedding_dim=7)
    assert Settings.of("parser", encoder="table", word_dim=7).network.embedding_dim == 7
    with pytest.raises(ConfigError, match="a parser has no setting 't'"):
        Settings.of("parser", t=1)


@pytest.mark.parametrize(
    ("given", "epochs", "lazy", "patience"),
    [
        ({}, 8, False, 5),
        ({"simplify": True}, SIMPLIFY_EPOCHS, True, 0),
        ({"simplify": True, "lazy": False, "epochs": 5, "patience": 3}, 5, False, 3),
        ({"simplify": True, "schedule": "paper"}, 8, False, 5),
        ({"lazy": True}, 8, True, 5),
    ],
)
def test_what_the_late_cut_changes_unless_it_is_given(
    given: dict[str, Any], epochs: int, lazy: bool, patience: int
) -> None:
    settings = Settings.of("parser", hidden=300, **given)
    training = settings.training
    assert (training.epochs, training.lazy, training.patience) == (epochs, lazy, patience)
    assert settings.meprop.k == (300 * KEPT_SHARES["parser"] if given.get("simplify") else None)
    assert (settings.simplify is not None) == bool(given.get("simplify"))


def test_k_is_at_least_one_in_a_narrow_layer_that_is_cut() -> None:
    assert Settings.of("tagger", hidden=3, simplify=True).meprop.k == 1
    assert Settings.of("tagger", hidden=3, simplify=True, k=0).meprop.k == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"topk_mode": "unified"}, "`topk_mode` goes with `k`; give `k`, for instance `k=20`"),
        ({"keep": 0.3}, "`keep` goes with `simplify`"),
        ({"layer": 2, "colour": 1}, "a tagger has no setting 'colour', 'layer'"),
        ({"oracle": "static"}, "a tagger has no setting 'oracle'"),
        ({"k": 101, "hidden": 100}, "`k` is 101, expected at most the layer's width, 100"),
    ],
)
def test_settings_that_nothing_would_use_are_refused(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings.of("tagger", **given)


def test_default_may_be_given_where_nothing_uses_it() -> None:
    assert Settings.of("tagger", cycle=2, topk_mode="example").simplify is None
    assert Settings.of("joint", topk_mode="unified").meprop.k == 45  # it has a k by default
    with pytest.raises(ConfigError, match="`topk_mode` goes with `k`"):
        Settings.of("joint", topk_mode="unified", k=0)


def test_limit_of_vectors_goes_with_vectors() -> None:
    assert Knowledge(vectors="glove.txt", vectors_limit=0).files == ["glove.txt"]
    assert Knowledge(vectors_limit=Knowledge().vectors_limit) == Knowledge()
    with pytest.raises(ConfigError, match="`vectors_limit` goes with `vectors`"):
        Knowledge(vectors_limit=5)
