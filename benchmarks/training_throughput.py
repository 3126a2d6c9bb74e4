"""Does the input pipeline keep the device busy? The training loop against its own compiled step on tensors that lie ready.

    python benchmarks/training_throughput.py [--architecture MobileNetV2] [--resolution 128] [--batch 32] [--precision bfloat16]

Both run in turns in one process, on the backend that `visionlab-train` would choose: blocks of the bare step (the same images and
labels again and again, no reading, no augmentation) and blocks of the whole pipeline (JPEG files, decoding, the robust
augmentation, balanced draws, prefetching). The ratio of their medians should be at least 0.9.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from visionlab_training.backend import BACKENDS, choose_backend

BLOCKS = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="MobileNetV2")
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=40, help="timed steps of each kind")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--backend", choices=BACKENDS)
    arguments = parser.parse_args()
    choose_backend(arguments.backend)

    import keras

    from visionlab_core.training_spec import DetectorTraining
    from visionlab_training.data.batches import DetectorBatches, prefetch
    from visionlab_training.data.index import read_manifest
    from visionlab_training.training.detector import build
    from visionlab_training.training.gradients import device_name
    from visionlab_training.training.learning import Learner, Networks

    keras.config.set_dtype_policy("mixed_bfloat16" if arguments.precision == "bfloat16" else "float32")
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_images(Path(folder))
        spec = DetectorTraining(
            name="benchmark",
            preset="robust",
            architecture=arguments.architecture,
            data={"manifest": manifest},
            resolution=arguments.resolution,
            batch_size=arguments.batch,
            steps=10**6,
        )
        learner = Learner(spec, Networks(build(spec), build(spec), spec.resolution))
        batches = DetectorBatches(read_manifest(manifest), batch_size=spec.batch_size, side=spec.resolution, seed=0)
        step = 0
        [ready] = [batches.batch(0)]

        def timed(count: int, *, bare: bool) -> float:
            """Seconds a step."""
            nonlocal step
            source = iter(lambda: ready, None) if bare else prefetch(batches.batch, step, step + count + 2)
            loss = None
            for number, (images, labels) in enumerate(source):
                if number == 2:  # the buffer is full, the device is busy
                    float(loss)
                    began = time.perf_counter()
                if number == count + 2:
                    break
                step += 1
                loss = learner.step(images, labels, step=step, steps=10**6)["loss"]
            float(loss)
            return (time.perf_counter() - began) / count

        timed(3, bare=True)  # compiles
        each = max(2, arguments.steps // BLOCKS)
        bare, whole = [], []
        for _ in range(BLOCKS):
            bare.append(timed(each, bare=True))
            whole.append(timed(each, bare=False))

    import numpy as np

    print(f"device      {device_name()}, Keras {keras.__version__}, NumPy {np.__version__}")
    print(
        f"setting     {arguments.architecture}, {arguments.resolution} px, batch {arguments.batch}, {arguments.precision}, "
        f"{BLOCKS} blocks of {each} steps of each kind"
    )
    for name, times in (("bare step", bare), ("whole loop", whole)):
        middle = statistics.median(times)
        spread = f"{min(times):.3f} to {max(times):.3f}"
        print(f"{name:11} {middle:.3f} s a step ({spread}), {arguments.batch / middle:.1f} images/s")
    print(f"ratio       {statistics.median(bare) / statistics.median(whole):.3f} of the bare step's throughput")


def write_images(folder: Path, each: int = 64) -> Path:
    """Write JPEG files of smooth noise, 128 px, of all classes, and their manifest."""
    import cv2
    import numpy as np

    from visionlab_core.face_class import FACE_CLASSES

    rng = np.random.default_rng(0)
    lines = ["path,class,source,split"]
    for face_class in FACE_CLASSES:
        for number in range(each):
            name = f"{face_class}-{number}.jpg"
            cv2.imwrite(str(folder / name), cv2.resize(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8), (128, 128)))
            lines.append(f"{name},{face_class},noise,train")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


if __name__ == "__main__":
    main()
