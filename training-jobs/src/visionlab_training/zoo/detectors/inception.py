"""Inception-ResNet-v2 (Szegedy et al., 2017, arXiv:1602.07261) and Xception (Chollet, 2017, arXiv:1610.02357)."""

import keras

from visionlab_training.zoo.architecture import Detector, minus_one_to_one

DETECTORS = {
    "InceptionResNetV2": Detector(keras.applications.InceptionResNetV2, minus_one_to_one, 54_342_884, least_side=75),
    "Xception": Detector(keras.applications.Xception, minus_one_to_one, 20_869_676, least_side=71),
}
