"""VGG (Simonyan & Zisserman, 2014, arXiv:1409.1556), its Dense layers replaced by global average pooling."""

import keras

from visionlab_training.zoo.architecture import Detector, blue_first_centred

DETECTORS = {
    "VGG16": Detector(keras.applications.VGG16, blue_first_centred, 14_716_740),
    "VGG19": Detector(keras.applications.VGG19, blue_first_centred, 20_026_436),
}
