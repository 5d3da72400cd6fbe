"""Only `choose.py` asks where tensors live; every backend keeps the same entries."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import meprop_nlp.nn
from meprop_nlp.nn.backends import choose, reference_topk
from meprop_nlp.nn.topk import Operands, Selection

NN = Path(meprop_nlp.nn.__file__).parent
FILES = [path for path in sorted(NN.rglob("*.py")) if path.name != "choose.py"]
# names that say where a tensor lives, or what can compute there
QUESTIONS = {"is_cpu", "is_cuda", "core_for", "get_num_threads", "is_available", "native_core"}
QUESTIONS |= {"is_autocast_enabled", "is_current_stream_capturing", "pin_memory"}


def questions(module: ast.Module) -> set[str]:
    """What a file asks about devices, types and the core."""
    asked = {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    asked |= {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    asked &= QUESTIONS
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("device.type"):
            asked.add("device.type")
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            asked |= {"dtype in"} if ast.unparse(node.left).endswith("dtype") else set()
    return asked


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(NN)) for path in FILES])
def test_a_layer_never_asks_where_it_runs(path):
    assert not questions(ast.parse(path.read_text(encoding="utf-8")))


def test_the_questions_are_found():
    asked = "x.is_cuda; x.device.type == 'cpu'; x.dtype in types; core_for(x); x.is_cpu"
    found = {"is_cuda", "device.type", "dtype in", "core_for", "is_cpu"}
    assert questions(ast.parse(asked)) == found
    choosing = ast.parse((NN / "backends" / "choose.py").read_text(encoding="utf-8"))
    assert {"is_cuda", "is_cpu", "get_num_threads", "core_for"} <= questions(choosing)


@pytest.mark.parametrize("mode", ["example", "unified", "random"])
@pytest.mark.parametrize("row_sparse", [False, True])
@pytest.mark.parametrize("counting", [False, True])
@pytest.mark.parametrize("k", [None, 2, 20, 25])  # 20 of 25: products of the masked gradient
def test_what_is_kept_has_the_products_and_hits_of_the_formulas(mode, row_sparse, counting, k):
    # whole numbers, so that all sums are exact
    dy, x, weight = (torch.randint(-3, 4, shape).float() for shape in ((9, 25), (9, 4), (25, 4)))
    if k is None and row_sparse:
        pytest.skip("plain backprop has a full gradient")
    sdy = dy
    if k is not None:
        generator = torch.Generator().manual_seed(3)
        selected = reference_topk.select_topk(dy, k, mode, generator=generator)
        sdy = dy * torch.zeros_like(dy).scatter_(1, selected.expand(9, k), 1.0)
    selection = Selection(k, mode, torch.Generator().manual_seed(3))
    layer = Operands(x, weight, counting=counting, row_sparse=row_sparse)
    kept = choose.topk(dy, selection, layer)
    assert_close(kept.dx(weight), sdy @ weight, rtol=0, atol=0)
    assert_close(kept.dw(x).to_dense(), sdy.t() @ x, rtol=0, atol=0)
    assert_close(kept.db, dy.sum(dim=0), rtol=0, atol=0)
    if counting:
        hits = torch.full((25,), 10)
        kept.count(hits)
        assert_close(hits, 10 + (sdy != 0).sum(dim=0), rtol=0, atol=0)


def test_a_table_for_the_cpu_stays_as_it_is():
    table = torch.arange(3)
    assert choose.moved_to(table, torch.empty(0)) is table
