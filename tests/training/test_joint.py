"""The joint model: the network that is stored, the cut, and treebanks that lack something."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_projective, is_tree
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.heads import graph as frozen_graph
from meprop_nlp.models.heads import lemmas as frozen_lemmas
from meprop_nlp.models.model import load
from meprop_nlp.models.packing import rounded
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.nn.optimizers import make_optimizer
from meprop_nlp.parsing.spanning_tree import spanning_tree
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.training import joint as joint_module
from meprop_nlp.training.heads.head import States, TrainedHead
from meprop_nlp.training.heads.lemmas import Lemmas
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.joint import JointTask
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.records import Note
from meprop_nlp.training.simplification import teacher as teacher_module
from meprop_nlp.training.simplification.importance import taylor_scores
from meprop_nlp.training.simplification.teacher import Teacher
from meprop_nlp.training.weights import arrays_of

CPU = torch.device("cpu")
TREE_READERS = ("arc_dep", "arc_head", "label_dep", "label_head", "root")
Make = Callable[..., JointTask]
Train = Callable[..., Any]
CUT = {
    "layer1.forward": [0, 3],
    "layer1.backward": [1],
    "layer2.forward": [2, 4, 5],
    "layer2.backward": [0, 5],
}


def epoch_loss(task: JointTask, teacher: Teacher | None = None) -> float:
    with torch.no_grad():
        batches = task.batches(np.random.default_rng(1))
        return sum(float(task.loss(batch, teacher)) for batch in batches)


# the network that is stored


def round_as_stored(task: JointTask) -> None:
    """Give the network the weights that a model file would give back."""
    stored = rounded(arrays_of(task.network))
    with torch.no_grad():
        for name, parameter in task.network.named_parameters():
            parameter.copy_(torch.from_numpy(stored[name]))


@pytest.mark.parametrize(
    "heads", [("tags", "lemmas", "tree"), ("lemmas", "tree"), ("tags", "tree"), ("tree",)], ids=str
)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.usefixtures("fine_digits")
def test_stored_model_scores_as_the_network(
    make_joint: Make,
    crossing: list[Sentence],
    monkeypatch: pytest.MonkeyPatch,
    heads: tuple[str, ...],
    layers: int,
) -> None:
    task = make_joint(crossing, seed=layers, heads=heads, layers=layers, dropout=0.5)
    round_as_stored(task)
    task.network.eval()
    task.batch_size = 10**6
    (batch,) = task.batches(np.random.default_rng(1))
    words = SentenceWords(crossing)
    with torch.no_grad():
        layout = Layout.of(batch.batch_sizes, CPU)
        answers = task.network(task._inputs(batch), layout)
    order = torch.from_numpy(np.argsort(batch.words))  # as in the treebank

    model = task.frozen()
    scripts, arcs = [], []
    softmax = frozen_lemmas.softmax
    monkeypatch.setattr(frozen_lemmas, "softmax", lambda x: (scripts.append(x), softmax(x))[1])
    monkeypatch.setattr(
        frozen_graph, "spanning_tree", lambda x: (arcs.append(x.copy()), spanning_tree(x))[1]
    )
    assert model.encoder is not None
    states = model.encoder(words)
    prediction = {
        name: head.annotate(words, states, confidence=True) for name, head in model.heads.items()
    }

    if "tags" in heads:
        expected = torch.cat([each.softmax(1) for each in answers["tags"].values()], 1)[order]
        assert states.tags is not None
        np.testing.assert_allclose(states.tags, expected, atol=1e-4)
        vocabs: Any = task.heads["tags"]
        for column, logits in answers["tags"].items():
            tags = [vocabs.vocabs[column][i] for i in logits[order].argmax(1).tolist()]
            assert prediction["tags"].texts[column].to_list() == tags
    if "lemmas" in heads:
        found = scripts[0]  # forms that are too short for their best script are asked about again
        np.testing.assert_allclose(found, answers["lemmas"][order], rtol=1e-4, atol=1e-4)
    answer, places = answers["tree"], order.tolist()
    heads_of_words = prediction["tree"].heads
    assert heads_of_words is not None
    ends = accumulate(map(len, crossing), initial=0)
    rows = []
    for (start, end), scores in zip(pairwise(ends), arcs, strict=True):
        own = answer.arcs[order[start:end], : end - start + 1].numpy()
        np.testing.assert_allclose(scores, own, rtol=1e-4, atol=1e-4)
        tree = heads_of_words[start:end].tolist()
        assert tree == spanning_tree(own).tolist()
        assert is_tree(tree, single_root=True)
        rows += [places[start + head - 1] if head else len(places) for head in tree]
        chances = torch.from_numpy(own).softmax(1)[range(end - start), tree]
        found = prediction["tree"].confidence["ArcConf"][start:end]
        np.testing.assert_allclose(found, chances, atol=1e-4)
    with torch.no_grad():
        labels = answer.label_scores(answer.dependents[order], answer.heads[rows]).argmax(1)
    names: Any = task.heads["tree"]
    # whatever label is best, `root` is where the head is 0, and nowhere else
    chosen = zip([names.labels[n] for n in labels], heads_of_words.tolist(), strict=True)
    fitting = [
        "root" if not head else "dep" if label.partition(":")[0] == "root" else label
        for label, head in chosen
    ]
    assert prediction["tree"].texts["deprel"].to_list() == fitting


def test_every_output_is_a_tree_with_one_root(make_joint: Make, crossing: list[Sentence]) -> None:
    rng = np.random.default_rng(0)
    forms = [form for sentence in crossing for form in sentence.forms]
    new = [Sentence.from_words(rng.choice(forms, size)) for size in (1, 2, 3, 5, 8, 13, 21, 60)]
    shapes = set()
    for seed in range(3):
        for parsed in make_joint(crossing, seed=seed).frozen().pipe([*crossing, *new]):
            heads = parsed.column("head")
            assert is_tree(heads, single_root=True)
            shapes.add(is_projective(heads))
    assert shapes == {True, False}


# the cut


def test_cut_network_is_the_network_with_those_neurons_masked(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    task = make_joint(treebank, seed=3)
    network, layers = task.network, task.network.encoder.layers
    of_heads = ["lemmas.hidden", "tree.arc_dep", "tree.arc_head", "tree.label"]
    assert [part.name for part in task.simplified_layers()] == [*CUT, *of_heads]
    with torch.no_grad():
        for n, layer in enumerate(layers, start=1):
            directions = {"forward": layer.left_to_right, "backward": layer.right_to_left}
            # readers have the forward units 0 to 5, then the backward units 0 to 5
            gone = [
                unit + 6 * (name == "backward")
                for name in directions
                for unit in CUT[f"layer{n}.{name}"]
            ]
            for name, direction in directions.items():
                direction.weight_hh_l0[:, CUT[f"layer{n}.{name}"]] = 0
            if n == 1:
                for direction in (layers[1].left_to_right, layers[1].right_to_left):
                    direction.weight_ih_l0[:, gone] = 0
                for output in network.early.readers():
                    output.weight[:, gone] = 0
        for name, parameter in network.named_parameters():
            if name.startswith("tags.outputs") and name.endswith("weight"):
                parameter[:, gone] = 0
            if name in {f"tree.{end}.weight" for end in TREE_READERS} | {"lemmas.hidden.weight"}:
                parameter[:, gone] = 0
        # of the heads' own layers, the second neuron: what reads it has it no more
        network.lemmas.output.weight[:, 1] = 0
        network.tree.arcs.weight[:, 1] = 0
        network.tree.arcs.weight[1] = network.tree.arcs.bias[1] = 0
        network.tree.labels.weight[:, 1] = 0
    masked = epoch_loss(task)
    scores, widths = {}, {}
    for part in task.simplified_layers():
        cut = CUT.get(part.name, [1])
        scores[part.name] = torch.ones(len(part.layer.hits))
        scores[part.name][cut] = 0
        widths[part.name] = len(part.layer.hits) - len(cut)
    optimizer = torch.optim.Adam(network.parameters())
    simplifier = Simplifier(task.simplified_layers(), min_neurons=1)
    records = simplifier.step(optimizer, widths=widths, scores=scores)
    assert {record.name: record.after for record in records} == widths
    assert epoch_loss(task) == pytest.approx(masked, rel=1e-5)
    assert network.encoder.width == 7
    frozen = task.frozen()
    assert frozen.file.arrays["tree.root.weight"].shape[1] == 7 + task.config.tag_dim
    frozen.evaluate(treebank)


@pytest.mark.parametrize("heads", [("tags", "lemmas", "tree"), ("lemmas",), ("tree",)], ids=str)
def test_unit_counts_by_all_that_it_does_in_every_head(
    make_joint: Make, treebank: list[Sentence], heads: tuple[str, ...]
) -> None:
    # k of 0, for meProp's gradients of hidden layers are not exact
    task = make_joint(treebank, seed=6, heads=heads, layers=2, k=0, batch_size=10**6)
    found = taylor_scores(task, task.simplified_layers())
    (batch,) = task.batches(np.random.default_rng(1))
    layout, words = Layout.of(batch.batch_sizes, CPU), torch.from_numpy(batch.words)
    task.network.eval()
    forms, (*_, context) = task.network.encoder(task._inputs(batch))
    read = context.detach().requires_grad_()
    states, loss = States(forms.detach(), read, layout), torch.zeros(())
    for name, head in task.heads.items():
        loss = loss + head.loss(task.network.get_submodule(name)(states), words, layout)
    loss.backward()
    expected = (read * read.grad).abs().sum(0).double()
    assert_close(found["layer2.forward"], expected[:6], rtol=1e-4, atol=1e-6)
    assert_close(found["layer2.backward"], expected[6:], rtol=1e-4, atol=1e-6)
    assert (found["layer1.forward"] > 0).all()


@pytest.mark.parametrize("criterion", ["taylor", "hits", "random"])
def test_every_criterion_can_cut(train: Train, criterion: str) -> None:
    cut = {"criterion": criterion, "keep": 0.5}
    model = train("joint", simplify=cut, training={"epochs": 2})
    # half of each layer; of those that cost little, 7 and 5 wide, the square root of a half
    of_heads = {"lemmas.hidden": 5, "tree.arc_dep": 4, "tree.arc_head": 4, "tree.label": 4}
    assert model.file.header["neurons"] == {**dict.fromkeys(CUT, 4), **of_heads}


def test_reconstruction_is_for_layers_that_linear_layers_read(train: Train) -> None:
    cut = {"criterion": "reconstruction", "keep": 0.5}
    with pytest.raises(ConfigError, match=r"reconstruction is for .* layer1\.forward is not one"):
        train("joint", simplify=cut)
    with pytest.raises(ConfigError, match=r"reconstruction is for .* tree\.arc_head is not one"):
        train("joint", config={"layers": 1}, simplify=cut, knowledge={"teachers": 1})
    config = {"layers": 1, "heads": ("tags", "lemmas")}
    model = train("joint", config=config, simplify=cut, training={"epochs": 2})
    assert list(model.file.header["neurons"].values()) == [4, 4, 5]


def test_cut_network_learns_from_the_whole_one(
    make_joint: Make, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", 0.0)
    task = make_joint(treebank, hidden=8, k=3, batch_size=10**6)
    teacher = Teacher(task.network)
    layers = task.simplified_layers()
    Simplifier(layers).step(widths={part.name: 4 for part in layers})
    batch = next(task.batches(np.random.default_rng(1)))
    optimizer = make_optimizer("adam", task.network.parameters(), lr=0.01)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = task.loss(batch, teacher)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]
    by_labels = epoch_loss(task)
    assert losses[-1] != pytest.approx(by_labels, rel=1e-3)


def test_teacher_reads_the_words_that_are_hidden_from_the_network(
    make_joint: Make, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", 0.0)
    task = make_joint(treebank, seed=4, word_dropout=1e12)
    teacher = Teacher(task.network)
    rows = []
    teacher.network.encoder.register_forward_pre_hook(lambda _, given: rows.append(given[0].rows))
    epoch_loss(task, teacher)
    words = torch.cat(rows)[:, 0]
    assert sorted(words.tolist()) == sorted(
        row for sentence in treebank for row in task.lexicon.encode(sentence.forms)[:, 0].tolist()
    )
    assert (words > 0).all()


def pupil(
    make_joint: Make, treebank: list[Sentence], **given: Any
) -> tuple[JointTask, Teacher, list[torch.Tensor]]:
    """A cut network, its teacher, and the rows of words about which that is asked."""
    task = make_joint(treebank, seed=4, **given)
    teacher, asked = Teacher(task.network), []
    teacher.network.encoder.register_forward_pre_hook(lambda _, given: asked.append(given[0].rows))
    layers = task.simplified_layers()
    Simplifier(layers).step(widths={part.name: 3 for part in layers})
    return task, teacher, asked


@pytest.mark.parametrize("heads", [(), ("tree",), ("tags", "lemmas")], ids=str)
def test_remembered_answers_are_those_the_teacher_would_give(
    make_joint: Make, crossing: list[Sentence], monkeypatch: pytest.MonkeyPatch, heads: Any
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", 0.0)
    monkeypatch.setattr(joint_module, "ASKED_WORDS", 15)  # several minibatches
    task, teacher, asked = pupil(make_joint, crossing, heads=heads)
    asking = Teacher(task.network)
    asking.network = teacher.network
    monkeypatch.setattr(asking, "remembers", lambda *sizes: False)
    for epoch in range(2):
        for batch in task.batches(np.random.default_rng(epoch)):
            remembered = task.loss(batch, teacher)
            if epoch == 0:  # about each word once
                assert len(torch.cat(asked)) == sum(map(len, crossing))
                assert len(asked) > 1
            else:
                assert not asked
            assert_close(remembered, task.loss(batch, asking), rtol=1e-3, atol=1e-3)
            assert remembered.item() != pytest.approx(task.loss(batch).item(), rel=2e-3)
            del asked[-1]
        asked.clear()


@pytest.mark.parametrize("spare", [0, -1])
def test_teacher_is_asked_anew_where_not_all_can_be_remembered(
    make_joint: Make, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch, spare: int
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", 0.0)
    task, teacher, asked = pupil(make_joint, treebank)
    heads: Any = task.heads
    each = heads["tags"].n_tags + len(heads["lemmas"].scripts) + len(heads["tree"].labels)
    lengths = np.array([len(sentence) for sentence in treebank])
    numbers = each * lengths.sum() + (lengths * (lengths + 1)).sum()
    monkeypatch.setattr(teacher_module, "MOST_REMEMBERED", numbers + spare)
    first, second = (epoch_loss(task, teacher) for _ in range(2))
    assert first == pytest.approx(second, rel=1e-6)
    n_words = len(torch.cat(asked))
    assert n_words == lengths.sum() * (1 if spare == 0 else 2)


def test_head_that_does_not_say_how_is_not_remembered_and_needs_labels(
    make_joint: Make, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lemmas, "soft_widths", TrainedHead.soft_widths)
    monkeypatch.setattr(JointTask, "synthetic", 0.0)
    task, teacher, asked = pupil(make_joint, treebank)
    batches = list(task.batches(np.random.default_rng(1)))
    for batch in batches:
        task.loss(batch, teacher)
    assert len(asked) == len(batches)
    monkeypatch.setattr(JointTask, "synthetic", 1.0)
    losses = []
    for _ in range(2):
        torch.manual_seed(3)  # the same words are swapped
        losses.append(task.loss(batches[0], teacher).item())
        task.heads.pop("lemmas", None)
    assert losses[0] == losses[1]


def forget_labels(task: JointTask) -> None:
    """Give every word other targets."""
    tags, lemmas, tree = (task.heads[name] for name in ("tags", "lemmas", "tree"))
    for target in (*tags._targets.values(), lemmas._targets, tree._heads, tree._labels):
        target.zero_()


@pytest.mark.parametrize("synthetic", [False, True])
def test_labels_of_a_synthetic_minibatch_do_not_count(
    make_joint: Make, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch, synthetic: bool
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", float(synthetic))
    task, teacher, asked = pupil(make_joint, treebank)
    read: list[torch.Tensor] = []
    task.network.encoder.register_forward_pre_hook(lambda _, given: read.append(given[0].rows))
    task.batch_size = 10**6
    (batch,) = task.batches(np.random.default_rng(1))

    def loss() -> torch.Tensor:
        torch.manual_seed(3)  # the same words are swapped
        return task.loss(batch, teacher)

    first = loss()
    first.backward()
    gradients = [p.grad.to_dense() for p in task.network.parameters() if p.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    own = task.forms.rows[torch.from_numpy(batch.forms)]
    assert torch.equal(read[0], asked[0]) == synthetic  # else all words are asked about at once
    assert torch.equal(read[0], own) != synthetic
    forget_labels(task)
    assert (loss().item() == first.item()) == synthetic


def test_nothing_is_learnt_from_a_teacher_that_agrees_about_synthetic_sentences(
    make_joint: Make, crossing: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", 1.0)
    task = make_joint(crossing, seed=4, k=0)
    teacher = Teacher(task.network)
    forget_labels(task)
    for batch in task.batches(np.random.default_rng(1)):
        task.loss(batch, teacher).backward()
    for parameter in task.network.parameters():
        if parameter.grad is not None:
            gradient = parameter.grad.to_dense()
            assert_close(gradient, torch.zeros_like(gradient), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("columns", "expected"), [((), "upos"), (("upos",), "xpos"), (("upos", "xpos"), None)]
)
def test_words_are_swapped_within_the_first_tag_column_that_is_filled(
    make_joint: Make,
    treebank: list[Sentence],
    monkeypatch: pytest.MonkeyPatch,
    columns: tuple[str, ...],
    expected: str | None,
) -> None:
    monkeypatch.setattr(JointTask, "synthetic", 1.0)
    task, teacher, asked = pupil(make_joint, without(treebank, *columns), heads=("tree",))
    torch.manual_seed(5)
    task.batch_size = 10**6
    (batch,) = task.batches(np.random.default_rng(1))
    task.loss(batch, teacher)
    swapped = asked[0][:, 0].tolist()
    own = task.forms.rows[torch.from_numpy(batch.forms)][:, 0].tolist()
    if expected is None:  # there is no saying which words are alike
        assert sorted(swapped) == sorted(own)
        return
    assert swapped != own
    tags: dict[int, set[str]] = {}
    for sentence in treebank:
        rows = task.lexicon.encode(sentence.forms)[:, 0].tolist()
        for row, tag in zip(rows, sentence.column(expected), strict=True):
            tags.setdefault(row, set()).add(tag)
    # `saw` is a noun once and a verb once
    assert all(tags[before] & tags[after] for before, after in zip(own, swapped, strict=True))


def test_share_of_dropout_reaches_every_part(make_joint: Make, treebank: list[Sentence]) -> None:
    task = make_joint(treebank, seed=5, dropout=0.5, part_dropout=0.5)
    without = make_joint(treebank, seed=5)
    assert epoch_loss(task) != pytest.approx(epoch_loss(without), rel=1e-3)
    task.network.dropout_share = 0.0
    assert task.network.dropout_share == 0.0
    assert epoch_loss(task) == pytest.approx(epoch_loss(without), rel=1e-5)


# treebanks and heads


def without(treebank: list[Sentence], *columns: str) -> list[Sentence]:
    """The treebank with these columns empty."""
    return [
        sentence.with_columns(
            **{name: [-1 if name == "head" else "_"] * len(sentence) for name in columns}
        )
        for sentence in treebank
    ]


@pytest.mark.parametrize(
    ("empty", "fills"),
    [
        ((), ("upos", "xpos", "lemma", "head", "deprel")),
        (("xpos",), ("upos", "lemma", "head", "deprel")),
        (("lemma",), ("upos", "xpos", "head", "deprel")),
        (("head", "deprel"), ("upos", "xpos", "lemma")),
        (("upos", "xpos"), ("lemma", "head", "deprel")),
        (("upos", "xpos", "head", "deprel"), ("lemma",)),
        (("upos", "xpos", "lemma"), ("head", "deprel")),
        (("deprel",), ("upos", "xpos", "lemma", "head", "deprel")),
    ],
    ids=str,
)
@pytest.mark.parametrize("in_file", [False, True])
def test_model_learns_what_the_treebank_has(
    train: Train,
    treebank: list[Sentence],
    tmp_path: Path,
    empty: tuple[str, ...],
    fills: tuple[str, ...],
    in_file: bool,
) -> None:
    source: Any = without(treebank, *empty)
    if in_file:
        text = "".join(sentence.to_text() for sentence in source)
        source = tmp_path / "train.conllu"
        source.write_text(text, encoding="utf-8")
    output = tmp_path / "model.safetensors"
    model = train("joint", source, source, training={"epochs": 1}, output=output)
    assert (model.fills, model.reads) == (fills, ())
    names = [name for name in ("tags", "lemmas", "tree") if name in model.heads]
    assert list(model.heads) == names
    assert list(model.config.heads) == names
    expected = [str(sentence) for sentence in model.pipe(treebank)]
    assert [str(sentence) for sentence in load(output).pipe(treebank)] == expected
    scored = {"lemma": "lemmas", "head": "uas", "deprel": "las"}
    assert set(model.file.header["scores"]) == {scored.get(name, name) for name in fills}


def test_treebank_with_nothing_to_learn_is_refused(train: Train, treebank: list[Sentence]) -> None:
    bare = without(treebank, "lemma", "upos", "xpos", "head", "deprel")
    with pytest.raises(DataError, match="has no tags, no lemmas and no trees"):
        train("joint", bare)


def test_heads_and_columns_are_those_the_user_chooses(
    train: Train, treebank: list[Sentence]
) -> None:
    short = {"epochs": 1}
    chosen = train(
        "joint", config={"heads": ("tree", "tags"), "columns": ("xpos",)}, training=short
    )
    assert list(chosen.heads) == ["tags", "tree"]  # in the order in which they annotate
    assert chosen.fills == ("xpos", "head", "deprel")
    plain = without(treebank, "head", "deprel")
    only = train("joint", plain, config={"heads": ("lemmas",)}, training=short)
    assert only.fills == ("lemma",)
    kept = next(only.pipe(treebank[:1]))
    assert kept.column("head") == treebank[0].column("head")


@pytest.mark.parametrize(
    ("empty", "config", "message"),
    [
        (("lemma",), {"heads": ("lemmas",)}, "the training file has no lemmas; choose others with"),
        (("head",), {"heads": ("tree", "tags")}, "the training file has no tree; choose"),
        (
            ("lemma", "upos", "xpos"),
            {"heads": ("tags", "lemmas")},
            "the training file has no tags and no lemmas",
        ),
        ((), {"columns": ("upos", "feats")}, "columns feats hold only '_'; it fills upos, xpos"),
    ],
)
def test_head_or_column_that_the_file_has_no_data_for_is_refused(
    train: Train, treebank: list[Sentence], empty: Any, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        train("joint", without(treebank, *empty), config=config)


def test_heads_are_learnt_of_a_file_whose_first_sentence_has_none(
    train: Train, treebank: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "train.conllu"
    mixed = [*without(treebank[:1], "head", "deprel"), *treebank[1:]]
    path.write_text("".join(sentence.to_text() for sentence in mixed), encoding="utf-8")
    model = train("joint", path, training={"epochs": 1})
    assert list(model.heads) == ["tags", "lemmas", "tree"]
    model = train("joint", path, config={"heads": ("tags",)}, training={"epochs": 1})
    assert model.fills == ("upos", "xpos")


def test_dev_values_that_train_has_not_give_a_warning(
    train: Train, treebank: list[Sentence]
) -> None:
    new = [f"new{n}" for n in range(6)]
    dev = [treebank[0].with_columns(upos=new, deprel=new)]
    records: list[Any] = []
    train("joint", dev=dev, hooks=Hooks(on_record=records.append), training={"epochs": 1})
    assert [record.text for record in records if isinstance(record, Note) and record.warning] == [
        "upos values in dev but not in train: 6 (new0, new1, new2, ...)",
        "labels in dev but not in train: 6 (new0, new1, new2, ...)",
    ]


def test_crossing_trees_come_out_as_they_are_learnt(train: Train, crossing: list[Sentence]) -> None:
    learnt = crossing[-2:-1]
    assert not is_projective(learnt[0].column("head"))
    model = train(
        "joint",
        learnt * 4,
        config={
            "heads": ("tree",),
            "layers": 1,
            "dropout": 0.0,
            "part_dropout": 0.0,
            "label_dim": 9,
        },
        training={"epochs": 25, "learning_rate": 0.03},
        k=0,
    )
    parsed = model(learnt[0].forms)
    assert parsed.column("head") == learnt[0].column("head")
    assert parsed.column("deprel") == learnt[0].column("deprel")


def test_form_that_is_too_short_for_a_script_has_a_lemma(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    task = make_joint(treebank, seed=6, heads=("lemmas",))
    for seed in range(5):
        torch.manual_seed(seed)
        with torch.no_grad():
            task.network.get_submodule("lemmas").output.bias.normal_(0, 30)
        lemmas = [s.column("lemma") for s in task.frozen().pipe([["a", "s", "é", "is"], ["x"]])]
        assert all(lemma and lemma != "_" for sentence in lemmas for lemma in sentence)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("simplify", [None, {}])
def test_joint_model_trains_on_a_gpu(
    train: Callable[..., Any], treebank: list[Sentence], simplify: Any
) -> None:
    model = train("joint", dev=treebank, training={"device": "cuda"}, simplify=simplify)
    assert model.evaluate(treebank).lemmas > 0
    assert np.isfinite(model.file.arrays["encoder.ngrams.weight"]).all()
