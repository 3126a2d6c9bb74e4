"""Detectors by name, gathered from the files in `detectors/`."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from visionlab_training.zoo import detectors as _files
from visionlab_training.zoo.architecture import Detector


class UnknownArchitecture(ValueError):
    """There is no architecture of that name; the message has the nearest one."""


@cache
def architectures() -> Mapping[str, Detector]:
    """All detectors by name: the `DETECTORS` of every file."""
    found: dict[str, Detector] = {}
    for file in pkgutil.iter_modules(_files.__path__):
        found |= import_module(f"{_files.__name__}.{file.name}").DETECTORS
    return MappingProxyType(found)


def detector(name: str) -> Detector:
    """The recipe of a detector.

    Raises:
        UnknownArchitecture: there is none of that name, letter for letter.
    """
    known = architectures()
    if name in known:
        return known[name]
    by_lower = {each.lower(): each for each in known}
    nearest = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    meant = f"did you mean {by_lower[nearest[0]]!r}?" if nearest else f"there are {', '.join(sorted(known))}."
    raise UnknownArchitecture(f"There is no detector architecture {name!r}; {meant}")
