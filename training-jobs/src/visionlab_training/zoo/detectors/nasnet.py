"""NASNet (Zoph et al., 2018, arXiv:1707.07012), 4 @ 1056."""

import keras

from visionlab_training.zoo.architecture import Detector, minus_one_to_one

DETECTORS = {"NASNetMobile": Detector(keras.applications.NASNetMobile, minus_one_to_one, 4_273_944)}
