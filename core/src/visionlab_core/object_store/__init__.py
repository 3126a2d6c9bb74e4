"""Bytes under keys: one contract, kept by a folder and by any S3.

`visionlab_core.object_store.s3` is not imported here: a process that keeps its objects in a folder need not load an S3 client.
"""

from visionlab_core.object_store.address import ENVIRONMENT_PREFIX, S3Settings, open_store
from visionlab_core.object_store.contract import (
    BLOCK_BYTES,
    DEFAULT_CONTENT_TYPE,
    BytesMissing,
    InvalidKey,
    KeyNotFound,
    ObjectInfo,
    ObjectStore,
    Readable,
    StoreError,
    StoreFull,
    StoreUnavailable,
    validate_key,
)
from visionlab_core.object_store.folder import FolderObjectStore
from visionlab_core.object_store.seekable import open_seekable

__all__ = [
    "BLOCK_BYTES",
    "DEFAULT_CONTENT_TYPE",
    "ENVIRONMENT_PREFIX",
    "BytesMissing",
    "FolderObjectStore",
    "InvalidKey",
    "KeyNotFound",
    "ObjectInfo",
    "ObjectStore",
    "Readable",
    "S3Settings",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "open_seekable",
    "open_store",
    "validate_key",
]
