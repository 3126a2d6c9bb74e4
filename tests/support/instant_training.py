"""Takes the place of `visionlab-train`: what it "learns" is a small detector that tells dark images from bright ones.

It is judged beside the one in service as every other is. The JSON file that is named first says how good the detector is to be,
whether to wait, and whether to fail.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

COMMAND = f"{sys.executable} {__file__}"


def main() -> None:
    """Write a version folder, and compare it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("script", type=Path)
    parser.add_argument("spec", type=Path)
    for name in ("--out", "--card", "--models", "--champion", "--judged"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from support.brightness_detector import brightness_detector
    from support.tiny_models import detector_card, write_version

    from visionlab_core.model_card import ModelCard
    from visionlab_training.comparison import write_comparison

    script = json.loads(arguments.script.read_text())
    if script.get("fails"):
        print(f"visionlab: {script['fails']}", file=sys.stderr)
        sys.exit(2)
    while script.get("waits"):
        time.sleep(0.02)
        script = json.loads(arguments.script.read_text())
    about = json.loads(arguments.card.read_text())
    version = arguments.models / about["uuid"] / str(about["version"])
    if not version.exists():
        onnx = brightness_detector(right=script["right"])
        card = detector_card(onnx, about["uuid"], about["name"], about["version"])
        made = ModelCard.model_validate({**card.model_dump(), "label": about["label"]})
        shutil.copytree(write_version(arguments.out / "made", made, onnx), version)
    if arguments.champion:
        write_comparison(arguments.champion, version, arguments.judged, arguments.out)


if __name__ == "__main__":
    main()
