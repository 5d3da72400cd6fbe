"""Verdicts follow from the numbers by the criterion that is written beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.reproduction import verdict as v
from meprop_nlp.reproduction.numbers import Number
from meprop_nlp.reproduction.plan import Plan
from meprop_nlp.reproduction.results import Table

from . import made

MakeTable = Callable[..., Table]


@pytest.fixture
def make_table(make_plan: Callable[..., Plan]) -> MakeTable:
    """Makes a table of dense and k 2 with given test scores by seed, None where one is missing."""
    plan = make_plan(made.experiment())
    (block,) = plan.blocks(plan.experiments[0])

    def make(dense: list[float | None], k2: list[float | None], **changes: Any) -> Table:
        rows = {"dense": (dense, {}), "k2": (k2, changes)}
        results = {
            key: [
                made.made_result(plan.base(block, seed), score) | more
                for seed, score in enumerate(scores, 1)
                if score is not None
            ]
            for key, (scores, more) in rows.items()
        }
        return Table(block, 3, results)

    return make


@pytest.mark.parametrize(
    ("k2", "expected"), [(89.90, True), (89.89, False), (90.0, True), (95.0, True)]
)
def test_no_worse_allows_the_margin_of_the_score(
    k2: float, expected: bool, make_table: MakeTable
) -> None:
    table = make_table([90.0] * 3, [k2] * 3)
    assert v.margin(table) == 0.1
    claim = v.no_worse(table, "k2", "dense")
    assert claim.holds is expected
    assert claim.text.startswith("test UPOS: meProp, k 2 is at most 0.1 below dense: ")
    assert claim.text.endswith(f"{k2 - 90:+.2f} ± 0.00")
    assert claim.n == 3


def test_difference_is_judged_as_it_is_shown(make_table: MakeTable) -> None:
    table = make_table([80.4] * 3, [80.1] * 3)
    assert 80.1 - 80.4 < -0.3  # by rounding alone
    assert v.no_worse(table, "k2", "dense", by=0.3).holds is True


def test_worse_and_better_have_their_limits(make_table: MakeTable) -> None:
    table = make_table([90.0] * 3, [89.5] * 3)
    assert v.worse(table, "k2", "dense", by=0.5).holds is True
    assert v.worse(table, "k2", "dense", by=0.51).holds is False
    assert v.better(table, "dense", "k2", by=0.5).holds is True
    assert v.better(table, "dense", "k2", by=0.51).holds is False
    assert v.better(table, "k2", "dense", by=0.0).holds is False
    claim = v.better(table, "dense", "k2", by=0.0, column="dev")
    assert claim.holds is True
    assert "dev UPOS: dense is no lower than meProp, k 2: +0.50" in claim.text


def test_noise_near_the_limit_is_said(make_table: MakeTable) -> None:
    noisy = make_table([89.0, 90.0, 91.0], [89.1, 90.0, 91.0])
    assert v.no_worse(noisy, "k2", "dense").text.endswith("too near the limit to be sure")
    sure = make_table([90.0, 90.01, 90.02], [93.0, 93.01, 93.02])
    assert "too near" not in v.no_worse(sure, "k2", "dense").text


def test_faster_is_a_ratio_of_seconds(make_table: MakeTable) -> None:
    steps = {"backward_seconds": 0.05, "seconds": 0.8}
    table = make_table([90.0], [90.0], step_seconds=steps)
    claim = v.faster(table, "k2", "dense", column="backward", times=2)
    assert claim.holds is True
    assert claim.text == (
        "backward, ms/step: meProp, k 2 is more than 2 times as fast as dense: 4.00 times as fast"
    )
    assert v.faster(table, "k2", "dense", column="backward", times=4).holds is False
    assert v.faster(table, "k2", "dense", column="step").holds is False


def test_smaller_compares_with_the_uncut_row(make_table: MakeTable) -> None:
    table = make_table([90.0], [90.0], neurons={"ahead": 2, "back": 4})
    claim = v.smaller(table, "k2", share=0.25, of="dense")
    assert claim.holds is True
    assert claim.text.endswith("3 of 12, 25%")
    assert v.smaller(table, "k2", share=0.2, of="dense").holds is False


def test_only_seeds_that_both_rows_have_are_compared(make_table: MakeTable) -> None:
    table = make_table([90.0, None, 80.0, 80.0], [90.5, 70.0, None, 80.5])
    claim = v.better(table, "k2", "dense", by=0.0)
    assert claim.text.endswith("+0.50 ± 7.07, too near the limit to be sure")
    assert claim.n == 2
    assert v.better(make_table([90.0, None], [None, 90.0]), "k2", "dense", by=0.0).holds is None


def test_seconds_are_of_the_machine_with_most_cells(make_table: MakeTable) -> None:
    table = make_table([90.0, 90.0, 90.0], [89.0, 89.0, 91.0])
    other = table.results["k2"][2]
    other["conditions"] = other["conditions"] | {"cpu": "Another"}
    other["step_seconds"] = {"backward_seconds": 9.0, "seconds": 9.0}
    claim = v.faster(table, "k2", "dense", column="step", times=0.9)
    assert claim.text.endswith(": 1.00 times as fast")
    assert claim.n == 2
    assert v.no_worse(table, "k2", "dense").n == 3
    table.results["dense"].clear()
    table.results["k2"][1:2] = []
    # one cell each: the same machine is taken every time
    assert {table.number("k2", "step") for _ in range(3)} == {Number(400.0, None, 1)}


def test_missing_numbers_leave_a_claim_open(make_table: MakeTable) -> None:
    table = make_table([90.0], [])
    for claim in (
        v.no_worse(table, "k2", "dense"),
        v.faster(table, "dense", "k2", column="step"),
        v.smaller(table, "k2", share=0.5, of="dense"),
    ):
        assert claim.holds is None
        assert claim.text.endswith("not measured")


CLAIMS = st.lists(st.builds(v.Claim, st.just(""), st.sampled_from([True, False, None]), st.just(3)))


@given(CLAIMS)
def test_verdict_is_all_some_none_or_open(claims: list[v.Claim]) -> None:
    word = v.verdict(claims).partition(":")[0]
    found = {claim.holds for claim in claims}
    expected = {
        frozenset({True}): "holds",
        frozenset({True, False}): "holds in part",
        frozenset({False}): "does not hold",
    }
    assert word == expected.get(frozenset(found), "not decided yet")


def test_verdict_on_few_seeds_is_provisional() -> None:
    claims = [v.Claim("", True, 3), v.Claim("", False, 2)]
    assert v.verdict(claims) == "holds in part: 1 of 2 claims (provisional: 2 of 3 seeds)"
    assert v.verdict(claims[:1]) == "holds: 1 of 1 claims"
