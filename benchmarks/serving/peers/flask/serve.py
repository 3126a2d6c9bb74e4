"""The shape of the original VisionLab: Flask and Keras' `model.predict` in one process.

Flask's own server with a thread a request (its default), and HTTP/1.1, so that connections may be kept. TensorFlow has as many
threads as there are CPUs. The network is built anew from the zoo and the weights of the version folder.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from detector import SIDE, pixels_of, settings
from flask import Flask, request
from werkzeug.serving import WSGIRequestHandler

from visionlab_core.model_card import ModelCard
from visionlab_core.training_spec import EnsembleTraining
from visionlab_export.weights import load_weights
from visionlab_training import zoo
from visionlab_training.training.ensemble import build_ensemble


def network(version: Path) -> Any:
    """The Keras model of a version folder: pixels float32 [N, 224, 224, 3] -> probabilities [N, 4].

    Raises:
        SystemExit: it cannot be built from what the folder says.
    """
    card = ModelCard.model_validate_json((version / "card.json").read_bytes())
    if card.temperature != 1.0:
        raise SystemExit("a temperature other than 1 is in the exported graph alone")
    if card.ensemble:
        spec = EnsembleTraining.model_validate(
            card.provenance.spec | {"bases": [_version_of(version, uuid) for uuid in card.base_models]}
        )
        model = build_ensemble(spec)
        load_weights(model, version / "weights.npz", own_only=True)
        return model
    side = int(card.provenance.spec.get("resolution", SIDE))
    model = zoo.detector(card.architecture).build(side)
    load_weights(model, version / "weights.npz")
    if side == SIDE:
        return model
    pixels = keras.Input((SIDE, SIDE, 3))
    return keras.Model(pixels, model(keras.layers.Resizing(side, side)(pixels)))


def _version_of(ensemble: Path, uuid: object) -> Path:
    # Version folders lie in MODELS/UUID/VERSION.
    return max((ensemble.parent.parent / str(uuid)).iterdir(), key=lambda path: int(path.name))


def application(model: Any) -> Flask:
    """One route."""
    app = Flask(__name__)

    @app.post("/classify")
    def classify() -> tuple[str, dict[str, str]]:
        pixels = pixels_of(request.files["image"].read())
        probabilities = model.predict(pixels[None].astype(np.float32), verbose=0)[0]
        return json.dumps({"probabilities": probabilities.tolist()}), {"Content-Type": "application/json"}

    return app


if __name__ == "__main__":
    asked = settings()
    tf.config.threading.set_intra_op_parallelism_threads(asked.cpus)
    tf.config.threading.set_inter_op_parallelism_threads(asked.cpus)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    application(network(asked.model.parent)).run("127.0.0.1", asked.port, threaded=True)
