"""The table of architectures: names, parameter counts, input sizes."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from visionlab_core.training_spec.architectures import LEAST_SIDES
from visionlab_training import zoo
from visionlab_training.zoo.architecture import blue_first_centred, minus_one_to_one, standardised
from visionlab_training.zoo.detectors.efficientnet_lite import efficientnet_lite0
from visionlab_training.zoo.pytorch_file import read_pytorch

PARAMETERS = {
    "VGG16": 14_716_740,
    "VGG19": 20_026_436,
    "ResNet50V2": 23_572_996,
    "ResNet101V2": 42_634_756,
    "ResNet152V2": 58_339_844,
    "DenseNet121": 7_041_604,
    "DenseNet169": 12_649_540,
    "DenseNet201": 18_329_668,
    "InceptionResNetV2": 54_342_884,
    "Xception": 20_869_676,
    "MobileNetV2": 2_263_108,
    "NASNetMobile": 4_273_944,
    "EfficientNetLite0": 3_418_148,
    "EfficientNetV2B0": 5_924_436,
    "EfficientNetV2S": 20_336_484,
    "ConvNeXtTiny": 27_823_204,
}


def test_the_table_has_every_architecture():
    assert {name: recipe.parameters for name, recipe in zoo.architectures().items()} == PARAMETERS
    assert {name: recipe.least_side for name, recipe in zoo.architectures().items()} == LEAST_SIDES


@pytest.mark.parametrize("name", PARAMETERS)
def test_an_architecture_has_the_parameters_of_the_table(name):
    recipe = zoo.detector(name)
    # Weights that are all zero cost no time to draw.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.initializers.VarianceScaling, "__call__", lambda _, shape, dtype=None: keras.ops.zeros(shape, dtype))
        model = recipe.build(max(64, recipe.least_side))
    assert model.count_params() == PARAMETERS[name]
    assert model.output_shape == (None, 4)
    keras.backend.clear_session()


@pytest.mark.parametrize(
    ("written", "meant"), [("mobilenetv2", "MobileNetV2"), ("RESNET50V2", "ResNet50V2"), ("DenseNet12", "DenseNet121")]
)
def test_an_unknown_architecture_names_the_nearest(written, meant):
    with pytest.raises(zoo.UnknownArchitecture, match=f"did you mean '{meant}'"):
        zoo.detector(written)


def test_a_name_like_no_other_gets_the_list():
    with pytest.raises(zoo.UnknownArchitecture, match=r"DenseNet121, .*Xception"):
        zoo.detector("qqqq")


def test_a_resolution_below_the_least_is_refused():
    with pytest.raises(ValueError, match="at least 71"):
        zoo.detector("Xception").build(64)


def test_pixels_are_scaled_as_each_familys_weights_expect():
    pixels = np.array([[[[0.0, 127.5, 255.0]]]], np.float32)

    def scaled(scaling):
        start = keras.Input((1, 1, 3))
        return np.asarray(keras.Model(start, scaling(start))(pixels))[0, 0, 0]

    np.testing.assert_allclose(scaled(minus_one_to_one), [-1, 0, 1], atol=1e-6)
    np.testing.assert_allclose(scaled(blue_first_centred), [255 - 103.939, 127.5 - 116.779, -123.68], atol=1e-3)
    np.testing.assert_allclose(scaled(standardised), [-0.485 / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225], atol=1e-5)


def test_imagenet_weights_fill_the_backbone_and_leave_the_head():
    recipe = zoo.detector("EfficientNetLite0")
    model = recipe.build(64)
    head = [np.asarray(v) for v in model.get_layer("probabilities").variables]
    recipe.load_imagenet(model)
    pretrained = efficientnet_lite0(input_shape=(64, 64, 3), include_top=False, weights="imagenet", pooling="avg")
    for ours, theirs in zip(model.weights[: len(pretrained.weights)], pretrained.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs), err_msg=ours.path)
    for before, after in zip(head, model.get_layer("probabilities").variables, strict=True):
        np.testing.assert_array_equal(before, np.asarray(after))
    # ImageNet's stem is no random start: its BatchNormalization has met pixels.
    assert np.asarray(model.get_layer("stem_bn").moving_variance).std() > 0.01


def test_a_file_with_more_than_tensors_is_refused(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return os.system, ("true",)

    path = tmp_path / "evil.pth"
    with path.open("wb") as handle:
        for value in (0x1950A86A20F9469CFC6C, 1001, {}, {"w": Evil()}):
            pickle.dump(value, handle, protocol=2)
    with pytest.raises(ValueError, match=r"names (posix|nt)\.system"):
        read_pytorch(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match="not a PyTorch file"):
        read_pytorch(path)
