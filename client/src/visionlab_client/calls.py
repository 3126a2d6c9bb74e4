"""Every call of the API that the client makes, as data: what to send, and how to read the answer.

The synchronous and the asynchronous client send these; neither knows a path or a form of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import httpx
from pydantic import TypeAdapter, ValidationError

from visionlab_client.answers import (
    Classification,
    ClassifyAnswer,
    FaceClass,
    GenerateAnswer,
    Image,
    ImageCounts,
    ImagePage,
    Label,
    Model,
    ModelStats,
    Settings,
    Status,
)
from visionlab_client.errors import unexpected
from visionlab_client.image_source import ImageFile

Id = UUID | str
"""The uuid of an image or a model."""
ImageId = Image | UUID | str
"""An image that the server keeps: as it was answered, or its uuid."""
Kind = Literal["detector", "generator"]
ThumbnailWidth = Literal[64, 128, 256, 512]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and what becomes of its answer.

    Attributes:
        repeatable: asking twice does no more than asking once, so that it may be sent again where the answer was lost.
        into: where the body goes instead of into memory.
        answer_type: how the content type of an answer begins.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    repeatable: bool = True
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    content_type: str | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    into: Path | None = None
    answer_type: str = "application/json"

    def request(self, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request, for this client's server."""
        return client.build_request(
            self.method,
            self.path,
            params=self.params or None,
            json=self.json,
            content=self.content,
            files=self.files,
            headers={"Content-Type": self.content_type} if self.content_type else None,
        )

    def is_answered_by(self, response: httpx.Response) -> bool:
        """Whether this is an answer of the kind that is wanted, and not some other server's page."""
        return response.is_success and response.headers.get("content-type", "").startswith(self.answer_type)


def get_status() -> Call[Status]:
    """How the system fares."""
    return Call("GET", "/backend/status", _json(Status))


def get_settings() -> Call[Settings]:
    """The settings."""
    return Call("GET", "/backend/settings", _json(Settings))


def change_settings(changes: Mapping[str, Any]) -> Call[Settings]:
    """Change those that are not None."""
    body = {key: value for key, value in changes.items() if value is not None}
    return Call("POST", "/backend/settings", _json(Settings), json=body)


def list_models(kind: Kind, status: str | None, cursor: str | None) -> Call[tuple[list[Model], str | None]]:
    """A part of the models of a kind, and the cursor of the next part; None at the end."""
    wanted = {"status": status, "cursor": cursor}
    answer = _json(list[Model])
    return Call(
        "GET",
        f"/backend/model/{kind}",
        lambda response: (answer(response), _next_cursor(response)),
        params={key: value for key, value in wanted.items() if value is not None},
    )


def generate(models: Iterable[Id], count: int | None, seed: int | None, truncation: float) -> Call[list[Image]]:
    """Make faces."""
    body: dict[str, Any] = {"models": _ids(models, "models"), "truncation": truncation}
    if count is not None:
        body["count"] = count
    if seed is not None:
        body["seed"] = seed
    answer = _json(GenerateAnswer)
    return Call("POST", "/backend/image/generate", lambda response: answer(response).images, repeatable=False, json=body)


def neighbours(image: ImageId, count: int | None, distance: float, seed: int | None) -> Call[list[Image]]:
    """Make faces like one."""
    body: dict[str, Any] = {"image": image_id(image), "distance": distance}
    if count is not None:
        body["count"] = count
    if seed is not None:
        body["seed"] = seed
    answer = _json(GenerateAnswer)
    return Call("POST", "/backend/image/neighbours", lambda response: answer(response).images, repeatable=False, json=body)


def mix(image: ImageId, style: ImageId, crossover: float) -> Call[Image]:
    """Make a face with the shape of one and the style of another."""
    body = {"image": image_id(image), "style": image_id(style), "crossover": crossover}
    answer = _json(GenerateAnswer)
    return Call("POST", "/backend/image/mix", lambda response: answer(response).images[0], repeatable=False, json=body)


def upload(image: ImageFile) -> Call[Image]:
    """Keep an image."""
    files = {"file": (image.name, image.data, image.content_type)}
    return Call("POST", "/backend/image", _json(Image), repeatable=False, files=files)


