"""The GPU path: equal to the reference, and never waiting for the device.

What is plain PyTorch in it is tested on the CPU too. Without a GPU the whole of it also runs on
fake CUDA tensors, which have shapes and devices but no values: an operation whose result the host
would have to wait for cannot run on those.
"""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode
from torch.testing import assert_close

from meprop_nlp.nn.backends import choose, cuda_topk, reference_topk
from meprop_nlp.nn.backends.reference_lstm import keep_gates
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.nn.topk import Operands, Selection

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
MODES = ["example", "unified", "random"]
on_a_fake_gpu = pytest.mark.skipif(
    torch.cuda.is_available(), reason="a real GPU is tested instead of a fake one"
)
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


@pytest.fixture
def without_triton(monkeypatch):
    """PyTorch's own operations select: Triton may be installed where no GPU is."""
    monkeypatch.setattr(choose, "triton_topk", lambda device: None)


def select_on_gpu(dy, k, mode="example", *, generator=None):
    """The selection with the kernels that `choose` takes for the device of `dy`."""
    fused = choose._triton_topk_for(dy, dy.shape[1]) if dy.is_cuda else None
    return cuda_topk.select_topk(dy, k, mode, generator=generator, fused=fused)


def gradient(kind, shape, dtype, device):
    """dy of one kind; all its sums are exact, so that only ties can be decided in two ways."""
    dy = torch.randint(-2000, 2000, shape) / 64
    if kind == "ties":
        dy = torch.randint(-2, 3, shape).float()
    elif kind == "zeros":
        dy = torch.zeros(shape) * torch.tensor(-1.0)
    elif kind == "broken":
        dy[0, ::3], dy[1, 1::4], dy[-1] = torch.nan, -torch.inf, torch.inf
    elif kind == "tiny":
        dy = torch.randint(-9, 9, shape) * torch.finfo(dtype).smallest_normal / 8
    return dy.to(dtype).to(device)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["random", "ties", "zeros", "broken", "tiny"])
@pytest.mark.parametrize("k", [1, 7, 40, 50])
def test_selection_is_the_references(dtype, mode, kind, k, device):
    dy = gradient(kind, (6, 50), dtype, device)
    actual, expected = (
        select(dy, k, mode, generator=torch.Generator().manual_seed(4))
        for select in (select_on_gpu, reference_topk.select_topk)
    )
    assert actual.dtype == torch.int64
    assert actual.tolist() == expected.tolist()


