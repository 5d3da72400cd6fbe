"""A head that the package has never heard of, added to the joint model at run time.

The steps of "How to add a head" in CONTRIBUTING.md, with a head that learns after which words
there is no space. It is trained, cut, saved and loaded with the other heads, and runs over a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from meprop_nlp.config import HEAD_NAMES, JointConfig, MePropConfig, Settings
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.encoder import States as FrozenStates
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.model import HEADS, load
from meprop_nlp.models.parts import take
from meprop_nlp.models.prediction import Prediction, TextColumn, Values
from meprop_nlp.models.words import Words
from meprop_nlp.settings import settings_of
from meprop_nlp.training import joint
from meprop_nlp.training.heads.head import States, TrainedHead, Widths
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.run import train

GLUED = "SpaceAfter=No"


class SpacesHead(Head):
    """What would be `models/heads/spaces.py`."""

    name = "spaces"
    activity = "spacing"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = JointConfig.from_dict(file.header["config"])
        self.reads, self.fills, self.scores = (), ("misc",), ()
        self._values = Values(["_", GLUED])
        self._weight = take(file.arrays, "spaces.output.weight", 1, None)[0]
        self._bias = take(file.arrays, "spaces.output.bias", 1)

    def annotate(
        self,
        words: Words,
        states: FrozenStates | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        assert states is not None
        logits = states.context @ self._weight + self._bias
        sure = {"SpaceConf": 1 / (1 + np.exp(-np.abs(logits)))} if confidence else {}
        ids = (logits > 0).astype(np.int32)
        return Prediction({"misc": TextColumn(self._values, ids)}, confidence=sure)


class SpacesNetwork(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.output = nn.Linear(width, 1)

    def forward(self, states: States) -> Tensor:
        """Return the logit of each word: (N,)."""
        return self.output(states.context)[:, 0]  # type: ignore[no-any-return]


class Spaces(TrainedHead):
    """What would be `training/heads/spaces.py`."""

    name = "spaces"
    network: SpacesNetwork
    scores = ()

    @staticmethod
    def is_in(sentences: Sequence[Sentence]) -> bool:
        return any(GLUED in sentence.column("misc") for sentence in sentences)

    def __init__(
        self,
        train: Sequence[Sentence],
        config: JointConfig,
        meprop: MePropConfig,
        widths: Widths,
        device: torch.device,
    ) -> None:
        glued = [misc == GLUED for sentence in train for misc in sentence.column("misc")]
        self._targets = torch.tensor(glued).float().to(device)
        self.network = SpacesNetwork(widths.context)

    def loss(self, answer: Tensor, words: Tensor, layout: Layout, teacher: Any = None) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(answer, self._targets[words])

    def readers(self) -> Iterable[nn.Module]:
        return [self.network.output]

    def header(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line in each of the two tables, and a name that `heads` may hold."""
    monkeypatch.setattr(joint, "JOINT_HEADS", (*joint.JOINT_HEADS, Spaces))
    monkeypatch.setitem(HEADS, "joint", (*HEADS["joint"], SpacesHead))
    settings: Any = settings_of(JointConfig)
    heads = settings["heads"]._replace(choices=(*HEAD_NAMES, "spaces"))
    monkeypatch.setitem(settings, "heads", heads)


@pytest.fixture
def glued(treebank: list[Sentence]) -> list[Sentence]:
    """The treebank with its articles glued to the words after them."""
    return [
        sentence.with_columns(
            misc=[GLUED if upos == "DET" else "_" for upos in sentence.column("upos")]
        )
        for sentence in treebank
    ]


@pytest.mark.usefixtures("spaces")
@pytest.mark.parametrize(
    ("heads", "simplify"),
    [((), True), (("spaces",), False)],
    ids=["with-all-others-and-cut", "alone"],
)
def test_new_head_trains_saves_and_annotates_a_file(
    glued: list[Sentence], tmp_path: Path, heads: tuple[str, ...], simplify: bool
) -> None:
    path, text = tmp_path / "model.safetensors", tmp_path / "in.conllu"
    cut = {"first_cut_epoch": 12, "keep": 0.5, "min_neurons": 4} if simplify else {}
    settings = Settings.of(
        "joint", heads=heads, hidden=16, layers=1, ngram_rows=50, dropout=0.0, word_dropout=0.0,
        part_dropout=0.0, k=0, epochs=20, warmup=0, average=0.0, batch_size=15, learning_rate=0.03,
        threads=1, device="cpu", simplify=simplify, **cut,
    )  # fmt: skip
    # the best epoch on dev is that of the others, as nothing scores this head
    model = train("joint", glued, glued if heads else None, settings=settings, output=path)
    assert list(model.heads) == ([*heads] or [*HEAD_NAMES, "spaces"])
    neurons = model.file.header["neurons"].items()
    of_encoder = {width for name, width in neurons if name.startswith("layer")}
    assert of_encoder == {8 if simplify else 16}

    bare = [sentence.with_columns(misc=["_"] * len(sentence)) for sentence in glued]
    text.write_text("".join(sentence.to_text() for sentence in bare), encoding="utf-8")
    out = tmp_path / "out.conllu"
    out.write_bytes(b"".join(piece.text for piece in annotate(text, [load(path)])))

    assert [s.column("misc") for s in read(out)] == [s.column("misc") for s in glued]
    assert [s.forms for s in read(out)] == [s.forms for s in glued]
