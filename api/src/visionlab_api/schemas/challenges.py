"""Champions and challengers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StrictInt

from visionlab_api.schemas.parts import IMAGE_ID, MODEL_ID, Body, StrictNumber
from visionlab_core.face_class import FaceClass
from visionlab_core.training_job import Comparison, KerasBackend


class ChallengeRule(BaseModel):
    """What a new version has to come up to before it is proposed; see docs/training.md."""

    min_labels: int = Field(
        50, ge=0, le=10**9, description="images labelled and agreed to since the version in service was trained"
    )
    min_judged: int = Field(100, ge=1, le=10**9, description="images that both can be judged on")
    held_out: float = Field(0.2, gt=0, le=0.5, description="share of all images that is kept from the training, to judge on")
    min_gain: float = Field(0.0, ge=-1, le=1, description="the lower end of the gain in balanced accuracy has to be above this")
    max_p_value: float = Field(0.05, ge=0, le=1, description="McNemar's exact test has to be at or below this")
    max_class_loss: float = Field(0.05, ge=0, le=1, description="no class's F1 may be worse by more than this")


class ChallengeSettings(ChallengeRule):
    """The rule of new challenges, and when they are made without being asked for."""

    every_days: float = Field(
        0.0, ge=0, le=3650, description="a detector is retrained when so long ago trained or challenged; 0: only on demand"
    )
    models: list[UUID] = Field([], max_length=100, description="which detectors; empty: all in service that were trained here")
    switch_by_itself: bool = Field(
        False, description="a version that comes up to the rule takes the place of the old one at once"
    )


class ChallengeSettingsChange(Body):
    """Settings of challenges to change; those left out stay. What is going on keeps the rule that it began with."""

    min_labels: StrictInt | None = Field(None, ge=0, le=10**9)
    min_judged: StrictInt | None = Field(None, ge=1, le=10**9)
    held_out: StrictNumber | None = Field(None, gt=0, le=0.5)
    min_gain: StrictNumber | None = Field(None, ge=-1, le=1)
    max_p_value: StrictNumber | None = Field(None, ge=0, le=1)
    max_class_loss: StrictNumber | None = Field(None, ge=0, le=1)
    every_days: StrictNumber | None = Field(None, ge=0, le=3650, examples=[7])
    models: list[UUID] | None = Field(None, max_length=100)
    switch_by_itself: StrictBool | None = None


class ChallengeRuleChange(Body):
    """Where the rule of one challenge differs from the settings."""

    min_labels: StrictInt | None = Field(None, ge=0, le=10**9, examples=[20])
    min_judged: StrictInt | None = Field(None, ge=1, le=10**9)
    held_out: StrictNumber | None = Field(None, gt=0, le=0.5)
    min_gain: StrictNumber | None = Field(None, ge=-1, le=1)
    max_p_value: StrictNumber | None = Field(None, ge=0, le=1)
    max_class_loss: StrictNumber | None = Field(None, ge=0, le=1)


class ChallengeTraining(Body):
    """Where the training of a new version differs from that of the version in service."""

    architecture: str | None = Field(None, max_length=64, examples=["MobileNetV2"])
    batch_size: StrictInt | None = Field(None, ge=2, le=4096)
    max_epochs: StrictInt | None = Field(None, ge=1, le=100_000)
    preset: Literal["original", "robust"] | None = None
    learning_rate: StrictNumber | None = Field(None, gt=0, le=10)
    patience: StrictInt | None = Field(None, ge=0, le=10_000)
    resolution: StrictInt | None = Field(None, ge=32, le=1024)
    weights: Literal["none", "imagenet"] | None = None
    backend: KerasBackend | None = None
    seed: StrictInt | None = Field(None, ge=0, lt=2**31)


class ChallengeRequest(Body):
    """Retrain a detector in service with what people labelled since, and see whether the new version is better."""

    model: UUID = Field(description="a detector of which a version is in service", examples=[MODEL_ID])
    datasets: list[UUID] | None = Field(
        None,
        max_length=100,
        description="data sets to learn from, beside the labelled images; default: those of the version in service that are "
        "still there, or where it was not trained here all that are enabled",
    )
    training: ChallengeTraining = Field(default_factory=ChallengeTraining)
    rule: ChallengeRuleChange = Field(default_factory=ChallengeRuleChange)


ChallengeState = Literal[
    "queued", "training", "judging", "proposed", "switched", "rolled_back", "kept", "rejected", "cancelled", "failed"
]


class JudgedImages(BaseModel):
    """The images that both versions are judged on. Neither has learnt from them."""

    images: int
    digest: str = Field(description="SHA-256 over the sorted classes and digests of the images: names exactly these")
    classes: dict[FaceClass, int]
    learnt_known: bool = Field(
        description="whether it is known what the version in service has learnt from; where it was not trained here, or its "
        "training was removed, it may know some of these images"
    )


class RuleCheck(BaseModel):
    """A part of the rule."""

    name: str = Field(examples=["min_gain"])
    passed: bool
    says: str = Field(
        examples=["Balanced accuracy gains 6.1 points; with 95% confidence 2.0 to 10.2, and more than 0.0 is asked for."]
    )


class Challenge(BaseModel):
    """A version in service, the champion, and one trained to take its place, the challenger.

    `proposed` waits for `accept` or `reject`; `kept`: the champion stays. The challenger stays among the models, disabled, and so
    does the champion after a switch.
    """

    uuid: UUID = Field(examples=[IMAGE_ID])
    model: UUID = Field(examples=[MODEL_ID])
    model_name: str = Field(examples=["my-detector"])
    champion_version: int = Field(examples=[1])
    challenger_version: int | None = Field(examples=[2])
    training: UUID | None = Field(description="the training of the challenger; null: none could be queued")
    state: ChallengeState = Field(examples=["proposed"])
    reason: str | None = Field(description="why it waits, failed, or the champion is kept")
    made_by: Literal["demand", "schedule"]
    rule: ChallengeRule
    new_labels: int = Field(description="images that people labelled since the champion was trained", examples=[120])
    judged: JudgedImages | None
    comparison: Comparison | None = Field(description="null until both were judged")
    verdict: list[RuleCheck] = Field(description="how the challenger did by each part of the rule")
    created_at: datetime
    ended_at: datetime | None = Field(description="when it was decided; null while it goes on")


class ChallengePage(BaseModel):
    """A part of the list of challenges."""

    challenges: list[Challenge]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")
