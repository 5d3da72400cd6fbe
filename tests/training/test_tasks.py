"""From sentences to minibatches and losses, checked against the slow way, and odd training data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from meprop_nlp.config import (
    NONPROJECTIVE,
    TRANSITION_SYSTEMS,
    ParserConfig,
    Settings,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_projective, is_tree
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.parsing.features import extract, extract_labels
from meprop_nlp.parsing.oracles import DynamicOracle, walk
from meprop_nlp.parsing.projectivity import LIFTED
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.training.batching import by_length, fitting_batch_size
from meprop_nlp.training.heads.gold_trees import POOLED, gold_trees
from meprop_nlp.training.heads.tags import TaggerTask
from meprop_nlp.training.heads.tree import ParserBatch, ParserTask
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.joint import JointTask
from meprop_nlp.training.knowledge.sources import Sources
from meprop_nlp.training.parser import DependencyParser
from meprop_nlp.training.records import Note
from meprop_nlp.training.tagger import Tagger

CPU = torch.device("cpu")


def tagger_task(
    train: list[Sentence], dev: Any = (), *, vectors: Any = (), k: int = 2, **config: Any
) -> TaggerTask:
    settings = {"hidden": 6, "word_dim": 5, "feature_dim": 3, "dropout": 0.0, "word_dropout": 0.0}
    made = Settings.of("tagger", k=k, batch_size=3, **settings | config)
    return TaggerTask(train, dev, made, CPU, Sources(dict(vectors)))


def parser_task(
    train: list[Sentence], dev: Any = (), *, vectors: Any = (), k: int = 2, **config: Any
) -> ParserTask:
    settings = {"hidden": 7, "embedding_dim": 4, "dropout": 0.0, "word_dropout": 0.0}
    made = Settings.of("parser", k=k, batch_size=10, seed=3, **settings | config)
    return ParserTask(train, dev, made, CPU, Sources(dict(vectors)))


def joint_task(
    train: list[Sentence], dev: Any = (), *, vectors: Any = (), k: int = 2, **config: Any
) -> JointTask:
    settings = {
        "hidden": 6, "layers": 2, "word_dim": 5, "feature_dim": 3, "ngram_dim": 4, "ngram_rows": 40,
        "character_dim": 3, "spelling_dim": 4, "lemma_dim": 5, "tag_dim": 3, "arc_dim": 6,
        "label_dim": 4,
        "dropout": 0.0, "part_dropout": 0.0, "word_dropout": 0.0,
    }  # fmt: skip
    made = Settings.of("joint", k=k, batch_size=10, **settings | config)
    return JointTask(train, dev, made, CPU, Sources(dict(vectors)))


MAKE: dict[str, Callable[..., Any]] = {
    "tagger": tagger_task,
    "parser": parser_task,
    "joint": joint_task,
}
both = pytest.mark.parametrize("task", ["tagger", "parser"])
each = pytest.mark.parametrize("task", list(MAKE))


def randomize(network: torch.nn.Module, seed: int, scale: float = 0.5) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, scale, generator=generator)


def epoch_loss(task: Any) -> float:
    with torch.no_grad():
        return sum(float(task.loss(batch)) for batch in task.batches(np.random.default_rng(1)))


@pytest.mark.parametrize(("batch_size", "pool"), [(1, 20), (3, 20), (3, 2), (100, 1)])
def test_by_length_gives_every_sentence_once_longest_first(batch_size: int, pool: int) -> None:
    lengths = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3], np.int64)
    batches = by_length(lengths, batch_size, np.random.default_rng(0), pool=pool)
    assert sorted(np.concatenate(batches).tolist()) == list(range(10))
    assert len(batches) == -(-10 // batch_size)
    for members in batches:
        assert (np.diff(lengths[members]) <= 0).all()


@pytest.mark.parametrize(("n_examples", "expected"), [(1, 4), (100, 4), (1000, 10), (10**6, 32)])
def test_fitting_batch_size_gives_so_many_batches_within_bounds(
    n_examples: int, expected: int
) -> None:
    size = fitting_batch_size(n_examples, smallest=4, largest=32, n_batches=100)
    assert size == expected


def test_packed_batches_hold_every_word_once_in_naive_order(treebank: list[Sentence]) -> None:
    task = tagger_task(treebank)
    lengths = {}  # of the sentence that starts at this place
    for start, sentence in zip(
        itertools.accumulate(map(len, treebank), initial=0), treebank, strict=False
    ):
        lengths[start] = len(sentence)
    batches = list(task.batches(np.random.default_rng(5)))
    assert len(batches) == task.n_batches == 3
    places = np.concatenate([batch.words for batch in batches])
    assert sorted(places.tolist()) == list(range(sum(lengths.values())))
    for batch in batches:
        sizes = batch.batch_sizes.tolist()
        starts = batch.words[: sizes[0]].tolist()
        own = [lengths[start] for start in starts]
        assert own == sorted(own, reverse=True)
        naive = [
            start + t
            for t in range(own[0])
            for start, length in zip(starts, own, strict=True)
            if t < length
        ]
        assert batch.words.tolist() == naive
        assert sizes == [sum(length > t for length in own) for t in range(own[0])]
        assert batch.n_words == sum(own)


def test_tagger_loss_is_the_mean_over_words_of_sentences_read_one_by_one(
    treebank: list[Sentence],
) -> None:
    task = tagger_task(treebank)
    randomize(task.network, 2)
    losses = {}
    for sentence in treebank:
        rows = torch.from_numpy(task.lexicon.encode(sentence.forms))
        with torch.no_grad():
            logits = task.network(rows, torch.ones(len(sentence), dtype=torch.long))
        chances = {name: logits[name].double().softmax(1) for name in task.tags}
        losses[id(sentence)] = [
            -sum(
                math.log(chances[name][i, vocab.index(sentence.column(name)[i])])
                for name, vocab in task.tags.items()
            )
            for i in range(len(sentence))
        ]
    flat = [loss for sentence in treebank for loss in losses[id(sentence)]]
    for batch in task.batches(np.random.default_rng(0)):
        expected = np.mean([flat[place] for place in batch.words])
        assert task.loss(batch).item() == pytest.approx(expected, rel=1e-4)


def naive_logits(task: ParserTask, sentence: Sentence, state: Any) -> np.ndarray:
    """Chen & Manning's network, slot by slot, in float64."""
    weights = {name: p.detach().double().numpy() for name, p in task.network.named_parameters()}
    rows = task.lexicon.encode(sentence.forms)
    words, tags = [], []
    positions = extract(state, b0_has_children=task.system.b0_has_children)
    for position in positions:
        if position <= 0:
            special = {0: 0, -1: 1}[position]
            words.append(weights["special.weight"][special])
            tags.append(weights["special.weight"][2 + special])
            continue
        row = rows[position - 1]
        features = [weights["features.weight"][i] for i in row[1:]]
        words.append(weights["words.weight"][row[0]] + sum(features))
        tag, offset = np.zeros(task.config.embedding_dim), 0
        for name, vocab in task.tags.items():
            tag += weights["tags.weight"][offset + vocab.index(sentence.column(name)[position - 1])]
            offset += len(vocab)
        tags.append(tag)
    labels = [weights["labels.weight"][label] for label in extract_labels(state, positions)]
    x = np.concatenate([*words, *tags, *labels])
    n_layers = task.config.layers
    for n in range(n_layers + 1):
        x = weights[f"layers.{n}.weight"] @ x + weights[f"layers.{n}.bias"]
        if n < n_layers:
            x = {"relu": np.maximum(x, 0), "cube": x**3, "tanh": np.tanh(x)}[task.config.activation]
    return x


