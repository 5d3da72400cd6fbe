"""Requests are let in while there is room for them, and give their places back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from meprop_nlp.serve.errors import RequestError
from meprop_nlp.serve.gate import Gate, Ticket


def test_requests_beyond_the_room_are_refused() -> None:
    gate = Gate(2, 1000)
    tickets = [gate.enter(), gate.enter()]
    for ticket in tickets:
        ticket.begin()
    with pytest.raises(RequestError, match="busy") as refused:
        gate.enter()
    assert (refused.value.status, refused.value.retry_after) == (503, 1)
    tickets[0].leave()
    tickets[0].leave()
    assert gate.requests == 1
    gate.enter()


def test_no_request_is_let_in_while_others_hold_too_much() -> None:
    gate = Gate(10, 1000)
    first = gate.enter()
    first.hold(999)
    second = gate.enter()
    second.hold(1)
    with pytest.raises(RequestError, match="busy"):
        gate.enter()
    first.replace(10)  # the answer is smaller
    assert gate.held == 11
    gate.enter()
    first.leave()
    second.leave()
    assert (gate.held, gate.requests) == (0, 0)


def test_request_that_grows_beyond_all_room_is_refused() -> None:
    gate = Gate(10, 1000)
    first, second = gate.enter(), gate.enter()
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
    assert gate.held == 0


def test_requests_that_are_still_being_sent_keep_nobody_out() -> None:
    gate = Gate(1, 1000)
    sending = [gate.enter() for _ in range(5)]
    assert gate.requests == 0
    sending[0].begin()
    with pytest.raises(RequestError, match="busy"):
        sending[1].begin()
    for ticket in sending:
        ticket.leave()
    assert gate.requests == 0


def test_threads_count_for_one_gate_and_not_for_who_has_left() -> None:
    gate = Gate(10, 1 << 30)
    tickets = [gate.enter() for _ in range(8)]

    def count(ticket: Ticket) -> None:
        for _ in range(5000):
            ticket.hold(3)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, tickets))
    assert gate.held == 8 * 5000 * 3
    for ticket in tickets:
        ticket.leave()
        ticket.hold(7)
    assert gate.held == 0
