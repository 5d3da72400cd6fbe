"""A parser that learns from predicted tags: who tags what, and runs that stop and go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meprop_nlp.config import ParserConfig, Settings, TrainingConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.file import read_header
from meprop_nlp.training import run
from meprop_nlp.training.checkpoint import Checkpoint, checkpoint_path
from meprop_nlp.training.heads import predicted_tags
from meprop_nlp.training.heads.predicted_tags import predict_tags, tags_path
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import EpochRecord, Note, Step

Treebank = list[Sentence]
TRAINING = TrainingConfig(seed=3, threads=1, device="cpu")


class StubTagger:
    """Tags each word with the number of the tagger, and remembers what it has learnt from."""

    trained: list[StubTagger]

    def __init__(self, known: Sequence[Sentence], settings: Settings, hooks: Hooks) -> None:
        self.known, self.settings = list(known), settings
        self.trained.append(self)
        self.tag = f"T{len(self.trained)}"

    def predict(self, sentences: Sequence[Sentence]) -> Any:
        columns = self.settings.network.columns  # type: ignore[union-attr]
        for sentence in sentences:
            yield {name: [self.tag] * len(sentence) for name in columns}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taggers of a few neurons; none is trained yet."""
    monkeypatch.setattr(predicted_tags, "HIDDEN", 6)
    monkeypatch.setattr(predicted_tags, "K", 2)
    monkeypatch.setattr(predicted_tags, "MOST_EPOCHS", 4)
    StubTagger.trained = []


def predict(
    train: Treebank,
    dev: Treebank,
    n_parts: int = 3,
    *,
    output: Path | None = None,
    resume: bool = False,
    columns: Sequence[str] = ("upos",),
    **hooks: Any,
) -> tuple[Treebank, Treebank]:
    return predict_tags(
        train,
        dev,
        n_parts,
        columns,
        TRAINING,
        StubTagger,  # type: ignore[arg-type]
        output=output,
        resume=resume,
        hooks=Hooks(**hooks),
    )


def test_each_part_is_tagged_by_a_tagger_of_the_others_and_dev_by_one_of_all(
    treebank: Treebank,
) -> None:
    train, dev = predict(treebank, treebank[:2])
    first, second, third, last = StubTagger.trained
    assert [s.column("upos")[0] for s in train] == ["T1", "T1", "T1", "T2", "T2", "T2", "T3", "T3"]
    assert first.known == [treebank[i] for i in (3, 4, 5, 6, 7)]
    assert second.known == [treebank[i] for i in (0, 1, 2, 6, 7)]
    assert third.known == [treebank[i] for i in (0, 1, 2, 3, 4, 5)]
    assert last.known == treebank
    assert {tag for s in dev for tag in s.column("upos")} == {"T4"}
    training = first.settings.training
    assert (training.seed, training.threads, training.device) == (3, 1, "cpu")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n_parts=st.integers(2, 20), more=st.integers(0, 5000))
def test_no_part_is_empty_and_neighbours_are_mostly_in_one(n_parts: int, more: int) -> None:
    n = n_parts + more
    parts = predicted_tags._parts(n, n_parts)
    assert len(parts) == n
    assert set(parts) == set(range(n_parts))
    assert sum(a != b for a, b in pairwise(parts)) <= max(n_parts - 1, n // predicted_tags.RUN)


def test_all_but_the_tags_stays_and_the_sentences_given_do_not_change(treebank: Treebank) -> None:
    before = [str(sentence) for sentence in treebank]
    train, dev = predict(treebank, [], columns=("upos", "xpos"))
    assert dev == []
    assert [str(sentence) for sentence in treebank] == before
    for gold, tagged in zip(treebank, train, strict=True):
        assert tagged.column("xpos") == tagged.column("upos") != gold.column("upos")
        for name in ("form", "lemma", "feats", "head", "deprel"):
            assert tagged.column(name) == gold.column(name)


def test_a_note_says_how_many_tags_are_right(treebank: Treebank) -> None:
    one_tag = [sentence.with_columns(upos=["T1"] * len(sentence)) for sentence in treebank]
    notes: list[Any] = []
    predict(one_tag, one_tag[:2], 2, columns=("upos", "xpos"), on_record=notes.append)
    assert [note.text for note in notes] == [
        "train, part 1 of 2: tags predicted, UPOS 100.00, XPOS 0.00",
        "train, part 2 of 2: tags predicted, UPOS 0.00, XPOS 0.00",
        "dev: tags predicted, UPOS 0.00, XPOS 0.00",
    ]


def test_stored_tags_are_not_predicted_again(treebank: Treebank, tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    expected = predict(treebank, treebank[:2], output=output, columns=("upos", "xpos"))
    found = predict(treebank, treebank[:2], output=output, columns=("upos", "xpos"), resume=True)
    assert len(StubTagger.trained) == 4
    for actual, wanted in zip(found, expected, strict=True):
        assert [str(sentence) for sentence in actual] == [str(sentence) for sentence in wanted]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_parts": 4}, "jackknife was 3, is 4"),
        ({"columns": ("xpos",)}, r"tagger.columns was \['upos'\], is \['xpos'\]"),
        ({"dev": []}, "data.dev.sentences was 2, is 0"),
    ],
)
def test_tags_of_another_run_are_refused(
    change: dict[str, Any], message: str, treebank: Treebank, tmp_path: Path
) -> None:
    options = {"dev": treebank[:2], "output": tmp_path / "m.safetensors"}
    predict(treebank, **options)
    with pytest.raises(ConfigError, match=message):
        predict(treebank, **{**options, **change}, resume=True)