@pytest.mark.parametrize(
    ("system", "oracle", "activation"),
    [
        ("arc-standard", "static", "relu"),
        ("arc-standard", "hybrid", "tanh"),
        ("arc-hybrid", "static", "cube"),
        ("arc-standard-swap", "static", "relu"),
    ],
)
def test_parser_loss_is_the_naive_one(
    crossing: list[Sentence], system: str, oracle: str, activation: str
) -> None:
    task = parser_task(
        crossing, transition_system=system, oracle=oracle, activation=activation, layers=2
    )
    randomize(task.network, 4, scale=0.2)
    rng = np.random.default_rng(3)  # the task's seed
    trees, _ = gold_trees(crossing, projective=task.system.projective)
    losses = []
    doubles = 0
    for sentence, heads, deprels in trees:
        state = task.system.initial(len(sentence))
        labels = [task.labels.index(deprel) for deprel in deprels]
        for target, second in walk(state, task.system, heads, labels, oracle=oracle, rng=rng):
            logits = naive_logits(task, sentence, state)
            legal = [i for i in range(task.system.n_transitions) if task.system.is_valid(state, i)]
            assert target in legal
            norm = math.log(sum(math.exp(logits[i]) for i in legal))
            right = [target] if second < 0 else [target, second]
            doubles += len(right) == 2
            losses.append(sum(norm - logits[i] for i in right) / len(right))
    assert (doubles > 0) == (oracle == "hybrid")
    every = np.arange(len(losses))
    assert sorted(
        np.concatenate([batch.chosen for batch in task.batches(np.random.default_rng(0))])
    ) == list(every)
    for chosen in (every, every[::3], every[:1]):
        actual = task.loss(ParserBatch(chosen, 0)).item()
        assert actual == pytest.approx(float(np.mean([losses[i] for i in chosen])), rel=1e-4)


