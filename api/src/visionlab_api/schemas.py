"""The JSON of the REST surface. Everything that goes in or out of a route is declared here, with examples."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from visionlab_api.accounts.principal import Scope
from visionlab_api.services.fates import Fate
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import Metrics, ModelKind
from visionlab_core.training_job import KerasBackend, TrainingProgress

NDJSON = "application/x-ndjson"
"""Media type of streamed answers: a JSON object a line."""

TUS_MEDIA_TYPE = "application/offset+octet-stream"
TUS_VERSION = "1.0.0"
"""Of the pieces of resumable uploads, and of their protocol."""

MAX_SEED = 2**53 - 1
"""Seeds stay exact in every JSON reader (RFC 8259, section 6)."""

Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
_HUMAN_ID = "6a1f0c52-6d0e-4a58-9d5e-0d6f2f0d2b11"
_IMAGE_ID = "0192f3a4-5b6c-7d8e-9f00-112233445566"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """RFC 9457 problem details; every error has this form."""

    type: str = Field(examples=["/problems/not-an-image"])
    title: str = Field(examples=["Not an image"])
    status: int = Field(examples=[415])
    detail: str = Field(examples=["'notes.txt' is not a JPEG or PNG image. Choose a .jpg, .jpeg or .png file."])
    instance: str | None = Field(None, description="request id, also in the X-Request-ID header and in the server's log")
    field: str | None = Field(None, description="the input at fault", examples=["count"])


class ModelState(BaseModel):
    """How a model fares in serving."""

    uuid: UUID
    name: str
    version: int
    kind: ModelKind
    state: Literal["ready", "loading", "failed", "disabled"]
    reason: str | None = Field(None, description="why it failed, in words")


class Status(BaseModel):
    """Is the system well?"""

    time: datetime
    version: str = Field(examples=["0.1.0"])
    ready: bool = Field(description="at least one enabled model answers, and the database too")
    serving: Literal["embedded", "triton"]
    models: list[ModelState]


class Session(BaseModel):
    """Who asks, and how one can sign in."""

    kind: Literal["anonymous", "user", "admin", "key"]
    name: str = Field(examples=["admin token"])
    scopes: list[Scope] = Field(description="what one may do beyond what everyone may; `admin` is all of it")
    accounts: bool = Field(description="false: this server has no accounts, whoever reaches it is an admin")
    provider: str | None = Field(
        description="name of the OpenID Connect provider that signs people in at /backend/session/oidc; null: there is none"
    )


class SignIn(_Body):
    """Sign a browser in."""

    token: str = Field(min_length=1, max_length=200, description="the admin token, or an API key")


class NewKey(_Body):
    """A key for a program."""

    name: str = Field(min_length=1, max_length=80, description="what it is for", examples=["nightly import"])
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=len(Scope),
        description="inference: the public calls without limits of rate; admin: everything, keys and the audit log too",
        examples=[["inference"]],
    )
    expires_at: AwareDatetime | None = Field(None, description="default: it counts until it is revoked")


class Key(BaseModel):
    """An API key, without its secret."""

    uuid: UUID
    name: str
    prefix: str = Field(description="how the secret begins", examples=["vl_3kT9-wQx"])
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="to within ten minutes")


class MadeKey(Key):
    """A new key, with its secret."""

    key: str = Field(description="the secret, shown this once; send it as `Authorization: Bearer KEY`")


class AuditEntry(BaseModel):
    """An act of an admin, or a try at one."""

    at: datetime
    actor_kind: str = Field(examples=["admin"])
    actor_id: str = Field(description="which account or key; it stays the same when its name changes")
    actor_name: str = Field(examples=["admin token"])
    action: str = Field(description="method and path, with the parameters' names", examples=["POST /backend/settings"])
    target: str = Field(description="the path that was called", examples=["/backend/settings"])
    status: int | None = Field(description="of the answer; null: it is being done, or the server was stopped before it was")
    detail: dict[str, Any] = Field(description="what it was about", examples=[{"images_per_batch": 12}])
    request_id: str | None = Field(description="the X-Request-ID, also in the server's log")


class AuditPage(BaseModel):
    """A part of the audit log, newest first."""

    entries: list[AuditEntry]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")


class Settings(BaseModel):
    """System-wide settings."""

    images_per_batch: int = Field(10, ge=0, le=20, description="images that one press of '+' makes")


class SettingsChange(_Body):
    """Settings to change; those left out stay."""

    images_per_batch: int | None = Field(None, ge=0, le=20, examples=[12])


class HowMade(BaseModel):
    """All that is needed to make a generated image again, exactly."""

    model_uuid: UUID
    model_name: str
    model_label: str
    model_version: int
    seed: Seed
    truncation: float


class Image(BaseModel):
    """A stored image. `url` serves it; `url + '?width=256'` a thumbnail."""

    uuid: UUID = Field(examples=[_IMAGE_ID])
    image_type: Literal["generated", "uploaded"]
    url: str = Field(examples=[f"/backend/image/{_IMAGE_ID}.png"])
    filename: str | None = Field(None, description="name of the uploaded file")
    width: int
    height: int
    class_label: FaceClass | None = Field(None, description="generated: what it is; uploaded: what a person said it is")
    likes: int
    downloads: int
    shared: bool = Field(description="uploaded: its person agreed that later models learn from it")
    how_made: HowMade | None = None
    created_at: datetime


class ImagePage(BaseModel):
    """A part of the list of images, newest first."""

    images: list[Image]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")


class Deleted(BaseModel):
    """What is gone."""

    deleted: int = Field(description="how many images there were")


class GenerateRequest(_Body):
    """Which generators make how many faces. `count` is shared out evenly over the models."""

    models: list[UUID] = Field(min_length=1, max_length=32, examples=[[_HUMAN_ID]])
    count: int | None = Field(None, ge=1, le=100, description="default: the setting images_per_batch", examples=[10])
    seed: Seed | None = Field(None, description="seed of the first image of each model, the next has seed + 1; default: random")
    truncation: float = Field(1.0, gt=0, le=1, description="1 = all variety; smaller = nearer to the average face")


class GenerateAnswer(BaseModel):
    """The new images, all of them stored."""

    images: list[Image]
    milliseconds: float


class ClassifyRequest(_Body):
    """Ask chosen detectors about uploaded images."""

    images: list[UUID] = Field(min_length=1, max_length=256, examples=[[_IMAGE_ID]])
    models: list[UUID] | None = Field(None, min_length=1, max_length=32, description="default: all enabled detectors")
    explain: bool = Field(False, description="add the regions that speak for the answer")


class Region(BaseModel):
    """The part of the upright image that the detectors saw, as fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float


