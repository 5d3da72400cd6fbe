"""A server listens at all addresses of its host, or says in a sentence why it cannot."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

pytestmark = pytest.mark.extras
pytest.importorskip("uvicorn", reason="needs meprop-nlp[serve]")

from meprop_nlp.errors import ConfigError, DataError  # noqa: E402
from meprop_nlp.serve import server  # noqa: E402
from meprop_nlp.serve.server import is_loopback, listening  # noqa: E402


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a host has."""
    found: list[str] = []

    def addresses(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(server.socket, "getaddrinfo", addresses)
    return found


def test_all_addresses_are_listened_at_with_one_port(known: list[str]) -> None:
    known += ["198.51.100.1", "127.0.0.1", "127.0.0.2"]  # the first is no address of this machine
    sockets = listening("name", 0)
    try:
        assert [each.getsockname()[0] for each in sockets] == ["127.0.0.1", "127.0.0.2"]
        (port,) = {each.getsockname()[1] for each in sockets}
        for address in known[1:]:
            with socket.socket() as connection:
                connection.settimeout(5)
                connection.connect((address, port))
        assert is_loopback(sockets)
    finally:
        for each in sockets:
            each.close()


def test_loopback_is_no_loopback_beside_another_address() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("", 0)) as any_one,
    ):
        assert is_loopback([one])
        assert not is_loopback([one, any_one])


def test_host_without_an_address_here_is_refused(known: list[str]) -> None:
    known += ["198.51.100.1", "198.51.100.2"]
    with pytest.raises(ConfigError, match="`host` is 'name', no address of this machine"):
        listening("name", 0)


def test_port_that_is_taken_at_one_address_is_refused(known: list[str]) -> None:
    known += ["127.0.0.2", "127.0.0.1"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DataError, match=f"port {port} of name is in use"):
            listening("name", port)
    for each in listening("name", port):  # the other address was let go
        each.close()


def test_any_other_failure_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(server.socket, "socket", refuse)
    with pytest.raises(DataError, match=r"cannot listen at port 0 of 127\.0\.0\.1: Too many open"):
        listening("127.0.0.1", 0)
