"""What the benchmark scripts share, and that they run: `--quick`, not to be believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from meprop_nlp import native
from meprop_nlp.models.model import Model
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM

from .models.models import random_joint

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())
each_script = pytest.mark.parametrize("name", ["linear", "lstm"])


@pytest.fixture
def conditions(script) -> ModuleType:
    return script("conditions")


@pytest.fixture
def threads() -> Iterator[None]:
    """PyTorch's number of threads is afterwards what it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_every_script_finds_what_it_imports(script, path):
    try:
        script(path.stem)
    except ModuleNotFoundError as error:
        if error.name not in ("matplotlib", "spacy", "ufal", "transformers"):
            raise
        pytest.skip(f"{error.name} is not installed")


@pytest.mark.parametrize("k", [1, 8, 63])
def test_gpu_benchmark_holds_its_products_against_the_reference(script, k):
    torch.manual_seed(k)
    bench = script("bench_gpu")
    tensors = bench.layer(64, torch.float32, "cpu")
    bench.check(*tensors, k)
    _, dw = bench.unified(*tensors, k, row_sparse=False)
    assert (dw != 0).any(dim=1).sum() == k


@needs_core
@each_script
def test_quick_run_writes_results_of_which_the_readme_makes_its_tables(
    script, name, tmp_path, threads, capsys
):
    path = tmp_path / f"{name}.json"
    script(f"bench_{name}").main(["--quick", "--threads", "1", "--output", str(path)])
    results = json.loads(path.read_text(encoding="utf-8"))
    assert results["conditions"]["threads"] == 1
    assert results["conditions"]["kernels"] == native.kernels_in_use()
    assert "example" in capsys.readouterr().out or name == "lstm"
    readme = script("readme")
    measured = {**{file: {} for file in readme.FILES}, name: results}
    made = {table for table, text in readme.tables(measured).items() if text != readme.UNMEASURED}
    expected = {"linear": {"linear", "linear-grid"}, "lstm": {"lstm"}}
    assert made == expected[name] | {"speed-conditions"}


@needs_core
def test_pace_of_a_joint_model_goes_into_the_table(script, tmp_path, capsys):
    results, model = tmp_path / "joint.json", tmp_path / "model.safetensors"
    results.write_text('{"runs": {}}', encoding="utf-8")
    Model(random_joint(1)).save(model)
    words = [f"small={model}", "--quick", "--output", str(results)]
    script("bench_annotate").main(words)
    assert "small" in capsys.readouterr().out
    stored = json.loads(results.read_text(encoding="utf-8"))
    assert stored["runs"] == {}
    assert stored["pace"]["bytes"] == {"small": model.stat().st_size}
    readme = script("readme")
    made = readme.tables({**{file: {} for file in readme.FILES}, "joint": stored})
    assert "| small |" in made["joint-pace"]
    assert "not measured" in made["joint-pace"]


@each_script
def test_quick_run_has_no_place_to_write_to_unless_told(conditions, name):
    assert conditions.arguments("", name, ["--quick"]).output is None
    assert conditions.arguments("", name, []).output == BENCHMARKS / "results" / f"{name}.json"


@each_script
def test_benchmarks_refuse_to_run_without_the_core(script, name, tmp_path, monkeypatch):
    monkeypatch.setattr(native, "core", lambda: None)
    path = tmp_path / "results.json"
    with pytest.raises(SystemExit, match="benchmarks measure the native core"):
        script(f"bench_{name}").main(["--quick", "--output", str(path)])
    assert not path.exists()


def test_functions_take_turns_in_another_order_each_time(conditions):
    calls = []
    functions = {name: lambda name=name: calls.append(name) for name in "abc"}
    samples = conditions.interleaved(functions, 3)
    assert [len(seconds) for seconds in samples.values()] == [3, 3, 3]
    assert "".join(calls[6:]) == "abcbcacab"  # the first six were to warm up


