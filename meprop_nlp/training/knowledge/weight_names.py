"""What the rows and columns of a joint model's weights stand for.

Two models number their forms, tags and labels differently. By these names the weights of one are
found in the other.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from meprop_nlp.data.vocab import UNK
from meprop_nlp.models.heads.relations import Relations
from meprop_nlp.parsing.features import STATE_WORDS
from meprop_nlp.parsing.transitions import make_system

Name = Hashable

# the layers over the inputs of a tree head, whose last columns read the vector of the tags
_TREE_LAYERS = (
    "arc_dep", "arc_head", "label_dep", "label_head", "root", "special", *STATE_WORDS,
)  # fmt: skip


def row_names(header: Mapping[str, Any]) -> dict[str, list[Name]]:
    """Return the names of the rows of weights and biases, by the array's name.

    Rows of other arrays have the same meaning in all models with the same widths.

    Args:
        header: of a model file of a joint model.
    """
    lexicon = header["lexicon"]
    names: dict[str, list[Name]] = {
        "encoder.words.weight": [("form", form) for form in lexicon["forms"]],
        "encoder.features.weight": [
            (feature, value) for feature, values in lexicon["features"].items() for value in values
        ],
        "encoder.characters.weight": [("character", each) for each in header["characters"]],
    }
    if "treebanks" in header:
        names["encoder.treebanks.weight"] = [("treebank", name) for name in header["treebanks"]]
    outputs: dict[str, list[Name]] = {
        f"tags.outputs.{column}": [(column, value) for value in values]
        for column, values in header["tags"].items()
    }
    if "scripts" in header:
        outputs["lemmas.output"] = [("script", script) for script in header["scripts"]]
    if "transition_system" in header:
        outputs["tree.output"] = _transitions(header)
    elif "labels" in header:
        outputs["tree.labels"] = [("label", label) for label in header["labels"]]
    for layer, rows in outputs.items():
        names[f"{layer}.weight"] = names[f"{layer}.bias"] = rows
    return names


def column_names(header: Mapping[str, Any]) -> dict[str, list[Name]]:
    """Return the names of the last columns of weights, by the array's name.

    The columns before them, and those of other arrays, have the same meaning in all models with the
    same widths.
    """
    tags: list[Name] = [
        (column, value) for column, values in header["tags"].items() for value in values
    ]
    # the embedding of the treebank is the last that the first layer reads
    width = header["config"]["treebank_dim"] if "treebanks" in header else 0
    treebank: list[Name] = [("of treebank", n) for n in range(width)]
    vector: list[Name] = [("tags", n) for n in range(header["config"]["tag_dim"])] if tags else []
    return {
        "lemmas.hidden.weight": tags,
        "tree.tags.weight": tags,
        **{
            f"encoder.layers.0.{direction}.weight_ih_l0": treebank
            for direction in ("left_to_right", "right_to_left")
        },
        **{f"tree.{layer}.weight": vector for layer in _TREE_LAYERS},
    }


def unknown(name: Name) -> Name:
    """Return the name of the row that stands for this one where a model does not have it."""
    return (name[0], UNK) if isinstance(name, tuple) else name


def _transitions(header: Mapping[str, Any]) -> list[Name]:
    """Return the names of transitions; those of other systems mean other things."""
    name = header["transition_system"]
    labels: Sequence[str] = header["labels"]
    system = Relations(header, lifted=make_system(name, 1).projective).system(name)
    return [
        (name, kind.name, labels[deprel] if deprel >= 0 else None)
        for kind, deprel in system.transitions
    ]
