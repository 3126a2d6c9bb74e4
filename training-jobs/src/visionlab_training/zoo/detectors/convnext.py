"""ConvNeXt (Liu et al., 2022, arXiv:2201.03545). A LayerNormalization follows its pooling, so it has no activation map."""

from functools import partial

import keras

from visionlab_training.zoo.architecture import Detector, standardised

DETECTORS = {
    "ConvNeXtTiny": Detector(partial(keras.applications.ConvNeXtTiny, include_preprocessing=False), standardised, 27_823_204)
}
