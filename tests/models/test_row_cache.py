"""The native cache of folded rows: what it holds, what it lets go, and from several threads."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import Any

import numpy as np
import pytest

WIDTH = 16
NO_BIAS = np.zeros(WIDTH, np.float32)
SEVENS = np.full((1, 2), 7, np.int32)
ONES = np.ones((1, WIDTH), np.float32)


def value(key: str) -> float:
    return float(sum(map(ord, key)))


def fill(rows: Any) -> None:
    rows.fill(np.array([[value(key)] for key in rows.missing], np.float32).reshape(-1, 1))


def test_each_missing_key_is_asked_for_once(core: Any) -> None:
    cache = core.RowCache(ONES, NO_BIAS, 10)
    rows = cache.find(["a", "b", "a", "", "b"])
    assert len(rows) == 5
    assert rows.missing == ["a", "b", ""]
    fill(rows)
    assert rows.missing == []
    assert cache.find(["b", "", "c"]).missing == ["c"]
    assert cache.find(["é\ud800"]).missing  # a lone surrogate is a key too


def test_what_is_not_filled_is_missing_for_the_next(core: Any) -> None:
    cache = core.RowCache(ONES, NO_BIAS, 10)
    first = cache.find(["a", "b"])
    second = cache.find(["b"])
    assert second.missing == ["b"]
    fill(second)
    del first  # forgets a, and not b
    assert cache.find(["a", "b"]).missing == ["a"]
    assert len(cache) == 1


def test_what_another_lookup_fills_is_not_given_to_other_keys(core: Any) -> None:
    cache = core.RowCache(ONES, NO_BIAS, 10)
    first = cache.find(["a"])
    second = cache.find(["a"])
    del first  # as after an error; the second still fills the row
    fill(second)
    assert cache.find(["b"]).missing == ["b"]
    assert cache.find(["a"]).missing == []
    first, second = cache.find(["c"]), cache.find(["c"])
    del second  # and the first one fills it
    fill(first)
    assert cache.find(["d"]).missing == ["d"]
    assert cache.find(["c"]).missing == []


def test_rows_in_use_stay_and_others_give_way(core: Any) -> None:
    cache = core.RowCache(ONES, NO_BIAS, 4)
    for i in range(20):
        rows = cache.find([f"k{i}", f"l{i}"])
        assert rows.missing == [f"k{i}", f"l{i}"]
        fill(rows)
        del rows
    assert len(cache) == 4
    kept = cache.find(["a", "b", "c"])
    fill(kept)
    for i in range(10):  # nothing that was found since gives way, so it grows
        rows = cache.find([f"m{i}"])
        fill(rows)
        del rows
    assert cache.find(["a", "b", "c"]).missing == []
    assert len(cache) == 13
    del kept
    for i in range(10):
        rows = cache.find([f"n{i}"])
        fill(rows)
        del rows
    assert len(cache) == 13
    many = cache.find([f"o{i}" for i in range(100)])  # more than fit, at once
    assert len(many.missing) == 100
    del many  # unfilled, and so forgotten
    assert len(cache) < 13


def test_rows_that_are_used_again_outlive_the_others(core: Any) -> None:
    cache = core.RowCache(ONES, NO_BIAS, 8)
    asked = 0
    for i in range(200):
        rows = cache.find(["often", f"once{i}"])
        asked += "often" in rows.missing
        fill(rows)
        del rows
    assert asked < 40


def test_long_keys_are_forgotten_when_nobody_has_them_in_use(core: Any) -> None:
    cache = core.RowCache(ONES, NO_BIAS, 10)
    long, other = "x" * 500_000, "y" * 257
    rows = cache.find(["a", long, long, other])
    assert rows.missing == ["a", long, other]
    fill(rows)
    while_held = cache.find([long, "z" * 256])
    assert while_held.missing == ["z" * 256]
    fill(while_held)
    del rows  # the other ticket has one of the long keys in use
    assert cache.find([long]).missing == []
    assert len(cache) == 3
    del while_held
    assert len(cache) == 2
    assert cache.find(["a", "z" * 256]).missing == []
    assert cache.find([long, other]).missing == [long, other]  # unfilled, and forgotten
    assert len(cache) == 2
    for n in range(50):  # the rows are used again
        rows = cache.find([f"{n}{long}", f"{n}{other}"])
        fill(rows)
        del rows
    assert len(cache) == 2


def test_threads_share_a_cache(core: Any) -> None:
    cache, lock = core.RowCache(ONES, NO_BIAS, 50), Lock()
    # none falls behind: what is looked up while a thread has its rows is kept
    together = Barrier(4)

    def work(seed: int) -> int:
        rng = random.Random(seed)
        for _ in range(200):
            with lock:
                rows = cache.find([f"k{n}" * (1 + n % 90) for n in rng.choices(range(200), k=20)])
                fill(rows)
            del rows  # without the lock
            together.wait(60)
        return seed

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [0, 1, 2, 3]
    assert len(cache) <= 50 + 4 * 20


def test_joined_values_are_keys(core: Any) -> None:
    cache = core.RowCache(ONES, NO_BIAS, 10)
    ids = np.array([[0, 1, 0], [1, 1, 1]], np.int32)
    rows = cache.find_joined(ids, [["A", "B"], ["x", "y"]])
    assert rows.missing == ["A\ty", "B\ty"]
    document = core.read_document(b"1\ta\t_\tA\ty\t_\t0\t_\t_\t_\n\n", "conllu", 10)
    assert cache.find_columns(document, [3, 4]).missing == ["A\ty"]
    fill(rows)
    assert cache.find_columns(document, [3, 4]).missing == []
    assert cache.find_columns(document, [4, 1]).missing == ["y\ta"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.RowCache(ONES[:, :3], NO_BIAS[:3], 5), "lanes"),
        (lambda c: c.RowCache(ONES, NO_BIAS[:3], 5), "bias"),
        (lambda c: c.RowCache(ONES, NO_BIAS, 0), "capacity"),
        (lambda c: c.RowCache(ONES, NO_BIAS, 5).find([b"a"]), "str"),
        (lambda c: c.RowCache(ONES, NO_BIAS, 5).find(["a"]).fill(ONES), "missing rows"),
        (lambda c: c.RowCache(ONES, NO_BIAS, 5).find_joined(SEVENS, [["A"]]), "outside"),
    ],
)  # fmt: skip
def test_misuse_is_an_exception(core: Any, call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(core)
