"""Answers that detectors have given, by the image's digest and the model's version: the same bytes asked again cost no run.

An exported version never changes, and a detector's answer depends on nothing but its version and the pixels, so a kept answer is
never stale.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from visionlab_inference.backend import ModelVersion
from visionlab_inference.detection import Detection
from visionlab_inference.images import Region


@dataclass(slots=True)
class _Known:
    region: Region
    answers: dict[tuple[ModelVersion, bool], Detection] = field(default_factory=dict)


class AnswerCache:
    """Keeps the answers about the `images` that were asked about last; a KiB or so each, more with explanations.

    `find` may be called on any thread, `keep` on one.
    """

    def __init__(self, images: int) -> None:
        self._images = images
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    @property
    def keeps(self) -> bool:
        """False where nothing is ever kept, so that no digest need be made."""
        return self._images > 0

    def find(
        self, digest: bytes, models: Sequence[ModelVersion], *, explain: bool
    ) -> tuple[Region, dict[ModelVersion, Detection]] | None:
        """What is known of an image, with explanations or without, by model; None where nothing is."""
        known = self._known.get(digest)
        if known is None:
            return None
        answers = {model: answer for model in models if (answer := known.answers.get((model, explain))) is not None}
        return (known.region, answers) if answers else None

    def keep(self, digest: bytes, region: Region, answers: Mapping[ModelVersion, Detection], *, explain: bool) -> None:
        """Keep answers; those about the images that nobody has asked about for longest make room."""
        if not self.keeps:
            return
        known = self._known.setdefault(digest, _Known(region))
        known.answers.update({(model, explain): answer for model, answer in answers.items()})
        self._known.move_to_end(digest)
        while len(self._known) > self._images:
            self._known.popitem(last=False)
