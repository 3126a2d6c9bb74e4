"""The models that ship with the project, in the real server: what they make and what they say."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.server import Server

from visionlab_core.model_card import ModelCard

pytestmark = pytest.mark.slow

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def cards() -> list[ModelCard]:
    cards = [ModelCard.model_validate_json(path.read_text()) for path in sorted(MODELS.glob("*/*/card.json"))]
    kinds = {card.kind for card in cards}
    assert kinds == {"detector", "generator"}, f"{MODELS} should ship detectors and generators, and has {kinds or 'nothing'}"
    return cards


@pytest.fixture(scope="module")
def server(cards, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("real"), MODELS).start()
    yield server
    server.close()


def generate(server, card: ModelCard, seed: int, count: int = 1) -> list[bytes]:
    body = {"models": [str(card.uuid)], "count": count, "seed": seed}
    answer = server.client.post("/backend/image/generate", json=body)
    assert answer.status_code == 201, answer.text
    return [server.client.get(image["url"]).content for image in answer.json()["images"]]


def test_every_shipped_model_is_ready_or_out_of_service_as_its_card_says(server, cards):
    states = {
        (model["name"], model["version"]): model["state"] for model in server.client.get("/backend/status").json()["models"]
    }
    newest = {card.uuid: card for card in sorted(cards, key=lambda card: card.version)}
    for card in newest.values():
        assert states[card.name, card.version] == ("ready" if card.enabled_by_default else "disabled")
    assert any(card.enabled_by_default for card in cards if card.kind == "detector")


def test_generated_faces_are_pictures_and_are_classified(server, cards):
    for card in cards:
        if card.kind != "generator" or not card.enabled_by_default:
            continue
        faces = generate(server, card, seed=1, count=4)
        for face in faces:
            pixels = np.asarray(Image.open(io.BytesIO(face)))
            assert pixels.shape == card.outputs[0].shape
            assert pixels.std() > 10, "a face is no plain area"
        files = [("images", (f"{n}.png", face)) for n, face in enumerate(faces)]
        answer = server.client.post("/backend/image/classify", files=files, data={"explain": "true"}).json()
        for result in answer["results"]:
            assert sum(result["verdict"]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
            assert result["verdict"]["sentence"]
            for model in result["models"]:
                judge = next(each for each in cards if str(each.uuid) == model["model_uuid"])
                has_map = any(output.name == "activation_map" for output in judge.outputs)
                assert bool(model["activation_map"]) == has_map


def test_seed_makes_the_same_face_bit_for_bit_alone_in_a_batch_and_after_a_restart(server, cards):
    generators = [card for card in cards if card.kind == "generator" and card.enabled_by_default]
    before = {card.name: generate(server, card, seed=5, count=6) for card in generators}
    for card in generators:
        assert generate(server, card, seed=8) == [before[card.name][3]]
        assert len(set(before[card.name])) == 6
    server.stop()
    server.start()
    for card in generators:
        assert generate(server, card, seed=5, count=6) == before[card.name]
