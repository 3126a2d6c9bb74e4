"""MobileNetV2 (Sandler et al., 2018, arXiv:1801.04381), width 1.0."""

import keras

from visionlab_training.zoo.architecture import Detector, minus_one_to_one

DETECTORS = {"MobileNetV2": Detector(keras.applications.MobileNetV2, minus_one_to_one, 2_263_108)}