@pytest.mark.parametrize("n_parts", [-1, 1])
def test_number_of_parts_that_cannot_be_is_refused(n_parts: int) -> None:
    message = f"`jackknife` is {n_parts}, expected 0, or a whole number of at least 2"
    with pytest.raises(ConfigError, match=message):
        ParserConfig(jackknife=n_parts)


def test_more_parts_than_sentences_are_refused(train: Callable[..., Any]) -> None:
    message = "`jackknife` is 9, expected at most the number of training sentences, 8"
    with pytest.raises(ConfigError, match=message):
        train("parser", config={"jackknife": 9})


def test_treebank_without_tags_is_refused(train: Callable[..., Any], treebank: Treebank) -> None:
    bare = [s.with_columns(upos=["_"] * len(s), xpos=["_"] * len(s)) for s in treebank]
    with pytest.raises(ConfigError, match="the training file has none: UPOS, XPOS and FEATS hold"):
        train("parser", bare, config={"jackknife": 2})


def test_column_that_only_one_part_has_is_refused(
    train: Callable[..., Any], treebank: Treebank
) -> None:
    first, *others = treebank
    others = [sentence.with_columns(xpos=["_"] * len(sentence)) for sentence in others]
    with pytest.raises(ConfigError, match=r"without train, part 1 of 2, .* xpos hold only '_'"):
        train("parser", [first, *others], config={"jackknife": 2})


# a whole training


def jackknifed(train: Callable[..., Any], treebank: Treebank, **options: Any) -> Any:
    return train("parser", treebank, treebank[:3], config={"jackknife": 3}, **options)


