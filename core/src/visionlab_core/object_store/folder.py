"""Objects as files of a folder: the key is the file's path in it.

Every path is walked from the root by directory descriptors that refuse symbolic links, so no key and no link in the folder leads
out of it. New objects are written in `.incoming` and renamed, so the folder must be one file system. Files are never changed in
place, but for those in `.growing`, which become objects by being renamed.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from io import FileIO
from pathlib import Path
from uuid import UUID, uuid4

from visionlab_core.object_store.contract import (
    CHUNK_BYTES,
    DEFAULT_CONTENT_TYPE,
    GROWING,
    INCOMING,
    BytesMissing,
    InvalidKey,
    KeyNotFound,
    ObjectInfo,
    Readable,
    StoreError,
    StoreFull,
    StoreUnavailable,
    validate_content_type,
    validate_key,
    validate_prefix,
    validate_range,
)

ABANDONED_SECONDS = 3600


class FolderObjectStore:
    """An `ObjectStore` in a folder, which is made where it is missing. Several processes may use one folder.

    What killed processes left in `.incoming` is swept here once it is an hour old.

    Raises:
        StoreUnavailable: the folder cannot be made or written.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(os.path.realpath(root))
        with self._explained():
            _make_folders(self.root)
            self._sweep()

    def put(self, key: str, data: bytes | Readable, *, content_type: str = DEFAULT_CONTENT_TYPE) -> ObjectInfo:
        """See `ObjectStore.put`."""
        parts = validate_key(key).split("/")
        validate_content_type(content_type)
        chunks = iter([data]) if isinstance(data, bytes) else _chunks(data)
        temporary = uuid4().hex
        with self._reserved(INCOMING) as incoming:
            with self._explained():
                file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN_SAFELY, 0o666, dir_fd=incoming)
            try:
                digest = sha256()
                # The stream is read outside of `_explained`: its errors are the caller's, not the store's.
                for chunk in chunks:
                    digest.update(chunk)
                    with self._explained():
                        _write(file, chunk)
                with self._explained():
                    _describe(file, digest.hexdigest(), content_type)
                    os.fsync(file)
                    self._publish(incoming, temporary, key, parts)
                    return _info(key, file)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=incoming)
                raise
            finally:
                os.close(file)

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`: a second name of the same file, as files are never changed in place."""
        parts = validate_key(target).split("/")
        with self._file(source) as file, self._reserved(INCOMING) as incoming, self._explained():
            temporary = uuid4().hex
            try:
                # By the descriptor: the file that was opened, whatever has taken its name meanwhile.
                os.link(f"/proc/self/fd/{file.fileno()}", temporary, dst_dir_fd=incoming, follow_symlinks=True)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self.put(target, file, content_type=_info(source, file.fileno()).content_type or DEFAULT_CONTENT_TYPE)
                return
            try:
                self._publish(incoming, temporary, target, parts)
            finally:
                # Still there where the publishing failed, and where the target was that very file already.
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=incoming)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        with self._explained(), self._file(key) as file:
            return file.read()

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore.open`."""
        validate_range(start, length)
        return self._stream(self._file(key), start, length)

    def stat(self, key: str) -> ObjectInfo:
        """See `ObjectStore.stat`."""
        with self._explained(), self._file(key) as file:
            return _info(key, file.fileno())

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`."""
        try:
            self._file(key).close()
        except KeyNotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`. Folders that are left empty go too, so that their names are free again."""
        parts = validate_key(key).split("/")
        with self._explained(), suppress(_Missing), self._directories(parts[:-1]) as directories:
            if not _is_regular(parts[-1], directories[-1]):
                return
            with _missing():
                os.unlink(parts[-1], dir_fd=directories[-1])
            os.fsync(directories[-1])
            with suppress(OSError):  # the first that is not empty ends it
                for depth in range(len(parts) - 2, -1, -1):
                    os.rmdir(parts[depth], dir_fd=directories[depth])

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`. Links, special files and names that are not valid keys are left out."""
        folder, slash, beginning = validate_prefix(prefix).rpartition("/")
        return self._list(folder.split("/") if slash else [], folder + slash, beginning)

    def local_path(self, key: str) -> Path:
        """See `ObjectStore.local_path`."""
        self._file(key).close()
        return self.root / key

    def append(self, name: UUID, data: bytes, *, at: int) -> None:
        """See `ObjectStore.append`: the file `.growing/<name>`."""
        with self._reserved(GROWING) as growing, self._explained():
            file, new = _open_growing(name, growing)
            try:
                if os.fstat(file).st_size < at:
                    raise BytesMissing(os.fstat(file).st_size)
                os.ftruncate(file, at)
                try:
                    os.lseek(file, at, os.SEEK_SET)
                    _write(file, data)
                    os.fsync(file)
                except OSError:
                    os.ftruncate(file, at)
                    raise
            finally:
                os.close(file)
            if new:
                os.fsync(growing)

    def finish(self, name: UUID, key: str, *, size: int) -> None:
        """See `ObjectStore.finish`: the file gets another name."""
        parts = validate_key(key).split("/")
        with self._reserved(GROWING) as growing, self._explained():
            try:
                with _missing(), _open_regular(str(name), growing, os.O_RDWR) as file:
                    if os.fstat(file.fileno()).st_size < size:
                        raise BytesMissing(os.fstat(file.fileno()).st_size)
                    os.ftruncate(file.fileno(), size)
                    os.fsync(file.fileno())
            except _Missing:
                if not self._holds(key, size):
                    if size:
                        raise BytesMissing(0) from None
                    self.put(key, b"")
                return
            self._publish(growing, str(name), key, parts)

    def abandon(self, name: UUID) -> None:
        """See `ObjectStore.abandon`."""
        with self._reserved(GROWING) as growing, self._explained(), suppress(FileNotFoundError):
            os.unlink(str(name), dir_fd=growing)

    def growing(self) -> Iterator[UUID]:
        """See `ObjectStore.growing`."""
        with self._reserved(GROWING) as growing, self._explained():
            names = os.listdir(growing)
        for name in names:
            with suppress(ValueError):
                yield UUID(name)

    def check(self, *, write: bool = True) -> None:
        """See `ObjectStore.check`: makes and removes an empty file."""
        name = uuid4().hex
        try:
            with self._reserved(INCOMING) as incoming:
                os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN_SAFELY, 0o666, dir_fd=incoming))
                os.unlink(name, dir_fd=incoming)
        except OSError as error:
            raise self._unavailable(error) from error

    @contextmanager
    def _directories(self, parts: Sequence[str], *, create: bool = False) -> Iterator[tuple[int, ...]]:
        """Descriptors of the root and the directories below it. Raises _Missing where one is missing or not a directory."""
        with ExitStack() as stack:

            def opened(name: str | Path, parent: int | None, links: int) -> int:
                descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | links, dir_fd=parent)
                stack.callback(os.close, descriptor)
                return descriptor

            directories: tuple[int, ...] = (opened(self.root, None, 0),)
            for part in parts:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=directories[-1])
                with _missing():
                    directories += (opened(part, directories[-1], os.O_NOFOLLOW),)
            yield directories

    @contextmanager
    def _reserved(self, part: str) -> Iterator[int]:
        with ExitStack() as stack:
            with self._explained():
                try:
                    directories = stack.enter_context(self._directories([part], create=True))
                except _Missing as error:
                    raise StoreUnavailable(f"{self.root / part} is not a folder: remove what stands there") from error
            yield directories[-1]

    def _holds(self, key: str, size: int) -> bool:
        try:
            return self.stat(key).size == size
        except KeyNotFound:
            return False

    def _file(self, key: str) -> FileIO:
        parts = validate_key(key).split("/")
        try:
            with self._explained(), self._directories(parts[:-1]) as directories, _missing():
                return _open_regular(parts[-1], directories[-1])
        except _Missing as error:
            raise KeyNotFound(key) from error

    def _stream(self, file: FileIO, start: int, length: int | None) -> Iterator[bytes]:
        with file:
            left = sys.maxsize if length is None else length
            with self._explained():
                file.seek(start)
            while left:
                with self._explained():
                    chunk = file.read(min(left, CHUNK_BYTES))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk

    def _publish(self, incoming: int, temporary: str, key: str, parts: Sequence[str]) -> None:
        for _ in range(_PUBLISH_ATTEMPTS):
            try:
                with self._directories(parts[:-1], create=True) as directories:
                    os.rename(temporary, parts[-1], src_dir_fd=incoming, dst_dir_fd=directories[-1])
                    # All of them, not just the new ones: another process may have made one and not yet have come to its fsync.
                    for directory in reversed(directories):
                        os.fsync(directory)
                    return
            except (IsADirectoryError, NotADirectoryError) as error:
                raise InvalidKey(f"the key {key!r} and that of another object cannot be a file and a folder at once") from error
            except _Missing as error:
                if error.errno != errno.ENOENT:
                    raise InvalidKey(f"the key {key!r} leads through another object or a link") from error
            except FileNotFoundError:
                pass  # a delete removed the directory, empty then, while this put was on its way into it
        raise StoreUnavailable(f"{self.root}: the folder of {key!r} vanishes again and again; does a program clean up there?")

    def _list(self, parts: Sequence[str], folder: str, beginning: str) -> Iterator[ObjectInfo]:
        with self._explained(), suppress(_Missing), self._directories(parts) as directories:
            yield from self._walk(directories[-1], folder, beginning)

    def _walk(self, directory: int, folder: str, beginning: str) -> Iterator[ObjectInfo]:
        with os.scandir(directory) as entries:
            # A directory sorts by its name and the slash that follows it: so the keys come out sorted, with no list of them all.
            names = sorted(
                entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in entries if entry.name.startswith(beginning)
            )
        for name in names:
            key = folder + name
            with suppress(InvalidKey, _Missing):
                if name.endswith("/"):
                    validate_prefix(key)
                    with _missing():
                        below = os.open(name[:-1], os.O_RDONLY | os.O_DIRECTORY | _OPEN_SAFELY, dir_fd=directory)
                    try:
                        yield from self._walk(below, key, "")
                    finally:
                        os.close(below)
                else:
                    validate_key(key)
                    with _missing(), _open_regular(name, directory) as file:
                        info = _info(key, file.fileno(), listed=True)
                    yield info

    def _sweep(self) -> None:
        oldest = time.time() - ABANDONED_SECONDS
        with self._reserved(INCOMING) as incoming:
            for name in os.listdir(incoming):
                with suppress(FileNotFoundError, IsADirectoryError):
                    if os.stat(name, dir_fd=incoming, follow_symlinks=False).st_mtime < oldest:
                        os.unlink(name, dir_fd=incoming)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the operating system as errors of the store."""
        try:
            yield
        except (StoreError, _Missing):
            raise
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise StoreFull(f"{self.root}: {os.strerror(error.errno or 0)}; make room, or move the store") from error
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        reason = error.strerror or error
        return StoreUnavailable(f"{self.root} cannot be used ({reason}): check that it is a folder that this user may write")


