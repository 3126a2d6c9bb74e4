"""Woken by changes: threads that watch the API and set an event."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from visionlab_core.kubernetes.api import ApiRefused, ApiUnreachable, KubernetesApi

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 2.0


class Watch:
    """Calls `changed`, from a thread of its own, whenever one of these objects does; it outlives the API server's absence.

    What happens while it cannot look is not told: who is woken looks at everything, and looks now and then without being woken.
    """

    def __init__(self, api: KubernetesApi, path: str, labels: Mapping[str, str], changed: Callable[[], None]) -> None:
        self._api = api
        self._path = path
        self._labels = labels
        self._changed = changed
        self._stopped = threading.Event()
        # It may hang in the API server's silence for half a minute, which must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Tell nothing any more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                for _ in self._api.watch(self._path, self._labels):
                    if self._stopped.is_set():
                        return
                    self._changed()
            except (ApiUnreachable, ApiRefused) as error:
                log.debug("the watch of %s is broken off: %s", self._path, error)
            except Exception:  # it must outlive any fault of one look
                log.exception("the watch of %s failed", self._path)
            if time.monotonic() - began < _PAUSE_SECONDS:
                self._stopped.wait(_PAUSE_SECONDS)
