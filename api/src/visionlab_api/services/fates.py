"""What can become of a file of a data set, and the words for it."""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    """What became of a file. Only `kept` ones are in the data set."""

    KEPT = "kept"
    DUPLICATE = "duplicate"
    SIMILAR = "similar"
    OTHER_CLASS = "other_class"
    NO_CLASS = "no_class"
    NOT_AN_IMAGE = "not_an_image"
    BROKEN = "broken"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    UNSAFE_NAME = "unsafe_name"
    LINK = "link"
    SPECIAL = "special"
    NESTED_ARCHIVE = "nested_archive"
    ENCRYPTED = "encrypted"
    UNREADABLE = "unreadable"


class RefusedFile(Exception):
    """A file that is no part of the data set, with a sentence for the person who sent it."""

    def __init__(self, fate: Fate, reason: str) -> None:
        super().__init__(reason)
        self.fate = fate
