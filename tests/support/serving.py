"""The ways to serve models on this machine, each with the deployer that brings releases to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.lanes import ONE_LANE

from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import FolderObjectStore, ObjectStore
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import InferenceBackend
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.releases import POOLS, Deployer, EmbeddedDeployer, Release, assemble
from visionlab_inference.releases.triton import LocalTritonDeployer
from visionlab_inference.triton import TritonUnsupported, find_installation
from visionlab_inference.triton.backend import TritonBackend

KINDS = ("embedded", "triton")


@dataclass
class Serving:
    """A backend, its deployer and the store that releases are in."""

    store: ObjectStore
    backend: InferenceBackend
    deployer: Deployer
    cards: dict[str, ModelCard] = field(default_factory=dict)

    def add(self, card: ModelCard, onnx: bytes, config: str | None = None) -> ModelCard:
        """Put a model version into the store."""
        self.store.put(model_key(card.uuid, card.version, "model.onnx"), onnx)
        if config is not None:
            self.store.put(model_key(card.uuid, card.version, "config.pbtxt"), config.encode())
        return card

    def release(self, cards: Sequence[ModelCard], kind: str = "detector") -> Release:
        """The release of these versions."""
        return assemble(self.store, POOLS[kind], cards)

    async def serve(self, *cards: ModelCard) -> None:
        """Serve exactly these versions."""
        for kind in POOLS:
            await self.deployer.apply(self.release([card for card in cards if card.kind == kind], kind))


@asynccontextmanager
async def open_serving(
    kind: str, folder: Path, *, max_queue: int = 64, seconds_to_linger: float = 0.0, deadline: float = 30.0
) -> AsyncIterator[Serving]:
    """One of KINDS; Triton only where it can run."""
    store = FolderObjectStore(folder / "store")
    if kind == "embedded":
        embedded = EmbeddedBackend(ONE_LANE, max_queue=max_queue)
        serving = Serving(store, embedded, EmbeddedDeployer(embedded, store, seconds_to_linger=seconds_to_linger))
    else:
        try:
            find_installation()
        except TritonUnsupported as reason:
            pytest.skip(str(reason))
        triton = TritonBackend(ONE_LANE, max_queue=max_queue, deadline=deadline)
        deployer = LocalTritonDeployer(triton, store, threads=1, seconds_to_linger=seconds_to_linger)
        serving = Serving(store, triton, deployer)
    try:
        yield serving
    finally:
        await serving.deployer.close()
        if isinstance(serving.backend, EmbeddedBackend):
            await serving.backend.close()
