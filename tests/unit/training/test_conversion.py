"""From weights to a model that is served: those of ours and of Keras, and files that are no weights, or are made to do harm."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import onnxruntime as ort
import pytest

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.model_card import ModelCard
from visionlab_core.training_spec import Network
from visionlab_export.weights import round_kernels, save_weights
from visionlab_training.conversion.convert import build, convert, drawn_images
from visionlab_training.conversion.weights_file import load_uploaded
from visionlab_training.spec_file import SpecError

pytestmark = pytest.mark.usefixtures("tiny_in_the_zoo")

TINY = Network(architecture="Tiny", resolution=32)
DCGAN = Network(architecture="DCGAN", width=4)
STYLEGAN2 = Network(architecture="StyleGAN2", resolution=32, latent_size=8, mapping_layers=2, channel_base=64, channel_max=8)


def with_random_weights(network: Network):
    """A model whose every weight, BatchNormalization's too, is its own."""
    model, random = build(network), np.random.default_rng(5)
    for variable in model.weights:
        positive = "variance" in variable.name or "gamma" in variable.name
        variable.assign(random.uniform(0.5 if positive else -0.5, 1.5 if positive else 0.5, variable.shape))
    round_kernels(model)
    return model


@pytest.mark.parametrize("network", [TINY, DCGAN, STYLEGAN2], ids=["detector", "DCGAN", "StyleGAN2"])
@pytest.mark.parametrize("name", ["model.weights.h5", "weights.npz"])
def test_weights_come_back_as_the_model_that_they_were_taken_from(network: Network, name: str, tmp_path: Path) -> None:
    model = with_random_weights(network)
    file = tmp_path / name
    model.save_weights(file) if name.endswith("h5") else save_weights(model, file)
    again = build(network)
    load_uploaded(again, file)
    for variable, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), np.asarray(other), err_msg=variable.path)


def test_a_detector_is_exported_through_the_gate_with_its_classes_in_our_order(tmp_path: Path) -> None:
    model = with_random_weights(TINY)
    model.save_weights(tmp_path / "model.weights.h5")
    theirs = [FaceClass.ANIME_GEN, FaceClass.HUMAN, FaceClass.ANIME, FaceClass.HUMAN_GEN]
    network = TINY.model_copy(update={"temperature": 2.0})
    export = convert(network, tmp_path / "model.weights.h5", tmp_path / "out", classes=theirs)
    assert export.parity.worst("probabilities").difference < 1e-4
    card = ModelCard.model_validate_json((tmp_path / "out" / "card.json").read_bytes())
    assert (card.parameters, card.temperature, card.provenance.spec["resolution"]) == (284, 2.0, 32)
    images = drawn_images(9)
    answers = ort.InferenceSession(tmp_path / "out" / "model.onnx").run(["probabilities"], {"image": images})[0]
    assert len(np.unique(images[:, 0, 0], axis=0)) == 9
    # The network's own answers at 32 px, through the file of weights that lies beside: what others build on is what is served.
    beside = build(TINY)
    load_uploaded(beside, tmp_path / "out" / "weights.npz")
    head, own = beside.get_layer("probabilities"), model.get_layer("probabilities")
    for place, each in enumerate(FACE_CLASSES):
        np.testing.assert_array_equal(np.asarray(head.bias)[place], np.asarray(own.bias)[theirs.index(each)])
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    with pytest.raises(SpecError, match="is there already"):
        convert(TINY, tmp_path / "model.weights.h5", tmp_path / "out")


def h5(path: Path, fill) -> Path:
    with h5py.File(path / "model.weights.h5", "w") as file:
        fill(file)
    return path / "model.weights.h5"


def real_h5(path: Path, change=lambda file: None) -> Path:
    file = path / "model.weights.h5"
    with_random_weights(TINY).save_weights(file)
    with h5py.File(file, "r+") as opened:
        change(opened)
    return file


KERNEL = "layers/conv2d/vars/0"


def replaced(file: h5py.File, make) -> None:
    del file[KERNEL]
    make(file)


def external_values(file: h5py.File) -> None:
    file.create_dataset(KERNEL, (3, 3, 3, 8), "f4", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 3, 3, 8), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "kernel", (3, 3, 3, 8))
    file.create_virtual_dataset(KERNEL, layout)