class _Missing(OSError):
    """What a path names is not there, or not a plain file or directory."""


_OPEN_SAFELY = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # non-blocking: opening a FIFO would wait for its other end
_ATTRIBUTE = "user.visionlab.object"
_PUBLISH_ATTEMPTS = 100
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# No links on this file system, no more of this file, no /proc (another system than Linux).
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.ENOENT)
_NO_ATTRIBUTES = (errno.ENOTSUP, errno.EPERM, errno.ENOSYS)


@contextmanager
def _missing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
            raise _Missing(error.errno, error.strerror) from error
        raise


def _make_folders(folder: Path) -> None:
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in made:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_regular(name: str, directory: int) -> bool:
    with _missing():
        return stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)


def _open_regular(name: str, directory: int, access: int = os.O_RDONLY) -> FileIO:
    descriptor = os.open(name, access | _OPEN_SAFELY, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _Missing(errno.ENOENT, os.strerror(errno.ENOENT))
    return FileIO(descriptor)


def _open_growing(name: UUID, directory: int) -> tuple[int, bool]:
    """The file, made where it is missing, and whether it was."""
    try:
        return os.open(str(name), os.O_WRONLY | _OPEN_SAFELY, dir_fd=directory), False
    except FileNotFoundError:
        return os.open(str(name), os.O_WRONLY | os.O_CREAT | _OPEN_SAFELY, 0o666, dir_fd=directory), True


def _chunks(stream: Readable) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _describe(file: int, digest: str, content_type: str) -> None:
    """Keep what `stat` tells with the file itself, so that both change together. Size and time show whether it still holds."""
    if sys.platform == "linux":
        status = os.fstat(file)
        try:
            os.setxattr(file, _ATTRIBUTE, f"{digest} {status.st_size} {status.st_mtime_ns} {content_type}".encode())
        except OSError as error:
            if error.errno not in _NO_ATTRIBUTES:
                raise


def _info(key: str, file: int, *, listed: bool = False) -> ObjectInfo:
    status = os.fstat(file)
    etag, content_type = _description(file, status)
    return ObjectInfo(
        key=key,
        size=status.st_size,
        etag=etag,
        modified=datetime.fromtimestamp(status.st_mtime, UTC),
        content_type=None if listed else content_type,
    )


def _description(file: int, status: os.stat_result) -> tuple[str, str]:
    if sys.platform == "linux":
        with suppress(OSError, ValueError):
            digest, size, modified, content_type = os.getxattr(file, _ATTRIBUTE).decode().split(" ", 3)
            if (int(size), int(modified)) == (status.st_size, status.st_mtime_ns):
                return digest, content_type
    return sha256(f"{status.st_ino} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest(), DEFAULT_CONTENT_TYPE
