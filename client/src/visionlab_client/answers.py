"""What VisionLab answers, made from the OpenAPI document by `make generate`: change that, not this."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field


class Agreement(BaseModel):
    """How often two versions were right, image by image."""

    both_right: int
    both_wrong: int
    only_challenger: int
    """images that the new version alone has right"""

    only_champion: int
    """images that the version in service alone has right"""


class ArchitectureOption(BaseModel):
    """A network that can be trained here."""

    least_side: int
    """smallest resolution that it takes, in pixels"""

    name: str


class AuditEntry(BaseModel):
    """An act of an admin, or a try at one."""

    action: str
    """method and path, with the parameters' names"""

    actor_id: str
    """which account or key; it stays the same when its name changes"""

    actor_kind: str
    actor_name: str
    at: AwareDatetime
    detail: dict[str, Any]
    """what it was about"""

    request_id: str | None
    """the X-Request-ID, also in the server's log"""

    status: int | None
    """of the answer; null: it is being done, or the server was stopped before it was"""

    target: str
    """the path that was called"""


class AuditPage(BaseModel):
    """A part of the audit log, newest first."""

    entries: list[AuditEntry]
    next_cursor: str | None = None
    """give it as `cursor` for the next part; null at the end"""


class ChallengeRule(BaseModel):
    """What a new version has to come up to before it is proposed; see docs/training.md."""

    held_out: float = 0.2
    """share of all images that is kept from the training, to judge on"""

    max_class_loss: float = 0.05
    """no class's F1 may be worse by more than this"""

    max_p_value: float = 0.05
    """McNemar's exact test has to be at or below this"""

    min_gain: float = 0.0
    """the lower end of the gain in balanced accuracy has to be above this"""

    min_judged: int = 100
    """images that both can be judged on"""

    min_labels: int = 50
    """images labelled and agreed to since the version in service was trained"""


class ChallengeSettings(BaseModel):
    """The rule of new challenges, and when they are made without being asked for."""

    every_days: float = 0.0
    """a detector is retrained when so long ago trained or challenged; 0: only on demand"""

    held_out: float = 0.2
    """share of all images that is kept from the training, to judge on"""

    max_class_loss: float = 0.05
    """no class's F1 may be worse by more than this"""

    max_p_value: float = 0.05
    """McNemar's exact test has to be at or below this"""

    min_gain: float = 0.0
    """the lower end of the gain in balanced accuracy has to be above this"""

    min_judged: int = 100
    """images that both can be judged on"""

    min_labels: int = 50
    """images labelled and agreed to since the version in service was trained"""

    models: list[UUID] = []
    """which detectors; empty: all in service that were trained here"""

    switch_by_itself: bool = False
    """a version that comes up to the rule takes the place of the old one at once"""


class ClassMetrics(BaseModel):
    """One class of one split."""

    f1: float
    precision: float
    recall: float
    support: int


class CorruptionMetrics(BaseModel):
    """A detector on images that were changed in one way."""

    accuracy: float
    false_accusation_rate: float | None = None
    """share of real faces called generated; null: there are none"""

    source_mean: float


class Curve(BaseModel):
    """The course of a figure: pairs of step and value, 200 at the most."""

    name: str
    points: list[list[Any]]


class Deleted(BaseModel):
    """What is gone."""

    deleted: int
    """how many images there were"""


class FaceClass(StrEnum):
    """What a face image is. The definition order is the index order of every probability vector."""

    human = "human"
    human_gen = "human_gen"
    anime = "anime"
    anime_gen = "anime_gen"


class Gain(BaseModel):
    """What the new version has more than the one in service, of a share of images that are right; negative: less.

    `low` and `high` enclose the true one with the probability `confidence` (percentile bootstrap over the images of each class).
    """

    confidence: float = 0.95
    high: float
    low: float
    value: float