def huge(file: h5py.File) -> None:
    file.create_dataset(KERNEL, (1 << 20, 1 << 20), "f4", chunks=True)


def nested(file: h5py.File) -> None:
    group = file.create_group("deep")
    group["again"] = group


def unknown_filter(file: h5py.File) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((3, 3, 3, 8))
    plan.set_filter(32099, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((3, 3, 3, 8))
    h5py.h5d.create(file["layers/conv2d/vars"].id, b"0", h5py.h5t.NATIVE_FLOAT, space, plan)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: replaced(f, lambda f: f.__setitem__(KERNEL, h5py.ExternalLink("/etc/passwd", "/x"))), "is a link"),
        (lambda f: replaced(f, lambda f: f.__setitem__(KERNEL, h5py.SoftLink("/layers/dense/vars/0"))), "is a link"),
        (lambda f: replaced(f, external_values), "in another file"),
        (lambda f: replaced(f, virtual), "in another file"),
        (lambda f: replaced(f, unknown_filter), "filter 32099"),
        (lambda f: replaced(f, huge), "another architecture"),
        (lambda f: replaced(f, lambda f: f.create_dataset(KERNEL, data=["text"] * 216)), "holds object"),
        (lambda f: replaced(f, lambda f: f.create_dataset(KERNEL, (3, 3, 3, 8), "i8")), "another architecture"),
        (lambda f: replaced(f, lambda f: f.create_dataset(KERNEL, (8, 3, 3, 3), "f4")), "belong to another network"),
        (lambda f: replaced(f, lambda f: f.create_dataset(KERNEL, data=h5py.Empty("f4"))), "no array"),
        (lambda f: f.create_dataset("more", (20_000,), "u4"), "whole numbers"),
        (lambda f: f.move("layers/conv2d", "layers/convolution"), "belong to another network"),
        (lambda f: f[KERNEL].__setitem__(0, np.nan), "no numbers"),
        (lambda f: f[KERNEL].__setitem__(0, np.inf), "no numbers"),
        (nested, "groups in one another"),
        (lambda f: f.attrs.__setitem__("layer_names", ["conv"]), "Keras 2"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_this_networks_weights_is_refused_by_name(change, says: str, tmp_path: Path) -> None:
    file = real_h5(tmp_path, change)
    with pytest.raises(SpecError, match=says):
        load_uploaded(build(TINY), file)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_refused(share: float, tmp_path: Path) -> None:
    for file in (real_h5(tmp_path), tmp_path / "weights.npz"):
        if file.suffix == ".npz":
            save_weights(with_random_weights(TINY), file)
        whole = file.read_bytes()
        file.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(SpecError, match="damaged"):
            load_uploaded(build(TINY), file)


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def pickled() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{"conv/kernel": np.array([{"x": 1}], object)})
    return buffer.getvalue()


def claims_terabytes() -> bytes:
    """A header that promises 4 TiB in front of nothing."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 20, 1 << 20)})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("conv/kernel.npy", header.getvalue())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04 nothing", "damaged"),
        (npz({"bomb": np.zeros(50_000_000, np.uint8)}), "unpacks to"),
        (npz({"conv/kernel": np.zeros((3, 3, 3, 8), np.float16)}), "another architecture"),
        (npz({"conv/weights": np.zeros(284, np.float16)}), "another network"),
        (pickled(), "holds object"),
        (claims_terabytes(), "another architecture"),
    ],
    ids=["no zip", "bomb", "too few", "other names", "pickle", "terabytes"],
)  # fmt: skip
def test_arrays_that_are_no_weights_are_refused(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "weights.npz").write_bytes(data)
    with pytest.raises(SpecError, match=says):
        load_uploaded(build(TINY), tmp_path / "weights.npz")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"architecture": "DCGAN", "resolution": 64}, "128 px"),
        ({"architecture": "StyleGAN2", "resolution": 100}, "32, 64, 128 or 256"),
        ({"architecture": "DCGAN", "temperature": 2.0}, "temperature"),
        ({"architecture": "MobileNetV2", "width": 8}, "width: MobileNetV2 has no such setting"),
        ({"architecture": "DCGAN", "channel_max": 8}, "channel_max"),
    ],
)
def test_settings_that_a_network_does_not_have_are_refused(fields, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Network.model_validate(fields)
