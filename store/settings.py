"""Every setting of Vidro, in one place: an environment variable VIDRO_<NAME>, or a file /run/secrets/vidro_<name>."""

import ipaddress
import re
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from store.host import cores, memory_bytes

SECRETS = Path("/run/secrets")
ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#@\\\s]+)")
SITE = re.compile(r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
"""An origin of web pages, as it may stand in a policy."""
HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def origin(text: str) -> str | None:
    """An origin as browsers send it: scheme, host and the port where it is not the scheme's own; None for what is none."""
    found = ORIGIN.fullmatch(text.lower())
    return f"{found[1]}://{found[2].removesuffix(DEFAULT_PORTS.get(found[1], ''))}" if found else None


def host_name(host: str) -> str:
    """The name in a Host field, without its port, in lower case."""
    host = host.strip().lower()
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].removesuffix(".")


def networks(names: str) -> list[Network]:
    """Addresses and networks, comma-separated. Raises ValueError."""
    return [ipaddress.ip_network(name, strict=False) for name in _entries(names)]


def _entries(text: str) -> list[str]:
    return [entry for entry in map(str.strip, text.split(",")) if entry]


def _site(text: str) -> str | None:
    """The origin of web pages that an address names, whose path is none or `/`; None for what is none."""
    found = origin(text.removesuffix("/"))
    return found if found is not None and SITE.fullmatch(found) else None