def classify(image: ImageFile, models: Iterable[Id] | None, *, explain: bool, store: bool) -> Call[Classification]:
    """Ask about one image: it is the body, which is the quickest way."""
    params: dict[str, Any] = {}
    if models is not None:
        params["models"] = _ids(models, "models")
    if explain:
        params["explain"] = "true"
    if store:
        params["store"] = "true"
    return Call(
        "POST",
        "/backend/image/classify",
        _one_result,
        repeatable=not store,
        params=params,
        content=image.data,
        content_type=image.content_type,
    )


def classify_stored(images: Iterable[ImageId], models: Iterable[Id] | None, *, explain: bool) -> Call[list[Classification]]:
    """Ask about images that the server keeps."""
    body: dict[str, Any] = {"images": image_ids(images), "explain": explain}
    if models is not None:
        body["models"] = _ids(models, "models")
    answer = _json(ClassifyAnswer)
    return Call("POST", "/backend/image/classify", lambda response: answer(response).results, json=body)


def list_images(kind: str | None, model: Id | None, cursor: str | None, limit: int) -> Call[ImagePage]:
    """A part of the list of images."""
    wanted = {"type": kind, "model": str(model) if model else None, "cursor": cursor, "limit": limit}
    params = {key: value for key, value in wanted.items() if value is not None}
    return Call("GET", "/backend/image", _json(ImagePage), params=params)


def label(image: ImageId, label: FaceClass | str, predicted: FaceClass | str | None) -> Call[Label]:
    """Say what an image is."""
    body: dict[str, Any] = {"image": image_id(image), "label": label}
    if predicted is not None:
        body["predicted"] = predicted
    return Call("POST", "/backend/image/label", _json(Label), repeatable=False, json=body)


def count(images: Iterable[ImageId] | ImageId, action: Literal["like", "unlike", "download"]) -> Call[list[ImageCounts]]:
    """Count something once for each image."""
    body = {"images": image_ids(images), "action": action}
    return Call("POST", "/backend/image/stats", _json(list[ImageCounts]), repeatable=False, json=body)


def get_stats() -> Call[list[ModelStats]]:
    """How popular each generator is."""
    return Call("GET", "/backend/image/stats", _json(list[ModelStats]))


def download(image: ImageId, width: ThumbnailWidth | None) -> Call[bytes]:
    """The file of an image, or a thumbnail."""
    return Call(
        "GET",
        f"/backend/image/{image_id(image)}",
        lambda response: response.content,
        params={"width": width} if width else {},
        answer_type="image/",
    )


def download_archive(images: Iterable[ImageId], into: Path) -> Call[Path]:
    """Many images as one ZIP file. The server counts a download of each, so it is asked for once."""
    return Call(
        "POST",
        "/backend/image/archive",
        lambda _: into,
        repeatable=False,
        json={"images": image_ids(images)},
        into=into,
        answer_type="application/zip",
    )


def image_id(image: ImageId) -> str:
    """The uuid of an image.

    Raises:
        ValueError: the text is no uuid.
    """
    if isinstance(image, Image):
        return str(image.uuid)
    try:
        return str(UUID(str(image)))
    except ValueError as error:
        raise ValueError(
            f"{str(image)[:80]!r} is not the id of an image. Upload or generate it first, and use its `uuid`."
        ) from error


def image_ids(images: Iterable[ImageId] | ImageId) -> list[str]:
    """The uuids of one image or several."""
    if isinstance(images, str | UUID | Image):
        images = [images]
    return [image_id(image) for image in images]


def _ids(ids: Iterable[Id], what: str) -> list[str]:
    if isinstance(ids, str | UUID):
        ids = [ids]
    found = [str(each) for each in ids]
    if not found:
        raise ValueError(f"Name at least one of {what}, or leave it out.")
    return found


def _json(kind: type[T]) -> Callable[[httpx.Response], T]:
    adapter = _ADAPTERS.setdefault(kind, TypeAdapter(kind))

    def read(response: httpx.Response) -> T:
        try:
            answer: T = adapter.validate_json(response.content)
        except ValidationError as error:
            raise unexpected(response) from error
        return answer

    return read


def _next_cursor(response: httpx.Response) -> str | None:
    link = response.links.get("next")
    return None if link is None else response.url.join(link["url"]).params.get("cursor")


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _one_result(response: httpx.Response) -> Classification:
    results: Sequence[Classification] = _json(ClassifyAnswer)(response).results
    if len(results) != 1:
        raise unexpected(response)
    return results[0]