def test_with_the_dynamic_oracle_the_examples_are_what_the_parser_meets(
    crossing: list[Sentence],
) -> None:
    task = parser_task(crossing, transition_system="arc-hybrid", oracle="dynamic")
    randomize(task.network, 4, scale=0.2)
    trees, _ = gold_trees(crossing, projective=True)
    every = np.arange(2 * sum(len(sentence) for sentence, _, _ in trees))
    static = parser_task(crossing, transition_system="arc-hybrid")
    static.network.load_state_dict(task.network.state_dict())
    task.begin_epoch(0)
    assert task.state() == {}
    same = task.loss(ParserBatch(every, 0)).item()
    assert same == pytest.approx(static.loss(ParserBatch(every, 0)).item())
    task.begin_epoch(1)
    losses, wrong = [], 0
    for sentence, heads, deprels in trees:
        state = task.system.initial(len(sentence))
        labels = [task.labels.index(deprel) for deprel in deprels]
        oracle = DynamicOracle(task.system, heads, labels)
        while not state.is_terminal():
            logits = naive_logits(task, sentence, state)
            legal = [i for i in range(task.system.n_transitions) if task.system.is_valid(state, i)]
            target = max(oracle.next(state), key=lambda i: logits[i])
            losses.append(math.log(sum(math.exp(logits[i]) for i in legal)) - logits[target])
            followed = max(legal, key=lambda i: logits[i])
            wrong += followed not in oracle.next(state)
            task.system.apply(state, followed)
    assert wrong > 0
    assert len(losses) == len(every)
    for chosen in (every, every[::3], every[:1]):
        expected = float(np.mean([losses[i] for i in chosen]))
        assert task.loss(ParserBatch(chosen, 0)).item() == pytest.approx(expected, rel=1e-3)
    other = parser_task(crossing, transition_system="arc-hybrid", oracle="dynamic")
    other.network.load_state_dict(task.network.state_dict())
    other.restore(task.state())
    assert other.loss(ParserBatch(every, 0)).item() == task.loss(ParserBatch(every, 0)).item()


