"""Archives of treebanks, and a server on loopback that sends them, well or badly."""

from __future__ import annotations

import gzip
import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

TREE = "1\tTee\tTee\tNOUN\tNN\t_\t0\troot\t_\t_\n\n"
FILES = {
    "de_toy-ud-dev.conllu": TREE,
    "de_toy-ud-test.conllu": TREE * 2,
    "de_toy-ud-train.conllu": TREE * 3,
    "LICENSE.txt": "CC BY-SA 4.0\n",
    "README.md": "# A toy\n",
}


def tar_gz(
    files: dict[str, str] | None = None, *more: tarfile.TarInfo, top: str = "UD_German-Toy-r2.17/"
) -> bytes:
    """An archive of these files in a folder at its top, and of more members, which are empty."""
    return gzip.compress(tar(files, *more, top=top), mtime=0)


def tar(
    files: dict[str, str] | None = None, *more: tarfile.TarInfo, top: str = "UD_German-Toy-r2.17/"
) -> bytes:
    """The same, not compressed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in (FILES if files is None else files).items():
            member = tarfile.TarInfo(f"{top}{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        for member in more:
            archive.addfile(member)
    return buffer.getvalue()


@dataclass
class Server:
    """What the server does, and what it was asked for.

    Attributes:
        content: the archive.
        tag: its ETag; None: the server names no version, and can send no part.
        status: what it answers, unless it sends the archive.
        cut: after how many bytes the connection ends, although more were announced.
        endless: whether the archive's bytes come again and again.
        chunked: whether the length is not announced.
        wait: an event to wait for before the answer, or after `hold_after` bytes of it.
        location: where it leads to, once.
        part: the part that it says it sends, where it sends another than was asked for.
        url: its address.
        asked: path and headers of each request.
    """

    content: bytes = field(default_factory=tar_gz)
    tag: str | None = '"one"'
    status: int = 200
    cut: int | None = None
    endless: bool = False
    chunked: bool = False
    wait: threading.Event | None = None
    hold_after: int = 0
    location: str | None = None
    part: str | None = None
    url: str = ""
    length: str = ""  # said in place of the right one
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behaviour: ClassVar[Server]

    def do_GET(self) -> None:
        server = self.behaviour
        server.asked.append((self.path, dict(self.headers)))
        if server.wait is not None and not server.hold_after:
            server.wait.wait(20)
        if server.location is not None:
            self.send_response(302)
            self.send_header("Location", server.location)
            self.send_header("Content-Length", "0")
            server.location = None
            self.end_headers()
            return
        content, status = server.content, server.status
        if status != 200:
            content = b"<h1>no</h1>"
        wanted = self.headers.get("Range", "").removeprefix("bytes=").partition("-")[0]
        if wanted and self.headers.get("If-Range") == server.tag:
            content = content[int(wanted) :]
            status = 206 if content else 416
        self.send_response(status)
        if status == 206:
            whole = len(server.content)
            self.send_header("Content-Range", server.part or f"bytes {wanted}-{whole - 1}/{whole}")
        if server.tag is not None:
            self.send_header("ETag", server.tag)
        if server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            content = b"%x\r\n%s\r\n" % (len(content), content)
            content += b"" if server.cut else b"0\r\n\r\n"
        elif not server.endless:
            self.send_header("Content-Length", server.length or str(len(content)))
        self.end_headers()
        content = content[: server.cut]
        if server.wait is not None and server.hold_after:
            self.wfile.write(content[: server.hold_after])
            server.wait.wait(20)
            content = content[server.hold_after :]
        self.wfile.write(content)
        while server.endless:
            self.wfile.write(server.content * 100)
        self.close_connection = server.cut is not None or server.endless

    def log_message(self, *_: Any) -> None:
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:  # the other end has gone
        pass


@contextmanager
def serving(**behaviour: Any) -> Iterator[Server]:
    """A server on loopback that runs within the block."""
    server = Server(**behaviour)
    handler = type("Handler", (_Handler,), {"behaviour": server})
    with _Quiet(("127.0.0.1", 0), handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            if server.wait is not None:
                server.wait.set()
            listening.shutdown()
            thread.join()


def member_link(name: str) -> tarfile.TarInfo:
    """A symbolic link in place of a file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member
