"""What teachers answer: the best answers kept, averaged, and put into the learner's values."""

from __future__ import annotations

import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.config import Knowledge
from meprop_nlp.data.conll.writing import write
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import CheckpointError, ConfigError, DataError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.opinion import Opinion, values_of
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.nn.optimizers import make_optimizer
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.answers import BEST, Answers, Few
from meprop_nlp.training.knowledge.ensemble import teacher_path
from meprop_nlp.training.knowledge.joint_file import TAUGHT_WITH
from meprop_nlp.training.knowledge.several_treebanks import SeveralTreebanks
from meprop_nlp.training.knowledge.soft_targets import SoftTargets
from meprop_nlp.training.knowledge.sources import Sources, answers_path
from meprop_nlp.training.knowledge.teachers import Teachers, encoders_behind
from meprop_nlp.training.knowledge.unlabelled import LONGEST, frequent_forms, read_unlabelled
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.records import Note, Step

NAMES = ("upos", "xpos", "scripts", "arcs", "labels")


@pytest.fixture(scope="module")
def model(train: Callable[..., Any]) -> Any:
    return train("joint", training={"epochs": 25, "learning_rate": 0.02}, k=0)


def dense(few: Few, width: int) -> Any:
    """The probabilities that are kept, among all: (N, width)."""
    found = np.zeros((len(few.ids), width), np.float32)
    for row, ids, shares in zip(found, few.ids, few.shares, strict=True):
        for number, share in zip(ids.tolist(), shares.tolist(), strict=True):
            if number < width:
                row[number] += share
    return found


@given(st.lists(st.lists(st.floats(0, 1, width=16), min_size=3, max_size=9), min_size=1))
def test_best_answers_are_kept_with_their_shares(rows: list[list[float]]) -> None:
    width = min(map(len, rows))
    shares = np.array([row[:width] for row in rows], np.float32)
    few = Few.of(shares)
    expected = -np.sort(-shares, 1)[:, :BEST]
    np.testing.assert_array_equal(few.shares[:, :width], expected)
    kept = dense(few, width)
    np.testing.assert_array_equal(kept[kept > 0], shares[kept > 0])


def test_opinion_is_what_the_model_predicts_from(model: Any, treebank: list[Sentence]) -> None:
    words = SentenceWords(treebank)
    opinion, prediction = Opinion(model, words), model.annotate(words)
    assert set(opinion.shares) == set(NAMES) - {"labels"}
    for name, shares in opinion.shares.items():
        np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5, err_msg=name)
    for name in ("upos", "xpos"):
        chosen = [model.heads["tags"].tags[name][i] for i in opinion.shares[name].argmax(1)]
        assert chosen == prediction.texts[name].to_list()
    labels = opinion.labels(prediction.heads)
    assert labels is not None
    chosen = [model.heads["tree"].labels[i] for i in labels.argmax(1)]
    assert chosen == prediction.texts["deprel"].to_list()


