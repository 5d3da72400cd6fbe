"""`serve`: run an application with uvicorn until a signal ends it."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.serve.app import Service, make_app
from meprop_nlp.serve.connection import connection_class
from meprop_nlp.serve.limits import Limits
from meprop_nlp.serve.middleware import Log
from meprop_nlp.signals import ENDING

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_BACKLOG = 1024  # connections that the system holds until they are taken
_MOST_HEAD = 1 << 16  # bytes of a request's first lines
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listening(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen at all addresses of a host: `localhost` may have two.

    Args:
        port: 0 is any that is free; it is the same one at each address.

    Raises:
        ConfigError: there is no such host here.
        DataError: the port is in use, needs rights that the process has not, or cannot be had.
    """
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"`host` is {host!r}, which has no address: {error}") from None
    addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in known))
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in addresses:
            if not port and sockets:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            try:
                sockets.append(_bound(family, address, alone=len(addresses) == 1))
            except OSError as error:
                # the names of a host may be more than this machine has: ::1 without IPv6
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
        if missing is not None and not sockets:
            raise missing
    except OSError as error:
        for found in sockets:
            found.close()
        raise _refusal(error, host, port) from None
    return sockets


def _bound(family: int, address: Any, *, alone: bool) -> socket.socket:
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # a port is free at once after its last server has ended
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and not alone:  # the host's IPv4 address has its own socket
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind(address)
        found.listen(_BACKLOG)
        found.setblocking(False)
    except BaseException:
        found.close()
        raise
    return found


def _refusal(error: OSError, host: str, port: int) -> ConfigError | DataError:
    """Return the error that says why there is no listening at an address."""
    match error.errno:
        case errno.EADDRINUSE:
            return DataError(
                f"port {port} of {host} is in use; choose another with `port`, or `port=0` "
                "for any that is free"
            )
        case errno.EACCES:
            return DataError(
                f"port {port} needs rights that this process has not; choose one above 1023 "
                "with `port`"
            )
        case number if number in _NOT_HERE:
            return ConfigError(f"`host` is {host!r}, no address of this machine")
    reason = error.strerror or str(error)
    return DataError(f"cannot listen at port {port} of {host}: {reason}")


def is_loopback(sockets: Sequence[socket.socket]) -> bool:
    """Whether only programs of this machine can reach listening sockets."""
    addresses = [found.getsockname()[0] for found in sockets]
    return all(address.startswith("127.") or address == "::1" for address in addresses)


def hosts_of(sockets: Sequence[socket.socket], host: str, limits: Limits) -> tuple[str, ...]:
    """Return the names that requests may be addressed to; none: any.

    On a loopback address a web page could otherwise reach the server under a name of its own that
    resolves to this machine, and read the answers.
    """
    if not is_loopback(sockets):
        return tuple(limits.allow_host or ())
    own = f"[{host}]" if ":" in host else host
    return (*LOOPBACK, own, *(limits.allow_host or ()))


def serve(
    service: Service,
    sockets: list[socket.socket],
    host: str,
    *,
    log: Log | None,
    report: Log,
    on_start: Callable[[], None],
) -> int | None:
    """Answer requests until a signal ends it, and let those that are at work be finished.

    Args:
        sockets: where it listens.
        host: its name.
        log: takes a line for each request; None: nobody does.
        report: takes what is wrong with the server itself.
        on_start: is called once requests are answered.

    Returns:
        the number of the signal.
    """
    limits = service.limits
    app = make_app(service, hosts=hosts_of(sockets, host, limits), log=log, report=report)
    config = uvicorn.Config(
        app,
        http=connection_class(limits),
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=limits.grace,
        h11_max_incomplete_event_size=_MOST_HEAD,
        backlog=_BACKLOG,
    )
    server = _Server(config, service, report, on_start)
    with _uvicorn_reports(report):
        asyncio.run(server.serve(sockets=sockets))
    service.workers.close()
    return server.ended_by


class _Server(uvicorn.Server):
    """uvicorn's server, which a signal ends as it ends the other commands.

    Attributes:
        ended_by: the number of the first signal.
    """

    def __init__(
        self, config: uvicorn.Config, service: Service, report: Log, on_start: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._service, self._report, self._on_start = service, report, on_start
        self.ended_by: int | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer requests."""
        await super().startup(sockets)
        self._on_start()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:  # type: ignore[override]
        """Within the block, let signals end the server; those that are ignored stay so."""
        loop = asyncio.get_running_loop()

        def end(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._end, number)

        before = {number: signal.getsignal(number) for number in ENDING}
        handled = [number for number in ENDING if before[number] not in (signal.SIG_IGN, None)]
        for number in handled:
            signal.signal(number, end)
        try:
            yield
        finally:
            for number in handled:
                signal.signal(number, before[number])

    def _end(self, number: int) -> None:
        if self.ended_by is not None:  # a second signal: at once
            self.should_exit = self.force_exit = True
            return
        self.ended_by = number
        self._service.is_draining = True
        drain = self._service.limits.drain
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        self._report(f"{name}: stopping, once the requests at work are finished; again: at once")
        asyncio.get_running_loop().call_later(drain, setattr, self, "should_exit", True)


@contextmanager
def _uvicorn_reports(report: Log) -> Iterator[None]:
    """Within the block, uvicorn's errors go to the report; its warnings are of bad clients."""
    handler = _Reporting(report)
    logger = logging.getLogger("uvicorn.error")
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before


# what uvicorn logs where an answer ends early, as it does when its client reads too slowly
_UNFINISHED = "ASGI callable returned without completing response."


class _Reporting(logging.Handler):
    def __init__(self, report: Log) -> None:
        super().__init__()
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Pass an error on; an answer that a client did not read to its end is none of ours."""
        if record.getMessage() == _UNFINISHED:
            return
        self._report(f"uvicorn: {self.format(record)}")