@pytest.fixture
def taggers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each tagger that is trained: the number of sentences that it learns from."""
    trained: list[int] = []
    train_tagger = run._train_tagger

    def counted(sentences: Sequence[Sentence], *arguments: Any) -> Any:
        trained.append(len(sentences))
        return train_tagger(sentences, *arguments)

    monkeypatch.setattr(run, "_train_tagger", counted)
    return trained


def test_parser_learns_from_predicted_tags_and_is_judged_by_them(
    train: Callable[..., Any], treebank: Treebank, taggers: list[int], tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    records: list[Any] = []
    model = jackknifed(train, treebank, output=output, hooks=Hooks(on_record=records.append))
    assert taggers == [5, 5, 6, 8]
    assert [note.text.partition(":")[0] for note in records if isinstance(note, Note)][2:] == [
        "train, part 1 of 3", "train, part 2 of 3", "train, part 3 of 3", "dev",
        "keeps the model of the epoch with the best LAS on dev",
    ]  # fmt: skip
    # the steps and epochs of the taggers are not the parser's
    assert sum(isinstance(record, EpochRecord) for record in records) == 3
    assert sorted(tmp_path.iterdir()) == [tmp_path / "m.jsonl", output]
    header = read_header(output)
    assert header["config"]["jackknife"] == header["training"]["parser"]["jackknife"] == 3
    tagger = run.train(
        "tagger",
        treebank,
        settings=Settings.of(
            "tagger", columns=("upos", "xpos"), hidden=6, k=2, epochs=4, lazy=True, seed=7,
            threads=1, device="cpu",
        ),
    )  # fmt: skip
    scores = model.evaluate(list(tagger.pipe(treebank[:3])))
    assert header["scores"] == {"uas": scores.uas, "las": scores.las}
    in_memory = jackknifed(train, treebank)
    assert in_memory.file.arrays.keys() == model.file.arrays.keys()
    plain = train("parser", treebank, treebank[:3])
    assert plain.file.arrays["tags.weight"].tobytes() != model.file.arrays["tags.weight"].tobytes()


def stopped_run(
    train: Callable[..., Any], treebank: Treebank, output: Path, hooks: Hooks, error: type
) -> None:
    with pytest.raises(error):
        jackknifed(train, treebank, output=output, hooks=hooks)
    assert not list(output.parent.glob(".*"))


def test_run_stopped_while_a_tagger_learns_goes_on_with_this_tagger(
    train: Callable[..., Any], treebank: Treebank, taggers: list[int], tmp_path: Path
) -> None:
    whole, output = tmp_path / "whole.safetensors", tmp_path / "m.safetensors"
    jackknifed(train, treebank, output=whole)
    taggers.clear()
    polls: list[int] = []

    def stop() -> bool:
        polls.append(len(taggers))
        return polls.count(3) > 2  # in the third tagger

    stopped_run(train, treebank, output, Hooks(stop=stop), KeyboardInterrupt)
    assert tags_path(output).exists()
    assert not checkpoint_path(output).exists()
    jackknifed(train, treebank, output=output, resume=True)
    assert taggers == [5, 5, 6, 6, 8]
    assert output.read_bytes() == whole.read_bytes()
    assert not tags_path(output).exists()


class KilledError(Exception):
    """What a test raises to end a run without any warning."""


@pytest.mark.parametrize("n_steps", [2, 6], ids=["first-epoch", "second-epoch"])
def test_run_killed_while_the_parser_learns_keeps_its_tags(
    n_steps: int,
    train: Callable[..., Any],
    treebank: Treebank,
    taggers: list[int],
    tmp_path: Path,
) -> None:
    whole, output = tmp_path / "whole.safetensors", tmp_path / "m.safetensors"
    jackknifed(train, treebank, output=whole)
    taggers.clear()
    steps: list[Step] = []

    def on_record(record: object) -> None:
        if isinstance(record, Step):
            steps.append(record)
        if len(steps) == n_steps:
            raise KilledError

    # what an earlier run has left is not gone on from
    Checkpoint({}, {}, {}).save(checkpoint_path(output))
    stopped_run(train, treebank, output, Hooks(on_record=on_record), KilledError)
    jackknifed(train, treebank, output=output, resume=True)
    assert taggers == [5, 5, 6, 8]
    assert output.read_bytes() == whole.read_bytes()


def test_lost_tags_are_predicted_again_on_resume(
    train: Callable[..., Any], treebank: Treebank, taggers: list[int], tmp_path: Path
) -> None:
    whole, output = tmp_path / "whole.safetensors", tmp_path / "m.safetensors"
    jackknifed(train, treebank, output=whole)
    steps: list[Any] = []
    hooks = Hooks(
        on_record=lambda record: steps.append(record) if isinstance(record, Step) else None,
        stop=lambda: len(steps) >= 5,
    )
    stopped_run(train, treebank, output, hooks, KeyboardInterrupt)
    tags_path(output).unlink()
    taggers.clear()
    jackknifed(train, treebank, output=output, resume=True)
    assert taggers == [5, 5, 6, 8]
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("task", ["tagger", "parser", "joint"])
def test_training_without_jackknife_leaves_a_file_of_that_name_alone(
    train: Callable[..., Any], tmp_path: Path, task: str
) -> None:
    output = tmp_path / "m.safetensors"
    tags_path(output).write_bytes(b"mine")
    train(task, output=output)
    assert tags_path(output).read_bytes() == b"mine"


def test_run_that_never_began_cannot_be_resumed(
    train: Callable[..., Any], treebank: Treebank, taggers: list[int], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"there is no .*m\.checkpoint\.safetensors"):
        jackknifed(train, treebank, output=tmp_path / "m.safetensors", resume=True)
    with pytest.raises(ConfigError, match="only when it has an output file"):
        jackknifed(train, treebank, resume=True)
    assert taggers == []
