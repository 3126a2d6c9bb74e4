"""A generator's spec fits its architecture, or says what does not."""

import pytest
from pydantic import ValidationError

from visionlab_core.training_spec import GeneratorTraining

BASE = {"name": "faces", "face_class": "human", "data": {"folders": ["faces"]}, "steps": 10}


def spec(**fields):
    return GeneratorTraining.model_validate({**BASE, **fields})


def test_a_stylegan2_has_the_settings_of_the_papers():
    given = spec(architecture="StyleGAN2", resolution=256)
    settings = given.stylegan2
    assert given.rates == (0.002, 0.002)
    assert (settings.latent_size, settings.mapping_layers, settings.mapping_learning_rate) == (512, 8, 0.01)
    assert (settings.r1_every, settings.path_length_every, settings.path_length_weight) == (16, 8, 2)
    assert (settings.style_mixing, settings.ada.target, settings.ada.every) == (0.9, 0.6, 4)
    assert GeneratorTraining.model_validate_json(given.model_dump_json()) == given


def test_each_architecture_has_its_learning_rate_unless_one_is_given():
    assert spec().rates == (2e-4, 2e-4)
    assert spec(learning_rate=1e-3).rates == (1e-3, 1e-3)
    assert spec(architecture="StyleGAN2", discriminator_learning_rate=1e-3).rates == (2e-3, 1e-3)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"resolution": 64}, "128 px; for other sizes take StyleGAN2"),
        ({"augment": "ada"}, "belongs to StyleGAN2"),
        ({"architecture": "StyleGAN2", "batch_size": 6}, "multiple of 4"),
        ({"architecture": "StyleGAN2", "resolution": 100}, "resolution"),
        ({"architecture": "StyleGAN2", "stylegan2": {"latent_size": 7}}, "latent_size"),
        ({"architecture": "StyleGAN2", "stylegan2": {"gamma": 7}}, "gamma"),
    ],
)
def test_what_does_not_fit_is_named(fields, says):
    with pytest.raises(ValidationError, match=says):
        spec(**fields)
