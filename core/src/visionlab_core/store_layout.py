"""Where things lie in the object store.

    images/<xx>/<uuid>.<suffix>              an image; xx are the last two digits of the uuid
    models/<uuid>/<version>/<file>           a version of a model: card.json, model.onnx, config.pbtxt, saved_model/...
    releases/<pool>/<digest>/<model>/...     a Triton model repository that is never changed
    releases/<pool>/<digest>/release.json    what is in it; the last file that is written, the first that is deleted
    releases/<pool>/state.json               which releases the pool is at, comes from and goes to
    releases/<pool>/status.json              why models are not served that are wanted
    uploads/<uuid>                           a large file that came whole, until it is made use of
    datasets/<uuid>/images/<class>/<sha256>.<suffix>   an image of a data set
    datasets/<uuid>/<digest>/manifest.csv    what a training reads of a data set: frozen, never changed
    trainings/<uuid>/<name>                  what a training job and the product tell each other

Prefixes end in a slash, so that one version is never taken for another whose number begins alike.
"""

from __future__ import annotations

import re
from uuid import UUID

from visionlab_core.face_class import FaceClass
from visionlab_core.object_store.contract import validate_key


def image_key(uuid: UUID, suffix: str) -> str:
    """The key of an image, such as `images/3f/<uuid>.png`. `suffix` is that of a file: `.png`.

    Sharded by the last digits, which are random in every version of UUID; the first ones are a clock in version 7.

    Raises:
        ValueError: the suffix is not a dot and one to eight small letters or digits.
    """
    return f"images/{uuid.hex[-2:]}/{uuid}{_suffix(suffix)}"


def model_prefix(uuid: UUID, version: int) -> str:
    """What the keys of all files of one version of a model begin with.

    Raises:
        ValueError: the version is not 1 or more.
    """
    if version < 1:
        raise ValueError(f"versions of models count from 1, not {version}")
    return f"models/{uuid}/{version}/"


def model_key(uuid: UUID, version: int, filename: str) -> str:
    """The key of a file of a version of a model; `filename` may lie in folders: `saved_model/variables/variables.index`.

    Raises:
        InvalidKey: the file name would leave the version's folder, or is otherwise no part of a key.
        ValueError: the version is not 1 or more.
    """
    return _below(model_prefix(uuid, version), filename)


def pool_prefix(pool: str) -> str:
    """What the keys of all releases of a pool begin with.

    Args:
        pool: name of the pool, a DNS label.

    Raises:
        ValueError: it is not that.
    """
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", pool):
        raise ValueError(f"{pool!r} is not the name of a pool: small letters, digits and inner dashes, 63 at most")
    return f"releases/{pool}/"


def pool_state_key(pool: str) -> str:
    """The key of a pool's state.

    Raises:
        ValueError: `pool` is not the name of a pool.
    """
    return f"{pool_prefix(pool)}state.json"


def pool_status_key(pool: str) -> str:
    """The key of what is said of the pool's models that are not served.

    Raises:
        ValueError: `pool` is not the name of a pool.
    """
    return f"{pool_prefix(pool)}status.json"


def release_prefix(pool: str, digest: str) -> str:
    """What the keys of all files of a release begin with.

    Args:
        pool: name of the pool, a DNS label.
        digest: SHA-256 of the release, 64 hexadecimal digits.

    Raises:
        ValueError: one of them is not that.
    """
    pool = pool_prefix(pool)
    return f"{pool}{_digest(digest)}/"


def release_key(pool: str, digest: str, path: str) -> str:
    """The key of a file of a release, such as `<model>/1/model.onnx`.

    Raises:
        InvalidKey: the path would leave the release, or is otherwise no part of a key.
        ValueError: as `release_prefix`.
    """
    return _below(release_prefix(pool, digest), path)


def upload_key(uuid: UUID) -> str:
    """The key of a large file that was uploaded."""
    return f"uploads/{uuid}"


def dataset_prefix(uuid: UUID) -> str:
    """What the keys of all files of a data set begin with."""
    return f"datasets/{uuid}/"


def dataset_image_key(uuid: UUID, face_class: FaceClass, sha256: str, suffix: str) -> str:
    """The key of an image of a data set: a folder a class, and the content's digest for a name.

    Raises:
        ValueError: the digest is not a SHA-256 in hexadecimal digits, or the suffix none of an image file, such as `.png`.
    """
    return f"{dataset_prefix(uuid)}images/{face_class}/{_digest(sha256)}{_suffix(suffix)}"


def dataset_manifest_key(uuid: UUID, digest: str) -> str:
    """The key of the manifest of a frozen data set (CSV, see `visionlab_training.data.index`; its paths are relative to it).

    Raises:
        ValueError: the digest is not a SHA-256 in hexadecimal digits.
    """
    return f"{dataset_prefix(uuid)}{_digest(digest)}/manifest.csv"


def training_key(uuid: UUID, name: str) -> str:
    """The key of a file of a training: `spec.json`, `progress.json`, `checkpoints/...`, `result/...`.

    Raises:
        InvalidKey: the name would leave the training's folder, or is otherwise no part of a key.
    """
    return _below(f"trainings/{uuid}/", name)


def _digest(digest: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"{digest!r} is not a SHA-256 in hexadecimal digits")
    return digest


def _suffix(suffix: str) -> str:
    if not re.fullmatch(r"\.[a-z0-9]{1,8}", suffix):
        raise ValueError(f"{suffix!r} is not the suffix of an image file, such as '.png'")
    return suffix


def _below(prefix: str, name: str) -> str:
    return validate_key(prefix + name)
