"""A release: a Triton repository that is never changed, and what is in it.

    releases/<pool>/<digest>/release.json
    releases/<pool>/<digest>/<model>/config.pbtxt
    releases/<pool>/<digest>/<model>/1/model.onnx
    releases/<pool>/<digest>/<ensemble>.head/...

An ensemble whose bases are in the release has but its head there, twice: in a folder of its own, as the model that Triton asks
after the bases, and as `1/model.onnx` of the ensemble, where other backends look for it (for Triton it makes the folder of the
version, which object stores cannot keep empty).

`release.json` has the card of each model and the SHA-256 of each file; the digest is that of `release.json`, so it covers every
byte. It is written last: what has none is no release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from visionlab_core.model_card import FileDigest, ModelCard, ModelKind
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import release_key
from visionlab_inference.backend import ModelVersion
from visionlab_inference.repository import CONFIG_FILE, MODEL_FILE

MANIFEST_FILE: Final = "release.json"
ONNX_PATH: Final = f"1/{MODEL_FILE}"
"""A repository holds one version under a name, so its number there is always 1; the card says which it is."""

POOLS: Final[dict[ModelKind, str]] = {"detector": "detectors", "generator": "generators"}
"""The pool that models of a kind are served by."""


class ReleaseDamaged(ValueError):
    """What is stored as a release is none, or is not the one that its digest names."""


class UnusableModels(ValueError):
    """Model versions that no release can be made of: the reason for each."""

    def __init__(self, reasons: Mapping[ModelVersion, str]) -> None:
        super().__init__("; ".join(f"{model}: {reason}" for model, reason in reasons.items()))
        self.reasons = dict(reasons)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def head_name(ensemble: str) -> str:
    """The name of an ensemble's head in the repository."""
    return f"{ensemble}.head"


class ReleasedHead(_Strict):
    """What an ensemble has in place of its whole graph where its bases are in the release too."""

    config: FileDigest = Field(description="of the head's config.pbtxt")
    bases: tuple[str, ...] = Field(description="their names in the release, in the head's order")


class ReleasedModel(_Strict):
    """One model of a release."""

    card: ModelCard
    config: FileDigest = Field(description="of config.pbtxt")
    onnx: FileDigest = Field(description="of 1/model.onnx: the whole graph, or the head's where there is a head")
    max_batch: int = Field(ge=1, description="images that the configuration lets one call have")
    head: ReleasedHead | None = None

    @property
    def version(self) -> ModelVersion:
        """What backends call it."""
        return ModelVersion(self.card.uuid, self.card.version)

    def files(self, name: str) -> dict[str, FileDigest]:
        """By path in the repository, where the model serves under this name."""
        files = {f"{name}/{CONFIG_FILE}": self.config, f"{name}/{ONNX_PATH}": self.onnx}
        if self.head is not None:
            files |= {f"{head_name(name)}/{CONFIG_FILE}": self.head.config, f"{head_name(name)}/{ONNX_PATH}": self.onnx}
        return files


class _Manifest(_Strict):
    schema_version: Literal[1] = 1
    models: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")], ReleasedModel]


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a pool; `models` is by the name of the folder, which is also the name that Triton serves the model under."""

    pool: str
    models: dict[str, ReleasedModel]
    manifest: bytes
    digest: str

    @classmethod
    def of(cls, pool: str, models: dict[str, ReleasedModel]) -> Self:
        """The release of these models. The same models make the same digest, in whatever order."""
        manifest = _Manifest(models=dict(sorted(models.items()))).model_dump_json().encode()
        return cls(pool, models, manifest, sha256(manifest).hexdigest())

    def key(self, path: str) -> str:
        """Where a file of the release lies in the store; `path` begins with the model's name."""
        return release_key(self.pool, self.digest, path)

    @property
    def versions(self) -> dict[ModelVersion, str]:
        """The name of each model version of the release."""
        return {model.version: name for name, model in self.models.items()}

    @property
    def folders(self) -> dict[str, ReleasedModel]:
        """What each folder of the repository belongs to."""
        return self.models | {head_name(name): model for name, model in self.models.items() if model.head is not None}


def read_release(store: ObjectStore, pool: str, digest: str) -> Release:
    """A release of the store; blocks. The files of its models are not read.

    Raises:
        KeyNotFound: there is none of this digest.
        ReleaseDamaged: `release.json` is not the one that the digest is of.
        StoreError: the store cannot be used.
    """
    manifest = store.get(release_key(pool, digest, MANIFEST_FILE))
    if sha256(manifest).hexdigest() != digest:
        raise ReleaseDamaged(f"{release_key(pool, digest, MANIFEST_FILE)} is damaged: its sha256 is not the release's digest.")
    try:
        models = _Manifest.model_validate_json(manifest).models
    except ValidationError as error:
        raise ReleaseDamaged(f"{release_key(pool, digest, MANIFEST_FILE)} is of another version of VisionLab: {error}") from error
    return Release(pool, models, manifest, digest)


def read_file(store: ObjectStore, key: str, expected: FileDigest) -> bytes:
    """A file that must be what was said of it; blocks.

    Raises:
        KeyNotFound: it is missing.
        ReleaseDamaged: its size or sha256 is another.
        StoreError: the store cannot be used.
    """
    data = store.get(key)
    check_digest(key, [data], expected)
    return data


def check_digest(key: str, chunks: Iterable[bytes], expected: FileDigest) -> None:
    """Refuse a file that is not what was said of it.

    Raises:
        ReleaseDamaged: its size or sha256 is another.
    """
    digest, size = sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    if size != expected.size or digest.hexdigest() != expected.sha256:
        raise ReleaseDamaged(f"{key} is damaged: its sha256 is not the card's. Install the model again.")


def is_complete(store: ObjectStore, release: Release) -> bool:
    """Whether the store has this release; blocks."""
    try:
        return store.stat(release.key(MANIFEST_FILE)).size == len(release.manifest)
    except KeyNotFound:
        return False