class Settings(BaseSettings):
    """The settings. The defaults are the embedded form: SQLite, files and Celery's filesystem transport in one folder."""

    model_config = SettingsConfigDict(env_prefix="VIDRO_", secrets_dir=SECRETS if SECRETS.is_dir() else None)

    data: Path = Field(default=Path("data"), description="the folder that holds all that is stored")
    database_url: str = Field(default="", description="SQLAlchemy's URL; SQLite in the data folder by default")
    broker_url: str = Field(default="", description="Celery's broker; files in the data folder by default")
    host: str = Field(default="127.0.0.1", description="address to listen on; any but loopback needs an API key")
    port: int = Field(default=8000, description="port to listen on")
    cors_origins: str = Field(
        default="",
        description="comma-separated origins whose pages may call, as https://app.example; *: all, once there is a key",
    )
    allowed_hosts: str = Field(
        default="",
        description="comma-separated names, besides this machine's own, that it may be called by while it has no key",
    )
    public_url: str = Field(
        default="",
        description="address that browsers reach the server by where a proxy stands before it, as https://vidro.example",
    )
    frame_ancestors: str = Field(
        default="",
        description="comma-separated origins whose pages may show the dashboard in a frame, as https://course.example",
    )
    session_hours: float = Field(
        default=168, gt=0, le=8760, description="hours that a browser stays signed in, at most until its key ends"
    )
    workers: int = Field(default=1, ge=1, description="training processes of one `vidro worker`")
    threads: int = Field(default=0, ge=0, description="threads of a training process; 0: the cores shared among its workers")
    queues: str = Field(default="train", description="comma-separated queues that a worker takes jobs from")
    max_upload_bytes: int = Field(default=2**30, description="largest dataset file accepted")
    max_unpacked_bytes: int = Field(default=4 * 2**30, description="what a packed dataset file may unpack to")
    max_body_bytes: int = Field(default=16 * 2**20, description="largest JSON body accepted")
    max_body_values: int = Field(default=2_000_000, ge=1000, description="values in a JSON body, counted before it is parsed")
    max_bodies_bytes: int = Field(default=2**28, description="JSON bodies in memory at once, all together")
    header_seconds: float = Field(default=10, gt=0, description="time for the headers of a request")
    max_header_bytes: int = Field(default=2**16, ge=1024, description="bytes that the headers of a request may take")
    body_seconds: float = Field(
        default=20, gt=0, description="a body of which less than 1 KiB comes in that time, or an answer not read, is given up"
    )
    idle_seconds: int = Field(default=15, ge=1, description="a connection without a request is closed after that time")
    max_connections: int = Field(
        default=0, ge=0, description="connections open at once; 0: as many as the system's limit on files allows"
    )
    max_connections_each: int = Field(default=10_000, ge=1, description="connections open at once from one address")
    trusted_proxies: str = Field(
        default="",
        description="comma-separated addresses or networks of proxies whose Forwarded, X-Forwarded-For and -Proto are believed",
    )
    inline_bytes: int = Field(
        default=2**20, description="content up to that size lives in the database, larger in the data folder"
    )
    max_work: int = Field(
        default=10**11,
        ge=10**6,
        description="elementary operations that one call may take, counted before any is done: some seconds of one core",
    )
    slice_seconds: float = Field(
        default=3600,
        gt=0,
        description="seconds of one core, as estimated before it begins, that a job which is a slice of a loss may take",
    )
    wait_seconds: float = Field(
        default=10,
        gt=0,
        description="how long a request waits for its turn: for the database's one writer, a connection, a reader of files",
    )
    readers: int = Field(default=2, ge=1, description="dataset files read at once, each in a process of its own")
    reader_bytes: int = Field(default=4 * 2**30, description="memory that reading a dataset file may take")
    reader_seconds: float = Field(default=600, gt=0, description="time that reading a dataset file may take")
    upload_seconds: float = Field(default=86_400, gt=0, description="a resumable upload not heard of for that long is removed")
    lease_seconds: float = Field(default=15, gt=0, description="a worker not heard of for that long has lost its job")
    checkpoint_seconds: float = Field(
        default=10, gt=0, description="time between two checkpoints of a run, besides those that its job asks for"
    )
    max_job_bytes: int = Field(
        default=0, ge=0, description="memory that one job may take; 0: four fifths of the machine's, shared among its workers"
    )
    max_queued_per_owner: int = Field(default=10_000, ge=0, description="jobs that one owner may have queued; 0: any number")
    sweep_seconds: float = Field(default=2, gt=0, description="time between two rounds of the sweeper")
    orphan_seconds: float = Field(
        default=3600, gt=0, description="files of uploads and checkpoints that were never committed are removed at that age"
    )
    keep_checkpoints_days: float = Field(
        default=0, ge=0, description="days after a job's end at which its checkpoints go, but its model's; 0: they stay"
    )
    keep_curves_days: float = Field(
        default=0, ge=0, description="days after a job's end at which its curves and histograms go; 0: they stay"
    )
    polling_seconds: float = Field(default=0.02, gt=0, description="how often the filesystem transport looks for messages")
    max_streams: int = Field(
        default=10_000, ge=1, description="event streams open at once in a process, as far as open files allow"
    )
    max_streams_per_key: int = Field(
        default=5_000, ge=1, description="event streams open at once with one key, or, while there is none, of everybody"
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @cached_property
    def origins(self) -> frozenset[str]:
        """The origins whose pages may call."""
        return frozenset(origin(entry.removesuffix("/")) or entry for entry in _entries(self.cors_origins))

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Names that the server may be called by while it has no key, besides this machine's own."""
        public = [self.public_origin.partition("://")[2]] if self.public_origin else []
        return frozenset(map(host_name, [*_entries(self.allowed_hosts), *public]))

    @cached_property
    def proxies(self) -> list[Network]:
        """Networks of the proxies that are trusted."""
        return networks(self.trusted_proxies)

    @cached_property
    def framers(self) -> list[str]:
        """The origins whose pages may show the dashboard in a frame."""
        return [_site(entry) or "" for entry in _entries(self.frame_ancestors)]

    @cached_property
    def public_origin(self) -> str | None:
        """The origin of the server's own pages as browsers see it, where a setting names it."""
        return _site(self.public_url)

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        for entry in _entries(text):
            if entry != "*" and origin(entry.removesuffix("/")) is None:
                raise ValueError(f"'{entry}' is no origin; write scheme and host, as https://app.example")
        return text

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, text: str) -> str:
        for entry in _entries(text):
            if entry == "*":
                raise ValueError("name each host; any is taken once there is a key (vidro keys create)")
            if not HOST.fullmatch(entry):
                raise ValueError(f"'{entry}' is no host; write its name alone, as box.example")
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        for entry in _entries(text):
            try:
                networks(entry)
            except ValueError:
                raise ValueError(f"'{entry}' is no address or network; write one as 10.0.0.7 or 10.0.0.0/8") from None
        return text

    @field_validator("public_url", "frame_ancestors")
    @classmethod
    def _are_sites(cls, text: str, info: ValidationInfo) -> str:
        for entry in [text] if info.field_name == "public_url" and text else _entries(text):
            if _site(entry) is None:
                raise ValueError(f"'{entry}' is no origin of pages; write http or https and the host, as https://vidro.example")
        return text

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data.absolute() / 'vidro.db'}"

    @property
    def threads_each(self) -> int:
        """Threads of one training process: as set, or the cores of this machine or container, shared among its workers."""
        return self.threads or max(1, cores() // self.workers)

    @property
    def job_bytes(self) -> int:
        """Memory that one job may take: as set, or of what this machine, or the container that this process is in, has."""
        return self.max_job_bytes or memory_bytes() * 4 // 5 // self.workers

    @property
    def presence_seconds(self) -> float:
        """A worker not heard of for so long is taken for gone."""
        return 3 * self.sweep_seconds + 5

    @property
    def broker(self) -> str:
        return self.broker_url or "filesystem://localhost"

    @property
    def files(self) -> Path:
        return self.data.absolute() / "files"

    @property
    def messages(self) -> Path:
        return self.data.absolute() / "messages"


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