@each
def test_word_dropout_hides_words_as_the_unknown_one(treebank: list[Sentence], task: str) -> None:
    usual, hiding, blind = (MAKE[task](treebank, word_dropout=rate) for rate in (0.0, 1e12, 0.0))
    for made in (usual, hiding, blind):
        randomize(made.network, 1)
    with torch.no_grad():
        blind.network.words.weight[:] = blind.network.words.weight[0]
    assert epoch_loss(hiding) == pytest.approx(epoch_loss(blind), rel=1e-5)
    assert epoch_loss(hiding) != pytest.approx(epoch_loss(usual), rel=1e-3)


@each
def test_rare_words_are_hidden_more_often(treebank: list[Sentence], task: str) -> None:
    made = MAKE[task](treebank, word_dropout=0.5)
    rows = made.forms.rows[:, 0].tolist()
    forms = [form for sentence in treebank for form in sentence.forms]
    for row, chance in zip(rows, made.forms.hidden_chance.tolist(), strict=True):
        count = forms.count(made.lexicon.forms[row])
        assert chance == pytest.approx(0.5 / (0.5 + count))


@both
def test_pretrained_vectors_are_loaded_into_their_rows(treebank: list[Sentence], task: str) -> None:
    width = {"tagger": 5, "parser": 4}[task]
    vectors = {
        form: np.full(width, value, np.float32)
        for form, value in (("dog", 2.0), ("Zürich", 3.0), ("saw", 4.0))
    }
    torch.manual_seed(0)
    made = MAKE[task](treebank, vectors=vectors)
    table = made.network.words.weight.detach().numpy()
    for form, vector in vectors.items():
        assert form in made.lexicon.forms
        np.testing.assert_array_equal(table[made.lexicon.forms.index(form)], vector)
    others = np.delete(table, [made.lexicon.forms.index(form) for form in vectors], 0)
    assert np.abs(others).max() <= 0.1
    assert not np.isin(others, [2, 3, 4]).any()


