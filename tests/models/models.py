"""Small models with random weights, and sentences for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from meprop_nlp.config import JointConfig, ParserConfig, TaggerConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.tokens.alphabet import CATEGORIES, Alphabet
from meprop_nlp.data.tokens.boundaries import N_ENDS
from meprop_nlp.models.file import TOKENIZER, ModelFile
from meprop_nlp.models.packing import VECTORS, pack_arrays
from meprop_nlp.parsing.features import STATE_WORDS

FORMS = ["the", "old", "man", "the", "boats", "Über", "x2", "."]
TAGS = {"upos": ["<unk>", "DET", "NOUN", "VERB"], "xpos": ["<unk>", "DT", "NN"]}
LEXICON = Lexicon.build(FORMS, min_feature_count=1)


def small_integers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Weights whose sums are exact, so that two ways of adding them agree, in ties as well."""
    return rng.integers(-2, 3, shape).astype(np.float32) / 4


def floats(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def random_parser(seed: int, *, labels: int = 5, exact: bool = True, **config: Any) -> ModelFile:
    """A parser model whose weights are drawn from `seed`."""
    settings = ParserConfig(**{"hidden": 9, "embedding_dim": 3, **config})
    rng = np.random.default_rng(seed)
    draw = small_integers if exact else floats
    e, h = settings.embedding_dim, settings.hidden
    n_tags = sum(len(TAGS[name]) for name in settings.tag_columns)
    first = 2 if settings.transition_system == "arc-standard-swap" else 1
    widths = [48 * e, *[h] * settings.layers, first + 2 * labels]
    arrays = {
        "words.weight": draw(rng, len(LEXICON.forms), e),
        "features.weight": draw(rng, int(LEXICON.feature_offsets[-1]), e),
        "tags.weight": draw(rng, max(1, n_tags), e),
        "special.weight": draw(rng, 4, e),
        "labels.weight": draw(rng, labels + 1, e),
    }
    for n, (ins, outs) in enumerate(pairwise(widths)):
        arrays[f"layers.{n}.weight"] = draw(rng, outs, ins)
        arrays[f"layers.{n}.bias"] = draw(rng, outs)
    names = ["root", "nsubj", "obj", "acl", "acl\u2191obj", *(f"l{i}" for i in range(labels))]
    header = {
        "kind": "model",
        "task": "parser",
        "config": settings.to_dict(),
        "lexicon": LEXICON.to_dict(),
        "tags": {name: TAGS[name] for name in settings.tag_columns},
        "labels": names[:labels],
        "root_labels": [0],
        "other_labels": list(range(1, labels)),
        "template": 2 if settings.transition_system == "arc-hybrid" else 1,
    }
    return ModelFile(header, arrays)


def random_tagger(seed: int, *, units: tuple[int, int] = (5, 5), **config: Any) -> ModelFile:
    """A tagger model whose weights are drawn from `seed`; its directions may differ in width."""
    settings = TaggerConfig(**{"hidden": max(units), "word_dim": 4, "feature_dim": 2, **config})
    rng = np.random.default_rng(seed)
    columns = settings.columns or tuple(TAGS)
    arrays = {
        "words.weight": floats(rng, len(LEXICON.forms), settings.word_dim),
        "features.weight": floats(rng, int(LEXICON.feature_offsets[-1]), settings.feature_dim),
    }
    for name, h in zip(("left_to_right", "right_to_left"), units, strict=True):
        ins = settings.word_dim + 7 * settings.feature_dim
        arrays[f"lstm.{name}.weight_ih_l0"] = floats(rng, 4 * h, ins)
        arrays[f"lstm.{name}.weight_hh_l0"] = floats(rng, 4 * h, h)
        arrays[f"lstm.{name}.bias_ih_l0"] = floats(rng, 4 * h)
        arrays[f"lstm.{name}.bias_hh_l0"] = floats(rng, 4 * h)
    for name in columns:
        arrays[f"heads.{name}.weight"] = floats(rng, len(TAGS[name]), sum(units))
        arrays[f"heads.{name}.bias"] = floats(rng, len(TAGS[name]))
    header = {
        "kind": "model",
        "task": "tagger",
        "config": settings.to_dict(),
        "lexicon": LEXICON.to_dict(),
        "tags": {name: TAGS[name] for name in columns},
    }
    return ModelFile(header, arrays)


SCRIPTS = ['["lower",0,"",0,""]', '["lower",0,"",1,"y"]', '["keep",1,"",2,""]', '"be"']
VECTOR_FORMS = ["<unk>", "the", "ünseen", "unseen", "12"]
TEXT_CHARACTERS = "abcdeABC.,'?!0"
SPLITS = {"rules": {"": [1, "", 1], "ab": [1, "X", "y"]}, "always": ["abc"]}


def with_scripts(model: ModelFile, scores: Mapping[str, float]) -> ModelFile:
    """A joint model whose lemma scripts have these scores, whatever the word."""
    model.header["scripts"] = list(scores)
    model.arrays["lemmas.output.weight"][:] = 0
    model.arrays["lemmas.output.bias"][:] = list(scores.values())
    return model


def with_tokenizer(model: ModelFile) -> ModelFile:
    """A model that takes texts, too."""
    tokenizer = random_tokenizer(1)
    return ModelFile({**model.header, **tokenizer.header}, {**model.arrays, **tokenizer.arrays})


LABELS = ["root", "nsubj", "obj", "acl", "acl\u2191obj"]


def random_joint(
    seed: int,
    *,
    units: Sequence[tuple[int, int]] = ((5, 5),),
    n_tags: tuple[int, int] = (4, 3),
    scripts: int = 4,
    labels: int = 4,
    spelling: tuple[int, int] = (4, 4),
    heads: tuple[str, ...] = ("tags", "lemmas", "tree"),
    system: str = "arc-hybrid",
    vector_width: int = 0,
    **config: Any,
) -> ModelFile:
    """A joint model whose weights are drawn from `seed`.

    Args:
        system: the transition system, where `tree` is transitions.
        units: of the two directions of each layer.
        spelling: the same of the layer over characters.
        n_tags: the numbers of values of UPOS and XPOS.
        vector_width: of pretrained vectors, of `VECTOR_FORMS`; 0: there are none.
    """
    widths = {"word_dim": 4, "feature_dim": 2, "ngram_dim": 3, "ngram_rows": 50}
    widths |= {"character_dim": 3, "spelling_dim": 4}
    widths |= {"lemma_dim": 7, "tag_dim": 3, "arc_dim": 9, "label_dim": 6}
    settings = JointConfig(
        **{"hidden": 5, "layers": len(units), "heads": heads, **widths, **config}
    ).fitted(n_words=100)
    rng = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}

    def layer(name: str, ins: int, outs: int, *, bias: bool = True) -> None:
        arrays[f"{name}.weight"] = floats(rng, outs, ins) * np.float32(ins**-0.5)
        if bias:
            arrays[f"{name}.bias"] = floats(rng, outs)

    arrays["encoder.words.weight"] = floats(rng, len(LEXICON.forms), settings.word_dim)
    n_features = int(LEXICON.feature_offsets[-1])
    arrays["encoder.features.weight"] = floats(rng, n_features, settings.feature_dim)
    arrays["encoder.ngrams.weight"] = floats(rng, settings.ngram_rows, settings.ngram_dim)
    letters = ["<unk>", "<s>", "</s>", *"abhemnotu.2"]
    arrays["encoder.characters.weight"] = floats(rng, len(letters), settings.character_dim)
    n_forms = width = (
        settings.word_dim
        + 7 * settings.feature_dim
        + settings.ngram_dim
        + sum(spelling)
        + vector_width
    )
    of_vectors: dict[str, Any] = {}
    if vector_width:
        table = floats(rng, len(VECTOR_FORMS), vector_width)
        table[0] = 0
        arrays |= pack_arrays({VECTORS: table})
        of_vectors = {"vector_forms": VECTOR_FORMS, "vector_width": vector_width}

    def bilstm(prefix: str, width: int, both: tuple[int, int]) -> None:
        for name, h in zip(("left_to_right", "right_to_left"), both, strict=True):
            for kind, ins in (("ih", width), ("hh", h)):
                part = f"{prefix}.{name}"
                layer(f"{part}.{kind}", ins, 4 * h)
                arrays[f"{part}.weight_{kind}_l0"] = arrays.pop(f"{part}.{kind}.weight")
                arrays[f"{part}.bias_{kind}_l0"] = arrays.pop(f"{part}.{kind}.bias")

    bilstm("encoder.spelling", settings.character_dim, spelling)
    for n, both in enumerate(units):
        bilstm(f"encoder.layers.{n}", width, both)
        width = sum(both)
    tags = {
        column: [f"{column}{i}" for i in range(n)]
        for column, n in zip(("upos", "xpos"), n_tags, strict=True)
    }
    tag_inputs = sum(n_tags) if "tags" in heads else 0
    for column, values in tags.items():
        layer(f"tags.outputs.{column}", width, len(values))
    edits = [*SCRIPTS, *(f'"lemma{i}"' for i in range(scripts))][:scripts]
    layer("lemmas.hidden", width + n_forms + tag_inputs, settings.lemma_dim)
    layer("lemmas.output", settings.lemma_dim, scripts)
    inputs = width
    if tag_inputs:
        layer("tree.tags", tag_inputs, settings.tag_dim, bias=False)
        inputs += settings.tag_dim
    of_tree: dict[str, Any] = {}
    if settings.tree == "graph":
        layer("tree.root", inputs, 1, bias=False)
        for kind, outs in (("arc", settings.arc_dim), ("label", settings.label_dim)):
            for end in ("dep", "head"):
                layer(f"tree.{kind}_{end}", inputs, outs)
        layer("tree.arcs", settings.arc_dim, settings.arc_dim)
        layer("tree.labels", settings.label_dim, labels)
    else:
        layer("tree.special", inputs, 2, bias=False)
        for place in STATE_WORDS:
            layer(f"tree.{place}", inputs, settings.arc_dim)
        first = 2 if system == "arc-standard-swap" else 1
        layer("tree.output", settings.arc_dim, first + 2 * labels)
        of_tree = {
            "transition_system": system,
            "root_labels": [0],
            "other_labels": list(range(1, labels)),
        }
    header = {
        "kind": "model",
        "task": "joint",
        "config": settings.to_dict(),
        "lexicon": LEXICON.to_dict(),
        "characters": letters,
        "tags": tags,
        "scripts": edits,
        "labels": [*LABELS, *(f"l{i}" for i in range(labels))][:labels],
    }
    return ModelFile(header | of_tree | of_vectors, arrays)