class GeneratorMetrics(BaseModel):
    """A generator judged against held-out real faces.

    KID as in Binkowski et al., 2018 (arXiv:1801.01401), FID as in Heusel et al., 2017 (arXiv:1706.08500).
    """

    data_digest: str
    feature_network: str
    fid: float | None = None
    """depends on the numbers of images: compare it with fid_of_real"""

    fid_of_real: float | None = None
    """the same between training images and the held-out ones"""

    generated: int
    images: int
    """real images compared with"""

    kid: float
    """unbiased squared MMD, polynomial kernel, mean over subsets"""

    kid_of_real: float
    """the same between training images and the held-out ones: the best to hope for"""

    kid_std: float
    kind: Literal["generator"] = "generator"
    nearest_training: float | None = None
    """median feature distance from a generated face to its nearest training image, over that of held-out real faces: far below 1, the generator copies"""

    recognised: dict[str, float] | None = None
    """share of the generated faces that each detector calls generated, by NAME/VERSION"""

    training_images: int | None = None
    """among which the nearest ones were looked for"""


class ImageCounts(BaseModel):
    """The counters of an image after the change."""

    downloads: int
    likes: int
    uuid: UUID


class JudgedImages(BaseModel):
    """The images that both versions are judged on. Neither has learnt from them."""

    classes: dict[FaceClass, int]
    digest: str
    """SHA-256 over the sorted classes and digests of the images: names exactly these"""

    images: int
    learnt_known: bool
    """whether it is known what the version in service has learnt from; where it was not trained here, or its training was removed, it may know some of these images"""


class Label(BaseModel):
    """A person's word, as kept."""

    agreed: bool | None
    """whether label and prediction are the same; null where no prediction was named"""

    created_at: AwareDatetime
    image: UUID
    label: FaceClass
    predicted: FaceClass | None
    uuid: UUID
    visitor: UUID
    """who said it: the anonymous visitor of the cookie"""


class LatentStep(BaseModel):
    """A step through latent space: in the direction that a seed names, and how far."""

    distance: float
    """1 = as far as to an unrelated face"""

    seed: int


class MixedStyle(BaseModel):
    """Of generators that mix styles: a second latent, whose styles the finer layers have."""

    crossover: float = 0.5
    """part of the layers, the coarse ones, that keep the own style"""

    seed: int
    steps: list[LatentStep] | None = None
    """from the noise of the seed to that of a neighbour, in their order"""


class ModelState(BaseModel):
    """How a model fares in serving."""

    kind: str
    """detector, generator, or a word of a newer server"""

    name: str
    reason: str | None = None
    """why it failed, in words"""

    state: str
    """ready, loading, failed, disabled, or a word of a newer server"""

    uuid: UUID
    version: int


class ModelStats(BaseModel):
    """The popularity of a generator."""

    downloads: int
    images: int
    likes: int
    model_label: str
    model_name: str
    model_uuid: UUID
    model_version: int


class Problem(BaseModel):
    """RFC 9457 problem details; every error has this form."""

    detail: str
    field: str | None = None
    """the input at fault"""

    instance: str | None = None
    """request id, also in the X-Request-ID header and in the server's log"""

    status: int
    title: str
    type: str


class QueueState(BaseModel):
    """The queue after it was told to go on."""

    at_once: int
    """how many may run at the same time"""

    pending: int
    reason: str | None = None
    """why none can be started; null: they can"""

    running: int


class Region(BaseModel):
    """The part of the upright image that the detectors saw, as fractions of its width and height."""

    height: float
    left: float
    top: float
    width: float


class ReliabilityBins(BaseModel):
    """A reliability diagram: for each of 15 equal-width bins of the top class's probability, means over its images (0: none)."""

    accuracy: list[float]
    confidence: list[float]
    count: list[int]
    """images"""


class Robustness(BaseModel):
    """A detector on the same images after each of several common corruptions (Hendrycks & Dietterich, 2019, arXiv:1903.12261)."""

    corruptions: dict[str, CorruptionMetrics]
    """by name; 'unchanged' comes first"""

    images: int
    """a subset of the split, balanced over its sources"""

    real_images: int
    """how many of them are real faces"""


