"""Who asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5


class Scope(StrEnum):
    """What a principal may do beyond what everyone may."""

    INFERENCE = "inference"
    """Call what is public without limits of rate."""
    SETTINGS = "settings"
    MODELS = "models"
    DATASETS = "datasets"
    """Also see the uploaded images whose people agreed to training."""
    TRAININGS = "trainings"
    UPLOADS = "uploads"
    ADMIN = "admin"
    """All of the others, API keys and the audit log."""


Kind = Literal["anonymous", "user", "admin", "key", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `id` is stable and no secret; it is empty for those who did not say who they are."""

    kind: Kind
    id: str
    name: str
    scopes: frozenset[Scope] = frozenset()

    def may(self, scope: Scope | None) -> bool:
        """Whether what needs this scope is allowed; None is what everyone may."""
        return scope is None or scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def visitor(self) -> UUID | None:
        """Whose the images are that a person or a program uploads, from whatever browser; None: the cookie's."""
        return uuid5(NAMESPACE_URL, f"visionlab:{self.kind}:{self.id}") if self.kind in ("user", "key") else None


ANONYMOUS = Principal("anonymous", "", "visitor")
LOCAL = Principal("admin", "local", "this machine", frozenset({Scope.ADMIN}))
"""Whoever asks a server that has no accounts and listens to its own machine alone."""

SCHEDULE = Principal("system", "schedule", "VisionLab's schedule")
"""VisionLab itself, where its settings let it act without being asked; it asks for nothing over HTTP."""


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """Scopes from a row; one that this version does not know grants nothing."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(name) for name in names if name in known)
