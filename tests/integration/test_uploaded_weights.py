"""Models that come as weights of an architecture of ours: converted by what trains, then added as every other."""

from __future__ import annotations

import os
import sys
from uuid import uuid4

import httpx
import numpy as np
import pytest
from support import tiny_training
from support.image_files import png
from support.problem_details import problem_of
from support.server import Server
from support.tus import TUS, UPLOADS, upload_file
from support.waiting import block_until

pytestmark = pytest.mark.slow

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

URL = "/backend/model"
DCGAN = {"type": "generator", "architecture": "DCGAN", "face_class": "anime_gen", "network": {"width": 4}}
TINY = {"type": "detector", "architecture": "Tiny", "network": {"resolution": 32}}


@pytest.fixture(scope="module")
def client(tmp_path_factory, tiny_models):
    """Of a server whose trainings know the architecture "Tiny" too."""
    settings = {
        "VISIONLAB_TRAIN_COMMAND": tiny_training.COMMAND,
        "VISIONLAB_EXTRA_ARCHITECTURES": "Tiny",
        "VISIONLAB_TRAINING_NICE": "0",
    }
    server = Server(tmp_path_factory.mktemp("weights-server"), tiny_models, **settings).start()
    with httpx.Client(base_url=server.url, headers=server.admin.headers, timeout=900) as patient:
        yield patient
    server.close()


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> dict[str, bytes]:
    """Files of weights by name: of a detector as Keras writes them, of a generator as we do."""
    from support.tiny_architecture import TINY as RECIPE

    from visionlab_export.weights import round_kernels, save_weights
    from visionlab_training.zoo import dcgan

    folder, random = tmp_path_factory.mktemp("weights"), np.random.default_rng(1)
    detector, generator = RECIPE.build(32), dcgan.generator(4)
    for variable in (*detector.weights, *generator.weights):
        positive = "variance" in variable.name or "gamma" in variable.name
        variable.assign(random.uniform(0.5 if positive else -0.5, 1.5 if positive else 0.5, variable.shape))
    detector.save_weights(folder / "detector.weights.h5")
    round_kernels(generator)
    save_weights(generator, folder / "generator.npz")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def add(client, data: bytes, filename: str, **options) -> tuple[str, httpx.Response]:
    upload = upload_file(client, filename, data)
    return upload, client.post(URL, json={"upload": upload, "name": f"model-{uuid4().hex[:8]}", **options})


def added(client, data: bytes, filename: str, **options) -> dict:
    upload, answer = add(client, data, filename, **options)
    assert answer.status_code == 201, answer.text
    assert client.head(f"{UPLOADS}/{upload}", headers=TUS).status_code in (404, 410)
    return answer.json()


def test_weights_of_keras_become_a_detector_that_serves(client, weights):
    model = added(client, weights["detector.weights.h5"], "detector.weights.h5", **TINY)
    assert (model["architecture"], model["parameters"], model["status"]) == ("Tiny", 284, "disabled")
    card = client.get(f"{URL}/{model['uuid']}/version/1/file/card.json").json()
    assert set(card["files"]) == {"model.onnx", "weights.npz"}
    assert (card["provenance"]["spec"]["resolution"], card["provenance"]["spec"]["uploaded"]) == (32, "detector.weights.h5")
    client.patch(f"{URL}/{model['uuid']}/status/enabled")

    def served(version: int) -> dict[str, float]:
        """What the version says of an image, once it is the one that answers."""

        def answers() -> list[dict]:
            headers, asked = {"Content-Type": "image/png"}, {"models": model["uuid"]}
            answer = client.post("/backend/image/classify", content=png(), headers=headers, params=asked)
            return answer.json()["results"][0]["models"] if answer.status_code == 200 else []

        block_until(lambda: [each["model_version"] for each in answers()] == [version])
        return answers()[0]["probabilities"]

    ours = served(1)
    assert len(set(ours.values())) == 4
    # With its classes turned round, and a temperature, it says the same of other classes, less surely.
    order = ["anime_gen", "anime", "human_gen", "human"]
    turned = {**TINY, "classes": order, "network": {"resolution": 32, "temperature": 2.0}}
    second = added(client, weights["detector.weights.h5"], "detector.weights.h5", model=model["uuid"], **turned)
    assert second["version"] == 2
    client.patch(f"{URL}/{model['uuid']}/status/enabled", params={"version": 2, "replace": True})
    theirs = served(2)
    roots = np.sqrt([ours[name] for name in ("human", "human_gen", "anime", "anime_gen")])
    assert [theirs[name] for name in order] == pytest.approx((roots / roots.sum()).tolist(), abs=1e-3)