class RuleCheck(BaseModel):
    """A part of the rule."""

    name: str
    passed: bool
    says: str


class Sample(BaseModel):
    """Faces that a generator in training makes of the same noise, 8 by 8 in one picture."""

    step: int
    url: str


class Session(BaseModel):
    """Who asks, and how one can sign in."""

    accounts: bool
    """false: this server has no accounts, whoever reaches it is an admin"""

    kind: str
    """anonymous, user, admin, key, or a word of a newer server"""

    name: str
    provider: str | None
    """name of the OpenID Connect provider that signs people in at /backend/session/oidc; null: there is none"""

    scopes: list[str]
    """what one may do beyond what everyone may; `admin` is all of it"""


class Settings(BaseModel):
    """System-wide settings."""

    images_per_batch: int = 10
    """images that one press of '+' makes"""


class SizeCount(BaseModel):
    """A step of a histogram: images whose shorter side has `least_side` pixels or more, up to the next step."""

    images: int
    least_side: int


class SourceMetrics(BaseModel):
    """One source of images of one split."""

    accuracy: float
    face_class: FaceClass
    support: int


class Status(BaseModel):
    """Is the system well?"""

    counts: dict[Literal["ready", "loading", "failed", "disabled"], int]
    """how many models there are of each state"""

    fetches_pictures: bool
    """whether POST /backend/image/fetch is on"""

    models: list[ModelState]
    """the enabled ones first; of very many, the first 200: `counts` is of all"""

    ready: bool
    """at least one enabled model answers, and so do the database and the store"""

    serving: str
    """embedded, triton, kserve, or a word of a newer server"""

    store: str
    """where images, models and data sets are kept: ready, unavailable, or a word of a newer server"""

    store_problem: str | None
    """told to admins: what is wrong with the store"""

    time: AwareDatetime
    version: str


class TrainingDataset(BaseModel):
    """A data set as a training uses it: `digest` names exactly its images."""

    digest: str
    images: int
    name: str
    uuid: UUID


class TrainingOptions(BaseModel):
    """What trainings can be asked for here, and whether they would be started."""

    at_once: int
    """how many may run at the same time"""

    detectors: list[ArchitectureOption]
    generators: list[ArchitectureOption]
    reason: str | None = None
    """why none can be started now; null: they can"""


class TrainingProgress(BaseModel):
    """How far a training is.

    `metrics` are those of late, smoothed: loss, accuracy; of GANs the losses of both networks. `step` and `steps` are 0 before
    the first report.
    """

    device: str | None = None
    epoch: float | None = None
    """passes over the images so far, where the training counts in them"""

    epochs: int | None = None
    metrics: dict[str, float] | None = None
    phase: str
    """preparing, training, exporting, judging, or a word of a newer server"""

    seconds_left: float | None = None
    """of the training itself, without the export"""

    step: int = 0
    steps: int = 0
    """in all"""

    steps_per_second: float | None = None
    time: AwareDatetime


class TrainingSettings(BaseModel):
    """What was asked for, beside the model and the data sets."""

    backend: str
    """auto, tensorflow, jax, or a word of a newer server"""

    batch_size: int
    face_class: FaceClass | None
    gpus: int = 0
    include_generated: bool
    include_uploaded: bool
    learning_rate: float | None
    licence: str
    max_epochs: int
    patience: int
    preset: str
    """original, robust, or a word of a newer server"""

    resolution: int | None
    seed: int
    test_fraction: float
    weights: str
    """none, imagenet, or a word of a newer server"""


class Verdict(BaseModel):
    """The models' answers brought together: the mean of their probabilities (soft vote)."""

    called: FaceClass
    confidence: float
    """probability that it is generated, or that it is real, whichever was called"""

    generated: bool
    probabilities: dict[FaceClass, float]
    sentence: str


