"""`Middleware`: what every request passes on its way in and out.

It turns errors into responses, so that no traceback reaches a client; refuses requests that are
addressed to another host; adds the headers that all responses have; and logs a line for each.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import traceback
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from meprop_nlp.errors import MePropError
from meprop_nlp.serve.errors import ClientGoneError, RequestError

Log = Callable[[str], None]

CLIENT_GONE = 499  # in the log: there was nobody to answer
_JSON_PATHS = ("/annotate", "/healthz", "/openapi.json")
_MOST_DISCARDED = 1 << 26  # bytes of a refused body that are read, so that the client sees why
_DISCARD_SECONDS = 5.0


class Middleware:
    """Wraps the application of the server.

    Args:
        app: answers requests, or raises `RequestError`.
        hosts: the names that requests may be addressed to; empty: any.
        origins: web pages that may read the answers; `*` is any.
        log: takes a line for each request; None: nothing is logged but internal errors.
        report: takes what is wrong with the server itself.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Sequence[str] = (),
        origins: Sequence[str] = (),
        log: Log | None = None,
        report: Log | None = None,
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)
        self._log, self._report = log, report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        exchange = _Exchange(scope, receive, send, self._headers(scope))
        try:
            self._demand_host(scope)
            if self._origins and scope["method"] == "OPTIONS":
                # a browser asks whether a page may send JSON; the headers say so
                await Response(None, 204)(scope, exchange.receive, exchange.send)
            else:
                await self._app(scope, exchange.receive, exchange.send)
        except ClientGoneError:
            exchange.status = CLIENT_GONE
        except Exception as error:  # whatever it is, the client is told without a traceback
            if exchange.status:
                raise  # the response has begun, so that only closing the connection is left
            response = self._error(scope, error, exchange)
            await exchange.discard_body()
            await response(scope, exchange.receive, exchange.send)
        finally:
            if self._log is not None:
                self._log(exchange.line())

    def _demand_host(self, scope: Scope) -> None:
        if not self._hosts or "*" in self._hosts:
            return
        host = Headers(scope=scope).get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        if name.lower() not in self._hosts:
            raise RequestError(421, f"This server does not answer for the host {name!r}.")

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return headers for every response."""
        headers = [(b"x-content-type-options", b"nosniff")]
        if self._origins:
            origin = Headers(scope=scope).get("origin", "")
            if "*" in self._origins:
                headers.append((b"access-control-allow-origin", b"*"))
            else:
                headers.append((b"vary", b"Origin"))
                if origin in self._origins:
                    headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
            headers.append((b"access-control-allow-headers", b"Content-Type"))
            headers.append((b"access-control-allow-methods", b"GET, POST"))
        return headers

    def _error(self, scope: Scope, error: Exception, exchange: _Exchange) -> Response:
        """Return the response that an error stands for."""
        headers = {}
        if isinstance(error, RequestError):
            status, message = error.status, str(error)
            if error.retry_after is not None:
                headers["Retry-After"] = str(error.retry_after)
        elif isinstance(error, MemoryError):
            status, message = 503, "The server is out of memory, please send less at a time."
        else:
            status = 500
            message = f"An internal error occurred; the log has it as {exchange.identifier}."
            if self._report is not None:
                lines = "".join(traceback.format_exception(error)).rstrip()
                kind = "error" if not isinstance(error, MePropError) else "model error"
                self._report(f"internal {kind} {exchange.identifier}:\n{lines}")
        if scope["path"].endswith(_JSON_PATHS):
            content = json.dumps({"error": message}) + "\n"
            return Response(content, status, headers, "application/json")
        text = message.encode("utf-8", "backslashreplace") + b"\n"
        return Response(text, status, headers, "text/plain")


class _Exchange:
    """One request and its response, as they pass."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, headers: list[tuple[bytes, bytes]]
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._headers = headers
        self._begun = time.perf_counter()
        self._is_read = False
        self._n_sent = 0
        self.identifier = secrets.token_hex(4)
        self.status = 0

    async def receive(self) -> Message:
        """Pass on what comes from the client."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._is_read = True
        return message

    async def send(self, message: Message) -> None:
        """Pass on what goes to the client, with the headers of every response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        else:
            self._n_sent += len(message.get("body", b""))
        await self._send(message)

    async def discard_body(self) -> None:
        """Read the rest of the body: a client that cannot send it may not read the response."""
        if self._is_read or Headers(scope=self._scope).get("expect"):
            return
        n_read = 0
        try:
            async with asyncio.timeout(_DISCARD_SECONDS):
                while not self._is_read and n_read < _MOST_DISCARDED:
                    n_read += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return

    def line(self) -> str:
        """Return a line for the log: who, what, and how it ended; never what was annotated."""
        client = self._scope.get("client") or ("-", 0)
        path = self._scope.get("raw_path", b"-").decode("ascii", "backslashreplace")
        milliseconds = 1000 * (time.perf_counter() - self._begun)
        method = self._scope["method"]
        # neither the path nor the method can hold a line end or a space: they come from HTTP's
        # first line
        return (
            f"{client[0]} {method} {path} {self.status} {self._n_sent} bytes "
            f"{milliseconds:.0f} ms {self.identifier}"
        )
