"""The client for programs that are not asynchronous."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
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
from visionlab_client.async_client import AsyncVisionLab
from visionlab_client.bulk import CONCURRENCY, Outcome, Question
from visionlab_client.calls import Call, Id, ImageId, Kind, ThumbnailWidth
from visionlab_client.connection import Connection, whole_file
from visionlab_client.exchange import Patience, Wait, exchange
from visionlab_client.image_source import LARGEST_IMAGE, ImageSource, read_image

T = TypeVar("T")


class VisionLab:
    """A VisionLab server. May be shared by threads.

    with VisionLab("http://localhost:8000") as lab:
        print(lab.classify("face.jpg").verdict.sentence)

    Every method raises a `VisionLabError` where it cannot do its part, after it has tried as long as `patience` says.

    Args:
        url: the server's address.
        patience: seconds for which a call is sent again where the server is busy or gone (5 at most as long as it has never
            answered); 0 = each call is sent once. Calls that change something are sent again only where the server said that it
            did not take them, or was never reached.
        timeout: seconds that the server may be silent within one call.
        key: an API key of the server, or its admin token; default: the environment variable VISIONLAB_API_KEY, where it is set.
        headers: sent with each request, for what stands in front of the server.
        largest_image: bytes of a file that are read at most; a server takes 20 MiB unless its operator has raised that.

    Raises:
        InvalidURL: `url` cannot be a server's address. That nobody answers there shows with the first call.
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
        self._connection = Connection(url, Patience(patience), timeout, headers or {}, largest_image, key)
        self._http = httpx.Client(**self._connection.options())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def status(self, *, patience: float | None = None) -> Status:
        """How the system fares; `patience` of this call's own, where it is given."""
        return self._do(calls.get_status(), patience)

    def settings(self) -> Settings:
        """The system-wide settings."""
        return self._do(calls.get_settings())

    def change_settings(self, *, images_per_batch: int | None = None) -> Settings:
        """Change the settings that are given; the others stay. Gives all of them.

        Args:
            images_per_batch: images that one press of '+' makes, and `generate` without a count.
        """
        return self._do(calls.change_settings({"images_per_batch": images_per_batch}))

    def models(self, type: Kind, *, status: Literal["enabled", "disabled"] | None = None) -> list[Model]:
        """Generators or detectors, with how they fare and what is known of them."""
        models, cursor = self._do(calls.list_models(type, status, None))
        while cursor is not None:
            more, cursor = self._do(calls.list_models(type, status, cursor))
            models += more
        return models

    def generate(
        self, models: Iterable[Id], count: int | None = None, *, seed: int | None = None, truncation: float = 1.0
    ) -> list[Image]:
        """Make new faces, which the server keeps.

        Args:
            models: uuids of generators; `count` is shared out evenly over them.
            count: 1 to 100; default: the setting `images_per_batch`.
            seed: of each model's first image, the next has seed + 1; default: random. The same seed, version and truncation make
                the same image.
            truncation: 1 = all variety, smaller = nearer to the average face.
        """
        return self._do(calls.generate(models, count, seed, truncation))

    def neighbours(
        self, image: ImageId, count: int | None = None, *, distance: float = 0.3, seed: int | None = None
    ) -> list[Image]:
        """Make new faces like one that was made here, which the server keeps.

        Args:
            image: whose neighbours in latent space they are.
            count: 1 to 100; default: the setting `images_per_batch`.
            distance: how unlike they may be, above 0, to 1 (as far as to an unrelated face).
            seed: of the direction of the first, the next has seed + 1; default: random.
        """
        return self._do(calls.neighbours(image, count, distance, seed))

    def mix(self, image: ImageId, style: ImageId, *, crossover: float = 0.5) -> Image:
        """Make a new face with the pose and shape of one and the colours and texture of another.

        Both were made by the same version of a generator that mixes styles (`Model.mixes_styles`: a StyleGAN2). `crossover` is
        the part of its layers, the coarse ones, that keep the style of `image`; smaller gives more of `style`.
        """
        return self._do(calls.mix(image, style, crossover))

    def upload(self, image: ImageSource) -> Image:
        """Keep an image on the server, so that it can be labelled."""
        return self._do(calls.upload(read_image(image, self._connection.largest_image)))

    def classify(
        self, image: ImageSource, *, models: Iterable[Id] | None = None, explain: bool = False, store: bool = False
    ) -> Classification:
        """Real or generated?

        Args:
            image: a path, the bytes of a JPEG or PNG file, or a file that is open for reading bytes.
            models: uuids of detectors; default: all that are in service.
            explain: add the regions that speak for the answer.
            store: keep the image, as `upload` does; the answer's `image` is its uuid.
        """
        file = read_image(image, self._connection.largest_image)
        return self._do(calls.classify(file, models, explain=explain, store=store))

    def classify_stored(
        self, images: Iterable[ImageId], *, models: Iterable[Id] | None = None, explain: bool = False
    ) -> list[Classification]:
        """Ask about up to 256 images that the server keeps. Each has its answer or its `problem`."""
        return self._do(calls.classify_stored(images, models, explain=explain))

    def classify_many(
        self,
        images: Iterable[ImageSource],
        *,
        models: Sequence[Id] | None = None,
        explain: bool = False,
        store: bool = False,
        concurrency: int = CONCURRENCY,
        ordered: bool = True,
    ) -> Generator[Outcome, None, None]:
        """Ask about any number of images: thousands, or a million.

        Images are taken from the iterable (in a thread) and read when their turn comes, so memory does not grow with their
        number. An image that cannot be used or read has its own error as its outcome, and does not disturb the others.

        What concerns all images stops the run: the server is gone for longer than `patience`, a model is unknown or disabled, the
        address is another server's. Then the outcomes that are there are given out, and the error is raised.

        Args:
            images: what `classify` takes, any number of it.
            models: as `classify`.
            explain: as `classify`.
            store: as `classify`.
            concurrency: images on their way at once.
            ordered: outcomes in the order of the images; otherwise each as soon as it is there.

        Yields:
            One `Outcome` for each image.
        """
        bulk.check_images(images)
        question = Question(models, explain, store, concurrency, ordered)

        return bulk.in_background(partial(AsyncVisionLab.over, self._connection), images, question)

    def images(
        self, *, type: Literal["generated", "uploaded"] | None = None, model: Id | None = None, page_size: int = 200
    ) -> Iterator[Image]:
        """All images that the server keeps, newest first, fetched as they are read.

        Args:
            type: only images of this type.
            model: only images that this generator made.
            page_size: how many are fetched at once, 1 to 200.
        """
        page = ImagePage(images=[], next_cursor=None)
        first = True
        while first or page.next_cursor is not None:
            page = self._do(calls.list_images(type, model, page.next_cursor, page_size))
            first = False
            yield from page.images

    def label(self, image: ImageId, label: FaceClass | str, *, predicted: FaceClass | str | None = None) -> Label:
        """Say what an uploaded image really is: a later training learns from it.

        Args:
            image: an uploaded image.
            label: what it is.
            predicted: what a detector had said.
        """
        return self._do(calls.label(image, label, predicted))

    def like(self, images: Iterable[ImageId] | ImageId) -> list[ImageCounts]:
        """Count a like for each image; gives their counters."""
        return self._do(calls.count(images, "like"))

    def unlike(self, images: Iterable[ImageId] | ImageId) -> list[ImageCounts]:
        """Take a like back from each image."""
        return self._do(calls.count(images, "unlike"))

    def count_download(self, images: Iterable[ImageId] | ImageId) -> list[ImageCounts]:
        """Count a download of each image. `download` does not count by itself, `download_archive` does."""
        return self._do(calls.count(images, "download"))

    def stats(self) -> list[ModelStats]:
        """How many images each generator made, and how they are liked."""
        return self._do(calls.get_stats())

    def download(self, image: ImageId, *, width: ThumbnailWidth | None = None) -> bytes:
        """The file of an image, as it is kept; with `width`, a thumbnail (WebP)."""
        return self._do(calls.download(image, width))

    def download_archive(self, images: Iterable[ImageId], to: str | Path) -> Path:
        """Write up to 1,000 images to one ZIP file, which is there once it is whole. The server counts a download of each.

        Raises:
            OSError: the file cannot be written.
        """
        return self._do(calls.download_archive(images, Path(to)))

    def _do(self, call: Call[T], patience: float | None = None) -> T:
        steps = exchange(call, self._connection.patience, patience)
        reply: httpx.Response | httpx.RequestError | None = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                answer: T = end.value
                return answer
            if isinstance(step, Wait):
                time.sleep(step.seconds)
                reply = None
            else:
                reply = self._send(step)

    def _send(self, call: Call[T]) -> httpx.Response | httpx.RequestError:
        try:
            request = call.request(self._http)
            if call.into is None:
                return self._http.send(request)
            response = self._http.send(request, stream=True)
            try:
                if not call.is_answered_by(response):
                    response.read()
                    return response
                with whole_file(call.into) as file:
                    for part in response.iter_bytes():
                        file.write(part)
                return response
            finally:
                response.close()
        except httpx.RequestError as error:
            return error