class ActivationMap(BaseModel):
    """Which regions spoke for the class that was called (class activation mapping, Zhou et al., 2016, arXiv:1512.04150).

    `values[row][column]`, 0 to 1, cover `region` from its top left; 1 is the region that spoke loudest.
    """

    face_class: FaceClass
    values: list[list[float]]
    region: Region


class ModelAnswer(BaseModel):
    """What one detector says of one image."""

    model_uuid: UUID
    model_name: str
    model_label: str
    model_version: int
    probabilities: dict[FaceClass, float]
    called: FaceClass
    activation_map: ActivationMap | None = None


class Verdict(BaseModel):
    """The models' answers brought together: the mean of their probabilities (soft vote)."""

    probabilities: dict[FaceClass, float]
    called: FaceClass
    generated: bool
    confidence: float = Field(description="probability that it is generated, or that it is real, whichever was called")
    sentence: str = Field(examples=["This looks like a generated photo of a person. I am fairly sure (87 %)."])


class Classification(BaseModel):
    """The answer for one image, or why there is none."""

    image: UUID | None = Field(None, description="null where the image was sent along and not stored")
    filename: str | None = None
    models: list[ModelAnswer] = []
    verdict: Verdict | None = None
    problem: Problem | None = Field(None, description="why this image has no answer, where several were asked")


class StreamedClassification(Classification):
    """A line of a streamed answer."""

    index: int | None = Field(description="which image of the request, from 0; null: `problem` is why no more images were read")


class ClassifyAnswer(BaseModel):
    """One entry for each image, in the order asked."""

    results: list[Classification]
    milliseconds: float = Field(description="time in the server, whole")
    model_milliseconds: float = Field(description="of these, time in which a model ran")


class LabelRequest(_Body):
    """A person's word on an uploaded image. Where its uploader agrees, later models learn from both."""

    image: UUID
    label: FaceClass
    predicted: FaceClass | None = Field(None, description="what the page had answered")
    share: bool | None = Field(
        None, description="for who uploaded the image: agree that later models learn from it (false: no more); default: as it is"
    )


class Label(BaseModel):
    """A person's word, as kept."""

    uuid: UUID
    image: UUID
    label: FaceClass
    predicted: FaceClass | None
    agreed: bool | None = Field(description="whether label and prediction are the same; null where no prediction was named")
    visitor: UUID = Field(description="who said it: the anonymous visitor of the cookie")
    created_at: datetime


class StatsRequest(_Body):
    """Count a like, the end of a like, or a download, once for each image."""

    images: list[UUID] = Field(min_length=1, max_length=1000)
    action: Literal["like", "unlike", "download"]


class ImageCounts(BaseModel):
    """The counters of an image after the change."""

    uuid: UUID
    likes: int
    downloads: int


