"""Treebanks that are partly annotated: each head learns from the words that are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from meprop_nlp.data.annotation import ANNOTATED, Annotation
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_tree
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.calibration import ARCS, ROOTS
from meprop_nlp.models.file import summary
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.training.display import TrainingDisplay
from meprop_nlp.training.heads.targets import UNKNOWN, mean_loss
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.joint import JointTask, _tagged
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.measured.calibration import answers
from meprop_nlp.training.records import EpochRecord, Note
from meprop_nlp.training.simplification.swaps import Swaps
from meprop_nlp.training.simplification.teacher import Teacher

CPU = torch.device("cpu")
Make = Callable[..., JointTask]
Train = Callable[..., Any]


def masked(
    treebank: list[Sentence], seed: int, share: float = 0.5, columns: Any = ANNOTATED
) -> list[Sentence]:
    """The treebank with this share of the values of each column removed at random.

    XPOS goes with UPOS: where there is UPOS, `_` is a value of XPOS.
    """
    rng = np.random.default_rng(seed)
    result = []
    for sentence in treebank:
        gone = {name: rng.random(len(sentence)) < share for name in ANNOTATED}
        gone["xpos"] = gone["upos"]
        values = {
            name: [
                (-1 if name == "head" else "_") if is_gone else value
                for value, is_gone in zip(sentence.column(name), gone[name], strict=True)
            ]
            for name in columns
        }
        result.append(sentence.with_columns(**values))
    return result


def one_batch(task: JointTask) -> Any:
    """All sentences as one minibatch."""
    task.batch_size = 10**6
    (batch,) = task.batches(np.random.default_rng(1))
    return batch


def answered(task: JointTask, batch: Any) -> tuple[Any, torch.Tensor, Layout]:
    """The network's answers to a minibatch, its words and their layout."""
    layout = Layout.of(batch.batch_sizes, CPU)
    return task.network(task._inputs(batch), layout), torch.from_numpy(batch.words), layout


# the loss