def random_tokenizer(seed: int, *, spaces_within: bool = False, bias: Any = None) -> ModelFile:
    """A tokenizer whose weights are drawn from `seed`, or which says of each what `bias` does."""
    rng = np.random.default_rng(seed)
    width, units = 5, 7
    n = len(Alphabet(TEXT_CHARACTERS).characters) + 1
    arrays = {
        "characters.weight": floats(rng, n, width),
        "categories.weight": floats(rng, len(CATEGORIES), width),
        "output.weight": floats(rng, N_ENDS, 2 * units),
        "output.bias": floats(rng, N_ENDS) if bias is None else np.array(bias, np.float32),
    }
    for name in ("left_to_right", "right_to_left"):
        part = f"layer.{name}."
        arrays[f"{part}weight_ih_l0"] = floats(rng, 4 * units, width)
        arrays[f"{part}weight_hh_l0"] = floats(rng, 4 * units, units)
        arrays[f"{part}bias_ih_l0"] = floats(rng, 4 * units)
        arrays[f"{part}bias_hh_l0"] = floats(rng, 4 * units)
    header = {"characters": TEXT_CHARACTERS, "splits": SPLITS, "spaces_within": spaces_within}
    named = {f"tokenizer.{name}": array for name, array in arrays.items()}
    return ModelFile({TOKENIZER: header}, named)


def random_sentences(seed: int, lengths: list[int]) -> list[Sentence]:
    """Sentences of these lengths over known and unknown forms and tags."""
    rng = np.random.default_rng(seed)
    forms = [*FORMS, "unseen", "Ünseen", "12", "a" * 40]
    columns = {name: [*tags, "new"] for name, tags in TAGS.items()}

    def draw(values: list[str], n: int) -> list[str]:
        return [values[i] for i in rng.integers(len(values), size=n)]

    return [
        Sentence.from_words(draw(forms, n), **{name: draw(v, n) for name, v in columns.items()})
        for n in lengths
    ]