def test_opinion_is_the_same_without_the_core(
    model: Any, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = SentenceWords(treebank)
    native = Opinion(model, words)
    monkeypatch.setattr("meprop_nlp.models.model.core", lambda: None)
    plain = Opinion(type(model)(model.file), words)
    heads = native.shares["arcs"].argmax(1).astype(np.int32)
    np.testing.assert_allclose(native.labels(heads), plain.labels(heads), atol=1e-4)
    for name, shares in native.shares.items():
        np.testing.assert_allclose(shares, plain.shares[name], atol=1e-4, err_msg=name)


def test_transitions_teach_the_tree_that_they_build(
    train: Callable[..., Any], treebank: list[Sentence]
) -> None:
    model = train("joint", config={"tree": "transitions"}, training={"epochs": 1})
    words = SentenceWords(treebank)
    opinion, prediction = Opinion(model, words), model.annotate(words)
    np.testing.assert_array_equal(opinion.shares["arcs"].argmax(1), prediction.heads)
    labels = opinion.labels(prediction.heads)
    assert labels is not None
    chosen = [model.heads["tree"].labels[i] for i in labels.argmax(1)]
    assert chosen == prediction.texts["deprel"].to_list()


def test_answers_stand_in_the_order_of_the_words(
    model: Any, treebank: list[Sentence], tmp_path: Path
) -> None:
    answers = Answers.of(model, treebank)
    assert set(answers.few) == set(NAMES)
    first = 0
    for sentence in treebank:
        alone = Answers.of(model, [sentence])
        for name, few in alone.few.items():
            rows = slice(first, first + len(sentence))
            all_of_them = Few(answers.few[name].ids[rows], answers.few[name].shares[rows])
            np.testing.assert_allclose(dense(few, 60), dense(all_of_them, 60), atol=2e-3)
        first += len(sentence)
    answers.save(tmp_path / "answers.safetensors")
    n_words = sum(map(len, treebank))
    again = Answers.load(tmp_path / "answers.safetensors", n_words)
    with pytest.raises(CheckpointError, match="holds no answers about 5 words"):
        Answers.load(tmp_path / "answers.safetensors", 5)
    for name, few in answers.few.items():
        np.testing.assert_array_equal(again.few[name].ids, few.ids)
        np.testing.assert_array_equal(again.few[name].shares, few.shares)


def test_labels_are_those_of_the_given_arcs(model: Any, treebank: list[Sentence]) -> None:
    words = SentenceWords(treebank)
    heads = np.array([head for s in treebank for head in s.column("head")], np.int32)
    expected = Opinion(model, words).labels(heads)
    assert expected is not None
    found = dense(Answers.of(model, treebank).few["labels"], expected.shape[1])
    np.testing.assert_array_equal(found.argmax(1), expected.argmax(1))

    bare = [Sentence.from_words(sentence.forms) for sentence in treebank]
    assert set(bare[0].column("head")) == {UNSET}
    answers = Answers.of(model, bare)
    best = answers.few["arcs"].ids[:, 0].astype(np.int32)
    expected = Opinion(model, words).labels(best)
    assert expected is not None
    found = dense(answers.few["labels"], expected.shape[1])
    np.testing.assert_array_equal(found.argmax(1), expected.argmax(1))


def few(*rows: dict[int, float]) -> Few:
    """Answers by number."""
    shares = np.zeros((len(rows), 1 + max(n for row in rows for n in row)), np.float32)
    for i, row in enumerate(rows):
        for number, share in row.items():
            shares[i, number] = share
    return Few.of(shares)


@pytest.mark.parametrize("on_disk", [False, True])
def test_teachers_are_averaged_in_the_values_of_the_learner(tmp_path: Path, on_disk: bool) -> None:
    folder = tmp_path / "answers" if on_disk else None
    targets = SoftTargets(2, 2, folder)
    # the learner's values are b, a, c; the second teacher has one that it lacks
    known = [{"upos": np.array([1, 0])}, {"upos": np.array([2, -1, 0])}]
    targets.write(np.arange(2), 0, Answers({"upos": few({0: 0.75, 1: 0.25}, {1: 1.0})}), known[0])
    targets.write(np.arange(2), 1, Answers({"upos": few({0: 0.5, 1: 0.5}, {2: 1.0})}), known[1])
    targets.agree(np.zeros(2, np.bool_))
    found = targets.read(torch.tensor([1, 0]), {"upos": 3, "xpos": 4})
    assert set(found) == {"upos"}
    expected = torch.tensor([[2.0, 0.0, 0.0], [0.25, 0.75, 0.5]])
    torch.testing.assert_close(found["upos"].exp(), expected)
    assert found["upos"][0, 1] == -torch.inf
    assert not on_disk or not list((tmp_path / "answers").iterdir())  # the file has no name


@pytest.mark.parametrize("has_head", [False, True])
@pytest.mark.parametrize(
    ("arcs", "best", "counted"),
    [
        ([{1: 0.6, 2: 0.4}, {2: 0.9, 1: 0.1}, {1: 0.55, 2: 0.45}], 2, [1]),
        # the best of all need not be the best of any
        ([{1: 0.5, 2: 0.45}, {3: 0.5, 2: 0.45}, {2: 0.6, 1: 0.4}], 2, [2]),
        ([{1: 0.5, 2: 0.45}, {3: 0.5, 2: 0.45}, {4: 1.0}], 4, [2]),
    ],
)
def test_labels_count_where_their_teacher_agrees_about_the_arc(
    arcs: list[dict[int, float]],
    best: int,
    counted: list[int],
    has_head: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n = 3  # words, of which the last has the answers; two are looked at at a time
    monkeypatch.setattr("meprop_nlp.training.knowledge.soft_targets.AGREED", 2)
    targets = SoftTargets(n, 3)
    for teacher, answer in enumerate(arcs):
        known = {"labels": np.arange(3)}
        answers = Answers({"arcs": few(answer), "labels": few({teacher: 1.0})})
        targets.write(np.array([n - 1]), teacher, answers, known)
    targets.agree(np.array([True, True, has_head]))
    found = targets.read(torch.tensor([n - 1]), {"arcs": 5, "labels": 3})
    assert found["arcs"].argmax() == best
    # about the arc of the treebank all answered
    expected = [1.0, 1.0, 1.0] if has_head else [float(n in counted) for n in range(3)]
    assert found["labels"].exp().tolist() == [expected]


def test_teachers_answers_are_kept_in_a_folder(
    model: Any, treebank: list[Sentence], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meprop_nlp.training.knowledge.teachers.CHUNK", 10)
    values = values_of(model.file.header)
    plain = Teachers([model], None, Hooks()).ask(treebank, values)
    first = Teachers([model], tmp_path / "cache", Hooks()).ask(treebank, values)
    kept = sorted((tmp_path / "cache").iterdir())
    assert len(kept) == 3
    kept[0].write_bytes(b"damaged")
    records: list[Any] = []
    with monkeypatch.context() as patch:
        asked = []
        of = Answers.of
        patch.setattr(
            Answers, "of", lambda model, chunk: asked.append(len(chunk)) or of(model, chunk)
        )
        again = Teachers([model], tmp_path / "cache", Hooks(on_record=records.append)).ask(
            treebank, values
        )
    assert len(asked) == 1
    assert "asked again" in " ".join(note.text for note in records if isinstance(note, Note))
    words = torch.arange(sum(map(len, treebank)))
    widths = {name: len(of_name) for name, of_name in values.items()} | {"arcs": 8}
    for targets in (first, again):
        for name, found in targets.read(words, widths).items():
            torch.testing.assert_close(found, plain.read(words, widths)[name])


def test_asking_stops_when_it_is_asked_to(model: Any, treebank: list[Sentence]) -> None:
    with pytest.raises(KeyboardInterrupt):
        Teachers([model], None, Hooks(stop=lambda: True)).ask(treebank, {})


def test_unlabelled_sentences_are_read_from_text_and_from_conll(tmp_path: Path) -> None:
    text, conll = tmp_path / "a.txt", tmp_path / "b.conllu"
    long = " ".join(["word"] * (LONGEST + 1))
    text.write_text(f"# a text\nIt rains .\n\n  Run !\n{long}\n", encoding="utf-8")
    conll.write_text("# text = Go\n1\tGo\tgo\tVERB\t_\t_\t0\troot\t_\t_\n\n", encoding="utf-8")
    records: list[Any] = []
    found = read_unlabelled([text, conll], Hooks(on_record=records.append))
    assert found == [["It", "rains", "."], ["Run", "!"], ["Go"]]
    assert records[0].text == (
        f"unlabelled: 3 sentences, 6 words; 1 of over {LONGEST} words are left out"
    )
    text.write_text(f"{long}\n{long}\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"a\.txt: each of its 2 sentences has over {LONGEST} wo"):
        read_unlabelled([conll, text], Hooks())
    text.write_text("# nothing\n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.txt: no sentences; expected a sentence a line"):
        read_unlabelled([text], Hooks())


@pytest.mark.parametrize(("n", "step"), [(8, 1), (9, 2), (17, 4), (200, 32), (1000, 128)])
def test_long_unlabelled_text_is_sampled_evenly(tmp_path: Path, n: int, step: int) -> None:
    path = tmp_path / "long.txt"
    path.write_text("".join(f"word {i}\n" for i in range(n)), encoding="utf-8")
    records: list[Any] = []
    found = read_unlabelled([path], Hooks(on_record=records.append), most_words=16)
    assert found == [["word", str(i)] for i in range(0, n, step)]
    every = {1: "", 2: "every 2nd", 4: "every 4th", 32: "every 32nd"}.get(step, f"every {step}th")
    told = f"; {every} sentence is kept, since the epochs draw no more" if every else "words"
    assert records[0].text.endswith(told)


@pytest.mark.parametrize("name", ["a.txt", "a.conllu"])
def test_word_that_is_no_text_is_told_with_its_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    fields = "_\t" * 7 + "_"
    content = f"1\tb\t{fields}\n\n1\td\0\t{fields}\n" if "conllu" in name else "a b\n\nd\0 e\n"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=rf"{name}:3: .*\\x00"):
        read_unlabelled([path], Hooks())


@pytest.mark.parametrize("first", ["\tIt rains .", "It\train\ts here", " \t\n# a\nIt rains"])
def test_text_with_tabs_in_its_first_line_is_text(tmp_path: Path, first: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"{first}\nRun !\n", encoding="utf-8")
    expected = [line.split() for line in (first, "Run !") if line.strip()]
    if "#" in first:
        expected[0] = ["It", "rains"]
    assert read_unlabelled([path], Hooks()) == expected


def test_disk_too_small_for_answers_is_told_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    few = Few(np.zeros((2, 1), np.uint16), np.ones((2, 1), np.float16))
    targets = SoftTargets(2, 1, tmp_path / "m.answers")
    with pytest.raises(DataError, match=r"m\.answers: cannot be written: No space left on device"):
        targets.write(np.arange(2), 0, Answers({"arcs": few}), {})


@pytest.mark.parametrize("share", [0.5, 0.75])
def test_text_is_read_as_far_as_epochs_draw_it(
    model: Any,
    train: Callable[..., Any],
    tmp_path: Path,
    treebank: list[Sentence],
    share: float,
) -> None:
    path = tmp_path / "text.txt"
    path.write_text("It rains .\n" * 100, encoding="utf-8")
    labelled, records = treebank[:1], []
    knowledge = Knowledge(
        teacher=[teacher_file(model, tmp_path)], unlabelled=[str(path)], unlabelled_share=share
    )
    epochs = 3
    train(
        "joint",
        labelled,
        knowledge=knowledge,
        training={"epochs": epochs},
        hooks=Hooks(on_record=records.append),
    )
    most = round(epochs * len(labelled[0]) * share / (1 - share))
    note = next(r.text for r in records if getattr(r, "text", "").startswith("unlabelled"))
    kept = int(note.split(" sentences, ")[1].split(" words")[0])
    assert most / 2 <= kept <= most


def test_forms_that_are_frequent_enough_have_rows_of_their_own() -> None:
    sentences = [["a"] * 5 + ["b"] * 4, ["b", "c"]]
    assert sorted(frequent_forms(sentences)) == ["a"] * 5 + ["b"] * 5


@pytest.fixture
def text(tmp_path: Path, treebank: list[Sentence]) -> Path:
    """Sentences without annotation: those of the treebank, and some with unknown words."""
    path = tmp_path / "text.txt"
    lines = [" ".join(sentence.forms) for sentence in treebank]
    lines += ["A cat knows it .", "Frogs leap well !", "She saw frogs"] * 2
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def stopped_after(n: int) -> Hooks:
    """Hooks that stop a run when it has asked n times whether to stop."""
    polls = iter([False] * n + [True] * 999)
    return Hooks(stop=lambda: next(polls))


def teacher_file(model: Any, folder: Path) -> str:
    path = folder / "teacher.safetensors"
    model.save(path)
    return str(path)


def test_network_learns_from_a_teacher_on_unlabelled_text(
    model: Any, train: Callable[..., Any], text: Path, tmp_path: Path, treebank: list[Sentence]
) -> None:
    knowledge = Knowledge(teacher=[teacher_file(model, tmp_path)], unlabelled=[str(text)])
    records: list[Any] = []
    found = train("joint", treebank, knowledge=knowledge, hooks=Hooks(on_record=records.append))
    (step, *_) = [record for record in records if isinstance(record, Step)]
    assert step.n_batches == 8  # four of the treebank, and as many without annotation
    alone = train("joint", treebank)
    assert any(
        not np.array_equal(array, alone.file.arrays[name])
        for name, array in found.file.arrays.items()
        if array.shape == alone.file.arrays[name].shape
    )
    assert found.lexicon.forms.to_list() == alone.lexicon.forms.to_list()  # none is frequent


def test_unlabelled_text_alone_teaches_what_the_teacher_answers(
    model: Any, make_joint: Any, treebank: list[Sentence]
) -> None:
    """The loss by a teacher's own answers is least where the network answers as it does."""
    bare = [sentence.forms for sentence in treebank]
    sources = Sources(
        teachers=Teachers([model], None, Hooks()), unlabelled=bare, unlabelled_share=0.5
    )
    task = make_joint(treebank, sources=sources, seed=3, k=0)
    batch = next(batch for batch in task.batches(np.random.default_rng(1)) if not batch.labelled)
    optimizer = make_optimizer("adam", task.network.parameters(), lr=0.01)
    task.network.train()
    losses = []
    for _ in range(250):
        optimizer.zero_grad()
        loss = task.loss(batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    words = torch.from_numpy(batch.words)
    layout = Layout.of(batch.batch_sizes, torch.device("cpu"))
    with torch.no_grad():
        answers = task.network(task._inputs(batch, hide=False), layout)
    believed = task._believed(task._beliefs, words, layout)
    right = answers["tags"]["upos"].argmax(1) == believed["tags"]["upos"].argmax(1)
    assert right.float().mean() > 0.9


@pytest.mark.parametrize("simplify", [None, {}], ids=["whole", "cut"])
def test_taught_run_is_resumed_to_the_same_weights(
    model: Any,
    train: Callable[..., Any],
    text: Path,
    tmp_path: Path,
    treebank: list[Sentence],
    simplify: Any,
) -> None:
    knowledge = Knowledge(teacher=[teacher_file(model, tmp_path)], unlabelled=[str(text)])
    options = {"knowledge": knowledge, "simplify": simplify, "training": {"epochs": 3}}
    whole = train("joint", treebank, output=tmp_path / "whole.safetensors", **options)
    output = tmp_path / "stopped.safetensors"
    for after in (5, 9):
        with pytest.raises(KeyboardInterrupt):
            train(
                "joint",
                treebank,
                output=output,
                resume=checkpoint_path(output).exists(),
                hooks=stopped_after(after),
                **options,
            )
    found = train("joint", treebank, output=output, resume=True, **options)
    for name, array in whole.file.arrays.items():
        np.testing.assert_array_equal(found.file.arrays[name], array, err_msg=name)
    assert not answers_path(output).exists()


def test_other_teacher_is_refused_when_a_run_is_resumed(
    model: Any, train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    path, output = teacher_file(model, tmp_path), tmp_path / "m.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(
            "joint",
            treebank,
            knowledge=Knowledge(teacher=[path]),
            output=output,
            hooks=stopped_after(4),
        )
    train("joint", treebank, training={"epochs": 1}, output=path)
    with pytest.raises(ConfigError, match="teachers was"):
        train("joint", treebank, knowledge=Knowledge(teacher=[path]), output=output, resume=True)


def test_teacher_of_tags_alone_teaches_tags(
    train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    tags = train("joint", treebank, config={"heads": ("tags",)}, training={"epochs": 1})
    knowledge = Knowledge(teacher=[teacher_file(tags, tmp_path)])
    model = train("joint", treebank, knowledge=knowledge, training={"epochs": 1})
    assert list(model.heads) == ["tags", "lemmas", "tree"]


def test_ensemble_is_trained_first_and_resumed(
    train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    options = {"knowledge": Knowledge(teachers=2), "training": {"epochs": 2}}
    whole = train("joint", treebank, output=tmp_path / "whole.safetensors", **options)
    first, second = (teacher_path(tmp_path / "whole.safetensors", n) for n in (1, 2))
    assert load(first).file.header["training"]["training"]["seed"] == 8  # the student's is 7
    assert load(second).file.header["training"]["training"]["seed"] == 9

    output = tmp_path / "stopped.safetensors"
    for n, after in enumerate((11, 2, 9)):  # in the second teacher, in it again, in the student
        with pytest.raises(KeyboardInterrupt):
            train(
                "joint",
                treebank,
                output=output,
                resume=n > 0,
                hooks=stopped_after(after),
                **options,
            )
    found = train("joint", treebank, output=output, resume=True, **options)
    for name, array in whole.file.arrays.items():
        np.testing.assert_array_equal(found.file.arrays[name], array, err_msg=name)
    with pytest.raises(ConfigError, match=r"there is no .*fresh\.checkpoint"):
        train("joint", treebank, output=tmp_path / "fresh.safetensors", resume=True, **options)


def test_teacher_that_cannot_teach_is_refused_before_it_is_asked(
    train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    tags = train("joint", treebank, config={"heads": ("tags",)}, training={"epochs": 1})
    knowledge = Knowledge(teacher=[teacher_file(tags, tmp_path)])
    with pytest.raises(ConfigError, match="`teacher` answers nothing that this network could"):
        train("joint", treebank, config={"heads": ("lemmas",)}, knowledge=knowledge)
    records: list[Any] = []
    train(
        "joint",
        treebank,
        config={"tree": "transitions"},
        knowledge=knowledge,
        training={"epochs": 1},
        hooks=Hooks(on_record=records.append),
    )
    warnings = [r.text for r in records if isinstance(r, Note) and r.warning]
    assert "the head tree learns from the treebank alone" in warnings


def test_finished_ensemble_is_not_trained_anew_by_resume(
    train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    options = {"knowledge": Knowledge(teachers=1), "training": {"epochs": 1}}
    output = tmp_path / "m.safetensors"
    train("joint", treebank, output=output, **options)
    before = output.read_bytes()
    with pytest.raises(ConfigError, match="a run that ended has none"):
        train("joint", treebank, output=output, resume=True, **options)
    assert output.read_bytes() == before


def test_ensemble_is_resumed_where_an_older_model_stands_at_the_output(
    train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    options = {"knowledge": Knowledge(teachers=1), "training": {"epochs": 1}}
    output, expected = tmp_path / "m.safetensors", tmp_path / "expected.safetensors"
    train("joint", treebank, output=output, training={"epochs": 1, "seed": 3})
    train("joint", treebank, output=expected, **options)

    def kill(record: Any) -> None:
        if isinstance(record, Note) and "keeps the model" in record.text:
            raise InterruptedError  # the teacher is finished

    with pytest.raises(InterruptedError):
        train("joint", treebank, output=output, hooks=Hooks(on_record=kill), **options)
    written = teacher_path(output, 1).stat().st_mtime_ns
    found = train("joint", treebank, output=output, resume=True, **options)
    assert teacher_path(output, 1).stat().st_mtime_ns == written
    for name, array in load(expected).file.arrays.items():
        np.testing.assert_array_equal(found.file.arrays[name], array, err_msg=name)


@pytest.mark.parametrize("role", ["teacher", "init_from"])
def test_teacher_beside_the_output_is_not_replaced_where_it_is_read(
    role: str, train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    output = tmp_path / "m.safetensors"
    options = {"output": output, "training": {"epochs": 1}}
    train("joint", treebank, knowledge=Knowledge(teachers=1), **options)
    read = teacher_path(output, 1)
    before = read.read_bytes()
    given = {"teacher": [str(read)]} if role == "teacher" else {"init_from": str(read)}
    with pytest.raises(ConfigError, match="is read by this training, and stands where a teacher"):
        train("joint", treebank, knowledge=Knowledge(teachers=1, **given), **options)
    assert read.read_bytes() == before


def test_tree_by_transitions_alone_is_refused_before_its_teachers_are_trained(
    train: Callable[..., Any],
) -> None:
    config = {"heads": ("tree",), "tree": "transitions"}
    with pytest.raises(ConfigError, match="`tree` transitions is not learnt from teachers"):
        train("joint", "nowhere.conllu", config=config, knowledge=Knowledge(teachers=2))


def test_cache_that_is_a_file_is_refused_before_the_treebank_is_read(
    train: Callable[..., Any], tmp_path: Path, model: Any
) -> None:
    teacher = teacher_file(model, tmp_path)
    with pytest.raises(ConfigError, match=r"`cache` is .*, a file, expected the name of a folder"):
        train("joint", "nowhere.conllu", knowledge=Knowledge(teacher=[teacher], cache=teacher))


def test_folder_of_answers_that_has_other_files_stays(
    model: Any, train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    output = tmp_path / "m.safetensors"
    answers_path(output).mkdir()
    (answers_path(output) / "notes.txt").write_text("mine", encoding="utf-8")
    knowledge = Knowledge(teacher=[teacher_file(model, tmp_path)])
    train("joint", treebank, output=output, knowledge=knowledge, training={"epochs": 1})
    assert [path.name for path in answers_path(output).iterdir()] == ["notes.txt"]


def test_unlabelled_text_comes_through_a_pipe(tmp_path: Path) -> None:
    for text in ("# a\nIt rains .\nRun !\n", "1\tGo\tgo\tVERB\t_\t_\t0\troot\t_\t_\n\n"):
        path = tmp_path / f"pipe{len(text)}"
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_text, args=(text,))
        writer.start()
        found = read_unlabelled([path], Hooks())
        writer.join()
        assert found == ([["It", "rains", "."], ["Run", "!"]] if text[0] == "#" else [["Go"]])


def test_teachers_of_an_ensemble_keep_what_they_draw_on() -> None:
    vectors = {"rains": np.ones(3, np.float32)}
    sources = Sources(vectors=vectors, unlabelled=[["u"]], unlabelled_share=0.2)
    assert sources.of_teacher() == Sources(vectors=vectors)


def test_unlabelled_text_needs_a_teacher() -> None:
    with pytest.raises(ConfigError, match="`unlabelled` goes with `teacher` or `teachers`"):
        Knowledge(unlabelled=["text.txt"])


def test_model_names_the_encoders_that_its_teachers_read(
    train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    teacher = train("joint", treebank, training={"epochs": 1})
    header = {**teacher.file.header, TAUGHT_WITH: ["tiny (licence: mit)"]}
    knowledge = Knowledge(
        teacher=[teacher_file(Model(ModelFile(header, teacher.file.arrays)), tmp_path)]
    )
    model = train("joint", treebank, knowledge=knowledge, training={"epochs": 1})
    assert model.file.header[TAUGHT_WITH] == ["tiny (licence: mit)"]
    card = {"name": "large", "licence": "apache-2.0"}
    assert encoders_behind({"pretrained": card, TAUGHT_WITH: ["tiny (licence: mit)"]}) == [
        "large (licence: apache-2.0)",
        "tiny (licence: mit)",
    ]
    path = tmp_path / "m.safetensors"
    model.save(path)
    started = train(
        "joint", treebank, knowledge=Knowledge(init_from=str(path)), training={"epochs": 1}
    )
    assert started.file.header[TAUGHT_WITH] == ["tiny (licence: mit)"]


def test_finished_teacher_of_other_settings_is_refused_when_a_run_is_resumed(
    train: Callable[..., Any], tmp_path: Path, treebank: list[Sentence]
) -> None:
    output, knowledge = tmp_path / "m.safetensors", Knowledge(teachers=2)
    options = {"knowledge": knowledge, "training": {"epochs": 1}, "output": output}
    with pytest.raises(KeyboardInterrupt):  # after the first teacher
        train("joint", treebank, hooks=stopped_after(6), **options)
    first, second = (teacher_path(output, n) for n in (1, 2))
    assert first.exists()
    assert not checkpoint_path(first).exists()
    for path in (second, checkpoint_path(second)):  # as if it had been killed, not stopped
        path.unlink(missing_ok=True)
    for other, message in (
        ({"training": {"epochs": 2}}, r"training\.epochs was 1, is 2"),
        ({"config": {"word_dropout": 0.5}}, r"joint\.word_dropout was 0\.25, is 0\.5"),
        ({"sentences": treebank[:4]}, r"data\.train\.sentences was 8, is 4"),
    ):
        changed = {"sentences": treebank, **options, **other}
        with pytest.raises(ConfigError, match=message):
            train("joint", resume=True, **changed)
    assert not second.exists()
    train("joint", treebank, resume=True, **options)
    assert second.exists()


@pytest.mark.parametrize("unlabelled", [[], [["It", "rains"], ["Run"]]])
def test_teacher_of_several_treebanks_is_asked_as_the_treebank_of_each_sentence(
    train: Callable[..., Any],
    treebank: list[Sentence],
    tmp_path: Path,
    unlabelled: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "train.conllu"
    write(treebank, path)
    teacher = train(
        "joint",
        [path, path],
        knowledge=Knowledge(treebank_id=["large", "small"]),
        training={"epochs": 8, "learning_rate": 0.05},
    )
    several = SeveralTreebanks(["small", "other"], np.arange(len(treebank)) % 2)
    values = values_of(teacher.file.header)
    records: list[Any] = []
    monkeypatch.setattr("meprop_nlp.training.knowledge.teachers.CHUNK", 10)
    for _ in range(2):  # the second time, the answers come from the cache
        teachers = Teachers([teacher], tmp_path / "cache", Hooks(on_record=records.append))
        found = teachers.ask(treebank, values, unlabelled, several)
    assert "words, as of small and large, its first treebank" in records[0].text
    every = [*treebank, *map(Sentence.from_words, unlabelled)]
    names = ["large" if n % 2 else "small" for n in range(len(treebank))]
    names += ["small"] * len(unlabelled)
    widths = {name: len(each) for name, each in values.items()} | {"arcs": 8}
    first = 0
    for sentence, name in zip(every, names, strict=True):
        alone = Teachers([Model(teacher.file, None, name)], None, Hooks()).ask([sentence], values)
        own = torch.arange(len(sentence))
        for table, expected in alone.read(own, widths).items():
            rows = found.read(first + own, widths)[table]
            torch.testing.assert_close(rows, expected, atol=5e-3, rtol=5e-3)
        first += len(sentence)


def test_teachers_and_vectors_are_looked_at_before_the_treebank(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    bad.write_text("nothing", encoding="utf-8")
    for source, message in (
        ({"teacher": [str(bad)]}, "`teacher`: .*bad: is not a meprop_nlp model"),
        ({"init_from": str(bad)}, "`init_from`: .*bad: is not a meprop_nlp model"),
        ({"vectors": str(bad)}, "bad:1: found 'nothing', expected a word and its values"),
    ):
        with pytest.raises((CheckpointError, DataError), match=message):
            train("joint", tmp_path / "missing.conllu", knowledge=Knowledge(**source))


def test_unlabelled_text_takes_few_bytes_a_word(tmp_path: Path) -> None:
    path, n_lines = tmp_path / "text.txt", 2_000
    line = " ".join(f"word{n % 25}" for n in range(50))
    path.write_text(f"{line}\n" * n_lines, encoding="utf-8")
    tracemalloc.start()
    found = read_unlabelled([path], Hooks())
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == n_lines
    assert taken < 12 * 50 * n_lines  # a pointer, and a share of the list
