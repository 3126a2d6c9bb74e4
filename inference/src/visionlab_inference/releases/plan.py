"""Which pool serves which model."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from visionlab_core.model_card import ModelCard
from visionlab_inference.releases.release import POOLS

_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")
"""Names of objects in Kubernetes are made of it, and there is room for so much in them."""


class PoolPlan:
    """Models share the pool of their kind, but for those that have another: a pool scales, and is given its nodes, as a whole.

    Args:
        apart: names of further pools, each with the uuids of the models that it serves instead of the pool of their kind.

    Raises:
        ValueError: a name is none or that of a kind's pool, a pool has no model, or a model has two.
    """

    def __init__(self, apart: Mapping[str, Collection[UUID]] = MappingProxyType({})) -> None:
        self._pool_of: dict[UUID, str] = {}
        for pool, models in apart.items():
            if not _NAME.fullmatch(pool):
                raise ValueError(f"{pool!r} is no name of a pool: up to 20 small letters, digits and inner dashes")
            if pool in POOLS.values():
                raise ValueError(f"the pool {pool} serves all models of its kind: it needs no list of them")
            if not models:
                raise ValueError(f"the pool {pool} has no models")
            for model in models:
                if model in self._pool_of:
                    raise ValueError(f"the model {model} is in two pools: {self._pool_of[model]} and {pool}")
                self._pool_of[model] = pool
        self.names: tuple[str, ...] = (*POOLS.values(), *apart)
        """Of all pools."""

    def pool(self, card: ModelCard) -> str:
        """The name of the pool that serves a model."""
        return self._pool_of.get(card.uuid) or POOLS[card.kind]

    def share(self, pool: str, cards: Iterable[ModelCard]) -> list[ModelCard]:
        """Those of the models that a pool serves."""
        return [card for card in cards if self.pool(card) == pool]


BY_KIND: Final = PoolPlan()
"""One pool for each kind of models."""
