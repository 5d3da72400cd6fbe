"""The parameters of a request: from the URL, and from a form in its body, multipart or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from meprop_nlp.serve.errors import RequestError
from meprop_nlp.serve.limits import MOST_PARAMETERS

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def parameters_of(query: bytes, content_type: str, body: bytes) -> dict[str, str]:
    """Return the parameters of a request; of several with one name, the last.

    Args:
        query: what stands after `?` in the URL.
        content_type: the type of the body; empty if there is no body.
        body: the body.

    Raises:
        RequestError: they cannot be read, or there are too many.
    """
    found = _pairs(query, "request URL")
    kind = content_type.partition(";")[0].strip().lower()
    if not kind and not body:
        return found
    if kind == FORM:
        return found | _pairs(body, f"{FORM} payload")
    if kind == MULTIPART:
        return found | _parts(content_type, body)
    raise RequestError(
        415,
        f"Unsupported payload Content-Type '{kind or '<none>'}', expected {FORM} or {MULTIPART}.",
    )


def _pairs(text: bytes, name: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            text.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:  # UnicodeDecodeError, or too many
        raise RequestError(
            400, f"Cannot parse the {name}: it is not UTF-8, or has over {MOST_PARAMETERS} parts."
        ) from None
    return dict(pairs)


def _parts(content_type: str, body: bytes) -> dict[str, str]:
    """Return the parts of a multipart body; a file is a parameter as any other."""
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    options: Mapping[bytes, bytes] = parse_options_header(content_type.encode("latin-1"))[1]
    parts = _Parts()
    try:
        parser = MultipartParser(options.get(b"boundary", b""), parts.callbacks())
        parser.write(body)
        parser.finalize()
        if not parts.is_finished:
            raise RequestError(400, f"Cannot parse the {MULTIPART} payload: it has no end.")
        return {name.decode(): value.decode() for name, value in parts.found}
    except (FormParserError, ValueError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise RequestError(400, f"Cannot parse the {MULTIPART} payload: {reason}.") from None


class _Parts:
    """Collects the parts of a multipart body while it is parsed."""

    def __init__(self) -> None:
        self.found: list[tuple[bytes, bytes]] = []
        self.is_finished = False
        self._field = b""
        self._value = b""
        self._name: bytes | None = None
        self._content: list[bytes] = []

    def callbacks(self) -> Any:
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_part_data": self._on_data,
            "on_part_end": self._on_end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        if len(self.found) == MOST_PARAMETERS:
            raise RequestError(400, f"There are over {MOST_PARAMETERS} parameters.")
        self._name, self._content = None, []

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        from python_multipart.multipart import parse_options_header

        if self._field.lower() == b"content-disposition":
            self._name = parse_options_header(self._value)[1].get(b"name")
        self._field = self._value = b""

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def _on_end(self) -> None:
        if self._name is not None:
            self.found.append((self._name, b"".join(self._content)))

    def _finish(self) -> None:
        self.is_finished = True