class ModelStats(BaseModel):
    """The popularity of a generator."""

    model_uuid: UUID
    model_name: str
    model_label: str
    model_version: int
    images: int
    likes: int
    downloads: int


class ArchiveRequest(_Body):
    """Images to download as one ZIP file."""

    images: list[UUID] = Field(min_length=1, max_length=1000)


DatasetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", min_length=1, max_length=60)]


class DatasetRequest(_Body):
    """Make a data set of finished uploads: archives (zip, tar, tar.gz), images, or both."""

    name: DatasetName = Field(description="of its own; reports count the images under it", examples=["office-portraits"])
    label: str | None = Field(
        None,
        min_length=1,
        max_length=80,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="default: the name",
        examples=["Office portraits"],
    )
    type: ModelKind = Field(description="for models of which type it is", examples=["detector"])
    face_class: FaceClass | None = Field(
        None,
        description="what all its images are; left out, the folder of an archive that an image lies in is named for its class "
        "(`human/`, `human_gen/`, `anime/`, `anime_gen/`)",
        examples=["human"],
    )
    uploads: list[UUID] = Field(min_length=1, max_length=1000, examples=[[_IMAGE_ID]])


class SizeCount(BaseModel):
    """A step of a histogram: images whose shorter side has `least_side` pixels or more, up to the next step."""

    least_side: int
    images: int


class Dataset(BaseModel):
    """A data set. `state` says how far it is: pending, reading, ready, or failed with a `reason`.

    Virtual ones (`origin` labelled or generated) are always ready: they are the images that people labelled, or that generators
    made, as they are now, and are frozen for each training.
    """

    uuid: UUID
    type: ModelKind
    name: str = Field(examples=["office-portraits"])
    label: str = Field(examples=["Office portraits"])
    face_class: FaceClass | None
    origin: Literal["uploaded", "labelled", "generated"]
    status: Literal["enabled", "disabled"]
    state: Literal["pending", "reading", "ready", "failed"]
    reason: str | None = Field(description="why it failed or waits, and what to do")
    progress: float = Field(description="how much of the uploads has been read, from 0 to 1")
    files: int = Field(description="files that have been read")
    images: int = Field(description="of these, images that were kept")
    image_bytes: int
    fates: dict[Fate, int] = Field(description="what became of how many files")
    classes: dict[FaceClass, int] = Field(description="images of each class")
    sizes: list[SizeCount] = Field(description="images by their shorter side in pixels")
    digest: str | None = Field(description="names exactly these images; never changes")
    created_at: datetime
    ended_at: datetime | None


class DatasetPage(BaseModel):
    """A part of the list of data sets."""

    datasets: list[Dataset]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")


class DatasetFile(BaseModel):
    """What became of a file of a data set. `url` serves it where it was kept; `url + '?width=128'` a thumbnail."""

    position: int
    path: str = Field(examples=["faces/0001.jpg"])
    fate: Fate
    reason: str | None
    size: int = Field(description="bytes")
    face_class: FaceClass | None
    width: int | None
    height: int | None
    url: str | None


class DatasetFilePage(BaseModel):
    """A part of the files of a data set."""

    files: list[DatasetFile]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")


class Model(BaseModel):
    """A model as the pages need it; `card` serves all that is known of it."""

    uuid: UUID = Field(examples=[_HUMAN_ID])
    type: ModelKind
    name: str = Field(examples=["dcgan-human"])
    label: str = Field(examples=["DCGAN human faces"])
    version: int
    status: Literal["enabled", "disabled"]
    state: Literal["ready", "loading", "failed", "disabled"]
    reason: str | None = None
    architecture: str
    description: str
    face_class: FaceClass | None
    ensemble: bool
    base_models: list[UUID]
    parameters: int
    metrics: dict[str, Metrics]
    licence: str
    limitations: list[str]
    report: str | None = Field(description="address of a page with all that was measured of it; null: there is none")


ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", examples=["my-detector"])]
ModelLabel = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
TrainingStatus = Literal["pending", "running", "paused", "done", "failed"]


