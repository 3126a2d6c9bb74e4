"""The client for programs that are asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

import httpx

from visionlab_client import bulk, calls
from visionlab_client.answers import (
    Classification,
    FaceClass,
    Image,
    ImageCounts,
    ImagePage,
    Label,
    Model,
    ModelStats,
    Settings,
    Status,
)
from visionlab_client.bulk import CONCURRENCY, Outcome, Question
from visionlab_client.calls import Call, Id, ImageId, Kind, ThumbnailWidth
from visionlab_client.connection import Connection, whole_file
from visionlab_client.exchange import Patience, Wait, exchange
from visionlab_client.image_source import LARGEST_IMAGE, ImageFile, ImageSource, read_image

T = TypeVar("T")


class AsyncVisionLab:
    """A VisionLab server, for asyncio. Methods, arguments and errors are those of `VisionLab`, which describes them.

    async with AsyncVisionLab("http://localhost:8000") as lab:
        print((await lab.classify("face.jpg")).verdict)
        async for outcome in lab.classify_many(paths):
            ...
    """

    def __init__(
        self,
        url: str,
        *,
        patience: float = 60.0,
        timeout: float = 120.0,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        largest_image: int = LARGEST_IMAGE,
    ) -> None:
        self._open(Connection(url, Patience(patience), timeout, headers or {}, largest_image, key))

    @classmethod
    def over(cls, connection: Connection) -> Self:
        """A client that shares what another knows of the server."""
        lab = cls.__new__(cls)
        lab._open(connection)
        return lab

    def _open(self, connection: Connection) -> None:
        self._connection = connection
        self._http = httpx.AsyncClient(**connection.options())
        self.largest_image = connection.largest_image

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def status(self, *, patience: float | None = None) -> Status:
        """As `VisionLab.status`."""
        return await self.do(calls.get_status(), patience)

    async def settings(self) -> Settings:
        """As `VisionLab.settings`."""
        return await self.do(calls.get_settings())

    async def change_settings(self, *, images_per_batch: int | None = None) -> Settings:
        """As `VisionLab.change_settings`."""
        return await self.do(calls.change_settings({"images_per_batch": images_per_batch}))

    async def models(self, type: Kind, *, status: Literal["enabled", "disabled"] | None = None) -> list[Model]:
        """As `VisionLab.models`."""
        models, cursor = await self.do(calls.list_models(type, status, None))
        while cursor is not None:
            more, cursor = await self.do(calls.list_models(type, status, cursor))
            models += more
        return models

    async def generate(
        self, models: Iterable[Id], count: int | None = None, *, seed: int | None = None, truncation: float = 1.0
    ) -> list[Image]:
        """As `VisionLab.generate`."""
        return await self.do(calls.generate(models, count, seed, truncation))

    async def neighbours(
        self, image: ImageId, count: int | None = None, *, distance: float = 0.3, seed: int | None = None
    ) -> list[Image]:
        """As `VisionLab.neighbours`."""
        return await self.do(calls.neighbours(image, count, distance, seed))

    async def mix(self, image: ImageId, style: ImageId, *, crossover: float = 0.5) -> Image:
        """As `VisionLab.mix`."""
        return await self.do(calls.mix(image, style, crossover))

    async def upload(self, image: ImageSource) -> Image:
        """As `VisionLab.upload`."""
        return await self.do(calls.upload(await self._read(image)))

    async def classify(
        self, image: ImageSource, *, models: Iterable[Id] | None = None, explain: bool = False, store: bool = False
    ) -> Classification:
        """As `VisionLab.classify`."""
        return await self.do(calls.classify(await self._read(image), models, explain=explain, store=store))

    async def classify_stored(
        self, images: Iterable[ImageId], *, models: Iterable[Id] | None = None, explain: bool = False
    ) -> list[Classification]:
        """As `VisionLab.classify_stored`."""
        return await self.do(calls.classify_stored(images, models, explain=explain))

    def classify_many(
        self,
        images: Iterable[ImageSource] | AsyncIterable[ImageSource],
        *,
        models: Sequence[Id] | None = None,
        explain: bool = False,
        store: bool = False,
        concurrency: int = CONCURRENCY,
        ordered: bool = True,
    ) -> AsyncGenerator[Outcome, None]:
        """As `VisionLab.classify_many`. The images may be an asynchronous iterable too."""
        bulk.check_images(images)
        return bulk.classify_many(self, images, Question(models, explain, store, concurrency, ordered))

    async def images(
        self, *, type: Literal["generated", "uploaded"] | None = None, model: Id | None = None, page_size: int = 200
    ) -> AsyncIterator[Image]:
        """As `VisionLab.images`."""
        page = ImagePage(images=[], next_cursor=None)
        first = True
        while first or page.next_cursor is not None:
            page = await self.do(calls.list_images(type, model, page.next_cursor, page_size))
            first = False
            for image in page.images:
                yield image

    async def label(self, image: ImageId, label: FaceClass | str, *, predicted: FaceClass | str | None = None) -> Label:
        """As `VisionLab.label`."""
        return await self.do(calls.label(image, label, predicted))

    async def like(self, images: Iterable[ImageId] | ImageId) -> list[ImageCounts]:
        """As `VisionLab.like`."""
        return await self.do(calls.count(images, "like"))

    async def unlike(self, images: Iterable[ImageId] | ImageId) -> list[ImageCounts]:
        """As `VisionLab.unlike`."""
        return await self.do(calls.count(images, "unlike"))

    async def count_download(self, images: Iterable[ImageId] | ImageId) -> list[ImageCounts]:
        """As `VisionLab.count_download`."""
        return await self.do(calls.count(images, "download"))

    async def stats(self) -> list[ModelStats]:
        """As `VisionLab.stats`."""
        return await self.do(calls.get_stats())

    async def download(self, image: ImageId, *, width: ThumbnailWidth | None = None) -> bytes:
        """As `VisionLab.download`."""
        return await self.do(calls.download(image, width))

    async def download_archive(self, images: Iterable[ImageId], to: str | Path) -> Path:
        """As `VisionLab.download_archive`."""
        return await self.do(calls.download_archive(images, Path(to)))

    async def do(self, call: Call[T], patience: float | None = None) -> T:
        """Send a call until it is answered, or patience ends."""
        steps = exchange(call, self._connection.patience, patience)
        reply: httpx.Response | httpx.RequestError | None = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                answer: T = end.value
                return answer
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                reply = None
            else:
                reply = await self._send(step)

    async def _send(self, call: Call[T]) -> httpx.Response | httpx.RequestError:
        try:
            request = call.request(self._http)
            if call.into is None:
                return await self._http.send(request)
            response = await self._http.send(request, stream=True)
            try:
                if not call.is_answered_by(response):
                    await response.aread()
                    return response
                with whole_file(call.into) as file:
                    async for part in response.aiter_bytes():
                        await asyncio.to_thread(file.write, part)
                return response
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            return error

    async def _read(self, image: ImageSource) -> ImageFile:
        return await asyncio.to_thread(read_image, image, self.largest_image)
