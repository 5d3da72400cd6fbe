"""Requests are let in while there is room for them, and give their places back."""

from __future__ import annotations

import pytest

from meprop_nlp.serve.errors import RequestError
from meprop_nlp.serve.gate import Gate


def test_requests_beyond_the_room_are_refused() -> None:
    gate = Gate(2, 1000)
    tickets = [gate.enter(), gate.enter()]
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
    assert (gate.held, gate.requests) == (0, 1)


def test_request_that_grows_beyond_all_room_is_refused() -> None:
    gate = Gate(10, 1000)
    ticket = gate.enter()
    ticket.hold(2000)
    with pytest.raises(RequestError, match="busy"):
        ticket.hold(1)
    ticket.leave()
    assert gate.held == 0