class WeightsOption(BaseModel):
    """An architecture whose weights can be uploaded, and what has to be known of them."""

    least_side: int
    """smallest resolution that it takes, in pixels"""

    name: str
    network: dict[str, int | float]
    """what `network` can say of it, each with its default"""


class ActivationMap(BaseModel):
    """Which regions spoke for the class that was called (class activation mapping, Zhou et al., 2016, arXiv:1512.04150).

    `values[row][column]`, 0 to 1, cover `region` from its top left; 1 is the region that spoke loudest.
    """

    face_class: FaceClass
    region: Region
    values: list[list[float]]


class Dataset(BaseModel):
    """A data set. `state` says how far it is: pending, reading, ready, or failed with a `reason`.

    Virtual ones (`origin` labelled or generated) are always ready: they are the images that people labelled, or that generators
    made, as they are now, and are frozen for each training.
    """

    classes: dict[FaceClass, int]
    """images of each class"""

    created_at: AwareDatetime
    digest: str | None
    """names exactly these images; never changes"""

    ended_at: AwareDatetime | None
    face_class: FaceClass | None
    fates: dict[str, int]
    """what became of how many files"""

    files: int
    """files that have been read"""

    image_bytes: int
    images: int
    """of these, images that were kept"""

    label: str
    name: str
    origin: str
    """uploaded, labelled, generated, or a word of a newer server"""

    progress: float
    """how much of the uploads has been read, from 0 to 1"""

    reason: str | None
    """why it failed or waits, and what to do"""

    sizes: list[SizeCount]
    """images by their shorter side in pixels"""

    state: str
    """pending, reading, ready, failed, or a word of a newer server"""

    status: str
    """enabled, disabled, or a word of a newer server"""

    type: str
    """detector, generator, or a word of a newer server"""

    uuid: UUID


class DatasetFile(BaseModel):
    """What became of a file of a data set. `url` serves it where it was kept; `url + '?width=128'` a thumbnail."""

    face_class: FaceClass | None
    fate: str
    """What became of a file. Only `kept` ones are in the data set.: kept, duplicate, similar, other_class, no_class, not_an_image, broken, too_large, too_small, unsafe_name, link, special, nested_archive, encrypted, unreadable, or a word of a newer server"""

    height: int | None
    path: str
    position: int
    reason: str | None
    size: int
    """bytes"""

    url: str | None
    width: int | None


class DatasetFilePage(BaseModel):
    """A part of the files of a data set."""

    files: list[DatasetFile]
    next_cursor: str | None = None
    """give it as `cursor` for the next part; null at the end"""


class DatasetPage(BaseModel):
    """A part of the list of data sets."""

    datasets: list[Dataset]
    next_cursor: str | None = None
    """give it as `cursor` for the next part; null at the end"""


class DetectorMetrics(BaseModel):
    """A detector judged on one split, through the served graph. `confusion[i][j]` counts images of class i called class j."""

    accuracy: float
    auroc: float | None = None
    """area under the ROC curve of generated against real"""

    classes: dict[FaceClass, ClassMetrics]
    confusion: list[list[int]]
    data_digest: str
    ece: float | None = None
    """expected calibration error, 15 bins of the top class's probability"""

    ece_uncalibrated: float | None = None
    """the same at temperature 1"""

    images: int
    kind: Literal["detector"] = "detector"
    real_or_generated_accuracy: float
    reliability: ReliabilityBins | None = None
    """what ece is the sum of"""

    robustness: Robustness | None = None
    source_mean: float
    """mean of the accuracies of the sources"""

    sources: dict[str, SourceMetrics]


class HowMade(BaseModel):
    """All that is needed to make a generated image again, exactly."""

    model_label: str
    model_name: str
    model_uuid: UUID
    model_version: int
    seed: int
    steps: list[LatentStep]
    """from the noise of the seed to that of a neighbour, in their order"""

    style: MixedStyle | None
    truncation: float


