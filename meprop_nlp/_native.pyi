"""The native core, built from native/; arrays are NumPy's or PyTorch's, C-contiguous, on the CPU.

float32 and float64; indices are int32. Wrong shapes raise ValueError, wrong types TypeError.
"""

from collections.abc import Sequence
from typing import Any

Array = Any

def instruction_sets() -> list[str]: ...
def instruction_set() -> str: ...
def use_instruction_set(name: str) -> None: ...
def use_openmp_runtime(gomp_parallel: int) -> None: ...
def select_topk(
    dy: Array, index: Array, value: Array, db: Array | None, hits: Array | None, threads: int
) -> None: ...
def mask_topk(
    dy: Array, k: int, masked: Array, db: Array | None, hits: Array | None, threads: int
) -> None: ...
def example_backward(
    dy: Array,
    x: Array,
    weight: Array,
    k: int,
    dx: Array | None,
    dw: Array | None,
    db: Array | None,
    hits: Array | None,
    threads: int,
) -> None: ...
def sparse_dx(index: Array, value: Array, weight: Array, dx: Array, threads: int) -> None: ...
def sparse_dw(index: Array, value: Array, x: Array, dw: Array, threads: int) -> None: ...
def unified_backward(
    dy: Array,
    x: Array,
    weight: Array,
    neurons: Array,
    dx: Array | None,
    dw: Array | None,
    db: Array | None,
    hits: Array | None,
    threads: int,
) -> None: ...
def lstm_forward(
    batch_sizes: Sequence[int],
    reverse: bool,
    h0: Array,
    c0: Array,
    weight_hh: Array,
    gates: Array,
    output: Array,
    h_n: Array,
    c_n: Array,
    tanh_c: Array,
    h_prev: Array,
    c_prev: Array,
    threads: int,
) -> None: ...
def lstm_backward(
    doutput: Array,
    batch_sizes: Sequence[int],
    reverse: bool,
    weight_hh: Array,
    gates: Array,
    tanh_c: Array,
    c_prev: Array,
    dh: Array,
    dc: Array,
    index: Array,
    value: Array,
    db: Array,
    threads: int,
) -> None: ...
def lstm_step_backward(
    doutput: Array,
    gates: Array,
    tanh_c: Array,
    c_prev: Array,
    first: int,
    k: int,
    unified: bool,
    dh: Array,
    dc: Array,
    masked: Array | None,
    index: Array | None,
    value: Array | None,
    db: Array,
    threads: int,
) -> None: ...
def apply_dropout(x: Array, p: float, seed: int, y: Array, threads: int) -> None: ...
def embedding_forward(
    table: Array, rows: Array, p: float, seed: int, y: Array, threads: int
) -> None: ...
def embedding_backward(
    dy: Array,
    rows: Array,
    table_rows: int,
    p: float,
    seed: int,
    distinct: Array | None,
    gradient: Array,
    threads: int,
) -> int: ...
def number_pairs(rows: Array, table_rows: int, pair: Array, row_of: Array, first: Array) -> int: ...
def slot_forward(
    vectors: Array,
    pair: Array,
    first: Array,
    weight: Array,
    bias: Array | None,
    y: Array,
    threads: int,
) -> None: ...
def slot_backward(
    index: Array | None,
    value: Array,
    vectors: Array,
    pair: Array,
    first: Array,
    weight: Array,
    dvectors: Array,
    dw: Array,
    threads: int,
) -> None: ...
def adam(
    parameter: Array,
    rows: Array | None,
    values: Array,
    mean: Array,
    square: Array,
    rate: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    step: float,
    lazy: bool,
    threads: int,
) -> None: ...
def adagrad(
    parameter: Array,
    rows: Array | None,
    values: Array,
    sum: Array,
    rate: float,
    eps: float,
    weight_decay: float,
    lazy: bool,
    threads: int,
) -> None: ...
def spanning_trees(scores: Array, bounds: Array, heads: Array) -> None: ...

