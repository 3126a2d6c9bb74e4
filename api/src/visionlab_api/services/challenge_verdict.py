"""Whether a new version is better than the one in service, by the rule of a challenge."""

from __future__ import annotations

from visionlab_api import schemas
from visionlab_core.training_job import Comparison


def verdict_of(rule: schemas.ChallengeRule, comparison: Comparison) -> list[schemas.RuleCheck]:
    """Each part of the rule that the comparison decides, with what it says. All have to be passed."""
    gain, agreement = comparison.gain, comparison.agreement
    checks = [
        (
            "min_judged",
            comparison.images >= rule.min_judged,
            f"Both were judged on {comparison.images} images, and {rule.min_judged} are asked for.",
        ),
        (
            "min_gain",
            gain.low > rule.min_gain,
            f"Balanced accuracy gains {_points(gain.value)} points; with {gain.confidence:.0%} confidence {_points(gain.low)} to "
            f"{_points(gain.high)}, and more than {_points(rule.min_gain)} is asked for.",
        ),
        (
            "max_p_value",
            comparison.p_value <= rule.max_p_value,
            f"The new version alone has {agreement.only_challenger} images right, the one in service alone "
            f"{agreement.only_champion}: p = {comparison.p_value:.2g}, and {rule.max_p_value:g} or less is asked for.",
        ),
    ]
    worst = min(comparison.class_gains, key=lambda each: comparison.class_gains[each])
    loss = -comparison.class_gains[worst]
    said = f"is worse by {_points(loss)} points" if loss > 0 else "is no worse"
    checks.append(
        (
            "max_class_loss",
            loss <= rule.max_class_loss,
            f"Of all classes {worst} fares least well: its F1 {said}, and {_points(rule.max_class_loss)} points are allowed.",
        )
    )
    return [schemas.RuleCheck(name=name, passed=passed, says=says) for name, passed, says in checks]


def _points(share: float) -> str:
    return f"{share * 100:.1f}"