class TrainingRequest(_Body):
    """Train a model. A single network has an `architecture`; an ensemble has `ensemble` and `base_models` in its place."""

    name: ModelName = Field(description="of the model that comes of it; a new one, unless `model` is given")
    label: ModelLabel | None = Field(None, description="what people read; default: the name", examples=["My detector"])
    type: ModelKind = Field(examples=["detector"])
    model: UUID | None = Field(None, description="make the next version of this model, in place of a new model")
    architecture: str | None = Field(None, max_length=64, description="letter for letter", examples=["MobileNetV2"])
    ensemble: Literal["stacking", "voting"] | None = Field(None, description="of detectors; a vote is not trained")
    base_models: list[UUID] = Field([], max_length=16, description="of an ensemble: 2 or more single detectors")
    datasets: list[UUID] = Field([], max_length=100, description="data sets to learn from, frozen from now on")
    include_uploaded: bool = Field(False, description="learn from the images that people uploaded and labelled, too")
    include_generated: bool = Field(False, description="learn from the images that generators made here, too")
    batch_size: int = Field(32, ge=2, le=4096)
    max_epochs: int = Field(20, ge=1, le=100_000, description="passes over the images")
    preset: Literal["original", "robust"] = Field("original", description="see docs/training.md")
    learning_rate: float | None = Field(None, gt=0, le=10, description="default: the preset's, or the architecture's")
    patience: int = Field(0, ge=0, le=10_000, description="detectors: stop after so many epochs without a better one; 0: never")
    resolution: int | None = Field(None, ge=32, le=1024, description="side in pixels; default: 224, of generators 128")
    weights: Literal["none", "imagenet"] = Field("none", description="what a detector starts from")
    face_class: FaceClass | None = Field(None, description="generators: the class whose faces they learn to make")
    test_fraction: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="share of the images, always the same ones, on which the finished detector is judged; of fewer than 200 "
        "none, and it is judged on the validation images",
    )
    backend: KerasBackend = Field("auto", description="auto: JAX where it has a GPU, else TensorFlow")
    seed: int = Field(0, ge=0, lt=2**31)
    licence: str = Field("unspecified", min_length=1, max_length=200, description="of the model")


class TrainingSettings(BaseModel):
    """What was asked for, beside the model and the data sets."""

    include_uploaded: bool
    include_generated: bool
    batch_size: int
    max_epochs: int
    preset: Literal["original", "robust"]
    learning_rate: float | None
    patience: int
    resolution: int | None
    weights: Literal["none", "imagenet"]
    face_class: FaceClass | None
    test_fraction: float
    backend: KerasBackend
    seed: int
    licence: str


class TrainingDataset(BaseModel):
    """A data set as a training uses it: `digest` names exactly its images."""

    uuid: UUID
    name: str
    digest: str
    images: int


class Training(BaseModel):
    """A training. `status` is how far it is, `wanted` what was asked for: one that is to pause first writes a checkpoint.

    `queue_position` counts the pending ones from 1. `files` are the report, its pictures and the curves, by name.
    """

    uuid: UUID
    type: ModelKind
    name: str
    label: str
    status: TrainingStatus
    wanted: Literal["run", "pause"]
    reason: str | None = Field(description="why it failed or waits, and what to do")
    model_uuid: UUID = Field(description="of the model that comes of it")
    model_version: int
    architecture: str
    ensemble: bool
    base_models: list[UUID]
    settings: TrainingSettings
    datasets: list[TrainingDataset]
    progress: TrainingProgress | None = Field(description="null before it was first started")
    metrics: dict[str, Metrics] = Field(description="of the finished model by split: accuracy, figures of each class, confusion")
    queue_position: int | None = None
    files: dict[str, str] = Field(description="addresses by name")
    created_at: datetime
    begin_at: datetime | None
    end_at: datetime | None


class Curve(BaseModel):
    """The course of a figure: pairs of step and value, 200 at the most."""

    name: str = Field(examples=["loss"])
    points: list[tuple[int, float]]


class TrainingDetail(Training):
    """A training with the course of its figures."""

    curves: list[Curve]


class TrainingPage(BaseModel):
    """A part of the list of trainings."""

    trainings: list[Training]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")


class QueueState(BaseModel):
    """The queue after it was told to go on."""

    pending: int
    running: int
    at_once: int = Field(description="how many may run at the same time")
    reason: str | None = Field(None, description="why none can be started; null: they can")


class ModelRequest(_Body):
    """Add a model that was trained elsewhere: an ONNX file that was uploaded. See docs/api.md for its tensors."""

    upload: UUID = Field(examples=[_IMAGE_ID])
    type: ModelKind = Field(examples=["detector"])
    name: ModelName = Field(description="of a new model; with `model` it is that model's")
    label: ModelLabel | None = Field(None, description="what people read; default: the name", examples=["My detector"])
    model: UUID | None = Field(None, description="make it the next version of this model, in place of a new model")
    classes: list[FaceClass] | None = Field(
        None,
        min_length=4,
        max_length=4,
        description="detectors: the order in which the model gives the classes; default: human, human_gen, anime, anime_gen",
    )
    face_class: FaceClass | None = Field(None, description="generators: what its faces are, human_gen or anime_gen")
    architecture: str = Field("unknown", min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
    description: str = Field("Trained elsewhere and uploaded.", min_length=1, max_length=1000)
    licence: str = Field("unspecified", min_length=1, max_length=200)