def test_what_runs_before_a_call_is_not_timed_and_gives_its_argument(conditions, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(conditions.time, "perf_counter", lambda: next(clock))
    before = {"a": lambda: [next(clock), "made"]}
    given = []
    samples = conditions.interleaved({"a": given.append}, 2, before=before)
    assert samples == {"a": [1, 1]}
    assert [made for _, made in given] == ["made"] * 4


def test_quartiles_are_those_of_the_samples(conditions):
    assert conditions.quartiles([5, 1, 2, 4, 3]) == [2, 3, 4]
    assert conditions.quartiles([1, 2]) == [1.25, 1.5, 1.75]
    assert conditions.quartiles([7]) == [7, 7, 7]


def test_speedup_is_the_ratio_of_medians_above_one_where_ours_is_faster(conditions):
    compared = conditions.compared({"dense": [0.3, 0.1, 0.2], "ours": [0.4, 0.4, 0.4]})
    assert compared["ms"]["dense"] == [150, 200, 250]
    assert compared["speedup"] == {"ours": 0.5}


def test_linear_layer_whose_gradient_is_wrong_is_not_timed(script):
    bench = script("bench_linear")
    x, dy = torch.randn(8, 6, requires_grad=True), torch.randn(8, 5)
    layer = MePropLinear(6, 5, k=2)
    bench.check(layer, x, dy)
    with pytest.raises(AssertionError, match="not close"):
        bench.check(WrongLinear(6, 5, k=2), x, dy)


class WrongLinear(MePropLinear):
    """Keeps one entry fewer than it says."""

    def forward(self, input):
        return MePropLinear.forward(self.narrower(), input)

    def narrower(self):
        layer = MePropLinear(self.in_features, self.out_features, k=self.k - 1)
        layer.weight, layer.bias = self.weight, self.bias
        return layer


def test_lstm_whose_gradient_is_wrong_is_not_timed(script, monkeypatch):
    bench = script("bench_lstm")
    dense, dy = nn.LSTM(3, 20), torch.randn(7, 20)
    layer = MePropLSTM.from_dense(dense, k=2)
    batch = pack_sequence([torch.randn(4, 3), torch.randn(3, 3)])
    bench.check(dense, layer, batch, dy)
    right = bench.expected_gradients

    def kept_by_mistake(layer, batch, dy):
        layer.k += 1
        return right(layer, batch, dy)

    monkeypatch.setattr(bench, "expected_gradients", kept_by_mistake)
    with pytest.raises(AssertionError, match="not close"):
        bench.check(dense, layer, batch, dy)


def test_lengths_are_all_the_same_or_spread_from_the_longest(script):
    lengths = script("bench_lstm").lengths
    assert lengths("equal", 3, 30).tolist() == [30, 30, 30]
    spread = lengths("unequal", 32, 30).tolist()
    assert (spread[0], spread[-1], sorted(spread, reverse=True)) == (30, 5, spread)


@pytest.mark.parametrize(
    "left", ["checkpoint", "tokenizer", "tokenizer.checkpoint", "teacher-1", "teacher-1.checkpoint"]
)
def test_training_that_was_stopped_anywhere_goes_on(script, tmp_path, left):
    joint = script("joint")
    model = joint.model_path(tmp_path, "EWT, plain", 1)
    assert model.name == "ewt-plain-1.safetensors"
    model.touch()
    assert not joint.is_begun(model)
    (tmp_path / f"ewt-plain-1.{left}.safetensors").touch()
    assert joint.is_begun(model)


def test_earlier_tree_is_compared_array_by_array(script, tmp_path, monkeypatch, capsys):
    compared = script("before_after")
    tiny = ["train-tagger", "--epochs", "1", "--hidden", "8"]
    monkeypatch.setattr(compared, "trainings", lambda data: {"tiny": tiny})
    assert compared.same(compared.ROOT, tmp_path) == 0
    assert "tiny: the same, " in capsys.readouterr().out

    once = {"array a": b"1", "scores": "90.00"}
    monkeypatch.setattr(
        compared,
        "trained",
        lambda tree, *_: once if tree == compared.ROOT else once | {"array a": b"2"},
    )
    assert compared.same(tmp_path, tmp_path) == 1
    assert "tiny: array a" in capsys.readouterr().out


def test_each_result_file_says_which_code_it_measures(script):
    ages = script("ages")
    files = {path.stem for path in (BENCHMARKS / "results").glob("*.json")}
    assert {part.partition("/")[0] for part in ages.MEASURED} == files
    for paths in ages.MEASURED.values():
        assert all((BENCHMARKS.parent / path).exists() for path in paths)
    for name in files:
        path = BENCHMARKS / "results" / f"{name}.json"
        text = path.read_text(encoding="utf-8")
        counted = ages.measurements(name, json.loads(text))
        assert sum(counted.values()) == text.count('"commit":') > 0


def test_age_of_a_part_is_that_of_its_own_code(script, monkeypatch, tmp_path, capsys):
    ages = script("ages")
    monkeypatch.setattr(ages, "MEASURED", {"a": ("native",), "a/pace": ("docs",)})
    monkeypatch.setattr(ages, "RESULTS", tmp_path)
    monkeypatch.setattr(ages, "changes", lambda commit, paths: [f"{commit} {paths[0]}"])
    assert ages.main([]) == 1
    assert capsys.readouterr().err == "missing: a.json\n"
    results = {"pace": {"commit": "1"}, "runs": [{"commit": "2"}, {"commit": "2"}]}
    (tmp_path / "a.json").write_text(json.dumps(results), encoding="utf-8")
    counted = ["a: 2 measured at 2, later commits: 1", "a/pace: 1 measured at 1, later commits: 1"]
    assert ages.main([]) == 0
    assert capsys.readouterr().out.splitlines() == counted
    assert ages.main(["--commits"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *(counted[0], "    2 native"),
        *(counted[1], "    1 docs"),
    ]
