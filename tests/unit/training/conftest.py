import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@pytest.fixture
def tiny_in_the_zoo(monkeypatch):
    """The architecture "Tiny"."""
    from support import tiny_architecture

    from visionlab_training.zoo import registry

    monkeypatch.setattr(registry, "architectures", registry.architectures)  # put back afterwards
    tiny_architecture.install()
