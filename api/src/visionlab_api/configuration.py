"""What an operator can set: environment variables named VISIONLAB_*, or options of `visionlab-api`."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL

from visionlab_api.database.engine import read_url
from visionlab_api.services.public_addresses import Reach, read_place
from visionlab_core.kubernetes.objects import own_namespace
from visionlab_core.object_store import ObjectStore, S3Settings, open_store
from visionlab_inference.releases import BY_KIND, PoolPlan
from visionlab_inference.releases.kserve.manifests import Names


class ApiConfiguration(BaseSettings):
    """Run the facade, or do what one of these words asks for that may stand before all options.

    `new-admin-token` prints a new admin token; the one before counts no more.
    `backup FILE` backs up database and store (-: to standard output), also while the server runs; `--allow-missing`: without what
    is lost.
    `restore FILE` restores a backup (-: from standard input) into an empty database and an empty store.
    `verify-backup FILE` checks that a backup is whole and sound.
    """

    model_config = SettingsConfigDict(
        env_prefix="VISIONLAB_", cli_parse_args=False, cli_prog_name="visionlab-api", cli_kebab_case=True, cli_hide_none_type=True
    )

    host: str = Field("127.0.0.1", description="address to listen at")
    port: int = Field(8000, ge=0, le=65535, description="port to listen at; 0 = any free one")
    grpc_port: int | None = Field(
        None, ge=0, le=65535, description="port of the Open Inference Protocol over gRPC; 0 = any free one; default: none"
    )
    data_folder: Path = Field(Path(".visionlab"), description="where the SQLite database and the folder store live")
    database_url: SecretStr | None = Field(
        None, description="postgresql://user:password@host/database?sslmode=verify-full; default: SQLite in data_folder"
    )
    database_wait_seconds: float = Field(60.0, ge=0, description="how long the start waits for a database that does not answer")
    store_url: str | None = Field(None, description="file:///path or s3://bucket/prefix; default: a folder in data_folder")
    s3_endpoint: str = Field(
        "https://s3.amazonaws.com", description="where the S3 of an s3:// store answers: http(s)://host[:port]"
    )
    s3_region: str = Field("us-east-1", description="its region")
    s3_access_key: str | None = Field(
        None,
        description="default: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS's configuration file, or the machine's role",
    )
    s3_secret_key: SecretStr | None = Field(None, description="the secret that goes with it; as environment variable alone")
    s3_create_bucket: bool = Field(False, description="make the bucket at the start where it is missing")
    s3_addressing: Literal["auto", "path", "virtual"] = Field(
        "auto", description="where the bucket's name stands in addresses; auto: in the host name at AWS, else in the path"
    )
    auth: Literal["on", "off"] = Field(
        "on", description="off: whoever can reach the server is an admin; only where it listens to its own machine alone"
    )
    admin_token: SecretStr | None = Field(
        None, min_length=32, description="the admin token, from a Secret; default: one is made at the first start and printed"
    )
    session_hours: float = Field(12.0, gt=0, description="a browser that is idle for so long is signed out")
    requests_per_minute: int | None = Field(
        None, ge=0, description="of one caller of the public routes; 0: any number; default: 600, on a loopback address 0"
    )
    images_per_minute: int | None = Field(
        None, ge=0, description="that one caller classifies, uploads or has made; default: 1200, on a loopback address 0"
    )
    sign_ins_per_minute: int | None = Field(
        None, ge=0, description="that one address tries, unknown keys included; default: 20, on a loopback address 0"
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="addresses or networks, with commas between them, whose X-Forwarded-For is believed"
    )
    public_url: str | None = Field(
        None, pattern=r"^https?://[^?#]+$", description="the address that browsers use; default: the one of their request"
    )
    oidc_issuer: str | None = Field(
        None, description="OpenID Connect provider that signs people in: its issuer, such as https://login.example.org"
    )
    oidc_client_id: str | None = Field(None, description="how the provider knows this server")
    oidc_client_secret: SecretStr | None = Field(None, description="where the provider gave one")
    oidc_name: str = Field("your organisation", description="the provider's name on the page: Sign in with ...")
    oidc_scopes: str = Field("openid profile email", description="what the provider is asked for")
    oidc_admin_claim: str = Field("groups", description="claim of the ID token that says who is an admin")
    oidc_admin_value: str = Field("visionlab-admin", description="what that claim is, or has in it, for an admin")
    upload_days: float = Field(
        30.0, ge=0, description="how long uploaded images are kept whose people did not agree to training; 0: for ever"
    )
    orphan_hours: float = Field(
        24.0, ge=0, description="what lies in the store and no row refers to is removed once it is so old; 0: never"
    )
    audit_days: float = Field(365.0, ge=0, description="how long the audit log is kept; 0: for ever")
    starter_models: Path | None = Field(Path("models"), description="folder of model versions to install at the start")
    ui_folder: Path | None = Field(
        Path("ui/dist"), description="the built web interface to serve; none where another server does"
    )
    control_loops: Literal["on", "off"] = Field(
        "on", description="off: a visionlab-controller works through what is wished for; this process answers requests alone"
    )
    serving: Literal["embedded", "triton", "kserve"] = Field(
        "embedded",
        description="what runs models: this process, Triton servers that it starts (see `make triton`), or those of KServe",
    )
    kserve_template: Path | None = Field(
        None, description="YAML file that maps pools to partial InferenceServices: resources, tolerations, replicas"
    )
    kserve_rollout_seconds: float = Field(600.0, gt=0, description="how long KServe may take to bring a pool to a release")
    triton_deadline_seconds: float = Field(30.0, gt=0, description="time that Triton gets for an answer; then it is a 503")
    triton_device: Literal["auto", "cpu", "gpu"] = Field(
        "auto",
        description="what models without a config.pbtxt of their own run on in Triton; auto = a GPU where there is one",
    )
    triton_instances: int = Field(1, ge=1, le=64, description="copies of each of these models in Triton, on each device")
    triton_tensorrt: Literal["off", "FP32", "FP16"] = Field(
        "off", description="have TensorRT run these models, in that precision; needs the device gpu"
    )
    triton_response_cache_bytes: int = Field(
        0, ge=0, description="memory of a Triton server for answers to equal requests for these models; 0: none"
    )
    model_pools: dict[str, list[UUID]] = Field(
        {}, description='with kserve: models that have servers of their own, as JSON: {"pool": ["uuid", ...], ...}'
    )
    threads: int | None = Field(None, ge=1, description="threads that decode and run models; default: the CPUs of the cgroup")
    max_queue: int = Field(256, ge=1, description="images that may wait for one model; more are answered 503")
    cached_answers: int = Field(
        4096, ge=0, description="images about which the detectors' answers are kept in memory, about a KiB each; 0: none"
    )
    max_image_bytes: int = Field(20 * 2**20, ge=1024, description="largest image file")
    fetch_pictures: Literal["on", "off"] | None = Field(
        None,
        description="on: people may name pictures by their address on the web, and the server fetches them; default: on where it "
        "listens to its own machine alone, else off",
    )
    fetch_seconds: float = Field(15.0, gt=0, description="time that fetching a picture may take")
    fetch_never_from: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="networks, with commas between them, that no picture is fetched from, beyond those that are not public: such "
        "as your own public ones",
    )
    fetch_also_from: Annotated[tuple[tuple[IPv4Address | IPv6Address, int], ...], NoDecode] = Field(
        (),
        description="address:port, with commas between them, of servers in your own network that pictures are fetched from, too",
    )
    max_request_bytes: int = Field(128 * 2**20, ge=1024, description="largest request body")
    max_upload_bytes: int = Field(20 * 2**30, ge=1024, description="largest file of a resumable upload")
    upload_quota_bytes: int = Field(
        50 * 2**30, ge=1024, description="what all uploads that nothing has made use of yet may take up together"
    )
    upload_expiry_seconds: float = Field(
        24 * 3600.0, gt=0, description="an upload that neither grows nor is made use of for so long is removed"
    )
    upload_types: Annotated[tuple[str, ...], NoDecode] = Field(
        (".zip", ".tar", ".tar.gz", ".tgz", ".jpg", ".jpeg", ".png", ".onnx", ".h5", ".npz"),
        description="endings of the file names that resumable uploads take, with commas between them",
    )
    max_dataset_files: int = Field(200_000, ge=1, description="files in the archives of one data set")
    max_dataset_bytes: int = Field(50 * 2**30, ge=1024, description="what the archives of one data set may unpack to")
    max_model_bytes: int = Field(2 * 10**9, ge=1024, le=2**31 - 1, description="largest model that is taken in")
    model_check_seconds: int = Field(60, ge=1, le=3600, description="time that trying an uploaded model may take")
    model_check_memory_bytes: int = Field(6 * 2**30, ge=2**30, description="address space that trying an uploaded model may take")
    model_convert_seconds: int = Field(
        900, ge=1, le=24 * 3600, description="time that making a model of uploaded weights may take"
    )
    model_convert_memory_bytes: int = Field(6 * 2**30, ge=2**20, description="memory that making a model of weights may take")
    trainings: Literal["local", "kubernetes"] = Field(
        "local", description="what trainings are: processes of this machine, or Kubernetes Jobs"
    )
    job_template: Path | None = Field(
        None, description="file with a partial Job that trainings' Jobs are made from, in YAML; see docs/training.md"
    )
    kubernetes_name: str = Field(
        "visionlab",
        pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="what the names of all that is made in Kubernetes begin with; one installation in a namespace each",
    )
    kubernetes_namespace: str | None = Field(None, description="where it is made; default: the pod's own namespace")
    kubernetes_owner: str | None = Field(
        None, description="ConfigMap with which all that is made goes, and without which nothing is; default: what is made stays"
    )
    train_command: str | None = Field(
        None, description="what trains, as a shell would read it; default: the visionlab-train that is installed"
    )
    trainings_at_once: int = Field(1, ge=0, description="trainings that may run at the same time; 0: none is started")
    training_memory_bytes: int | None = Field(
        None, ge=2**20, description="memory that a training may take; beyond it, it is ended with a reason; default: any"
    )
    training_nice: int = Field(10, ge=0, le=19, description="how far trainings step back behind the server on the CPUs")
    extra_architectures: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="architectures that your train_command knows beside ours, with commas between them"
    )
    graceful_stop_seconds: int = Field(20, ge=0, description="time that requests under way get to finish")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto = text on a terminal, JSON elsewhere")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("upload_types", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip().lower() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("extra_architectures", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("fetch_never_from", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("fetch_also_from", mode="before")
    @classmethod
    def _split_places(cls, value: object) -> object:
        return tuple(read_place(part) for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_url(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _triton_can_do_it(self) -> Self:
        if self.triton_tensorrt != "off" and self.triton_device != "gpu":
            raise ValueError("VISIONLAB_TRITON_TENSORRT needs VISIONLAB_TRITON_DEVICE=gpu")
        if self.triton_device == "gpu" and self.serving == "triton":
            raise ValueError("VISIONLAB_TRITON_DEVICE=gpu is for other Tritons: the one that the facade starts runs on CPUs")
        return self

    @model_validator(mode="after")
    def _kserve_can_read_the_store(self) -> Self:
        if self.serving == "kserve":
            if not (self.store_url or "").startswith("s3://"):
                raise ValueError("VISIONLAB_SERVING=kserve needs VISIONLAB_STORE_URL=s3://bucket/prefix")
            self.kubernetes_names()
            self.pool_plan()
        return self

    @model_validator(mode="after")
    def _off_is_for_laptops(self) -> Self:
        if self.auth == "off" and not self.listens_to_itself:
            raise ValueError("VISIONLAB_AUTH=off needs a host that only this machine can reach, such as 127.0.0.1")
        return self

    @model_validator(mode="after")
    def _provider_knows_us(self) -> Self:
        if self.oidc_issuer is not None and self.oidc_client_id is None:
            raise ValueError("VISIONLAB_OIDC_ISSUER needs VISIONLAB_OIDC_CLIENT_ID")
        return self

    @model_validator(mode="after")
    def _jobs_can_be_made(self) -> Self:
        if self.trainings == "kubernetes" and self.job_template is None:
            raise ValueError("VISIONLAB_TRAININGS=kubernetes needs VISIONLAB_JOB_TEMPLATE, which names at least an image")
        if self.trainings == "kubernetes" and not (self.store_url or "").startswith("s3://"):
            raise ValueError("VISIONLAB_TRAININGS=kubernetes needs a VISIONLAB_STORE_URL s3://..., which Jobs reach on any node")
        return self

    @model_validator(mode="after")
    def _s3_can_be_reached(self) -> Self:
        try:
            self.s3_settings()
        except ValidationError as error:
            problem = error.errors()[0]
            name = "".join(f"_{part.upper()}" for part in problem["loc"] if isinstance(part, str))
            raise ValueError(f"VISIONLAB_S3{name}: {problem['msg'].removeprefix('Value error, ')}") from None
        return self

    @property
    def listens_to_itself(self) -> bool:
        """Whether nobody but this machine can reach the server."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:  # a name, and who knows where it leads
            return False

    @property
    def fetches_pictures(self) -> bool:
        """Whether pictures are fetched from the web: by default where only people at this machine can ask for it."""
        return self.listens_to_itself if self.fetch_pictures is None else self.fetch_pictures == "on"

    def reach(self) -> Reach:
        """Where pictures may be fetched from."""
        return Reach(frozenset(self.fetch_also_from), self.fetch_never_from)

    def limit_per_minute(self, chosen: int | None, usual: int) -> int:
        """A limit of rate: as chosen, or the usual one, which a machine that only serves itself does not need."""
        if chosen is not None:
            return chosen
        return 0 if self.listens_to_itself else usual

    def resolved_database_url(self) -> URL:
        """The database to use."""
        if self.database_url:
            return read_url(self.database_url.get_secret_value())
        return URL.create("sqlite+aiosqlite", database=str(self.data_folder.absolute() / "visionlab.db"))

    def kubernetes_names(self) -> Names:
        """Where pools are in Kubernetes, and what they are called there.

        Raises:
            ValueError: the name makes no names in Kubernetes.
        """
        return Names(self.kubernetes_namespace or own_namespace(), self.kubernetes_name)

    def pool_plan(self) -> PoolPlan:
        """Which pool serves which model.

        Raises:
            ValueError: the models' own pools make no plan.
        """
        return PoolPlan(self.model_pools) if self.serving == "kserve" else BY_KIND

    def resolved_store_url(self) -> str:
        """The object store to use."""
        return self.store_url or (self.data_folder.absolute() / "store").as_uri()

    def s3_settings(self) -> S3Settings:
        """How the S3 of the store is reached."""
        return S3Settings(
            endpoint=self.s3_endpoint,
            region=self.s3_region,
            access_key=self.s3_access_key,
            secret_key=self.s3_secret_key,
            create_bucket=self.s3_create_bucket,
            addressing=self.s3_addressing,
        )

    def open_store(self) -> ObjectStore:
        """The object store; blocks.

        Raises:
            ValueError: its address is none.
            StoreUnavailable: it cannot be made.
        """
        return open_store(self.resolved_store_url(), self.s3_settings())
