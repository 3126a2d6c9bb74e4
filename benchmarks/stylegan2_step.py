"""How many images a second does a StyleGAN2 learn from?

    KERAS_BACKEND=jax python benchmarks/stylegan2_step.py --precision bfloat16
    python benchmarks/stylegan2_step.py --resolution 32 --batch 8 --channel-base 256 --steps 16   # tiny, for CPUs

Trains both networks on random pictures, with all that a training does on the device: adaptive augmentation, path length and R1
penalties, averaged weights. After one whole period of the lazy penalties, in which everything is compiled, it times the given
number of steps (whole periods) without reading anything back in between. Prints the machine, the versions, the settings, images a
second, and their ratio to the official implementation's (stylegan2-ada-pytorch, 128 px, batch 64, on one H100).
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import time
from importlib import import_module
from pathlib import Path

import numpy as np

OFFICIAL = 158
"""Images a second of the official implementation on one H100: 128 px, batch 64."""

PERIOD = 16
"""Steps after which the lazy penalties repeat."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, default=128, choices=(32, 64, 128, 256))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channel-base", type=int, default=16384, help="channels * side, at most --channel-max channels")
    parser.add_argument("--channel-max", type=int, default=512)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--augment", choices=("none", "diffaugment", "ada"), default="ada")
    parser.add_argument("--steps", type=int, default=10 * PERIOD, help="to time; rounded up to whole periods of the penalties")
    arguments = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    import keras

    from visionlab_core.training_spec import GeneratorData, GeneratorTraining
    from visionlab_core.training_spec.generator import StyleGAN2
    from visionlab_training.training.gan import gan_training
    from visionlab_training.training.gradients import device_count

    spec = GeneratorTraining(
        name="benchmark",
        architecture="StyleGAN2",
        face_class="human",
        data=GeneratorData(),
        steps=1,
        resolution=arguments.resolution,
        batch_size=arguments.batch,
        precision=arguments.precision,
        augment=arguments.augment,
        stylegan2=StyleGAN2(channel_base=arguments.channel_base, channel_max=arguments.channel_max),
    )
    training = gan_training(spec)
    shape = (4, spec.batch_size, spec.resolution, spec.resolution, 3)
    batches = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    steps = -(-arguments.steps // PERIOD) * PERIOD

    started = time.perf_counter()
    run(training, batches, range(1, PERIOD + 1))
    compiled = time.perf_counter()
    run(training, batches, range(PERIOD + 1, PERIOD + 1 + steps))
    speed = steps * spec.batch_size / (time.perf_counter() - compiled)

    backend = keras.backend.backend()
    official = (arguments.resolution, arguments.batch, arguments.channel_base, arguments.channel_max) == (128, 64, 16384, 512)
    print(f"machine   {devices(backend)}, {device_count()} device(s), {platform.system()} {platform.release()}")
    print(
        f"versions  Python {platform.python_version()}, Keras {keras.version()}, {backend} {import_module(backend).__version__}"
    )
    print(
        f"settings  {spec.resolution} px, batch {spec.batch_size}, channel base {spec.stylegan2.channel_base}, "
        f"at most {spec.stylegan2.channel_max} channels, {spec.precision}, augment {spec.augment}"
    )
    print(f"first {PERIOD} steps, with compilation {compiled - started:.1f} s")
    print(f"speed     {speed:.1f} images/s over {steps} steps, {spec.batch_size / speed:.4f} s a step")
    note = "" if official else "; not comparable: it was measured with this script's default sizes"
    print(f"ratio     {speed / OFFICIAL:.2f} x the official implementation's {OFFICIAL} images/s on one H100{note}")


def run(training: object, batches: np.ndarray, steps: range) -> None:
    """Train, and wait for the last step."""
    for step in steps:
        losses = training.step(batches[step % len(batches)], step)
    for value in losses.values():
        float(value)


def devices(backend: str) -> str:
    """What the backend computes on."""
    if backend == "jax":
        import jax

        if jax.default_backend() != "cpu":
            return str(jax.local_devices()[0].device_kind)
    else:
        import tensorflow as tf

        for device in tf.config.list_physical_devices("GPU"):
            return str(tf.config.experimental.get_device_details(device).get("device_name", device.name))
    return cpu_name()


def cpu_name() -> str:
    """The CPU's name on Linux."""
    try:
        return re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()).group(1)
    except (OSError, AttributeError):
        return platform.machine()


if __name__ == "__main__":
    main()
