"""What an operator can set: environment variables named VISIONLAB_*, or options of `visionlab-api`."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url


class ApiConfiguration(BaseSettings):
    """Run the facade. `visionlab-api new-admin-token` prints a new admin token instead; the one before counts no more."""

    model_config = SettingsConfigDict(
        env_prefix="VISIONLAB_", cli_parse_args=False, cli_prog_name="visionlab-api", cli_kebab_case=True, cli_hide_none_type=True
    )

    host: str = Field("127.0.0.1", description="address to listen at")
    port: int = Field(8000, ge=0, le=65535, description="port to listen at; 0 = any free one")
    grpc_port: int | None = Field(
        None, ge=0, le=65535, description="port of the Open Inference Protocol over gRPC; 0 = any free one; default: none"
    )
    data_folder: Path = Field(Path(".visionlab"), description="where the SQLite database and the folder store live")
    database_url: str | None = Field(None, description="SQLAlchemy URL; default: SQLite in data_folder")
    store_url: str | None = Field(None, description="file:///path or s3://bucket/prefix; default: a folder in data_folder")
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
    audit_days: float = Field(365.0, ge=0, description="how long the audit log is kept; 0: for ever")
    starter_models: Path | None = Field(Path("models"), description="folder of model versions to install at the start")
    ui_folder: Path | None = Field(
        Path("ui/dist"), description="the built web interface to serve; none where another server does"
    )
    serving: Literal["embedded", "triton"] = Field(
        "embedded", description="what runs models: this process, or Triton servers that it starts (see `make triton`)"
    )
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
    threads: int | None = Field(None, ge=1, description="threads that decode and run models; default: the CPUs of the cgroup")
    max_queue: int = Field(256, ge=1, description="images that may wait for one model; more are answered 503")
    cached_answers: int = Field(
        4096, ge=0, description="images about which the detectors' answers are kept in memory, about a KiB each; 0: none"
    )
    max_image_bytes: int = Field(20 * 2**20, ge=1024, description="largest image file")
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

    @model_validator(mode="after")
    def _triton_can_do_it(self) -> Self:
        if self.triton_tensorrt != "off" and self.triton_device != "gpu":
            raise ValueError("VISIONLAB_TRITON_TENSORRT needs VISIONLAB_TRITON_DEVICE=gpu")
        if self.triton_device == "gpu" and self.serving == "triton":
            raise ValueError("VISIONLAB_TRITON_DEVICE=gpu is for other Tritons: the one that the facade starts runs on CPUs")
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

    @property
    def listens_to_itself(self) -> bool:
        """Whether nobody but this machine can reach the server."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:  # a name, and who knows where it leads
            return False

    def limit_per_minute(self, chosen: int | None, usual: int) -> int:
        """A limit of rate: as chosen, or the usual one, which a machine that only serves itself does not need."""
        if chosen is not None:
            return chosen
        return 0 if self.listens_to_itself else usual

    def resolved_database_url(self) -> URL:
        """The database to use."""
        if self.database_url:
            return make_url(self.database_url)
        return URL.create("sqlite+aiosqlite", database=str(self.data_folder.absolute() / "visionlab.db"))

    def resolved_store_url(self) -> str:
        """The object store to use."""
        return self.store_url or (self.data_folder.absolute() / "store").as_uri()
