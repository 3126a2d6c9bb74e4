"""The rule by which a new version is proposed: every part can refuse alone."""

from __future__ import annotations

import pytest

from visionlab_api.schemas import ChallengeRule
from visionlab_api.services.challenge_verdict import verdict_of
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import DetectorMetrics
from visionlab_core.training_job import Agreement, Comparison, Gain

METRICS = DetectorMetrics(
    images=200,
    data_digest="0",
    accuracy=0.8,
    source_mean=0.8,
    real_or_generated_accuracy=0.9,
    classes={},
    sources={},
    confusion=[],
)


def comparison(**change) -> Comparison:
    usual = {
        "images": 200,
        "left_out": 0,
        "champion": METRICS,
        "challenger": METRICS,
        "champion_balanced_accuracy": 0.8,
        "challenger_balanced_accuracy": 0.86,
        "agreement": Agreement(both_right=150, only_champion=5, only_challenger=17, both_wrong=28),
        "p_value": 0.017,
        "gain": Gain(value=0.06, low=0.01, high=0.11),
        "class_gains": {FaceClass.HUMAN: 0.1, FaceClass.ANIME: -0.05},
    }
    return Comparison.model_validate(usual | change)


def missed(found: Comparison, **rule) -> list[str]:
    return [check.name for check in verdict_of(ChallengeRule(**rule), found) if not check.passed]


def test_one_that_comes_up_to_every_part_is_better():
    assert missed(comparison()) == []


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"images": 99}, "min_judged"),
        ({"gain": Gain(value=0.06, low=0.0, high=0.12)}, "min_gain"),
        ({"p_value": 0.051}, "max_p_value"),
        ({"class_gains": {FaceClass.HUMAN: 0.5, FaceClass.ANIME: -0.06}}, "max_class_loss"),
    ],
)
def test_each_part_refuses_alone(change, part):
    assert missed(comparison(**change)) == [part]


def test_the_rule_can_be_changed():
    assert missed(comparison(), min_gain=0.02, max_p_value=0.01, max_class_loss=0.01) == [
        "min_gain",
        "max_p_value",
        "max_class_loss",
    ]


def test_figures_are_said_in_words():
    says = {check.name: check.says for check in verdict_of(ChallengeRule(), comparison())}
    assert says["min_gain"] == (
        "Balanced accuracy gains 6.0 points; with 95% confidence 1.0 to 11.0, and more than 0.0 is asked for."
    )
    assert "alone has 17 images right, the one in service alone 5: p = 0.017" in says["max_p_value"]
    assert "Of all classes anime fares least well: its F1 is worse by 5.0 points" in says["max_class_loss"]