@given(batch=st.integers(0, 4), width=st.integers(1, 9), data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_largest_by_threshold_is_a_stable_sort(naive_select, batch, width, data):
    k = data.draw(st.integers(1, width))
    rows = st.lists(st.integers(-2, 2), min_size=width, max_size=width)
    dy = torch.tensor(data.draw(st.lists(rows, min_size=batch, max_size=batch)), dtype=torch.float)
    dy = dy.reshape(batch, width)
    assert cuda_topk.largest_by_threshold(dy, k).tolist() == naive_select(dy, k)


def test_selection_leaves_the_gradient_alone_and_takes_any_strides(device):
    dy = gradient("broken", (6, 50), torch.float32, device)
    before = dy.clone()
    for mode in ["example", "unified"]:
        actual = select_on_gpu(dy.t().contiguous().t(), 7, mode)
        assert_close(actual, select_on_gpu(dy, 7, mode))
    assert_close(dy, before, equal_nan=True)


def test_sixteen_bit_columns_are_summed_in_float32():
    dy = torch.tensor([[300.0, 301.0]]).bfloat16().expand(300, 2)  # 16-bit sums: both stop growing
    assert cuda_topk.select_topk(
        dy + torch.tensor([0.0, 2.0]).bfloat16(), 1, "unified"
    ).tolist() == [1]
    dy = torch.tensor([[60000.0, 61000.0]]).half().expand(3, 2)  # 16-bit sums: both infinite
    assert cuda_topk.select_topk(dy, 1, "unified").tolist() == [1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row_sparse", [False, True])
@pytest.mark.parametrize("need_db", [False, True])
def test_backward_is_the_references(dtype, mode, row_sparse, need_db, device):
    dy = gradient("ties", (6, 50), dtype, device)
    x, weight = (torch.randn(n, 8).to(dtype).to(device) for n in (6, 50))
    hits, expected_hits = (torch.zeros(50, dtype=torch.int64, device=device) for _ in range(2))
    layer = Operands(x, weight, need_db=need_db, row_sparse=row_sparse)
    actual, expected = (
        keep(dy, Selection(7, mode, torch.Generator().manual_seed(4)), layer)
        for keep in (cuda_topk.keep, reference_topk.keep)
    )
    assert_close(actual.dx(weight), expected.dx(weight))
    assert_close(actual.dw(x), expected.dw(x))
    assert (actual.db is not None) == need_db
    if need_db:
        assert_close(actual.db, dy.sum(dim=0))
    actual.count(hits)
    expected.count(expected_hits)
    assert hits.tolist() == expected_hits.tolist()
    assert hits.sum() > 0


@on_a_fake_gpu
@pytest.mark.parametrize("row_sparse", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("without_triton")
def test_a_fake_gpu_takes_the_gpu_path_and_needs_no_answer_from_it(
    linear_backward, mode, row_sparse
):
    if row_sparse and mode != "unified":
        pytest.skip("the number of rows is not known before the selection")
    with FakeTensorMode():
        dy, x, weight = (torch.empty(n, device="cuda") for n in ((6, 50), (6, 8), (50, 8)))
        hits = torch.zeros(50, dtype=torch.int64, device="cuda")
        dx, dw, db = linear_backward(dy, x, weight, 7, mode, hits=hits, row_sparse=row_sparse)
        assert db.shape == (50,)
        assert (dx.device.type, dx.shape, dw.shape) == ("cuda", (6, 8), (50, 8))
        if row_sparse:
            assert dw.values().shape == (7, 8)


@pytest.mark.parametrize("mode", MODES)
def test_gates_keep_what_the_reference_keeps(mode, device):
    dgates = gradient("ties", (6, 4 * 50), torch.float32, device).view(6, 4, 50)
    actual, expected = (
        keep_gates(dgates, Selection(7, mode, torch.Generator().manual_seed(4)), select)
        for select in (select_on_gpu, reference_topk.select_topk)
    )
    assert_close(actual, expected, rtol=0, atol=0)
    assert expected.count_nonzero() > 0


@on_a_fake_gpu
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("without_triton")
def test_gates_on_a_fake_gpu_need_no_answer_from_it(mode):
    with FakeTensorMode():
        dgates = torch.empty(6, 4, 50, device="cuda")
        sparse = keep_gates(dgates, Selection(7, mode), cuda_topk.select_topk)
    assert (sparse.device.type, sparse.shape) == ("cuda", (6, 4, 50))


@on_a_fake_gpu
def test_a_fake_gpu_shows_where_the_host_does_wait():
    dy, x, weight = torch.empty(6, 50), torch.empty(6, 8), torch.empty(50, 8)
    with FakeTensorMode(allow_non_fake_inputs=True), pytest.raises(DynamicOutputShapeException):
        cuda_topk.keep(dy, Selection(7), Operands(x, weight, row_sparse=True))


@needs_gpu
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("counting", [False, True])
def test_layer_on_the_gpu_gives_the_gradients_of_the_cpu(dtype, mode, counting):
    on_cpu = MePropLinear(8, 50, k=7, topk_mode=mode, dtype=torch.float64)
    on_gpu = copy.deepcopy(on_cpu).to("cuda", dtype)
    on_cpu.weight.data = on_gpu.weight.detach().cpu().double()
    x, dy = torch.randn(6, 8).to(dtype), gradient("ties", (6, 50), dtype, "cpu")
    for layer in (on_cpu, on_gpu):
        layer.counting = counting
        layer.generator = torch.Generator().manual_seed(4)
        layer(x.to(layer.weight)).backward(dy.to(layer.weight))
    assert_close(on_gpu.weight.grad.cpu(), on_cpu.weight.grad.to(dtype))
    assert_close(on_gpu.bias.grad.cpu(), on_cpu.bias.grad.to(dtype))
    assert on_gpu.hits.tolist() == on_cpu.hits.tolist()


def counting_layer(mode, sparse_grad):
    layer = MePropLinear(64, 512, k=16, topk_mode=mode, sparse_grad=sparse_grad, device="cuda")
    layer.counting = True
    x = torch.randn(32, 64, device="cuda", requires_grad=True)
    dy = torch.randn(32, 512, device="cuda")
    layer(x).backward(dy)  # compiles the kernel, asks for workspaces
    layer.zero_grad()
    torch.cuda.synchronize()
    return layer, x, dy


@needs_gpu
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")  # torch's own
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("mode", "sparse_grad"), [("unified", False), ("unified", True), ("example", False)]
)
def test_the_host_does_not_wait_for_the_gpu(mode, sparse_grad, fused, request):
    if not fused:
        request.getfixturevalue("without_triton")
    layer, x, dy = counting_layer(mode, sparse_grad)
    torch.cuda.set_sync_debug_mode("error")
    try:
        layer(x).backward(dy)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert layer.hits.sum() > 0


@needs_gpu
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")  # torch's own
@pytest.mark.parametrize("mode", ["unified", "example"])
def test_the_host_does_not_wait_for_an_lstm(mode):
    lstm = MePropLSTM(8, 50, k=7, topk_mode=mode, device="cuda")
    x = torch.randn(4, 3, 8, device="cuda")
    dy = torch.randn(4, 3, 50, device="cuda")
    lstm(x)[0].backward(dy)  # compiles the kernel, asks for workspaces
    torch.cuda.set_sync_debug_mode("error")
    try:
        lstm(x)[0].backward(dy)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert lstm.weight_hh_l0.grad.count_nonzero() > 0


@needs_gpu
@pytest.mark.parametrize("mode", ["unified", "example"])
def test_a_cuda_graph_can_hold_the_backward_pass(linear_backward, mode):
    layer, x, dy = counting_layer(mode, False)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        actual = linear_backward(dy, x.detach(), layer.weight.detach(), 16, mode)
    dy.copy_(torch.randn_like(dy))
    graph.replay()
    expected = linear_backward(dy, x.detach(), layer.weight.detach(), 16, mode)
    assert_close(actual, expected)


@needs_gpu
@pytest.mark.parametrize("width", [1, 2, 500, 8192, cuda_topk.WIDEST, cuda_topk.WIDEST + 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_selection_on_the_gpu_at_every_size_of_kernel(width, dtype):
    dy = gradient("ties", (3, width), dtype, "cuda")
    for k in {1, max(1, width // 3), width}:
        assert_close(select_on_gpu(dy, k), reference_topk.select_topk(dy, k))


@needs_gpu
# torch.compile's own, as in test_compile.py
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_a_compiled_network_on_the_gpu_gives_the_uncompiled_gradients():
    network = nn.Sequential(MePropLinear(8, 50, k=7), nn.ReLU(), MePropLinear(50, 5, k=2)).cuda()
    x = torch.randn(6, 8, device="cuda")
    expected = torch.autograd.grad(network(x).square().sum(), list(network.parameters()))
    compiled = torch.compile(network, backend="aot_eager")
    actual = torch.autograd.grad(compiled(x).square().sum(), list(network.parameters()))
    assert_close(actual, expected)
