"""`AdmissionControl`: how many requests, and how many bytes of them, are within at a time."""

from __future__ import annotations

import threading

from meprop_nlp.serve.errors import RequestError

SOON = 1  # seconds after which a client may try again


class AdmissionControl:
    """Admits requests while there is room.

    A request that is still being sent has no place among `most_requests`, so that slow clients do
    not keep others out; their number is that of the connections. Its bytes count from the first.

    Args:
        most_requests: how many may be at work or waiting.
        most_bytes: no more are let in while those within hold as much; one that comes to hold
            more, while all together hold twice as much, is ended.

    Attributes:
        requests: how many are at work or waiting.
        held: the bytes of the bodies and answers of all that are within.
    """

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self.most_requests, self.most_bytes = most_requests, most_bytes
        self.requests = 0
        self.held = 0
        self.lock = threading.Lock()  # answers are counted in the threads that make them

    def admit(self) -> Admission:
        """Admit a request, whose body is then read.

        Raises:
            RequestError: there is no room.
        """
        with self.lock:
            if self.requests >= self.most_requests or self.held >= self.most_bytes:
                raise _busy()
        return Admission(self)


class Admission:
    """The place of one request, until it leaves."""

    def __init__(self, control: AdmissionControl) -> None:
        self._control = control
        self._held = 0
        self._has_begun = False
        self._is_within = True

    def begin(self) -> None:
        """Take a place among those at work or waiting, once the body has come.

        Raises:
            RequestError: there is none left.
        """
        with self._control.lock:
            if self._control.requests >= self._control.most_requests:
                raise _busy()
            self._control.requests += 1
            self._has_begun = True

    def hold(self, n_bytes: int) -> None:
        """Count bytes that are held for the request; safe in any thread.

        Raises:
            RequestError: all requests together hold too many, or this one alone does.
        """
        with self._control.lock:
            if not self._is_within:  # nobody waits any more, and its slice is the last
                return
            self._held += n_bytes
            self._control.held += n_bytes
            most = 2 * self._control.most_bytes
            if self._held > most:
                raise RequestError(413, "The answer is too large; send less at a time.")
            if self._control.held > most:
                raise _busy()

    def replace(self, n_bytes: int) -> None:
        """Count these bytes in place of those that were held: the answer in place of the body."""
        with self._control.lock:
            self._control.held += n_bytes - self._held
            self._held = n_bytes

    def leave(self) -> None:
        """Give the place back; once more does nothing."""
        with self._control.lock:
            if self._is_within:
                self._is_within = False
                self._control.requests -= self._has_begun
                self._control.held -= self._held


def _busy() -> RequestError:
    return RequestError(503, "The server is busy, please try again later.", retry_after=SOON)
