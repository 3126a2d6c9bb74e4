"""ResNet with pre-activation (He et al., 2016, arXiv:1603.05027)."""

import keras

from visionlab_training.zoo.architecture import Detector, minus_one_to_one

DETECTORS = {
    "ResNet50V2": Detector(keras.applications.ResNet50V2, minus_one_to_one, 23_572_996),
    "ResNet101V2": Detector(keras.applications.ResNet101V2, minus_one_to_one, 42_634_756),
    "ResNet152V2": Detector(keras.applications.ResNet152V2, minus_one_to_one, 58_339_844),
}
