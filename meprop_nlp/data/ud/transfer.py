"""`Transfer`: a file from an address, in several tries if need be; the next goes on from the last.

What has come stands in the file itself, and in a second one beside it which version of the file the
server sends (its ETag, or the date of its last change). With that, HTTP's If-Range has the server
send the rest of the same version, or another version from its beginning. Where the server names no
version, nothing is kept.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from meprop_nlp.errors import DataError
from meprop_nlp.files import writing

OnBytes = Callable[[int, int | None], None]

_PIECE = 1 << 16
_MOST_DIGITS = 18  # of the length of a file
_MOST_OF_A_NOTE = 10_000  # bytes; an address and a version are far shorter


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file that is fetched.

    Proxies are those of the environment (`http_proxy`, `https_proxy`, `no_proxy`).

    Attributes:
        url: an address with http, https or file.
        path: where the file is written; what comes before it is whole stands there too.
        timeout: seconds to wait for the server, each time.
        largest: the number of bytes at which to give up.
        if_missing: what the message adds where the server knows no such file.
    """

    url: str
    path: Path
    timeout: float
    largest: int
    if_missing: str

    def run(self, on_bytes: OnBytes | None = None) -> None:
        """Fetch the file, or what is missing of it.

        Args:
            on_bytes: is called with the number of bytes so far, and of all of them if that is
                known.

        Raises:
            DataError: the server cannot be reached, has no such file, sends too little or too much,
                or the file cannot be written. What came is kept if the next try can use it.
        """
        try:
            self._run(on_bytes)
        except HTTPError as error:
            error.close()
            self._drop_useless()
            is_missing = error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
            hint = f"; {self.if_missing}" if is_missing else ""
            raise DataError(f"{self.url}: the server answers {_status(error.code)}{hint}") from None
        except (OSError, HTTPException) as error:
            if isinstance(getattr(error, "reason", None), FileNotFoundError):  # with file://
                raise DataError(f"{self.url}: no such file; {self.if_missing}") from None
            raise self._broken(_reason(error, self.timeout)) from None
        except KeyboardInterrupt:
            self._drop_useless()
            raise

    @property
    def kept_bytes(self) -> int:
        """Return how many bytes the next try can go on from."""
        return self.path.stat().st_size if self.path.exists() and self._note.exists() else 0

    def forget(self) -> None:
        """Remove the file, and what is beside it."""
        for file in (self.path, self._note):
            file.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.version")

    def _run(self, on_bytes: OnBytes | None) -> None:
        version = self._version()
        try:
            answer = self._ask(version)
        except HTTPError as error:
            if version is None or error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            error.close()
            self.forget()  # the file on the server is shorter, or ours was whole: from the start
            version, answer = None, self._ask(None)
        with answer:
            if version is None or answer.status != HTTPStatus.PARTIAL_CONTENT:
                self._begin(answer)
            n_bytes = n_before = self.path.stat().st_size
            length = answer.headers.get("Content-Length", "")
            is_length = length.isdecimal() and len(length) <= _MOST_DIGITS
            total = n_before + int(length) if is_length else None
            for n_bytes in self._written(answer, n_before):
                if on_bytes is not None:
                    on_bytes(n_bytes, total)
        if total is not None and n_bytes < total:
            raise self._broken(f"the connection ended after {n_bytes:,} of {total:,} bytes")

    def _version(self) -> str | None:
        """Return the version of what an earlier try has begun to fetch; None if there is none."""
        with suppress(OSError, ValueError, KeyError, TypeError):  # a note that is not ours, or cut
            if self.kept_bytes and self._note.stat().st_size < _MOST_OF_A_NOTE:
                note = json.loads(self._note.read_text(encoding="utf-8"))
                if note["url"] == self.url and _is_plain(note["version"]):
                    return str(note["version"])
        return None

    def _ask(self, version: str | None) -> Any:
        """Return the server's answer: the whole file, or what is missing of this version."""
        headers = {"User-Agent": "meprop-nlp", "Accept-Encoding": "identity"}
        size = self.path.stat().st_size if version else 0
        if version:
            headers |= {"Range": f"bytes={size}-", "If-Range": version}
        request = urllib.request.Request(self.url, headers=headers)
        try:
            answer = urllib.request.build_opener(_Redirects).open(request, timeout=self.timeout)
        except ValueError:  # of a host that IDNA refuses, or of other characters than ASCII
            raise HTTPException(
                "the address is not valid; characters outside ASCII are written as %C3%BC"
            ) from None
        part = answer.headers.get("Content-Range", "")
        if answer.status == HTTPStatus.PARTIAL_CONTENT and not part.startswith(f"bytes {size}-"):
            answer.close()
            raise HTTPException("the server sends another part of the file than was asked for")
        return answer

    def _begin(self, answer: Any) -> None:
        """Empty the file, and note which version of it the server sends, if it says."""
        tag = answer.headers.get("ETag", "")
        # a weak tag (W/"...") says that two files mean the same, not that their bytes are the same
        is_strong = tag and not tag.startswith("W/")
        version = tag if is_strong else answer.headers.get("Last-Modified", "")
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._note.unlink(missing_ok=True)
            self.path.write_bytes(b"")
            if version and _is_plain(version) and urlsplit(self.url).scheme != "file":
                note = json.dumps({"url": self.url, "version": version})
                self._note.write_text(note, encoding="utf-8")

    def _written(self, answer: Any, n_bytes: int) -> Iterator[int]:
        """Append the answer to the file; yield the number of bytes in it after each piece."""
        with writing(self.path):
            stream = self.path.open("ab", buffering=0)  # closing it has nothing left to write
        with stream:
            read = getattr(answer, "read1", answer.read)  # a piece as soon as it comes
            while piece := read(_PIECE):
                n_bytes += len(piece)
                if n_bytes > self.largest:
                    self.forget()
                    raise DataError(
                        f"{self.url}: sends more than {self.largest:,} bytes, "
                        "expected the archive of one treebank"
                    )
                left = memoryview(piece)
                while left:
                    with writing(self.path):
                        left = left[stream.write(left) :]
                yield n_bytes

    def _broken(self, what: str) -> DataError:
        """Return the error for a transfer that broke off; it says what was kept."""
        self._drop_useless()
        n_bytes = self.kept_bytes
        kept = f"; {n_bytes:,} bytes are kept, and the next try goes on from there"
        return DataError(f"{self.url}: {what}{kept if n_bytes else ''}")

    def _drop_useless(self) -> None:
        """Remove what came unless the next try can go on from it."""
        if not self.kept_bytes:
            self.forget()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows the server to another address with http, or from https to another with https."""

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any
    ) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError:  # as of an address of the user
            fp.close()
            raise HTTPException("the server leads to an address that is not valid") from None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new != "https" and (old == "https" or new != "http"):
            fp.close()
            raise HTTPException(f"the server leads from {old} to an address with {new}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_plain(version: str) -> bool:
    """Whether a server's name of a version can be sent back in a header."""
    return version.isascii() and version.isprintable()


def _status(code: int) -> str:
    """Return a status with its usual phrase; the server's own could hold anything."""
    with suppress(ValueError):
        return f"{code} {HTTPStatus(code).phrase}"
    return str(code)


def _reason(error: Exception, timeout: float) -> str:
    """Return what went wrong on the way, in a few words."""
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return f"no answer within {timeout:g} seconds"
    if isinstance(reason, IncompleteRead):
        return "the connection ended too soon"
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    how = "reached" if isinstance(reason, OSError) else "fetched"
    return f"cannot be {how}: {text if text.isprintable() else ascii(text)}"
