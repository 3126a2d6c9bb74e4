"""The parts of a multipart/form-data body (RFC 7578) one after another, while the body still arrives: one part is in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header


class BrokenForm(ValueError):
    """The body is no multipart form, or was cut off."""


@dataclass(slots=True)
class Part:
    """A field, or a file where `filename` is not None. `too_large`: the content passed the limit, and is left out."""

    name: str = ""
    filename: str | None = None
    content: bytearray = field(default_factory=bytearray)
    too_large: bool = False


async def parts_of(chunks: AsyncIterable[bytes], content_type: str, *, max_bytes: int) -> AsyncIterator[Part]:
    """The parts in the order of the body. A part of more than `max_bytes` is read to its end without being held.

    Raises:
        BrokenForm: as soon as it is seen; the parts before it have been given.
    """
    reader = _Reader(content_type, max_bytes)
    async for chunk in chunks:
        reader.feed(chunk)
        while reader.finished:
            yield reader.finished.popleft()
    reader.end()
    while reader.finished:
        yield reader.finished.popleft()


class _Reader:
    def __init__(self, content_type: str, max_bytes: int) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise BrokenForm("The Content-Type names no boundary.")
        self.finished: deque[Part] = deque()
        self._max_bytes = max_bytes
        self._part = Part()
        self._name = self._value = self._disposition = b""
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end_of_part,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BrokenForm(f"The body is no multipart form: {str(error).rstrip('.')}.") from error

    def end(self) -> None:
        if not self._complete:
            raise BrokenForm("The body ends within a part: it was cut off.")

    def _begin(self) -> None:
        self._part, self._disposition = Part(), b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise BrokenForm("A part has no name in its Content-Disposition header.")
        self._part.name = options[b"name"].decode(errors="replace")
        if b"filename" in options:
            self._part.filename = options[b"filename"].decode(errors="replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.too_large or len(self._part.content) + end - start > self._max_bytes:
            self._part.too_large = True
            self._part.content.clear()
        else:
            self._part.content += data[start:end]

    def _end_of_part(self) -> None:
        self.finished.append(self._part)

    def _end(self) -> None:
        self._complete = True
