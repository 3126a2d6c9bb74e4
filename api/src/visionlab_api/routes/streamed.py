"""Answers that are sent line by line as they come (NDJSON), while the images still arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Final

from fastapi import Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from visionlab_api import schemas
from visionlab_api.problems import ProblemError
from visionlab_api.services.bulk_window import BulkWindow
from visionlab_api.services.classifying import Asked, without_answer

MAX_UNREAD: Final = 10_000
"""Answers that may wait for a client to read them. Only then are no more of its images read: a client that sends all its images
before it reads the first answer is held up after this many."""


class StreamedAnswers(Response):
    """One line of JSON an image, in the order in which they are done; `index` counts the images of the request from 0.

    What goes wrong with an image, whatever it is, is its line's `problem`.

    `images` gives images and their sizes in memory, in bytes; what it raises as a ProblemError becomes the last line, without an
    index. An image is taken once there is room in the window, so a client that sends faster than detectors work feels it.
    """

    media_type = schemas.NDJSON

    def __init__(
        self,
        images: AsyncGenerator[tuple[Asked, int]],
        answer: Callable[[Asked], Awaitable[schemas.Classification]],
        window: BulkWindow,
        headers: Mapping[str, str],
    ) -> None:
        # Proxies must not hold answers back.
        super().__init__(headers={**headers, "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._images = images
        self._answer = answer
        self._window = window

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request.

        Raises:
            ClientDisconnect: the client has gone; what was under way for it is dropped.
        """
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        lines: asyncio.Queue[bytes] = asyncio.Queue()
        unread = asyncio.Semaphore(MAX_UNREAD)
        try:
            async with asyncio.TaskGroup() as group:
                sender = group.create_task(_send_lines(lines, unread, send))
                async with asyncio.TaskGroup() as answers:
                    await self._take_images(answers, lines, unread)
                    # The body is at its end: what comes now can only be that the client goes.
                    listener = group.create_task(_until_gone(receive))
                listener.cancel()
                await lines.join()
                sender.cancel()
        except BaseExceptionGroup as faults:
            raise _first(faults) from None
        await send({"type": "http.response.body", "body": b""})

    async def _take_images(self, answers: asyncio.TaskGroup, lines: asyncio.Queue[bytes], unread: asyncio.Semaphore) -> None:
        async def answer(index: int, image: Asked) -> None:
            try:
                classification = await self._answer(image)
            except Exception as error:  # the images after it have their answers all the same
                classification = without_answer(image, error)
            lines.put_nowait(_line(index, classification))

        index = 0
        try:
            async with aclosing(self._images) as images:
                async for image, size in images:
                    await unread.acquire()
                    await self._window.enter(size)
                    task = answers.create_task(answer(index, image))
                    # Not within the task: one that is cancelled before its first step runs none of its code.
                    task.add_done_callback(lambda _, size=size: self._window.leave(size))  # type: ignore[misc]
                    index += 1
        except ProblemError as error:
            lines.put_nowait(_line(None, schemas.Classification(problem=error.problem())))


async def _send_lines(lines: asyncio.Queue[bytes], unread: asyncio.Semaphore, send: Send) -> None:
    while True:
        ready = [await lines.get()]
        with suppress(asyncio.QueueEmpty):
            while True:
                ready.append(lines.get_nowait())
        await send({"type": "http.response.body", "body": b"".join(ready), "more_body": True})
        for _ in ready:
            unread.release()
            lines.task_done()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect


def _first(faults: BaseExceptionGroup[BaseException]) -> BaseException:
    fault = faults.exceptions[0]
    return _first(fault) if isinstance(fault, BaseExceptionGroup) else fault


def _line(index: int | None, classification: schemas.Classification) -> bytes:
    streamed = schemas.StreamedClassification(index=index, **dict(classification))
    return streamed.model_dump_json().encode() + b"\n"
