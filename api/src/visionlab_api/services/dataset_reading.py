"""From the uploads of a data set to its images: each file is looked at once, kept under its digest or refused with a reason."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from visionlab_api.services.archives import Entry, Limits, UnusableArchive, entries, is_archive
from visionlab_api.services.fates import Fate, RefusedFile
from visionlab_core.face_class import FaceClass
from visionlab_core.object_store import KeyNotFound, ObjectStore, open_seekable
from visionlab_core.store_layout import dataset_image_key, upload_key
from visionlab_inference.images import BrokenImage, ImageTooLarge, ImageTooSmall, NotAnImage, look
from visionlab_inference.perceptual_hash import SIDE, Alike, perceptual_hash

MOST_IN_A_BATCH = 500
SECONDS_A_BATCH = 1.0
_FATES = {
    NotAnImage: Fate.NOT_AN_IMAGE,
    BrokenImage: Fate.BROKEN,
    ImageTooLarge: Fate.TOO_LARGE,
    ImageTooSmall: Fate.TOO_SMALL,
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to read: what a person calls it, and its bytes."""

    uuid: UUID
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class FileFound:
    """A file and its fate. `position` counts the files of the data set from 0, the same each time it is read.

    `sha256` and what follows are there for images that were kept; `size` is in bytes.
    """

    position: int
    path: str
    size: int
    fate: Fate
    reason: str | None = None
    face_class: FaceClass | None = None
    sha256: str | None = None
    perceptual_hash: str | None = None
    suffix: str | None = None
    width: int | None = None
    height: int | None = None


class DatasetReading:
    """Reads the files of a data set, from where an earlier reading ended. Blocks: run it in a thread.

    Args:
        store: where the uploads are and the images go.
        dataset: the data set.
        uploads: in the order in which they count.
        face_class: of all files; None: a folder of the archive names it.
        limits: of the whole data set.
        known: what an earlier reading kept, in its order.
        files: how many files it had come to.
    """

    def __init__(
        self,
        store: ObjectStore,
        dataset: UUID,
        uploads: Sequence[Upload],
        *,
        face_class: FaceClass | None,
        limits: Limits,
        known: Sequence[FileFound] = (),
        files: int = 0,
    ) -> None:
        self._store = store
        self._dataset = dataset
        self._uploads = uploads
        self._face_class = face_class
        self._limits = limits
        self._skip = files
        self._kept: list[FileFound] = []
        self._by_digest: dict[str, FileFound] = {}
        self._alike = Alike()
        for file in known:
            self._remember(file)
        self._found = self._read()
        self.progress = 0.0
        """How far through the uploads, from 0 to 1."""

    def batch(self) -> list[FileFound]:
        """The next files, some at a time; none at the end. Images that were kept are in the store.

        Raises:
            UnusableArchive: an upload is refused as a whole.
            StoreError: the store is full or away.
        """
        batch: list[FileFound] = []
        ends = time.monotonic() + SECONDS_A_BATCH
        for file in self._found:
            batch.append(file)
            if len(batch) >= MOST_IN_A_BATCH or time.monotonic() > ends:
                break
        return batch

    def close(self) -> None:
        """Let go of the open upload."""
        self._found.close()

    def _read(self) -> Generator[FileFound]:
        total = sum(upload.size for upload in self._uploads) or 1
        before = position = unpacked = 0
        for upload in self._uploads:
            try:
                file = open_seekable(self._store, upload_key(upload.uuid))
            except KeyNotFound as error:
                raise UnusableArchive(f"{upload.filename} is no longer in the store. Upload it again.") from error
            with file:
                left = Limits(self._limits.files - position, self._limits.total_bytes - unpacked, self._limits.file_bytes)
                for entry in entries(file, upload.filename, upload.size, left):
                    unpacked += entry.size
                    if position >= self._limits.files or unpacked > self._limits.total_bytes:
                        raise UnusableArchive("The files hold more than one data set may. Split them into several.")
                    if position >= self._skip:
                        self.progress = (before + entry.place * upload.size) / total
                        yield self._judge(position, upload, entry)
                    position += 1
            before += upload.size
        self.progress = 1.0

    def _judge(self, position: int, upload: Upload, entry: Entry) -> FileFound:
        path = _shown(entry.name) if len(self._uploads) == 1 else _shown(f"{upload.filename}/{entry.name}")
        try:
            return self._keep(position, path, entry)
        except RefusedFile as refused:
            return FileFound(position, path, entry.size, refused.fate, str(refused))

    def _keep(self, position: int, path: str, entry: Entry) -> FileFound:
        data = entry.read()
        if is_archive(data):
            raise RefusedFile(Fate.NESTED_ARCHIVE, "It is an archive within the archive. Unpack it first.")
        digest = sha256(data).hexdigest()
        face_class = self._face_class or _class_of(entry.name)
        if face_class is None:
            detail = "No folder above it is named human, human_gen, anime or anime_gen, and the data set has no class of its own."
            raise RefusedFile(Fate.NO_CLASS, detail)
        self._refuse_known(self._by_digest.get(digest), face_class, Fate.DUPLICATE, "It is the same file as")
        try:
            info, pixels = look(data, SIDE)
        except (NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall) as error:
            raise RefusedFile(_FATES[type(error)], str(error)) from error
        hash = perceptual_hash(pixels)
        alike = self._alike.find(hash)
        self._refuse_known(None if alike is None else self._kept[alike], face_class, Fate.SIMILAR, "It looks the same as")
        self._store.put(dataset_image_key(self._dataset, face_class, digest, info.suffix), data, content_type=info.content_type)
        file = FileFound(
            position,
            path,
            len(data),
            Fate.KEPT,
            face_class=face_class,
            sha256=digest,
            perceptual_hash=hash.hex(),
            suffix=info.suffix,
            width=info.width,
            height=info.height,
        )
        self._remember(file)
        return file

    def _refuse_known(self, known: FileFound | None, face_class: FaceClass, fate: Fate, words: str) -> None:
        if known is None:
            return
        if known.face_class != face_class:
            raise RefusedFile(Fate.OTHER_CLASS, f"{words} {known.path}, which counts as {known.face_class}.")
        raise RefusedFile(fate, f"{words} {known.path}.")

    def _remember(self, file: FileFound) -> None:
        assert file.sha256 is not None, "it was kept"
        assert file.perceptual_hash is not None, "it was kept"
        self._kept.append(file)
        self._by_digest[file.sha256] = file
        self._alike.add(bytes.fromhex(file.perceptual_hash))


def _class_of(name: str) -> FaceClass | None:
    for folder in reversed(name.split("/")[:-1]):
        try:
            return FaceClass(folder.lower())
        except ValueError:
            continue
    return None


def _shown(name: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in name)[-1024:]
