"""The Python client of VisionLab: make virtual faces, and ask whether faces are real, one or a million.

with VisionLab("http://localhost:8000") as lab:
    print(lab.classify("face.jpg").verdict)
    for outcome in lab.classify_many(Path("faces").rglob("*.jpg")):
        print(outcome.image, outcome.answer or outcome.error)
"""

from visionlab_client.answers import (
    ActivationMap,
    Classification,
    DetectorMetrics,
    FaceClass,
    GeneratorMetrics,
    HowMade,
    Image,
    ImageCounts,
    ImagePage,
    Label,
    Model,
    ModelAnswer,
    ModelState,
    ModelStats,
    Settings,
    Status,
    Verdict,
)
from visionlab_client.async_client import AsyncVisionLab
from visionlab_client.bulk import Outcome
from visionlab_client.client import VisionLab
from visionlab_client.errors import (
    Busy,
    Conflict,
    InvalidRequest,
    InvalidURL,
    NotAllowed,
    NotFound,
    RefusedByServer,
    ServerFault,
    TimedOut,
    UnexpectedAnswer,
    Unreachable,
    UnreadableImage,
    UnusableImage,
    VisionLabError,
)

__all__ = [
    "ActivationMap",
    "AsyncVisionLab",
    "Busy",
    "Classification",
    "Conflict",
    "DetectorMetrics",
    "FaceClass",
    "GeneratorMetrics",
    "HowMade",
    "Image",
    "ImageCounts",
    "ImagePage",
    "InvalidRequest",
    "InvalidURL",
    "Label",
    "Model",
    "ModelAnswer",
    "ModelState",
    "ModelStats",
    "NotAllowed",
    "NotFound",
    "Outcome",
    "RefusedByServer",
    "ServerFault",
    "Settings",
    "Status",
    "TimedOut",
    "UnexpectedAnswer",
    "Unreachable",
    "UnreadableImage",
    "UnusableImage",
    "Verdict",
    "VisionLab",
    "VisionLabError",
]