def test_vectors_file_is_read_for_the_forms_of_the_treebank(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    decomposed = Sentence.from_words(["Cafe\u0301", "!"], upos=["NOUN", "PUNCT"])
    path = tmp_path / "vectors.txt"
    path.write_text("Caf\u00e9 9 9 9 9 9 9\nother 1 1 1 1 1 1\n", encoding="utf-8")
    model = train(
        "tagger",
        [decomposed],
        vectors=path,
        training={"learning_rate": 1e-9},
        config={"columns": ("upos",)},
    )
    assert model.lexicon.forms.to_list()[1:] == ["!", "Caf\u00e9"]
    row = model.lexicon.forms.index("Cafe\u0301")
    np.testing.assert_allclose(model.file.arrays["words.weight"][row], 9, rtol=1e-3)


@each
def test_k_above_the_width_is_refused(treebank: list[Sentence], task: str) -> None:
    MAKE[task](treebank, hidden=6, k=6)
    with pytest.raises(ConfigError, match=r"`k` is 7, expected at most the layer's width, 6"):
        MAKE[task](treebank, hidden=6, k=7)


@both
def test_cut_network_is_the_network_with_those_neurons_masked(
    treebank: list[Sentence], task: str
) -> None:
    made = MAKE[task](treebank, hidden=6, **({"layers": 2} if task == "parser" else {}))
    randomize(made.network, 3)
    network, gone = made.network, {}
    for part, cut in zip(made.simplified_layers(), ([0, 3], [1, 2, 5]), strict=True):
        gone[part.name] = cut
        part.layer.examples.fill_(1)
        part.layer.hits.fill_(1)
        part.layer.hits[cut] = 0
    with torch.no_grad():
        if task == "tagger":
            # the heads read forward units 0 to 5, then backward units 0 to 5
            forward, backward = gone["lstm.forward"], gone["lstm.backward"]
            network.lstm.left_to_right.weight_hh_l0[:, forward] = 0
            network.lstm.right_to_left.weight_hh_l0[:, backward] = 0
            for head in network.heads.values():
                head.weight[:, [*forward, *(6 + unit for unit in backward)]] = 0
        else:
            for n in (0, 1):
                network.layers[n + 1].weight[:, gone[f"layers.{n}"]] = 0
    masked = epoch_loss(made)
    optimizer = torch.optim.Adam(network.parameters())
    records = Simplifier(made.simplified_layers(), prune_rate=0.5).step(optimizer)
    assert [record.after for record in records] == [4, 3]
    assert epoch_loss(made) == pytest.approx(masked, rel=1e-5)
    made.frozen().evaluate(treebank)


@each
def test_simplify_needs_counts_of_a_top_k(train: Callable[..., Any], task: str) -> None:
    for by_hits in ({"schedule": "paper"}, {"criterion": "hits"}):
        for k in (None, 0):
            with pytest.raises(ConfigError, match=r"count which neurons .* need `k`"):
                train(task, k=k, simplify=by_hits)
        with pytest.raises(ConfigError, match="`topk_mode` random"):
            train(task, topk_mode="random", simplify=by_hits)
    train(task, topk_mode="unified", simplify={}, training={"epochs": 2})


@each
@pytest.mark.parametrize("meprop", [{"k": 0}, {"topk_mode": "random"}], ids=str)
def test_cut_by_other_than_hits_needs_no_top_k(
    train: Callable[..., Any], task: str, meprop: dict[str, Any]
) -> None:
    simplify = {"keep": 0.5, "min_neurons": 1}
    model = train(task, **meprop, simplify=simplify, training={"epochs": 2})
    # of the lemma head's layer, which costs little, 5 of 7 stay
    assert set(model.file.header["neurons"].values()) == ({4, 5} if task == "joint" else {4})


@each
def test_k_of_none_and_zero_train_alike_and_a_small_k_otherwise(
    train: Callable[..., Any], task: str
) -> None:
    none, zero, sparse = (train(task, k=k).file.arrays for k in (None, 0, 1))
    for name, array in none.items():
        np.testing.assert_array_equal(zero[name], array)
    words = "encoder.words.weight" if task == "joint" else "words.weight"
    assert not np.allclose(sparse[words], none[words], atol=1e-4)
    if task == "tagger":  # the others have layers that are wider than the hidden layer
        full = train(task, k=8).file.arrays
        for name, array in none.items():
            np.testing.assert_allclose(full[name], array, atol=2e-4)


@both
def test_dev_values_that_train_has_not_give_a_warning(
    train: Callable[..., Any], treebank: list[Sentence], task: str
) -> None:
    column = {"tagger": "upos", "parser": "deprel"}[task]
    new = [f"new{i}" for i in range(6)]
    dev = [treebank[0].with_columns(**{column: new})]
    records: list[Any] = []
    train(task, dev=dev, hooks=Hooks(on_record=records.append), training={"epochs": 1})
    warnings = [r.text for r in records if isinstance(r, Note) and r.warning]
    expected = {"tagger": "upos values", "parser": "labels"}[task]
    assert warnings == [f"{expected} in dev but not in train: 6 (new0, new1, new2, ...)"]
    scores = next(r.scores for r in records if hasattr(r, "scores"))
    assert scores[{"tagger": "upos", "parser": "las"}[task]] == 0


@each
@pytest.mark.parametrize("simplify", [None, {}])
def test_one_sentence_of_one_word_is_enough(
    train: Callable[..., Any], task: str, simplify: dict[str, Any] | None
) -> None:
    one = Sentence.from_words(["Fire"], upos=["NOUN"], head=[0], deprel=["root"])
    model = train(task, [one], [one], simplify=simplify)
    assert str(model(one)) == str(one)
    assert len(model(Sentence.from_words(["Fire", "and", "ice"], upos=["X", "NOUN", "X"]))) == 3


@each
def test_nothing_to_train_on_is_said(train: Callable[..., Any], task: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no sentences in the train data"):
        train(task, [])
    path = tmp_path / "empty.conllu"
    path.write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"empty\.conllu"):
        train(task, path)


UNLABELLED = "".join(
    f"{i}\t{form}\t_\t_\t_\t_\t{head}\t_\t_\t_\n"
    for i, form, head in ((1, "It", 2), (2, "rains", 0), (3, ".", 2))
)


def test_unlabelled_conllx_without_tags_trains_a_parser(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "train.conllx"
    path.write_text(f"{UNLABELLED}\n" * 4, encoding="utf-8")
    records: list[Any] = []
    model = train(
        "parser",
        path,
        path,
        input_format="conllx",
        hooks=Hooks(on_record=records.append),
        training={"epochs": 25, "learning_rate": 0.03, "batch_size": 40},
        config={"dropout": 0.0},
    )
    assert model.heads["tree"].tags == {}
    parsed = model(["It", "rains", "."])
    assert parsed.column("head") == [2, 0, 2]
    assert parsed.column("deprel") == ["_", "_", "_"]
    assert [r.scores["uas"] for r in records if hasattr(r, "scores")][-1] == 100
    with pytest.raises(DataError, match="the training file has no tags"):
        train("tagger", path, input_format="conllx")


def test_columns_that_are_empty_are_refused(treebank: list[Sentence]) -> None:
    with pytest.raises(ConfigError, match=r"columns feats hold only '_'; it fills upos, xpos"):
        tagger_task(treebank, columns=("upos", "feats"))
    with pytest.raises(ConfigError, match=r"`tag_columns` names feats.*it fills upos, xpos"):
        parser_task(treebank, tag_columns=("feats",))


def test_columns_default_to_those_the_training_file_fills(treebank: list[Sentence]) -> None:
    assert list(tagger_task(treebank).tags) == ["upos", "xpos"]
    feats = [sentence.with_columns(feats=["A=B"] * len(sentence)) for sentence in treebank]
    assert list(tagger_task(feats).tags) == ["upos", "xpos", "feats"]
    assert list(parser_task(feats).tags) == ["upos", "xpos"]
    assert list(parser_task(feats, tag_columns=("feats", "upos")).tags) == ["feats", "upos"]


@pytest.mark.parametrize("nonprojective", NONPROJECTIVE)
@pytest.mark.parametrize("system", TRANSITION_SYSTEMS)
def test_crossing_and_several_roots_train_and_every_output_is_a_tree_with_one_root(
    crossing: list[Sentence], system: str, nonprojective: str
) -> None:
    task = parser_task(crossing, transition_system=system, nonprojective=nonprojective)
    notes = " ".join(task.warnings)
    done = {"pseudo": "pseudo-projective", "lift": "will be projective", "drop": "left out"}
    assert "non-projective trees: 1 (10.0 %)" in notes
    expected = "with SWAP" if system == "arc-standard-swap" else done[nonprojective]
    assert expected in notes
    assert "trees with several roots: 1; the first root heads the others" in notes
    assert math.isfinite(epoch_loss(task))
    forms = [form for sentence in crossing for form in sentence.forms]
    rng = np.random.default_rng(0)
    new = [Sentence.from_words(rng.choice(forms, size)) for size in (1, 2, 3, 5, 8, 13, 21)]
    shapes = set()
    for seed in range(4):
        randomize(task.network, seed, scale=1.0)
        for parsed in task.frozen().annotated([*crossing, *new]):
            heads, deprels = parsed.column("head"), parsed.column("deprel")
            assert is_tree(heads, single_root=True)
            assert [d == "root" for d in deprels] == [h == 0 for h in heads]
            assert not any("\u2191" in deprel for deprel in deprels)
            shapes.add(is_projective(heads))
    if system == "arc-standard-swap":
        assert shapes == {True, False}
    elif nonprojective != "pseudo":
        assert shapes == {True}


def test_second_roots_hang_on_the_first_as_parataxis(crossing: list[Sentence]) -> None:
    trees, _ = gold_trees(crossing, projective=True)
    _, heads, deprels = trees[-1]
    assert heads == [0, 1, 1, 3]
    assert deprels == ["root", "punct", "parataxis", "advmod"]


@pytest.mark.parametrize(("copies", "kept"), [(1, True), (100, True), (150, False)])
def test_lifted_labels_are_kept_where_they_can_be_learnt(
    crossing: list[Sentence], copies: int, kept: bool
) -> None:
    trees, _ = gold_trees(crossing, projective=True)
    lifted = [deprel for _, _, deprels in trees for deprel in deprels if LIFTED in deprel]
    once = min(lifted, key=lifted.count)
    projective = [sentence for sentence in crossing if is_projective(sentence.column("head"))]
    trees, _ = gold_trees([*crossing, *projective * copies], projective=True)
    labels = {deprel for _, _, deprels in trees for deprel in deprels}
    assert (once in labels) == kept
    assert (POOLED in labels) != kept
    task = parser_task([*crossing, *projective * copies])
    allowed = {task.labels[i] for i in task.header()["other_labels"]}
    assert POOLED not in allowed
    assert (once in allowed) == kept
    task.frozen()  # what is stored can be read


def test_pooled_labels_are_explored_as_such(crossing: list[Sentence]) -> None:
    projective = [sentence for sentence in crossing if is_projective(sentence.column("head"))]
    treebank = [*crossing, *projective * 150]
    task = parser_task(treebank, transition_system="arc-hybrid", oracle="dynamic")
    pooled = task.labels.index(POOLED)
    arcs = {task.system.left_start + pooled, task.system.right_start + pooled}
    before = sum(target in arcs for target in task._examples.targets.tolist())
    assert before > 0
    with torch.no_grad():  # as if it were learnt by heart: all are LEFT or RIGHT with that label
        task.network.layers[-1].bias[sorted(arcs)] = 100.0
    task.begin_epoch(1)
    after = [target for target in task._examples.targets.tolist() if target in arcs]
    assert len(after) >= before


def test_dropping_every_tree_leaves_nothing(crossing: list[Sentence]) -> None:
    with pytest.raises(DataError, match="no tree is left to train on"):
        parser_task(crossing[-2:-1], nonprojective="drop")
    assert len(gold_trees(crossing, projective=True, nonprojective="drop")[0]) == 9


def test_swap_learns_a_crossing_tree_by_heart(train: Callable[..., Any], crossing: Any) -> None:
    for config in (
        {"transition_system": "arc-standard-swap"},
        {"transition_system": "arc-hybrid", "nonprojective": "pseudo"},
    ):
        model = train(
            "parser",
            crossing[-2:-1],
            config={"hidden": 16, "dropout": 0.0, "word_dropout": 0.0, **config},
            training={"epochs": 30, "learning_rate": 0.03, "batch_size": 40},
        )
        assert model(crossing[-2]).column("head") == crossing[-2].column("head")
        assert model(crossing[-2]).column("deprel") == crossing[-2].column("deprel")


def test_both_models_train_on_defaults_but_for_size(
    treebank: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "train.conllu"
    path.write_text("".join(str(sentence) for sentence in treebank), encoding="utf-8")
    loop = TrainingConfig(epochs=1, device="cpu", threads=1)
    tagger = Tagger.train(path, [path, path], config=TaggerConfig(hidden=8), training=loop)
    parser = DependencyParser.train(
        [path], path, config=ParserConfig(hidden=8, embedding_dim=4), training=loop
    )
    parsed = parser(tagger(["It", "rains"]))
    assert is_tree(parsed.column("head"), single_root=True)
    assert parsed.column("upos") != ["_", "_"]