@given(
    targets=st.lists(st.sampled_from([0, 1, 2, UNKNOWN]), min_size=1, max_size=8),
    smoothing=st.sampled_from([0.0, 0.1]),
    taught=st.booleans(),
    seed=st.integers(0, 100),
)
def test_words_without_annotation_count_for_nothing_or_for_the_teacher_alone(
    targets: list[int], smoothing: float, taught: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    logits = torch.randn(len(targets), 3, requires_grad=True)
    theirs = torch.randn(len(targets), 3) if taught else None
    classes = torch.tensor(targets)
    known = classes != UNKNOWN
    loss = mean_loss(logits, classes, theirs, partial=True, smoothing=smoothing)
    loss.backward()

    each = []  # the loss of each word by itself
    for n, target in enumerate(targets):
        row, their_row = logits[n : n + 1], None if theirs is None else theirs[n : n + 1]
        if target != UNKNOWN:
            one = torch.tensor([target])
            each.append(mean_loss(row, one, their_row, partial=False, smoothing=smoothing))
        elif theirs is not None:
            each.append(mean_loss(row, None, their_row, partial=False))
    assert_close(loss, torch.stack(each).mean() if each else torch.tensor(0.0))
    gradient = logits.grad
    assert gradient is not None
    if theirs is None:
        assert not gradient[~known].any()
        assert gradient[known].any(1).all()
    if known.all():
        full = mean_loss(logits, classes, theirs, partial=False, smoothing=smoothing)
        assert_close(loss, full)


@pytest.mark.parametrize("partial", [False, True])
def test_gold_counts_for_all_where_no_teacher_answered(partial: bool) -> None:
    logits = torch.tensor([[0.3, -1.0, 2.0], [1.0, 0.0, 0.5], [0.0, 0.2, 0.1], [1.0, 1.0, 3.0]])
    classes = torch.tensor([2, 1, 0, UNKNOWN if partial else 0])
    answers = torch.tensor([[0.1, 0.2, 0.7], [0.0, 0.0, 0.0], [0.3, 0.3, 0.4], [0.0, 0.0, 0.0]])
    shares, logs = answers.double().tolist(), logits.double().log_softmax(1).tolist()
    both = [
        -(logs[n][target] + sum(map(float.__mul__, shares[n], logs[n]))) / 2
        for n, target in ((0, 2), (2, 0))
    ]
    alone = [-logs[1][1], *([] if partial else [-logs[3][0]])]
    # nothing is known of the last word if the treebank is partial: it does not count at all
    expected = sum(both + alone) / (3 if partial else 4)
    found = mean_loss(logits, classes, answers.log(), partial=partial)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_teacher_that_answers_nothing_is_as_none() -> None:
    logits, silent = torch.randn(5, 3), torch.full((5, 3), -torch.inf)
    for targets in ([0, 1, 2, 1, 0], [0, UNKNOWN, 2, UNKNOWN, 0], [UNKNOWN] * 5):
        classes = torch.tensor(targets)
        taught, alone = (
            mean_loss(logits, classes, answers, partial=True, smoothing=0.1)
            for answers in (silent, None)
        )
        assert_close(taught, alone)


@pytest.mark.parametrize("seed", range(3))
def test_loss_of_each_head_is_the_mean_over_its_annotated_words(
    make_joint: Make, treebank: list[Sentence], seed: int
) -> None:
    sentences = masked(treebank * 2, seed)
    task = make_joint(sentences, seed=seed, smoothing=0.0)
    found, words, layout = answered(task, one_batch(task))
    gold = [word for sentence in sentences for word in sentence.words]
    annotation = Annotation(sentences)

    def mean(logits: Any, column: str, index: Any) -> torch.Tensor:
        known = annotation.known(column)
        rows = [
            -logits[n].log_softmax(0)[index(gold[word])]
            for n, word in enumerate(words.tolist())
            if known[word]
        ]
        return torch.stack(rows).mean()

    heads: Any = task.heads
    tags = [
        mean(found["tags"][name], name, lambda w, n=name, v=vocab: v.index(getattr(w, n)))
        for name, vocab in heads["tags"].vocabs.items()
    ]
    assert_close(heads["tags"].loss(found["tags"], words, layout), torch.stack(tags).sum())
    for vocab in (*heads["tags"].vocabs.values(), heads["tree"].labels):
        assert "_" not in vocab
    assert '"_"' not in heads["lemmas"].scripts

    arcs = mean(found["tree"].arcs, "head", lambda word: word.head)
    answer, place = found["tree"], {word: n for n, word in enumerate(words.tolist())}
    firsts = {word: word - gold[word].id for word in place}  # before the sentence's first word
    rows = []
    for n, word in enumerate(words.tolist()):
        head = gold[word].head
        # where there is no head, none of the labels is learnt, so any row will do
        row = place[firsts[word] + head] if head > 0 else len(words)
        rows.append(answer.label_scores(answer.dependents[n], answer.heads[row]))
    labels = mean(torch.stack(rows), "deprel", lambda w: heads["tree"].labels.index(w.deprel))
    assert_close(heads["tree"].loss(found["tree"], words, layout), arcs + labels)


@pytest.mark.parametrize("tree", ["graph", "transitions"])
def test_minibatch_without_annotation_has_a_loss_of_zero(
    make_joint: Make, treebank: list[Sentence], tree: str
) -> None:
    bare = masked(treebank, 0, share=1.0)
    # as many minibatches as sentences
    task = make_joint([*treebank, *bare], seed=1, tree=tree, batch_size=1)
    n_words = sum(map(len, treebank))
    n_bare = 0
    for batch in task.batches(np.random.default_rng(2)):
        loss = task.loss(batch)
        loss.backward()
        assert loss.isfinite()
        if batch.words.min() >= n_words:
            n_bare += 1
            assert loss == 0
    assert n_bare
    for parameter in task.network.parameters():
        assert parameter.grad is None or parameter.grad.to_dense().isfinite().all()


def test_transitions_leave_out_sentences_without_a_whole_tree(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    cut = masked(treebank[:1], 0, 1.0, ["head"]) + masked(treebank[3:4], 0, 1.0, ["deprel"])
    partial = make_joint([*treebank, *cut], seed=5, tree="transitions", heads=("tree",))
    note = "sentences without a whole tree: 2 of 10; the transition parser does not learn from"
    assert f"{note} them" in partial.warnings
    partial.network.eval()  # gold derivations
    head: Any = partial.heads["tree"]
    losses = []
    for n_sentences in (len(treebank), len(treebank) + 2):
        lengths = partial._lengths[:n_sentences]
        batch = partial._batch(np.argsort(-lengths, kind="stable"))
        found, words, layout = answered(partial, batch)
        losses.append(head.loss(found["tree"], words, layout))
    assert_close(losses[0], losses[1])


def test_transitions_without_any_whole_tree_are_refused(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    cut = [sentence.with_columns(head=[-1, *sentence.column("head")[1:]]) for sentence in treebank]
    with pytest.raises(ConfigError, match="`tree` transitions learns from whole trees"):
        make_joint(cut, tree="transitions")
    assert "tree" in make_joint(cut).heads


# a teacher


@pytest.mark.parametrize("synthetic", [0.0, 1.0])
def test_remembered_answers_about_partly_annotated_words_are_those_the_teacher_would_give(
    make_joint: Make, crossing: list[Sentence], monkeypatch: pytest.MonkeyPatch, synthetic: float
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", synthetic)
    task = make_joint(masked(crossing, 3), seed=4)
    teacher, asking = Teacher(task.network), Teacher(task.network)
    monkeypatch.setattr(asking, "remembers", lambda *sizes: False)
    layers = task.simplified_layers()
    Simplifier(layers).step(widths={part.name: 3 for part in layers})
    for batch in task.batches(np.random.default_rng(1)):
        losses = []
        for each in (teacher, asking):
            torch.manual_seed(3)  # the same words are swapped
            losses.append(task.loss(batch, each))
        assert_close(losses[0], losses[1], rtol=1e-3, atol=1e-3)
        losses[0].backward()
    for parameter in task.network.parameters():
        assert parameter.grad is None or parameter.grad.to_dense().isfinite().all()


def test_teacher_labels_its_best_arcs_where_there_is_no_head(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    sentences = masked(treebank, 3)
    task = make_joint(sentences, seed=2)
    found, words, layout = answered(task, one_batch(task))
    tree: Any = task.heads["tree"]
    labels = tree.soft_targets(found["tree"], words, layout)["labels"]
    best = found["tree"].arcs.argmax(1)
    gold = torch.tensor([head for sentence in sentences for head in sentence.column("head")])
    heads = torch.where(gold[words] >= 0, gold[words], best)
    assert (heads != gold[words]).any()
    rows = layout.places[layout.sentences, (heads - 1).clamp(min=0)]
    rows = torch.where(heads == 0, len(words), rows)
    answer = found["tree"]
    assert_close(labels, answer.label_scores(answer.dependents, answer.heads[rows]))


def test_nothing_is_learnt_from_a_teacher_that_agrees_about_words_without_annotation(
    make_joint: Make, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", 0.0)
    bare = masked(treebank, 0, 1.0)
    task = make_joint([*treebank, *bare], seed=4, k=0, batch_size=1)
    teacher = Teacher(task.network)
    n_words, n_bare = sum(map(len, treebank)), 0
    for batch in task.batches(np.random.default_rng(2)):
        task.network.zero_grad()
        task.loss(batch, teacher).backward()
        gradients = [p.grad.to_dense() for p in task.network.parameters() if p.grad is not None]
        learns = any((gradient.abs() > 1e-4).any() for gradient in gradients)
        is_bare = bool(batch.words.min() >= n_words)
        n_bare += is_bare
        assert learns != is_bare
    assert n_bare


def test_forms_without_a_tag_are_swapped_for_no_other() -> None:
    forms = np.array([0, 1, 2, 0, 3, 4, 3, 5], np.int64)
    tags = np.array([1, 1, 0, 0, 0, 2, 2, 0], np.int64)  # 0 is no tag
    swaps = Swaps(*_tagged(forms, tags, tags > 0))
    torch.manual_seed(1)
    met = {form: set(swaps(torch.full((200,), form)).tolist()) for form in range(6)}
    assert met == {0: {0, 1}, 1: {0, 1}, 2: {2}, 3: {3, 4}, 4: {3, 4}, 5: {5}}


# whole trainings


@pytest.mark.parametrize("simplify", [None, {"keep": 0.5}], ids=["whole", "cut"])
@pytest.mark.parametrize("tree", ["graph", "transitions"])
def test_half_of_the_annotation_is_enough_to_train_and_annotate(
    train: Train, crossing: list[Sentence], tree: str, simplify: Any
) -> None:
    sentences = [*masked(crossing, 1), *crossing[:3]]
    records: list[Any] = []
    model = train(
        "joint",
        sentences,
        sentences,
        config={"tree": tree},
        simplify=simplify,
        hooks=Hooks(on_record=records.append),
    )
    assert model.fills == ("upos", "xpos", "lemma", "head", "deprel")
    assert set(model.file.header["scores"]) == {"upos", "xpos", "lemmas", "uas", "las"}
    for parsed in model.pipe(crossing):
        assert is_tree(parsed.column("head"), single_root=True)
        assert "_" not in {*parsed.column("upos"), *parsed.column("deprel")}
    notes = [record.text for record in records if isinstance(record, Note)]
    assert any(note.startswith("train: partly annotated: UPOS of ") for note in notes)
    assert all(np.isfinite(r.loss) for r in records if isinstance(r, EpochRecord))


def test_what_dev_does_not_have_is_no_score(
    train: Train, treebank: list[Sentence], capsys: pytest.CaptureFixture[str]
) -> None:
    bare = [s.with_columns(head=[-1] * len(s), deprel=["_"] * len(s)) for s in treebank]
    records: list[Any] = []
    model = train("joint", treebank, bare, hooks=Hooks(on_record=records.append))
    epochs = [record for record in records if isinstance(record, EpochRecord)]
    for record in epochs:
        assert (record.scores["uas"], record.scores["las"]) == (None, None)
        known = [record.scores[name] for name in ("upos", "xpos", "lemmas")]
        assert record.score == pytest.approx(np.mean(known))
        assert None not in known
    with TrainingDisplay(progress=False) as display:
        display(epochs[0])
    header, row = capsys.readouterr().err.splitlines()
    shown = dict(zip(header.split(), row.split(), strict=False))
    assert (shown["UAS"], shown["LAS"]) == ("-", "-")
    assert model.file.header["scores"]["las"] is None
    assert "LAS" not in summary(model.file)["dev, words given"]


def test_last_epoch_is_kept_where_dev_has_nothing_to_score(
    train: Train, treebank: list[Sentence]
) -> None:
    bare = [s.with_columns(head=[-1] * len(s), deprel=["_"] * len(s)) for s in treebank]
    model = train("joint", treebank, bare, config={"heads": ("tree",)}, training={"patience": 1})
    assert model.file.header["training"]["epoch"] == 3


def test_shares_are_reported_of_columns_that_are_partly_annotated(
    train: Train, treebank: list[Sentence]
) -> None:
    # 6 of 30 words lack a head and so a label, 2 a lemma; both columns of tags are whole
    bare = treebank[0].with_columns(head=[-1] * 6, deprel=["_"] * 6)
    shorter = treebank[1].with_columns(lemma=["_"] * 2)
    partial = [bare, shorter, *treebank[2:]]
    n_words = sum(map(len, treebank))
    records: list[Any] = []
    hooks = Hooks(on_record=records.append)
    train("joint", partial, partial, training={"epochs": 1}, hooks=hooks)
    heads, lemmas = n_words - 6, n_words - 2
    notes = [r.text for r in records if isinstance(r, Note) and "partly" in r.text]
    assert notes == [
        f"train: partly annotated: lemmas of {100 * lemmas / n_words:.1f} % of the words, "
        f"heads of {100 * heads / n_words:.1f} %",
        f"dev: partly annotated: heads of {heads} words ({100 * heads / n_words:.1f} %); "
        "the scores count these words",
    ]
    records.clear()
    train("joint", treebank, treebank, training={"epochs": 1}, hooks=hooks)
    assert not [r for r in records if isinstance(r, Note) and "partly" in r.text]


@pytest.mark.parametrize(
    "columns", [("upos", "xpos"), ("lemma",), ("head",), ("deprel",), ("head", "deprel")], ids=str
)
def test_one_sentence_may_lack_a_column(
    train: Train, treebank: list[Sentence], tmp_path: Path, columns: Any
) -> None:
    partial = [*masked(treebank[:1], 0, 1.0, columns), *treebank[1:]]
    path = tmp_path / "train.conllu"
    path.write_text("".join(sentence.to_text() for sentence in partial), encoding="utf-8")
    model = train("joint", path, path, training={"epochs": 1})
    assert model.fills == ("upos", "xpos", "lemma", "head", "deprel")
    for column in columns:
        values = [value for s in model.pipe(treebank) for value in s.column(column)]
        assert {"_", -1}.isdisjoint(values)
    for tags in model.file.header["tags"].values():
        assert "_" not in tags
    assert "_" not in model.file.header["labels"]
    assert '"_"' not in model.file.header["scripts"]


def test_file_whose_heads_go_round_in_a_circle_is_refused(
    train: Train, treebank: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "train.conllu"
    circle = treebank[0].with_columns(head=[2, 1, -1, -1, -1, -1])
    path.write_text("".join(s.to_text() for s in [*treebank, circle]), encoding="utf-8")
    with pytest.raises(DataError, match=r"train\.conllu:39: the heads go round in a circle"):
        train("joint", path)


def test_resumed_run_on_a_partly_annotated_treebank_ends_as_an_unbroken_one(
    train: Train, treebank: list[Sentence], tmp_path: Path
) -> None:
    partial = masked(treebank, 2)
    given: dict[str, Any] = {"sentences": partial, "dev": partial, "simplify": {"keep": 0.5}}
    whole = train("joint", **given)
    path = tmp_path / "model.safetensors"

    def stop(record: Any) -> None:
        if isinstance(record, EpochRecord) and record.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("joint", **given, output=path, hooks=Hooks(on_record=stop))
    resumed = train("joint", **given, output=path, resume=True)
    for name, array in whole.file.arrays.items():
        np.testing.assert_array_equal(resumed.file.arrays[name], array)


def test_calibration_asks_about_annotated_words_alone(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    model = make_joint(treebank, seed=1).frozen()
    partial = masked(treebank, 4)
    annotation = Annotation(partial)
    found = {kind: len(values) for kind, (values, _) in answers(model, partial).items()}
    assert found["UPOSConf"] == annotation.known("upos").sum()
    assert found["XPOSConf"] == annotation.known("xpos").sum()
    assert found["LemmaConf"] == annotation.known("lemma").sum()
    assert found[ARCS] + found[ROOTS] == annotation.known("head").sum()
