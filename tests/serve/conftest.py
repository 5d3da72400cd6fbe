"""Fixtures for the tests of the server: a model, an application, and a client without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from meprop_nlp.models.model import Model, load
from meprop_nlp.serve.limits import Limits
from meprop_nlp.serve.served_models import ServedModel, ServedModels
from meprop_nlp.serve.workers import Workers

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Reply:
    """A response."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Client:
    """Calls an application of ASGI, each time in an event loop of its own."""

    def __init__(self, app: Any, service: Any) -> None:
        self.app, self.service = app, service
        self.log: list[str] = []
        self.reports: list[str] = []

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: str = "",
        host: str = "localhost:8001",
        **headers: str,
    ) -> Reply:
        """Send a request and return the response."""
        return asyncio.run(self.send(method, path, [body], query=query, host=host, **headers))

    async def send(
        self,
        method: str,
        path: str,
        pieces: list[bytes | None],
        *,
        query: str = "",
        host: str = "localhost:8001",
        leaves: asyncio.Event | None = None,
        **headers: str,
    ) -> Reply:
        """Send a request in pieces; at None wait for ever.

        With `leaves`, the connection is closed when it is set.
        """
        names = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "scheme": "http",
            "http_version": "1.1", "server": ("127.0.0.1", 8001), "client": ("127.0.0.1", 5),
            "headers": [(n.encode(), v.encode("latin-1")) for n, v in names.items()],
        }  # fmt: skip
        left = list(pieces)
        reply, done = Reply(), asyncio.Event()

        async def receive() -> Any:
            if left:
                piece = left.pop(0)
                if piece is None:
                    await asyncio.sleep(3600)
                return {"type": "http.request", "body": piece, "more_body": bool(left)}
            await (leaves or done).wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {n.decode(): v.decode() for n, v in message["headers"]}
            else:
                reply.body += message["body"]
                if not message.get("more_body"):
                    done.set()

        await self.app(scope, receive, send)
        return reply

    def get(self, path: str, **parameters: str) -> Reply:
        """Send parameters in the URL."""
        return self("GET", path, query=urlencode(parameters))

    def form(self, path: str, **parameters: str) -> Reply:
        """Send parameters in a form."""
        return self("POST", path, urlencode(parameters).encode(), content_type=FORM)

    def annotate(self, **request: Any) -> Reply:
        """Send JSON to our own interface."""
        return self("POST", "/annotate", json.dumps(request).encode(), content_type=JSON)


@pytest.fixture(scope="session")
def english() -> Model:
    """The model of the package."""
    return load("en")


@pytest.fixture(scope="session")
def models(english: Model) -> ServedModels:
    """The model of the package under its names, and its tags alone under another."""
    return ServedModels(
        [
            ServedModel(("english-ewt", "en"), english, ("a licence",)),
            ServedModel(("tags",), english.only("tags")),
        ]
    )


@pytest.fixture
def make_client(models: ServedModels) -> Iterator[Callable[..., Client]]:
    """Make a client of a server with limits of its own; hosts are checked where they are given."""
    reason = "needs meprop-nlp[serve]"
    app = pytest.importorskip("meprop_nlp.serve.app", reason=reason)
    workers: list[Workers] = []

    def make(hosts: tuple[str, ...] = (), n_workers: int = 2, **limits: Any) -> Client:
        workers.append(Workers(n_workers))
        service = app.Service(models, Limits(**limits), workers[-1], "1.2.3")
        client = Client(None, service)
        client.app = app.make_app(
            service, hosts=hosts, log=client.log.append, report=client.reports.append
        )
        return client

    yield make
    for made in workers:
        assert made.close()


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    """A client of a server with the usual limits."""
    return make_client()
