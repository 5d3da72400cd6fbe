"""`TrainableModel`: a Model whose class knows how to train one; loads no torch until it does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from meprop_nlp.config import (
    JointConfig,
    Knowledge,
    MePropConfig,
    ParserConfig,
    Settings,
    SimplifyConfig,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.models.model import Model

if TYPE_CHECKING:
    from meprop_nlp.training.hooks import Callback, Hooks
    from meprop_nlp.training.treebanks import Treebank


class RunOptions(TypedDict, total=False):
    """Where a training reads and writes: the further arguments of `train`, explained there."""

    output: str | os.PathLike[str] | None
    resume: bool
    held_out: bool
    input_format: str
    hooks: Hooks | None


class TrainableModel(Model):
    """A model of one task that can be trained; subclasses set `task` and `config_class`."""

    config_class: type[TaggerConfig] | type[ParserConfig] | type[JointConfig]

    @classmethod
    def train(
        cls,
        train: Treebank,
        dev: Treebank | None = None,
        *,
        config: TaggerConfig | ParserConfig | JointConfig | Mapping[str, Any] | None = None,
        meprop: MePropConfig | Mapping[str, Any] | None = None,
        simplify: SimplifyConfig | Mapping[str, Any] | bool | None = None,
        training: TrainingConfig | Mapping[str, Any] | None = None,
        vectors: str | os.PathLike[str] | None = None,
        knowledge: Knowledge | Mapping[str, Any] | None = None,
        callbacks: Callback | Iterable[Callback] = (),
        quiet: bool = False,
        **options: Unpack[RunOptions],
    ) -> Self:
        """Train on a treebank; return the model with the best score on dev.

        On a terminal and in a notebook the progress is shown.

        >>> Tagger.train("train.conllu", training={"epochs": 3})  # doctest: +SKIP

        Args:
            train, dev: files, or Sentences. Without dev the last epoch's model is returned.
            config, meprop, simplify, training: settings; None means the task's defaults, for
                `simplify` that nothing is cut. A dict changes some settings and leaves the task's
                defaults in place, as options do on the command line; `simplify=True` is an empty
                one. An object has the defaults of its class.
            vectors: pretrained word vectors; short for `Knowledge(vectors=...)`.
            knowledge: what to draw on beside the treebank; also as a dict.
            callbacks: functions, or one of them, that are called with the EpochRecord of each
                epoch: loss, scores on dev, times. The training ends when one returns True, and the
                best model so far is returned. What one raises is raised here; with `output` the
                training can then be resumed after that epoch.
            quiet: show no progress. It is not shown either where there are `hooks`.
            output: where to keep the best model, a log and a checkpoint while training goes on;
                beside it, an encoder that is trained too (`Knowledge.fine_tune`).
            resume: go on from the checkpoint beside `output`.
            held_out: without dev, hold out every tenth training sentence as dev.
            input_format: see `data.conll.reading.read`.
            hooks: to follow or stop the run.

        Raises:
            ConfigError: settings that are out of range, cannot work together, or do not fit the
                data or this machine.
            DataError: the training data cannot be used, or `output` cannot be written.
            KeyboardInterrupt: `hooks.stop` returned True; the checkpoint is written.
        """
        from meprop_nlp.training.display import TrainingDisplay
        from meprop_nlp.training.hooks import Hooks, calling
        from meprop_nlp.training.run import train as run

        settings = cls._settings(config, meprop, simplify, training)
        knowledge = Knowledge() if knowledge is None else Knowledge.given(knowledge, "knowledge")
        if vectors is not None:
            knowledge = replace(knowledge, vectors=os.fspath(vectors))
        on_epoch = calling(callbacks)
        with ExitStack() as stack:
            others: dict[str, Any] = {**options}
            hooks = others.pop("hooks", None)
            if hooks is None:
                hooks = Hooks()
                if not quiet and TrainingDisplay.is_seen():
                    hooks = Hooks(on_record=stack.enter_context(TrainingDisplay()))
            hooks = replace(hooks, on_epoch=calling([hooks.on_epoch, on_epoch]))
            model = run(
                cls.task, train, dev, settings=settings, knowledge=knowledge, hooks=hooks, **others
            )
        return cls(model.file)

    @classmethod
    def _settings(cls, config: Any, meprop: Any, simplify: Any, training: Any) -> Settings:
        """Return the settings of a training from objects and dicts; see `train`.

        Raises:
            ConfigError: a setting is unknown or out of range, or an argument is neither.
        """
        if isinstance(simplify, bool):
            simplify = {} if simplify else None
        given: dict[str, Any] = {}
        objects: dict[str, Any] = {}
        for name, part, kind in (
            ("config", config, cls.config_class),
            ("meprop", meprop, MePropConfig),
            ("simplify", simplify, SimplifyConfig),
            ("training", training, TrainingConfig),
        ):
            if part is None:
                continue
            checked = kind.given(part, name)
            if isinstance(part, Mapping):
                given |= {setting: getattr(checked, setting) for setting in part}
            else:
                objects[name] = checked
        names = frozenset(given) | ({"k"} if meprop is not None else set())
        cuts = isinstance(simplify, Mapping)
        width = {"hidden": objects["config"].hidden} if "config" in objects else {}
        defaults = Settings.of(cls.task, simplify=cuts, **given, **width)
        return Settings(
            network=objects.get("config", defaults.network),
            meprop=objects.get("meprop", defaults.meprop),
            simplify=objects.get("simplify", defaults.simplify),
            training=objects.get("training", defaults.training),
            given=names,
        )