class Image(BaseModel):
    """A stored image. `url` serves it; `url + '?width=256'` a thumbnail."""

    class_label: FaceClass | None = None
    """generated: what it is; uploaded: what a person said it is"""

    created_at: AwareDatetime
    downloads: int
    filename: str | None = None
    """name of the uploaded file"""

    height: int
    how_made: HowMade | None = None
    image_type: str
    """generated, uploaded, or a word of a newer server"""

    likes: int
    shared: bool
    """uploaded: its person agreed that later models learn from it"""

    url: str
    uuid: UUID
    width: int


class ImagePage(BaseModel):
    """A part of the list of images, newest first."""

    images: list[Image]
    next_cursor: str | None = None
    """give it as `cursor` for the next part; null at the end"""


class Key(BaseModel):
    """An API key, without its secret."""

    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    last_used_at: AwareDatetime | None
    """to within ten minutes"""

    name: str
    prefix: str
    """how the secret begins"""

    revoked_at: AwareDatetime | None
    scopes: list[str]
    uuid: UUID


class MadeKey(BaseModel):
    """A new key, with its secret."""

    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    key: str
    """the secret, shown this once; send it as `Authorization: Bearer KEY`"""

    last_used_at: AwareDatetime | None
    """to within ten minutes"""

    name: str
    prefix: str
    """how the secret begins"""

    revoked_at: AwareDatetime | None
    scopes: list[str]
    uuid: UUID


class Model(BaseModel):
    """A model as the pages need it; `card` serves all that is known of it."""

    architecture: str
    base_models: list[UUID]
    description: str
    ensemble: bool
    face_class: FaceClass | None
    label: str
    licence: str
    limitations: list[str]
    metrics: dict[str, DetectorMetrics | GeneratorMetrics]
    mixes_styles: bool = False
    """generators: whether it makes faces of the styles of two"""

    name: str
    parameters: int
    reason: str | None = None
    report: str | None
    """address of a page with all that was measured of it; null: there is none"""

    samples: str | None = None
    """generators: address of a picture of 64 of its faces, 8 by 8; null: there is none"""

    state: str
    """ready, loading, failed, disabled, or a word of a newer server"""

    status: str
    """enabled, disabled, or a word of a newer server"""

    type: str
    """detector, generator, or a word of a newer server"""

    uuid: UUID
    version: int


class ModelAnswer(BaseModel):
    """What one detector says of one image."""

    activation_map: ActivationMap | None = None
    called: FaceClass
    model_label: str
    model_name: str
    model_uuid: UUID
    model_version: int
    probabilities: dict[FaceClass, float]


class ModelOptions(BaseModel):
    """What can be added as a model here."""

    detectors: list[WeightsOption]
    generators: list[WeightsOption]
    most_bytes: int
    """of a file"""

    reason: str | None = None
    """why no weights can be made into a model here; null: they can"""


class Training(BaseModel):
    """A training. `status` is how far it is, `wanted` what was asked for: one that is to pause first writes a checkpoint.

    `queue_position` counts the pending ones from 1. `files` are the report, its pictures and the curves, by name.
    """

    architecture: str
    base_models: list[UUID]
    begin_at: AwareDatetime | None
    created_at: AwareDatetime
    datasets: list[TrainingDataset]
    end_at: AwareDatetime | None
    ensemble: bool
    files: dict[str, str]
    """addresses by name"""

    label: str
    metrics: dict[str, DetectorMetrics | GeneratorMetrics]
    """of the finished model by split: accuracy, figures of each class, confusion"""

    model_uuid: UUID
    """of the model that comes of it"""

    model_version: int
    name: str
    progress: TrainingProgress | None
    """null before it was first started"""

    queue_position: int | None = None
    reason: str | None
    """why it failed or waits, and what to do"""

    settings: TrainingSettings
    status: str
    """pending, running, paused, done, failed, or a word of a newer server"""

    type: str
    """detector, generator, or a word of a newer server"""

    uuid: UUID
    wanted: str
    """run, pause, or a word of a newer server"""


