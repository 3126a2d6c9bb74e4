"""What goes wrong with backups; each message says what to do."""

from __future__ import annotations


class BackupError(Exception):
    """Whatever a backup or a restore raises of its own."""


class DamagedBackup(BackupError):
    """The file is no backup, or not all of it is there, or it was changed."""


class TargetNotEmpty(BackupError):
    """There is something already where a backup was to be restored to."""


class ObjectsMissing(BackupError):
    """Rows refer to objects that are not in the store, or are damaged there."""

    def __init__(self, keys: list[str]) -> None:
        shown = "".join(f"\n  {key}" for key in keys[:_MOST_SHOWN])
        more = f"\n  and {len(keys) - _MOST_SHOWN} more" if len(keys) > _MOST_SHOWN else ""
        super().__init__(
            f"{len(keys)} objects that rows refer to are missing in the store, or are damaged there. Nothing was backed up. "
            f"Bring them back, remove what refers to them, or go without them: --allow-missing.{shown}{more}"
        )
        self.keys = keys


_MOST_SHOWN = 20
