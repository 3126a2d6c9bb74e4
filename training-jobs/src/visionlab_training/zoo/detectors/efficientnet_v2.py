"""EfficientNetV2 (Tan & Le, 2021, arXiv:2104.00298)."""

from functools import partial

import keras

from visionlab_training.zoo.architecture import Detector, minus_one_to_one, standardised

_B0 = partial(keras.applications.EfficientNetV2B0, include_preprocessing=False)
_S = partial(keras.applications.EfficientNetV2S, include_preprocessing=False)

DETECTORS = {
    "EfficientNetV2B0": Detector(_B0, standardised, 5_924_436),
    "EfficientNetV2S": Detector(_S, minus_one_to_one, 20_336_484),
}