class TrainingDetail(BaseModel):
    """A training with the course of its figures; of generators with what their faces looked like on the way."""

    architecture: str
    base_models: list[UUID]
    begin_at: AwareDatetime | None
    created_at: AwareDatetime
    curves: list[Curve]
    datasets: list[TrainingDataset]
    end_at: AwareDatetime | None
    ensemble: bool
    files: dict[str, str]
    """addresses by name"""

    label: str
    metrics: dict[str, DetectorMetrics | GeneratorMetrics]
    """of the finished model by split: accuracy, figures of each class, confusion"""

    model_uuid: UUID
    """of the model that comes of it"""

    model_version: int
    name: str
    progress: TrainingProgress | None
    """null before it was first started"""

    queue_position: int | None = None
    reason: str | None
    """why it failed or waits, and what to do"""

    samples: list[Sample]
    """in the order of the steps"""

    settings: TrainingSettings
    status: str
    """pending, running, paused, done, failed, or a word of a newer server"""

    type: str
    """detector, generator, or a word of a newer server"""

    uuid: UUID
    wanted: str
    """run, pause, or a word of a newer server"""


class TrainingPage(BaseModel):
    """A part of the list of trainings."""

    next_cursor: str | None = None
    """give it as `cursor` for the next part; null at the end"""

    trainings: list[Training]


class Classification(BaseModel):
    """The answer for one image, or why there is none."""

    filename: str | None = None
    image: UUID | None = None
    """null where the image was sent along and not stored"""

    models: Annotated[list[ModelAnswer], Field(validate_default=True)] = []
    problem: Problem | None = None
    """why this image has no answer, where several were asked"""

    verdict: Verdict | None = None


class ClassifyAnswer(BaseModel):
    """One entry for each image, in the order asked."""

    milliseconds: float
    """time in the server, whole"""

    model_milliseconds: float
    """of these, time in which a model ran"""

    results: list[Classification]


class Comparison(BaseModel):
    """The version in service, the champion, and a new one, the challenger, on the same images, through the served graphs.

    `p_value` is of the exact McNemar test (McNemar, 1947): the chance of images on which just one of the two is right to be
    divided so unevenly, or more, if both were equally good. The balanced accuracy is the mean recall of the classes judged.
    """

    agreement: Agreement
    challenger: DetectorMetrics
    challenger_balanced_accuracy: float
    champion: DetectorMetrics
    champion_balanced_accuracy: float
    class_gains: dict[FaceClass, float]
    """of the F1 of each class that was judged"""

    gain: Gain
    """of balanced accuracy"""

    images: int
    left_out: int
    """images that were to be judged and are gone, or cannot be decoded"""

    p_value: float


class GenerateAnswer(BaseModel):
    """The new images, all of them stored."""

    images: list[Image]
    milliseconds: float


class Challenge(BaseModel):
    """A version in service, the champion, and one trained to take its place, the challenger.

    `proposed` waits for `accept` or `reject`; `kept`: the champion stays. The challenger stays among the models, disabled, and so
    does the champion after a switch.
    """

    challenger_version: int | None
    champion_version: int
    comparison: Comparison | None
    """null until both were judged"""

    created_at: AwareDatetime
    ended_at: AwareDatetime | None
    """when it was decided; null while it goes on"""

    judged: JudgedImages | None
    made_by: str
    """demand, schedule, or a word of a newer server"""

    model: UUID
    model_name: str
    new_labels: int
    """images that people labelled since the champion was trained"""

    reason: str | None
    """why it waits, failed, or the champion is kept"""

    rule: ChallengeRule
    state: str
    """queued, training, judging, proposed, switched, rolled_back, kept, rejected, cancelled, failed, or a word of a newer server"""

    training: UUID | None
    """the training of the challenger; null: none could be queued"""

    uuid: UUID
    verdict: list[RuleCheck]
    """how the challenger did by each part of the rule"""


class ChallengePage(BaseModel):
    """A part of the list of challenges."""

    challenges: list[Challenge]
    next_cursor: str | None = None
    """give it as `cursor` for the next part; null at the end"""
