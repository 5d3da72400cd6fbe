"""Verdicts follow from the numbers by the criterion that is written beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import claims as v
from experiments.number import Number
from experiments.plan import Plan
from experiments.table import Claim, Table

from . import made

MakeTable = Callable[..., Table]
DENSE, K2 = "dense", "meProp, k 80"


@pytest.fixture
def make_table(make_plan: Callable[..., Plan]) -> MakeTable:
    """Makes a table of dense and k 80 with given test scores by seed, None where one is missing."""
    (table,) = made.small()
    plan = make_plan({"small": (table,)})

    def make(dense: list[float | None], k2: list[float | None], **changes: Any) -> Table:
        rows = {DENSE: (dense, {}), K2: (k2, changes)}
        results = {
            label: [
                made.made_result(plan.base(table, seed), score) | more
                for seed, score in enumerate(scores, 1)
                if score is not None
            ]
            for label, (scores, more) in rows.items()
        }
        return dataclasses.replace(table, seeds=3, results=results)

    return make


@pytest.mark.parametrize(
    ("k2", "expected"), [(89.90, True), (89.89, False), (90.0, True), (95.0, True)]
)
def test_no_worse_allows_the_margin_of_the_score(
    k2: float, expected: bool, make_table: MakeTable
) -> None:
    table = make_table([90.0] * 3, [k2] * 3)
    assert v.MARGIN[table.main] == 0.1
    claim = v.no_worse(K2, DENSE)(table)
    assert claim.holds is expected
    assert claim.text.startswith("test UPOS: meProp, k 80 is at most 0.1 below dense: ")
    assert claim.text.endswith(f"{k2 - 90:+.2f} ± 0.00")
    assert claim.n == 3


def test_difference_is_judged_as_it_is_shown(make_table: MakeTable) -> None:
    table = make_table([80.4] * 3, [80.3] * 3)
    assert 80.3 - 80.4 < -0.1  # by rounding alone
    assert v.no_worse(K2, DENSE)(table).holds is True


def test_worse_and_better_have_their_limits(make_table: MakeTable) -> None:
    table = make_table([90.0] * 3, [89.5] * 3)
    assert v.worse(K2, DENSE, by=0.5)(table).holds is True
    assert v.worse(K2, DENSE, by=0.51)(table).holds is False
    assert v.better(DENSE, K2, by=0.5)(table).holds is True
    assert v.better(DENSE, K2, by=0.51)(table).holds is False
    assert v.better(K2, DENSE, by=0.0)(table).holds is False
    claim = v.better(DENSE, K2, by=0.0, column="dev")(table)
    assert claim.holds is True
    assert "dev UPOS: dense is no lower than meProp, k 80: +0.50" in claim.text


def test_noise_near_the_limit_is_said(make_table: MakeTable) -> None:
    noisy = make_table([89.0, 90.0, 91.0], [89.1, 90.0, 91.0])
    assert v.no_worse(K2, DENSE)(noisy).text.endswith("too close to the limit to be certain")
    sure = make_table([90.0, 90.01, 90.02], [93.0, 93.01, 93.02])
    assert "too close" not in v.no_worse(K2, DENSE)(sure).text


def test_faster_is_a_ratio_of_seconds(make_table: MakeTable) -> None:
    steps = {"backward_seconds": 0.05, "seconds": 0.8}
    table = make_table([90.0], [90.0], step_seconds=steps)
    claim = v.faster(K2, DENSE, column="backward", times=2)(table)
    assert claim.holds is True
    assert claim.text == (
        "backward, ms/step: meProp, k 80 is more than 2 times as fast as dense: 4.00 times as fast"
    )
    assert v.faster(K2, DENSE, column="backward", times=4)(table).holds is False
    assert v.faster(K2, DENSE, column="step")(table).holds is False


def test_smaller_compares_with_the_uncut_row(make_table: MakeTable) -> None:
    table = make_table([90.0], [90.0], neurons={"ahead": 2, "back": 4})
    claim = v.smaller(K2, DENSE, share=0.25)(table)
    assert claim.holds is True
    assert claim.text.endswith("3 of 12, 25%")
    assert v.smaller(K2, DENSE, share=0.2)(table).holds is False


def test_only_seeds_that_both_rows_have_are_compared(make_table: MakeTable) -> None:
    table = make_table([90.0, None, 80.0, 80.0], [90.5, 70.0, None, 80.5])
    claim = v.better(K2, DENSE, by=0.0)(table)
    assert claim.text.endswith("+0.50 ± 7.07, too close to the limit to be certain")
    assert claim.n == 2
    assert v.better(K2, DENSE)(make_table([90.0, None], [None, 90.0])).holds is None


def test_seconds_are_of_the_machine_with_most_cells(make_table: MakeTable) -> None:
    table = make_table([90.0, 90.0, 90.0], [89.0, 89.0, 91.0])
    other = table.results[K2][2]
    other["conditions"] = other["conditions"] | {"cpu": "Another"}
    other["step_seconds"] = {"backward_seconds": 9.0, "seconds": 9.0}
    claim = v.faster(K2, DENSE, column="step", times=0.9)(table)
    assert claim.text.endswith(": 1.00 times as fast")
    assert claim.n == 2
    assert v.no_worse(K2, DENSE)(table).n == 3
    table.results[DENSE].clear()
    table.results[K2][1:2] = []
    # one cell each: the same machine is taken every time
    assert {table.number(K2, "step") for _ in range(3)} == {Number(400.0, None, 1)}


def test_missing_numbers_leave_a_claim_open(make_table: MakeTable) -> None:
    table = make_table([90.0], [])
    for claim in (
        v.no_worse(K2, DENSE)(table),
        v.faster(DENSE, K2, column="step")(table),
        v.smaller(K2, DENSE, share=0.5)(table),
    ):
        assert claim.holds is None
        assert claim.text.endswith("not measured")


CLAIMS = st.lists(st.builds(Claim, st.just(""), st.sampled_from([True, False, None]), st.just(3)))


@given(CLAIMS)
def test_verdict_is_all_some_none_or_open(claims: list[Claim]) -> None:
    word = v.verdict(claims).partition(":")[0]
    found = {claim.holds for claim in claims}
    expected = {
        frozenset({True}): "holds",
        frozenset({True, False}): "holds in part",
        frozenset({False}): "does not hold",
    }
    assert word == expected.get(frozenset(found), "not decided yet")


def test_verdict_on_few_seeds_is_provisional() -> None:
    claims = [Claim("", True, 3), Claim("", False, 2)]
    assert v.verdict(claims) == "holds in part: 1 of 2 claims (provisional: 2 of 3 seeds)"
    assert v.verdict(claims[:1]) == "holds: 1 of 1 claims"
