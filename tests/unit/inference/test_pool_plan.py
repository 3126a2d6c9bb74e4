"""Which pool serves which model."""

from __future__ import annotations

from uuid import uuid4

import pytest
from support.tiny_models import DETECTOR, GENERATOR, SECOND_DETECTOR, detector_card, generator_card

from visionlab_inference.releases import BY_KIND, PoolPlan

CARDS = [detector_card(b"", DETECTOR, "one"), detector_card(b"", SECOND_DETECTOR, "two"), generator_card(b"", GENERATOR)]


def test_models_share_the_pool_of_their_kind():
    assert BY_KIND.names == ("detectors", "generators")
    assert [BY_KIND.pool(card) for card in CARDS] == ["detectors", "detectors", "generators"]
    assert BY_KIND.share("detectors", CARDS) == CARDS[:2]


def test_a_model_apart_is_in_its_own_pool_alone():
    plan = PoolPlan({"large": [SECOND_DETECTOR, GENERATOR]})
    assert plan.names == ("detectors", "generators", "large")
    assert plan.share("detectors", CARDS) == CARDS[:1]
    assert plan.share("generators", CARDS) == []
    assert plan.share("large", CARDS) == CARDS[1:]


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        ({"Large": [DETECTOR]}, "'Large' is no name of a pool"),
        ({"a" * 21: [DETECTOR]}, "no name of a pool"),
        ({"large-": [DETECTOR]}, "no name of a pool"),
        ({"detectors": [DETECTOR]}, "detectors serves all models of its kind"),
        ({"large": []}, "large has no models"),
        ({"large": [DETECTOR], "small": [DETECTOR]}, f"{DETECTOR} is in two pools: large and small"),
    ],
)
def test_what_makes_no_plan_is_said(apart, words):
    with pytest.raises(ValueError, match=words):
        PoolPlan(apart)


def test_a_version_goes_where_its_model_goes():
    model = uuid4()
    plan = PoolPlan({"large": [model]})
    assert {plan.pool(detector_card(b"", model, "one", version)) for version in (1, 2, 3)} == {"large"}
