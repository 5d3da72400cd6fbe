"""`Gate`: how many requests, and how many bytes of them, are in the server at a time."""

from __future__ import annotations

from meprop_nlp.serve.errors import RequestError

SOON = 1  # seconds after which a client may try again


class Gate:
    """Lets requests in while there is room. For the thread of the event loop alone.

    Args:
        most_requests: how many may be within.
        most_bytes: no more are let in while those within hold as much.

    Attributes:
        requests: how many are within.
        held: the bytes of their bodies and answers.
    """

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self.most_requests, self.most_bytes = most_requests, most_bytes
        self.requests = 0
        self.held = 0

    def enter(self) -> Ticket:
        """Let a request in.

        Raises:
            RequestError: there is no room.
        """
        if self.requests >= self.most_requests or self.held >= self.most_bytes:
            raise RequestError(503, "The server is busy, please try again later.", retry_after=SOON)
        self.requests += 1
        return Ticket(self)


class Ticket:
    """The place of one request, until it leaves."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._held = 0
        self._is_within = True

    def hold(self, n_bytes: int) -> None:
        """Count bytes that are held for the request.

        Raises:
            RequestError: all requests together hold too many.
        """
        self._held += n_bytes
        self._gate.held += n_bytes
        if self._gate.held > 2 * self._gate.most_bytes:
            raise RequestError(503, "The server is busy, please try again later.", retry_after=SOON)

    def replace(self, n_bytes: int) -> None:
        """Count these bytes in place of those that were held: the answer in place of the body."""
        self._gate.held += n_bytes - self._held
        self._held = n_bytes

    def leave(self) -> None:
        """Give the place back; once more does nothing."""
        if self._is_within:
            self._is_within = False
            self._gate.requests -= 1
            self._gate.held -= self._held
