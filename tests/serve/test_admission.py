"""Requests are let in while there is room for them, and give their places back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from meprop_nlp.serve.admission import Admission, AdmissionControl
from meprop_nlp.serve.errors import RequestError


def test_requests_beyond_the_room_are_refused() -> None:
    control = AdmissionControl(2, 1000)
    admissions = [control.admit(), control.admit()]
    for admission in admissions:
        admission.begin()
    with pytest.raises(RequestError, match="busy") as refused:
        control.admit()
    assert (refused.value.status, refused.value.retry_after) == (503, 1)
    admissions[0].leave()
    admissions[0].leave()
    assert control.requests == 1
    control.admit()


def test_no_request_is_let_in_while_others_hold_too_much() -> None:
    control = AdmissionControl(10, 1000)
    first = control.admit()
    first.hold(999)
    second = control.admit()
    second.hold(1)
    with pytest.raises(RequestError, match="busy"):
        control.admit()
    first.replace(10)  # the answer is smaller
    assert control.held == 11
    control.admit()
    first.leave()
    second.leave()
    assert (control.held, control.requests) == (0, 0)


def test_request_that_grows_beyond_all_room_is_refused() -> None:
    control = AdmissionControl(10, 1000)
    first, second = control.admit(), control.admit()
    first.hold(900)
    second.hold(1100)
    with pytest.raises(RequestError, match="busy") as refused:
        second.hold(1)
    assert refused.value.status == 503
    first.leave()
    with pytest.raises(RequestError, match="too large; send less") as refused:
        second.hold(1000)
    assert (refused.value.status, refused.value.retry_after) == (413, None)
    second.leave()
    assert control.held == 0


def test_requests_that_are_still_being_sent_keep_nobody_out() -> None:
    control = AdmissionControl(1, 1000)
    sending = [control.admit() for _ in range(5)]
    assert control.requests == 0
    sending[0].begin()
    with pytest.raises(RequestError, match="busy"):
        sending[1].begin()
    for admission in sending:
        admission.leave()
    assert control.requests == 0


def test_threads_count_together_and_not_for_who_has_left() -> None:
    control = AdmissionControl(10, 1 << 30)
    admissions = [control.admit() for _ in range(8)]

    def count(admission: Admission) -> None:
        for _ in range(5000):
            admission.hold(3)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, admissions))
    assert control.held == 8 * 5000 * 3
    for admission in admissions:
        admission.leave()
        admission.hold(7)
    assert control.held == 0


def sending(control: AdmissionControl, *sizes: int) -> tuple[list[Admission], list[int]]:
    """Requests whose bodies are being sent, and the list of those that were ended, by place."""
    found, ended = [], []
    for place, size in enumerate(sizes):
        found.append(control.admit())
        found[-1].wait_for_client(lambda place=place: ended.append(place))
        found[-1].hold(size)
    return found, ended


def test_slow_requests_give_way_to_others_the_largest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    control = AdmissionControl(10, 1000)
    slow, ended = sending(control, 100, 700, 150, 50)
    with pytest.raises(RequestError, match="busy"):
        control.admit()  # nobody has been slow for long
    assert not ended
    monkeypatch.setattr("meprop_nlp.serve.admission.PATIENCE", -1.0)
    control.admit()
    assert (ended, control.held) == ([1], 300)
    with pytest.raises(RequestError, match="busy"):
        slow[1].begin()
    slow[1].hold(9)
    slow[1].leave()
    assert control.held == 300


def test_only_those_that_wait_for_their_client_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meprop_nlp.serve.admission.PATIENCE", -1.0)
    control = AdmissionControl(10, 1000)
    (at_work, read), ended = sending(control, 600, 390)
    at_work.begin()
    at_work.hold(300)
    control.admit()
    assert (ended, control.held) == ([1], 900)
    at_work.hold(100)
    with pytest.raises(RequestError, match="busy"):
        control.admit()
    at_work.wait_for_client(lambda: ended.append(0))  # who reads its answer
    control.admit()
    assert (ended, control.held, control.requests) == ([1, 0], 0, 0)
    read.leave()
    assert control.held == 0


def test_a_request_that_grows_finds_room_and_does_not_end_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("meprop_nlp.serve.admission.PATIENCE", -1.0)
    control = AdmissionControl(10, 1000)
    admissions, ended = sending(control, 900, 1)
    admissions[1].hold(1100)
    assert (ended, control.held) == ([0], 1101)
