"""Asking about any number of images: so many at once, each read when its turn comes, each with its own answer or error."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Coroutine, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from threading import Thread
from typing import Any, Protocol, TypeVar

from visionlab_client import calls
from visionlab_client.answers import Classification, Status
from visionlab_client.errors import (
    Busy,
    RefusedByServer,
    ServerFault,
    UnexpectedAnswer,
    Unreachable,
    UnreadableImage,
    UnusableImage,
    VisionLabError,
)
from visionlab_client.image_source import ImageSource, read_image

CONCURRENCY = 16
"""Images on their way at once. The server's batches hold eight, and the next one gathers while one runs; more only wait."""
_LOOK_AHEAD = 4
"""So many times `concurrency` images may be ahead of the one whose turn it is, so that a slow one does not stop the others."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image: `answer` or `error`, never both.

    Attributes:
        index: its place among the images that were given, from 0.
        image: as it was given.
    """

    index: int
    image: ImageSource
    answer: Classification | None = None
    error: VisionLabError | None = None


@dataclass(frozen=True)
class Question:
    """What is asked about each image; see `VisionLab.classify_many`."""

    models: Sequence[calls.Id] | None
    explain: bool
    store: bool
    concurrency: int
    ordered: bool

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError(f"concurrency is a number of images, 1 or more, not {self.concurrency}.")


class Asker(Protocol):
    """The part of `AsyncVisionLab` that is needed here."""

    largest_image: int

    async def do(self, call: calls.Call[T]) -> T:
        """Send a call until it is answered."""

    async def status(self, *, patience: float | None = None) -> Status:
        """How the system fares."""

    async def aclose(self) -> None:
        """Close the connections."""


def check_images(images: object) -> None:
    """Refuse a single image where several are wanted: a text would be taken for a list of one-letter paths.

    Raises:
        TypeError: it is a single one.
    """
    if isinstance(images, str | bytes | bytearray | os.PathLike):
        raise TypeError("classify_many takes several images; for a single one there is classify.")


async def classify_many(
    lab: Asker, images: Iterable[ImageSource] | AsyncIterable[ImageSource], question: Question
) -> AsyncGenerator[Outcome, None]:
    """As `AsyncVisionLab.classify_many`."""
    done: asyncio.Queue[Outcome | None] = asyncio.Queue()
    room = asyncio.Semaphore(question.concurrency * _LOOK_AHEAD)
    # A thread of its own: an iterable may block for as long as it likes, as a pipe does.
    puller = ThreadPoolExecutor(1, "visionlab-images")
    following = _puller(images, puller)
    stopped: list[Exception] = []
    pulling: set[asyncio.Task[None] | None] = set()

    async def pull() -> tuple[int, ImageSource] | None:
        task = asyncio.current_task()
        pulling.add(task)
        try:
            await room.acquire()
            return await following()
        finally:
            pulling.discard(task)

    async def work() -> None:
        try:
            while not stopped and (pulled := await pull()) is not None:
                done.put_nowait(await _outcome(lab, *pulled, question))
        except Exception as error:
            stopped.append(error)
            # What is on its way is waited for; the next image, which may never come, is not.
            for task in pulling:
                assert task is not None, "only tasks pull"
                task.cancel()

    working = asyncio.gather(*(work() for _ in range(question.concurrency)), return_exceptions=True)
    working.add_done_callback(lambda _: done.put_nowait(None))
    early: dict[int, Outcome] = {}
    turn = 0
    try:
        while (outcome := await done.get()) is not None:
            early[outcome.index if question.ordered else turn] = outcome
            while turn in early:
                room.release()
                yield early.pop(turn)
                turn += 1
        # The outcomes that follow an image that stopped the run.
        for index in sorted(early):
            yield early[index]
        if stopped:
            raise stopped[0]
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        puller.shutdown(wait=False, cancel_futures=True)


def in_background(
    connect: Callable[[], Asker], images: Iterable[ImageSource], question: Question
) -> Generator[Outcome, None, None]:
    """The same for programs that are not asynchronous: on an event loop in a thread, for as long as it is read.

    Args:
        connect: makes the client, on that loop.
        images: as `classify_many`.
        question: as `classify_many`.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="visionlab-classify", daemon=True)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C among them
            future.cancel()
            raise

    async def begin() -> tuple[Asker, AsyncGenerator[Outcome, None]]:
        lab = connect()
        return lab, classify_many(lab, images, question)

    try:
        lab, outcomes = run(begin())

        async def following() -> Outcome | None:
            return await anext(outcomes, None)

        async def end() -> None:
            await outcomes.aclose()
            await lab.aclose()
            await loop.shutdown_default_executor()

        try:
            while (outcome := run(following())) is not None:
                yield outcome
        finally:
            run(end())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _puller(
    images: Iterable[ImageSource] | AsyncIterable[ImageSource], thread: ThreadPoolExecutor
) -> Callable[[], Awaitable[tuple[int, ImageSource] | None]]:
    """A function that gives the next image with its number; None at the end."""
    if isinstance(images, AsyncIterable):
        source, one_at_a_time = aiter(images), asyncio.Lock()
        given = 0

        async def wait_for_next() -> tuple[int, ImageSource] | None:
            nonlocal given
            async with one_at_a_time:
                try:
                    image = await anext(source)
                except StopAsyncIteration:
                    return None
                given += 1
                return given - 1, image

        return wait_for_next

    numbered = enumerate(images)
    in_memory = isinstance(images, Sequence)

    async def pull() -> tuple[int, ImageSource] | None:
        if in_memory:
            return next(numbered, None)
        return await asyncio.get_running_loop().run_in_executor(thread, next, numbered, None)

    return pull


async def _outcome(lab: Asker, index: int, image: ImageSource, question: Question) -> Outcome:
    try:
        if isinstance(image, bytes | bytearray | memoryview):
            file = read_image(image, lab.largest_image)
        else:
            file = await asyncio.to_thread(read_image, image, lab.largest_image)
        answer = await lab.do(calls.classify(file, question.models, explain=question.explain, store=question.store))
    except VisionLabError as error:
        if await _concerns_all(error, lab):
            raise
        return Outcome(index, image, error=error)
    return Outcome(index, image, answer)


async def _concerns_all(error: VisionLabError, lab: Asker) -> bool:
    """Whether the images that follow would fare no better."""
    match error:
        case UnreadableImage() | UnusableImage() | ServerFault():
            return False
        case Busy():
            return error.kind != "busy"  # no model is in service, or ours is not ready
        case RefusedByServer():
            return True
        case UnexpectedAnswer():
            # Proxies have limits on bodies too.
            return error.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case Unreachable():
            # Where the server answers, it was this image that it did not survive, or not in time.
            try:
                await lab.status(patience=0)
            except VisionLabError:
                return True
            return False
    return True
