"""`AdmissionControl`: how many requests, and how many bytes of them, are within at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from meprop_nlp.serve.errors import RequestError

SOON = 1  # seconds after which a client may try again
PATIENCE = 2.0  # seconds for which the server waits for a client while bytes keep others out


class AdmissionControl:
    """Admits requests while there is room.

    A request that is still being sent has no place among `most_requests`, so that slow clients do
    not keep others out; the connections bound their number. Its bytes count from the first.
    Where bytes keep others out, those give way whose clients have been sending, or reading the
    answer, for more than `PATIENCE` seconds: the largest first.

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
        # answers are counted in the threads that make them; a request that gives way leaves inside
        self.lock = threading.RLock()
        self.waiting_for_clients: set[Admission] = set()

    def admit(self) -> Admission:
        """Admit a request, whose body is then read.

        Raises:
            RequestError: there is no room.
        """
        with self.lock:
            if self.requests >= self.most_requests or not self.make_room(self.most_bytes - 1):
                raise busy()
        return Admission(self)

    def make_room(self, most: int, *, but: Admission | None = None) -> bool:
        """Let slow clients' requests give way until all hold at most so many bytes.

        Args:
            most: the number of bytes.
            but: a request that does not give way.

        Returns:
            whether they hold no more.
        """
        with self.lock:
            if self.held > most:
                before = time.monotonic() - PATIENCE
                slow = [
                    one for one in self.waiting_for_clients if one.since < before and one is not but
                ]
                for one in sorted(slow, key=lambda one: -one.held):
                    one.give_way()
                    if self.held <= most:
                        break
            return self.held <= most


class Admission:
    """The place of one request, until it leaves.

    Attributes:
        held: its bytes.
        since: the time from which the server waits for the client.
        gave_way: whether it was ended for the sake of others.
    """

    def __init__(self, control: AdmissionControl) -> None:
        self._control = control
        self._has_begun = False
        self._is_within = True
        self._end: Callable[[], object] | None = None
        self.held = 0
        self.since = 0.0
        self.gave_way = False

    def wait_for_client(self, end: Callable[[], object]) -> None:
        """Note that the client sends the body, or reads the answer, from now on.

        Args:
            end: is called, in any thread, if the request must give way.
        """
        with self._control.lock:
            self.since, self._end = time.monotonic(), end
            self._control.waiting_for_clients.add(self)

    def begin(self) -> None:
        """Take a place among those at work or waiting, once the body has come.

        Raises:
            RequestError: there is none left, or the request had to give way.
        """
        with self._control.lock:
            self._control.waiting_for_clients.discard(self)
            if self.gave_way or self._control.requests >= self._control.most_requests:
                raise busy()
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
            self.held += n_bytes
            self._control.held += n_bytes
            most = 2 * self._control.most_bytes
            if self.held > most:
                raise RequestError(413, "The answer is too large; send less at a time.")
            if not self._control.make_room(most, but=self):
                raise busy()

    def replace(self, n_bytes: int) -> None:
        """Count these bytes in place of those that were held: the answer in place of the body."""
        with self._control.lock:
            self._control.held += n_bytes - self.held
            self.held = n_bytes

    def give_way(self) -> None:
        """Leave for the sake of others."""
        with self._control.lock:
            self.gave_way = True
            self.leave()
            if self._end is not None:
                self._end()

    def leave(self) -> None:
        """Give the place back; once more does nothing."""
        with self._control.lock:
            if self._is_within:
                self._is_within = False
                self._control.waiting_for_clients.discard(self)
                self._control.requests -= self._has_begun
                self._control.held -= self.held


def busy() -> RequestError:
    """Return the error of a request that comes at the wrong time."""
    return RequestError(503, "The server is busy, please try again later.", retry_after=SOON)
