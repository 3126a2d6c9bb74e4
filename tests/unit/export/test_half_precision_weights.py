"""What `weights.npz` holds is the exported model, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from visionlab_export.card_draft import CardDraft
from visionlab_export.errors import ExportError
from visionlab_export.export import export_model
from visionlab_export.onnx_file import to_onnx, write_onnx
from visionlab_export.serving import served_detector
from visionlab_export.weights import load_weights, round_kernels, save_weights
from visionlab_training.zoo.ensemble import Base, stacked, voting


def values(model: Any) -> dict[str, Any]:
    return {variable.path: np.asarray(variable) for variable in model.weights}


def test_kernels_are_halved_and_the_rest_is_not(build_tiny: Callable[[], Any], tmp_path: Path) -> None:
    model = build_tiny()
    before = values(model)
    round_kernels(model)
    save_weights(model, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as file:
        stored = {name: file[name].dtype for name in file.files}
    assert stored.pop("conv/kernel") == stored.pop("probabilities/kernel") == np.float16
    assert set(stored) == {"bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance", "probabilities/bias"}
    assert set(stored.values()) == {np.dtype(np.float32)}
    after = values(model)
    np.testing.assert_allclose(after["conv/kernel"], before["conv/kernel"], rtol=2**-11, atol=1e-7)

    keras.utils.set_random_seed(99)
    again = build_tiny()
    load_weights(again, tmp_path / "weights.npz")
    for name, value in values(again).items():
        np.testing.assert_array_equal(value, after[name], err_msg=name)
    save_weights(again, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "weights.npz").read_bytes()


def test_a_kernel_beyond_half_precision_is_refused_and_nothing_changes(tiny_detector: Any) -> None:
    before = values(tiny_detector)
    kernel = tiny_detector.get_layer("probabilities").kernel
    kernel.assign(np.full(kernel.shape, 70_000.0))
    with pytest.raises(ExportError, match="probabilities/kernel"):
        round_kernels(tiny_detector)
    np.testing.assert_array_equal(values(tiny_detector)["conv/kernel"], before["conv/kernel"])


def test_weights_of_another_network_are_refused(build_tiny: Callable[[], Any], tmp_path: Path) -> None:
    pixels = keras.Input((32, 32, 3))
    other = keras.Model(pixels, keras.layers.Conv2D(8, 5, name="conv")(pixels))
    save_weights(other, tmp_path / "other.npz")
    model = build_tiny()
    before = values(model)
    with pytest.raises(ExportError, match=r"conv/kernel: \[5, 5, 3, 8\] in the file, \[3, 3, 3, 8\] in the model"):
        load_weights(model, tmp_path / "other.npz")
    for name, value in values(model).items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a file of arrays"])
def test_a_damaged_file_is_refused(tiny_detector: Any, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(content)
    with pytest.raises(ExportError, match="damaged"):
        load_weights(tiny_detector, path)


def test_a_file_with_other_bytes_inside_is_refused(tiny_detector: Any, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    save_weights(tiny_detector, path)
    content = path.read_bytes()
    for start in range(100, 400, 10):
        path.write_bytes(content[:start] + b"\xff" * 4 + content[start + 4 :])
        with pytest.raises(ExportError, match="damaged"):
            load_weights(tiny_detector, path)


def test_weights_that_share_a_name_are_refused(tmp_path: Path) -> None:
    pixels = keras.Input((3,))
    inside = keras.Input((3,))
    inner = keras.Model(inside, keras.layers.Dense(3, name="same")(inside))
    model = keras.Model(pixels, keras.layers.Dense(3, name="same")(inner(pixels)))
    with pytest.raises(ExportError, match="same"):
        save_weights(model, tmp_path / "weights.npz")


def test_an_ensemble_leaves_its_bases_out(
    build_tiny: Callable[[], Any],
    draft: Callable[..., CardDraft],
    pictures: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    bases = two_bases(build_tiny)
    for number, base in enumerate(bases):
        round_kernels(base.network)
        save_weights(base.network, tmp_path / f"base{number}.npz")
    export = export_model(stacked(bases, 8), draft(ensemble=True), tmp_path, images=pictures, keep_saved_model=False)
    weights = export.folder / "weights.npz"
    with np.load(weights) as file:
        assert sorted(file.files) == ["mix/bias", "mix/kernel", "probabilities/bias", "probabilities/kernel"]

    again = two_bases(build_tiny)
    for number, base in enumerate(again):
        load_weights(base.network, tmp_path / f"base{number}.npz")
    model = stacked(again, 8)
    with pytest.raises(ExportError, match=r"first/conv/kernel: none in the file, \[3, 3, 3, 8\] in the model"):
        load_weights(model, weights)
    load_weights(model, weights, own_only=True)
    write_onnx(to_onnx(served_detector(model)), tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (export.folder / "model.onnx").read_bytes()


def test_a_vote_has_no_weights_of_its_own(build_tiny: Callable[[], Any], tmp_path: Path) -> None:
    model = voting(two_bases(build_tiny))
    save_weights(model, tmp_path / "weights.npz", own_only=True)
    with np.load(tmp_path / "weights.npz") as file:
        assert file.files == []
    load_weights(model, tmp_path / "weights.npz", own_only=True)


def two_bases(build_tiny: Callable[[], Any]) -> list[Base]:
    bases = []
    for name in ("first", "second"):
        with keras.name_scope(name):
            network = build_tiny()
        network.name = name
        bases.append(Base(network, temperature=1.3))
    return bases
