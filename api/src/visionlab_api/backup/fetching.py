"""Objects from the store, several at a time, in the order asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from visionlab_api.backup.catalogue import Wanted
from visionlab_core.object_store import KeyNotFound, ObjectStore

SMALL_BYTES = 4 << 20
"""Objects up to about this size are read ahead; of larger ones, the beginning is."""

_THREADS = 8
_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object of `size` bytes, in chunks; None: there is none."""

    wanted: Wanted
    size: int
    chunks: Iterator[bytes] | None


def fetch(store: ObjectStore, wanted: Iterable[Wanted]) -> Iterator[Fetched]:
    """The objects that are wanted.

    Raises:
        StoreError: the store cannot be read.
    """
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="fetch") as pool:
        ahead: deque[Future[Fetched]] = deque()
        try:
            for each in wanted:
                ahead.append(pool.submit(_begin, store, each))
                if len(ahead) >= _AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _begin(store: ObjectStore, wanted: Wanted) -> Fetched:
    try:
        chunks = store.open(wanted.key)
        head: list[bytes] = []
        while sum(map(len, head)) < SMALL_BYTES:
            chunk = next(chunks, None)
            if chunk is None:
                return Fetched(wanted, sum(map(len, head)), iter(head))
            head.append(chunk)
        return Fetched(wanted, store.stat(wanted.key).size, chain(head, chunks))
    except KeyNotFound:
        return Fetched(wanted, 0, None)