class Document:
    """CoNLL text with the position of every field; see native/document/document.hpp."""

    @property
    def n_words(self) -> int: ...
    @property
    def n_sentences(self) -> int: ...
    @property
    def is_conllu(self) -> bool: ...
    @property
    def sentences(self) -> Array: ...
    def column(self, column: int) -> list[str]: ...

def read_document(text: bytes, kind: str, columns: int) -> Document | None: ...
def write_document(
    document: Document,
    texts: Sequence[tuple[int, Sequence[bytes], Array]],
    heads: Array | None,
    deps: str,
    attributes: Sequence[tuple[bytes, Array]],
) -> bytes: ...
def write_tokens(
    codes: Array,
    places: Array,
    lasts: Array,
    sentence_lasts: Array,
    begins_paragraph: Array,
    details: Sequence[tuple[int, bytes, Sequence[bytes]]],
) -> bytes: ...
def average_ngrams(
    texts: list[str], shortest: int, longest: int, most: int, table: Array, means: Array
) -> None: ...
def number_pairs_of_forms(forms: Any, scripts: Array, numbers: Array) -> list[int]: ...

class PackedLayer:
    """A linear layer, packed for the instruction set in use."""

    def __init__(self, weight: Array, bias: Array | None = None) -> None: ...

class TagLayer:
    """A linear layer over the probabilities of tags, packed."""

    def __init__(self, weight: Array, sizes: Array) -> None: ...

class DigitLayer:
    """A linear layer over states, as digits; see `models.digits`."""

    def __init__(self, digits: Array, scale: Array, bias: Array, states: int) -> None: ...

class JointEncoder:
    """A stack of BiLSTMs; see native/joint/."""

    def __init__(
        self, layers: Sequence[tuple[tuple[DigitLayer, int], tuple[DigitLayer, int]]]
    ) -> None: ...
    def run(self, forms: Any, bounds: Array, context: Array) -> None: ...
    def run_table(self, table: Array, numbers: Array, bounds: Array, context: Array) -> None: ...

class TagScorer:
    """Output layers of tag columns."""

    def __init__(self, scores: DigitLayer, columns: Array, flat: float = 0) -> None: ...
    def choose(
        self,
        context: Array,
        tags: Array,
        confidence: Array | None = None,
        probabilities: Array | None = None,
    ) -> None: ...

class ScriptScorer:
    """The layers that score lemma scripts."""

    def __init__(
        self, context: DigitLayer, tags: TagLayer | None, output: PackedLayer, n_scripts: int
    ) -> None: ...
    def choose(
        self,
        forms: Any,
        column: int,
        context: Array,
        tags: Array | None,
        scripts: Array,
        confidence: Array | None = None,
    ) -> None: ...

class GraphParser:
    """The layers that score arcs and labels."""

    def __init__(
        self,
        context: DigitLayer,
        tags: TagLayer | None,
        arcs: PackedLayer,
        labels: PackedLayer,
        root: Array,
        n_labels: int,
    ) -> None: ...
    def parse(
        self,
        context: Array,
        tags: Array | None,
        bounds: Array,
        heads: Array,
        labels: Array,
        confidence: Array | None = None,
    ) -> None: ...

class TransitionScorer:
    """The layers that score transitions by the sum of a state's rows."""

    def __init__(
        self,
        system: int,
        activation: int,
        bias: Array,
        weights: Sequence[Array],
        biases: Sequence[Array],
        left_start: int,
        transitions: int,
        masks: Array,
        forced: Array,
    ) -> None: ...
    def explore_rows(
        self,
        words: Array,
        special: Array,
        bounds: Array,
        gold_heads: Array,
        gold_labels: Array,
        heads: Array,
        labels: Array,
        followed: Array,
        targets: Array,
    ) -> None: ...

class StateParser:
    """The joint model's parser by transitions."""

    def __init__(
        self,
        transitions: TransitionScorer,
        context: DigitLayer,
        tags: TagLayer | None,
        special: Array,
    ) -> None: ...
    def parse(
        self,
        context: Array,
        tags: Array | None,
        bounds: Array,
        heads: Array,
        labels: Array,
        confidence: Array | None = None,
    ) -> None: ...
