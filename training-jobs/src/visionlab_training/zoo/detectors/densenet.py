"""DenseNet (Huang et al., 2017, arXiv:1608.06993)."""

import keras

from visionlab_training.zoo.architecture import Detector, standardised

DETECTORS = {
    "DenseNet121": Detector(keras.applications.DenseNet121, standardised, 7_041_604),
    "DenseNet169": Detector(keras.applications.DenseNet169, standardised, 12_649_540),
    "DenseNet201": Detector(keras.applications.DenseNet201, standardised, 18_329_668),
}
