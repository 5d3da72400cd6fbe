"""Connections of clients that are slow, or too many: `connection_class` makes uvicorn's bounded."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from meprop_nlp.serve.limits import Limits

_SLOWEST = 1024  # bytes a second that a client must read

_BUSY = b"The server is busy, please try again later.\n"
_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s"
) % (len(_BUSY), _BUSY)


def connection_class(limits: Limits) -> type[H11Protocol]:
    """Return a protocol for uvicorn that closes connections of clients that keep it waiting.

    uvicorn waits as long as the client likes for a request's first lines, for the rest of a body
    that was answered before its end, and for an answer to be read. Here each has `client_timeout`
    seconds.
    """

    class Connection(H11Protocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._head_timer: asyncio.TimerHandle | None = None
            self._body_timer: asyncio.TimerHandle | None = None
            self._write_timer: asyncio.TimerHandle | None = None
            self._unread = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.write(_TOO_MANY)
                transport.close()
                return
            self._await_head()

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            super().data_received(data)
            if self.conn.their_state is h11.IDLE:
                self._await_head()
            else:
                self._stop(self._head_timer)
                self._head_timer = None
            if not self._is_answered_early:
                self._stop(self._body_timer)
                self._body_timer = None

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # what still comes of the body stops uvicorn's own timer, which nothing starts again
            if self._is_answered_early and not self.transport.is_closing():
                self._stop(self._body_timer)
                self._body_timer = self.loop.call_later(limits.client_timeout, self._give_up_body)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop(self._head_timer)
            self._stop(self._body_timer)
            self._stop(self._write_timer)
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._unread = self.transport.get_write_buffer_size()
            self._watch_reader()

        def resume_writing(self) -> None:
            self._stop(self._write_timer)
            self._write_timer = None
            super().resume_writing()

        def _await_head(self) -> None:
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(limits.client_timeout, self._give_up_head)

        def _give_up_head(self) -> None:
            self._head_timer = None
            if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
                self.transport.abort()

        @property
        def _is_answered_early(self) -> bool:
            """Whether the client still sends the body of a request that has its answer."""
            return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

        def _give_up_body(self) -> None:
            self._body_timer = None
            if self._is_answered_early and not self.transport.is_closing():
                self.transport.abort()

        def _watch_reader(self) -> None:
            self._write_timer = self.loop.call_later(limits.client_timeout, self._check_reader)

        def _check_reader(self) -> None:
            unread = self.transport.get_write_buffer_size()
            if self._unread - unread < _SLOWEST * limits.client_timeout:
                self.transport.abort()
                return
            self._unread = unread
            self._watch_reader()

        @staticmethod
        def _stop(timer: asyncio.TimerHandle | None) -> None:
            if timer is not None:
                timer.cancel()

    return Connection
