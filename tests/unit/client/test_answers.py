"""Answers of a newer server, and the types beside the document that they are made from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from visionlab_client import FaceClass, Status
from visionlab_core.face_class import FACE_CLASSES

ROOT = Path(__file__).parents[3]


def test_types_are_those_of_the_document():
    script = [sys.executable, ROOT / "client" / "generate_answers.py", ROOT / "ui" / "openapi.json"]
    made = subprocess.run(script, capture_output=True, text=True, check=True)
    assert made.stdout == (ROOT / "client" / "src" / "visionlab_client" / "answers.py").read_text()


def test_newer_server_is_understood():
    status = Status.model_validate(
        {
            "time": "2030-01-01T00:00:00Z",
            "version": "9.0",
            "ready": True,
            "serving": "elsewhere",
            "store": "ready",
            "store_problem": None,
            "fetches_pictures": False,
            "counts": {"ready": 0, "loading": 1, "failed": 0, "disabled": 0},
            "something": {"new": 1},
            "models": [
                {
                    "uuid": "8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e01",
                    "name": "n",
                    "version": 3,
                    "kind": "detector",
                    "state": "rolling out",
                    "more": 2,
                }
            ],
        }
    )
    assert (status.serving, status.models[0].state) == ("elsewhere", "rolling out")


def test_classes_are_in_the_order_of_every_vector():
    assert [face_class.value for face_class in FaceClass] == [face_class.value for face_class in FACE_CLASSES]
