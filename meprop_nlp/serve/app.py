"""`make_app`: the server's application, and `Service`, which answers its requests."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from meprop_nlp.serve.admission import SOON, Admission, AdmissionControl, busy
from meprop_nlp.serve.description import description
from meprop_nlp.serve.errors import ClientGoneError, RequestError
from meprop_nlp.serve.json_requests import annotate
from meprop_nlp.serve.limits import Limits
from meprop_nlp.serve.middleware import Log, Middleware
from meprop_nlp.serve.page import page
from meprop_nlp.serve.parameters import parameters_of
from meprop_nlp.serve.served_models import ServedModels
from meprop_nlp.serve.udpipe import Answer, process
from meprop_nlp.serve.workers import Steps, Workers

UDPIPE_PATH = "/services/udpipe/api"  # where LINDAT's service has `/models` and `/process`
Hold = Callable[[int], None]

_PIECE = 1 << 16  # bytes of an answer that are sent at a time
_SLOWEST = 1 << 14  # bytes a second that a client must read, beside `client_timeout`


class Service:
    """Answers requests with models; its methods run in the event loop, its work in threads.

    Args:
        models: those that are served.
        limits: how much it takes on.
        workers: the threads.
        version: of the package.

    Attributes:
        is_draining: whether the server is about to stop.
    """

    def __init__(
        self, models: ServedModels, limits: Limits, workers: Workers, version: str
    ) -> None:
        self.served_models, self.limits, self.workers = models, limits, workers
        self.version = version
        self.is_draining = False
        self._control = AdmissionControl(limits.queue, limits.most_held)
        self._started = time.monotonic()
        self._page = page(version)

    def routes(self) -> list[BaseRoute]:
        """Return what is answered where."""
        udpipe: list[BaseRoute] = [
            Route("/models", self.models, methods=["GET", "POST"]),
            Route("/process", self.process, methods=["GET", "POST"]),
        ]
        return [
            Route("/", self.front_page, methods=["GET"]),
            Route("/annotate", self.annotate, methods=["POST"]),
            Route("/healthz", self.health, methods=["GET"]),
            Route("/openapi.json", self.open_api, methods=["GET"]),
            *udpipe,
            Mount(UDPIPE_PATH, routes=udpipe),
        ]

    async def models(self, request: Request) -> Response:
        """Answer which models there are, as UDPipe does."""
        return _json(self.served_models.to_dict())

    async def process(self, request: Request) -> Response:
        """Answer as UDPipe's `process` does."""
        content_type = request.headers.get("content-type", "")
        query = request.scope["query_string"]

        def steps(body: bytes, hold: Hold) -> Steps[Answer]:
            return process(parameters_of(query, content_type, body), hold, self.served_models)

        return await self._answered(request, steps)

    async def annotate(self, request: Request) -> Response:
        """Answer JSON with JSON."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise RequestError(
                415, f"Unsupported Content-Type {kind or '<none>'!r}, expected application/json."
            )
        return await self._answered(request, partial(annotate, models=self.served_models))

    async def health(self, request: Request) -> Response:
        """Answer whether the server takes requests, and what it is at."""
        state = {
            "status": "stopping" if self.is_draining else "ok",
            "version": self.version,
            "models": [one.name for one in self.served_models.models],
            "uptime": round(time.monotonic() - self._started, 3),
            "requests": self._control.requests,
            "waiting": self.workers.waiting,
        }
        return _json(state, 503 if self.is_draining else 200)

    async def open_api(self, request: Request) -> Response:
        """Answer with the description of all this."""
        return _json(description(self.version))

    async def front_page(self, request: Request) -> Response:
        """Answer with the page."""
        headers = {
            "Content-Security-Policy": self._page.policy,
            "Referrer-Policy": "no-referrer",
        }
        return Response(self._page.html, 200, headers, "text/html")

    async def _answered(
        self, request: Request, make_steps: Callable[[bytes, Hold], Steps[Answer]]
    ) -> Response:
        """Read the body, let the workers make an answer of it, and return that.

        Raises:
            RequestError: there is no room, the body is too large or too slow, or the work takes too
                long; or what the work raises.
            ClientGoneError: nobody waits for the answer any more.
        """
        admission = self._control.admit()
        try:
            body = await self._body(request, admission)
            admission.begin()

            def steps() -> Steps[Answer]:
                # reading the parameters is work, too
                made = make_steps(body, admission.hold)
                return (yield from made)

            answer = await self._worked(request, steps())
            admission.replace(answer.size)
            return _Sent(answer, admission, self.limits)
        except BaseException:
            admission.leave()
            raise

    async def _body(self, request: Request, admission: Admission) -> bytes:
        most = self.limits.most_bytes
        declared = request.headers.get("content-length", "")
        pieces: list[bytes] = []
        left = most
        if declared.isdecimal() and int(declared) > most:
            raise self._too_large()
        try:
            async with asyncio.timeout(self.limits.client_timeout) as deadline:
                admission.wait_for_client(_ender(deadline))
                async for piece in request.stream():
                    left -= len(piece)
                    if left < 0:
                        raise self._too_large()
                    admission.hold(len(piece))
                    pieces.append(piece)
        except TimeoutError:
            if admission.gave_way:
                raise busy() from None
            raise RequestError(
                408, f"The request did not arrive in {self.limits.client_timeout:g} seconds."
            ) from None
        except ClientDisconnect:
            raise ClientGoneError from None
        return b"".join(pieces)

    def _too_large(self) -> RequestError:
        return RequestError(
            413, f"The payload size is too large, expected at most {self.limits.max_body} KiB."
        )

    async def _worked(self, request: Request, steps: Steps[Answer]) -> Answer:
        job = self.workers.submit(steps)
        done = asyncio.ensure_future(asyncio.wrap_future(job.future))
        gone = asyncio.ensure_future(_disconnected(request.receive))
        either: set[asyncio.Future[Any]] = {done, gone}
        try:
            await asyncio.wait(
                either, timeout=self.limits.timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if done.done():
                return done.result()
            if gone.done():
                raise ClientGoneError
            seconds = f"{self.limits.timeout:g} seconds"
            if job.is_begun:
                raise RequestError(
                    504, f"The work took longer than {seconds}; send less at a time."
                )
            raise RequestError(503, f"The server was busy for {seconds}.", retry_after=SOON)
        finally:
            gone.cancel()
            if not done.done():
                job.future.cancel()  # at once: `done` would pass it on a turn of the loop later
                done.cancel()
            # an error that is raised here holds this frame, which must not hold the error
            del job, done, either, steps


class _Sent(Response):
    """An answer that is sent in pieces, and holds its admission until it is sent."""

    def __init__(self, answer: Answer, admission: Admission, limits: Limits) -> None:
        headers = {"Content-Length": str(answer.size)}
        super().__init__(None, 200, headers, answer.media_type)
        self._pieces, self._admission = answer.pieces, admission
        self._seconds = limits.client_timeout + answer.size / _SLOWEST

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, or as much of it as the client reads in time."""
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        try:
            async with asyncio.timeout(self._seconds) as deadline:
                self._admission.wait_for_client(_ender(deadline))
                await send(start)
                for piece in _sized(self._pieces):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            raise ClientGoneError from None
        finally:
            self._admission.leave()