def test_what_can_be_said_of_weights_is_told_before(client):
    options = client.get(f"{URL}/options").json()
    detectors, generators = ({each["name"]: each for each in options[kind]} for kind in ("detectors", "generators"))
    assert detectors["Tiny"] == {"name": "Tiny", "least_side": 32, "network": {"resolution": 224, "temperature": 1.0}}
    assert generators["DCGAN"]["network"] == {"width": 128}
    assert generators["StyleGAN2"]["network"] == {
        "resolution": 128,
        "latent_size": 512,
        "mapping_layers": 8,
        "mapping_learning_rate": 0.01,
        "channel_base": 16384,
        "channel_max": 512,
    }
    assert (options["most_bytes"], options["reason"]) == (2 * 10**9, None)


def test_weights_of_ours_become_a_generator_that_serves(client, weights):
    model = added(client, weights["generator.npz"], "generator.npz", **DCGAN)
    assert (model["architecture"], model["face_class"]) == ("DCGAN", "anime_gen")
    client.patch(f"{URL}/{model['uuid']}/status/enabled")
    wanted = {"models": [model["uuid"]], "count": 2, "seed": 3}
    block_until(lambda: client.post("/backend/image/generate", json=wanted).status_code in (200, 201))


INVALID, UNUSABLE = (422, "invalid-request"), (422, "unusable-model")
H5, NPZ = "detector.weights.h5", "generator.npz"


@pytest.mark.parametrize(
    ("file", "filename", "options", "kind", "field", "says"),
    [
        (H5, H5, {**TINY, "network": {"resolution": 8}}, INVALID, "network.resolution", None),
        (H5, H5, {**TINY, "architecture": "tiny"}, INVALID, "architecture", "nearest is Tiny"),
        (H5, H5, {"type": "detector"}, INVALID, "architecture", "missing"),
        (H5, H5, {**TINY, "architecture": "DCGAN"}, INVALID, "architecture", "no architecture"),
        (H5, H5, {**TINY, "network": {"width": 8}}, INVALID, "network", "width"),
        (H5, "x.onnx", TINY, INVALID, "network", "ONNX"),
        (NPZ, NPZ, {**DCGAN, "network": {"width": 8}}, UNUSABLE, "upload", "other settings"),
    ],
)
def test_what_are_no_weights_of_that_is_refused_and_stays(client, weights, file, filename, options, kind, field, says):
    upload, answer = add(client, weights[file], filename, **options)
    problem = problem_of(answer, *kind, field)
    assert says is None or says in problem["detail"]
    assert client.head(f"{UPLOADS}/{upload}", headers=TUS).status_code == 200


ODD = """import os, sys, time
out = sys.argv[sys.argv.index("--out") + 1]
if sys.argv[2].endswith(".npz"):
    held = bytearray(os.urandom(1 << 20) * 200)
time.sleep(60)
"""


@pytest.mark.parametrize(("name", "says"), [("x.weights.h5", "2 seconds"), ("x.npz", "GiB of memory")])
def test_a_conversion_that_takes_too_much_is_ended(start_server, tiny_models, tmp_path, name, says):
    program = tmp_path / "odd.py"
    program.write_text(ODD)
    limits = {"VISIONLAB_MODEL_CONVERT_SECONDS": "2" if "h5" in name else "50"}
    server = start_server(
        tiny_models,
        VISIONLAB_TRAIN_COMMAND=f"{sys.executable} {program}",
        VISIONLAB_EXTRA_ARCHITECTURES="Tiny",
        VISIONLAB_MODEL_CONVERT_MEMORY_BYTES=str(100 << 20),
        **limits,
    )
    _, answer = add(server.admin, b"x", name, **TINY)
    assert says in problem_of(answer, 422, "unusable-model", "upload")["detail"]


def test_where_nothing_trains_it_says_what_to_do(start_server, tiny_models):
    server = start_server(tiny_models, VISIONLAB_TRAIN_COMMAND="no-such-program", VISIONLAB_EXTRA_ARCHITECTURES="Tiny")
    assert "visionlab-train convert" in server.admin.get(f"{URL}/options").json()["reason"]
    _, answer = add(server.admin, b"x", "x.weights.h5", **TINY)
    assert "visionlab-train convert" in problem_of(answer, 422, "unusable-model", "upload")["detail"]
