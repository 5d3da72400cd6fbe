"""What Universal Dependencies forbids in UPOS, FEATS, DEPREL and DEPS, whatever the language.

The codes are those of level 2 of the validator of Universal Dependencies. Of the features and the
relations of a language it has lists, which are not looked at here.
"""

import re
from collections.abc import Iterator, Sequence

from meprop_nlp.data.conll.block import Fault
from meprop_nlp.data.lines import visible
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS, UNIVERSAL_TAGS

_VALUE = r"[A-Z0-9][A-Za-z0-9]*"
_FEATURE = re.compile(rf"([A-Z][A-Za-z0-9]*(?:\[[a-z0-9]+\])?)=({_VALUE}(?:,{_VALUE})*)")
_DEPREL = re.compile(r"[a-z]+(?::[a-z]+)?")
_HEAD = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([1-9][0-9]{0,8}))?")
# a relation of ASCII letters, and up to three parts of which one may hold other letters
_RELATION = re.compile(r"[a-z]+(:[a-z]+)?(:[^\W\d_A-Z]+(_[^\W\d_A-Z]+)*)?(:[a-z]+)?")

Node = tuple[int, int]  # a word, 0; or an empty node's word and place


def value_faults(sentence: Sentence) -> Iterator[Fault]:
    """Yield what is wrong with the values of a sentence of CoNLL-U."""
    has_upos = any(word.upos != "_" for word in sentence.words)
    nodes: list[tuple[int, Node, Sequence[str]]] = []
    for word in sentence.words:
        values = [str(getattr(word, name)) for name in COLUMNS]
        nodes.append((sentence.word_line(word.id), (word.id, 0), values))
    for number, columns in sentence.empty_node_lines():
        first, _, place = columns[0].partition(".")
        nodes.append((number, (int(first), int(place)), columns))
        yield from _filled(number, f"the empty node {columns[0]}", columns, ("head", "deprel"))
    for token in sentence.multiword_tokens:
        number, name = sentence.token_line(token), f"the multiword token {token.columns[0]}"
        # the one feature that UD allows there
        empty = [c for c in COLUMNS[2:9] if c != "feats" or token.columns[5] != "Typo=Yes"]
        yield from _filled(number, name, token.columns, empty)
    ids = {(0, 0), *(node for _, node, _ in nodes)}
    for number, node, columns in nodes:
        upos = columns[3]
        # words without any tag are not yet tagged; with some, each has one
        if upos not in UNIVERSAL_TAGS and (upos != "_" or (has_upos and not node[1])):
            message = (
                f"UPOS is {visible(upos)!r}, expected one of {', '.join(sorted(UNIVERSAL_TAGS))}"
            )
            yield Fault(number, "unknown-upos", message)
        if not node[1] and columns[7] not in ("_", "") and not _DEPREL.fullmatch(columns[7]):
            message = (
                f"DEPREL is {visible(columns[7])!r}, expected lower-case letters, and perhaps "
            )
            message += "a colon and a subtype"
            yield Fault(number, "invalid-deprel", message)
        for code, message in (*_feats(columns[5]), *_deps(columns[8], node, ids)):
            yield Fault(number, code, message)


def _filled(
    number: int, name: str, columns: Sequence[str], empty: Sequence[str]
) -> Iterator[Fault]:
    """Yield the columns that have a value, and shall be empty."""
    for column in empty:
        value = columns[COLUMNS.index(column)]
        if value != "_":
            kind = "mwt" if "-" in columns[0] else "empty-node"
            message = f"{name} has the {column.upper()} {visible(value)!r}, expected _"
            yield Fault(number, f"{kind}-nonempty-field", message)


def _feats(feats: str) -> Iterator[tuple[str, str]]:
    if feats in ("_", ""):
        return
    shown = visible(feats)
    features = feats.split("|")
    if _is_unsorted([feature.lower() for feature in features]):
        expected = "|".join(sorted(features, key=str.lower))
        yield "unsorted-features", f"FEATS is {shown!r}, expected in order {visible(expected)!r}"
    names = set()
    for feature in features:
        match = _FEATURE.fullmatch(feature)
        if match is None:
            names.add(feature)
            yield (
                "invalid-feature",
                f"FEATS has {visible(feature)!r}, expected Name=Value of letters and digits, each "
                "beginning with a capital or, the value, a digit",
            )
            continue
        names.add(match[1])
        values = match[2].split(",")
        if len(set(values)) < len(values):
            yield "repeated-feature-value", f"FEATS has {visible(feature)!r}, a value twice"
        if _is_unsorted([value.lower() for value in values]):
            message = f"FEATS has {visible(feature)!r}, expected its values in order"
            yield "unsorted-feature-values", message
    if len(names) < len(features):
        yield "repeated-feature", f"FEATS is {shown!r}, with a feature twice"


def _deps(deps: str, node: Node, ids: set[Node]) -> Iterator[tuple[str, str]]:
    if deps in ("_", ""):
        return
    shown = visible(deps)
    heads: list[Node] = []
    arcs: list[tuple[Node, str]] = []
    for arc in deps.split("|"):
        head, colon, relation = arc.partition(":")
        match = _HEAD.fullmatch(head)
        if not colon or match is None:
            message = f"DEPS has {visible(arc)!r}, expected HEAD:RELATION"
            yield ("invalid-ehead" if colon else "invalid-deps"), message
            continue
        heads.append((int(match[1]), int(match[2] or 0)))
        arcs.append((heads[-1], relation))
        if heads[-1] not in ids:
            yield "unknown-ehead", f"DEPS has the head {head}, which is no word or empty node"
        if not _RELATION.fullmatch(relation):
            message = f"DEPS has the relation {visible(relation)!r}, expected lower-case letters"
            yield "invalid-edeprel", message
    if _is_unsorted(heads):
        yield "unsorted-deps", f"DEPS is {shown!r}, expected in the order of the heads"
    elif _is_unsorted(arcs):
        yield "unsorted-deps-2", f"DEPS is {shown!r}, expected a head's relations in order"
    if len(set(arcs)) < len(arcs):
        yield "repeated-deps", f"DEPS is {shown!r}, with an arc twice"
    if node in heads:
        yield "deps-self-loop", f"DEPS is {shown!r}, with the node itself as its head"


def _is_unsorted(values: Sequence[object]) -> bool:
    return list(values) != sorted(values)  # type: ignore[type-var]