def _ender(deadline: asyncio.Timeout) -> Callable[[], object]:
    """Return a function that lets a timeout expire at once; it may be called in any thread."""
    loop = asyncio.get_running_loop()

    def expire() -> None:
        with suppress(RuntimeError):  # the block has been left meanwhile
            deadline.reschedule(loop.time())

    return partial(loop.call_soon_threadsafe, expire)


def _sized(pieces: list[bytes]) -> Iterator[bytes]:
    """Yield the bytes of pieces, small ones together and large ones cut."""
    small = bytearray()
    for piece in pieces:
        small += piece
        if len(small) >= _PIECE:
            whole = bytes(small)
            small.clear()
            for place in range(0, len(whole), _PIECE):
                yield whole[place : place + _PIECE]
    if small:
        yield bytes(small)


async def _disconnected(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _json(content: object, status: int = 200) -> Response:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    return Response(text, status, media_type="application/json")


def make_app(
    service: Service,
    *,
    hosts: Sequence[str] = (),
    log: Log | None = None,
    report: Log | None = None,
) -> Middleware:
    """Return the application of a service.

    Args:
        service: answers the requests.
        hosts: the names that requests may be addressed to; empty: any.
        log: takes a line for each request.
        report: takes what is wrong with the server itself, with its traceback.
    """
    router = Router(service.routes(), redirect_slashes=False)
    origins = service.limits.allow_origin or ()
    return Middleware(router, hosts=hosts, origins=origins, log=log, report=report)
