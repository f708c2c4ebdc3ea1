"""Every setting of the service, read from the environment (`KB_…`, nested with `__`) or kb.toml.

Knows names, types, defaults and accepted ranges; builds nothing and opens nothing.
"""

import logging
import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kb_service.cluster_settings import RaySettings

PROJECT_ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024


class EmbeddingSettings(BaseModel):
    """KB_EMBEDDING__…: the folder of an encoder, or a sentence-transformers name or folder.

    `allow_download`: fetch a name that is not on this machine; off, because nothing is downloaded
    unless the user says so. `threads`: that an encoder shares texts over.
    """

    model: str = str(PROJECT_ROOT / "models" / "e5-zh-en")
    allow_download: bool = False
    threads: Annotated[int, Field(ge=1, le=64)] = 2


class RerankSettings(BaseModel):
    """KB_RERANK__…: the folder of a cross-encoder that orders the first candidates of a search.

    A question that the quoting reader answers is searched without it: that one reads what is found.
    `model`: empty for none. `candidates` of each search are read, however long it takes. `weight`:
    1 orders by the model's score alone; less adds, with the rest of the weight, the standardised
    score of the words, or of words and vectors where both are asked; 0.15 suits the built-in model,
    1 a strong one. `threads`: of one forward pass.
    """

    model: str = str(PROJECT_ROOT / "models" / "cross-zh-en")
    candidates: Annotated[int, Field(ge=2, le=100)] = 20
    weight: Annotated[float, Field(gt=0, le=1)] = 0.15
    threads: Annotated[int, Field(ge=1, le=64)] = 1


class ReaderSettings(BaseModel):
    """KB_READER__…: the folder of the model that reads passages and says which words answer.

    `model`: empty for none; then shared words alone choose what is quoted. `windows`: so many
    stretches of about 200 tokens are read for each question. `threads`: that share them.
    """

    model: str = str(PROJECT_ROOT / "models" / "reader-zh-en")
    windows: Annotated[int, Field(ge=1, le=64)] = 8
    threads: Annotated[int, Field(ge=1, le=64)] = 2


class LlmSettings(BaseModel):
    """KB_LLM__…: the folder of a checkpoint, the http(s) address of an OpenAI-compatible server, or
    empty for the built-in extractive reader.

    With an address: `name` is the model's name there (empty: the only one it has), `max_context`
    the tokens of prompt and answer together, `timeout_s` the longest wait for the next bytes.

    With a folder: `quantize` rounds its weights while loading, `adapter` is the folder of a LoRA
    adapter, `prefix` that of a P-tuning encoder; `generation` and `rope_theta` (0: not) override
    what config.json says of them. `cache_tokens` is the room for cached prompts and answers (0: by
    memory); `max_running` replies are written at a time and `max_waiting` wait.
    """

    model: str = ""
    name: str = ""
    api_key: SecretStr = SecretStr("")
    max_context: Annotated[int, Field(ge=256)] = 8192
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    device: str = "cpu"
    dtype: str = "auto"
    quantize: Literal["", "int8", "int4"] = ""
    adapter: str = ""
    prefix: str = ""
    generation: Literal["", "chatglm1", "glm130b", "chatglm2", "chatglm3", "glm4", "glm"] = ""
    rope_theta: Annotated[float, Field(ge=0)] = 0.0
    cache_tokens: Annotated[int, Field(ge=0)] = 0
    max_running: Annotated[int, Field(ge=1, le=256)] = 32
    max_waiting: Annotated[int, Field(ge=0, le=10_000)] = 64
    max_tokens: Annotated[int, Field(ge=1, le=32768)] = 512
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0

    @property
    def is_remote(self) -> bool:
        """True when `model` is an address and not a folder."""
        return self.model.lower().startswith(("http://", "https://"))


class ServerSettings(BaseModel):
    """KB_SERVER__…: `answerers`: processes that search and answer beside the server; by cores."""

    answerers: Annotated[int, Field(ge=0, le=64)] | None = None


class IngestSettings(BaseModel):
    """KB_INGEST__…: limits of one file and of the process that parses it.

    A file may take `base_cpu_s` seconds of processor time and `cpu_s_per_mib` more for each MiB, at
    most `timeout_s`; and `base_memory_bytes` of memory and 32 times its size, at most
    `memory_bytes`. `turn_s`: how long a file may keep the others waiting; then it goes on in one of
    `slow_lanes`. `picture_s`: processor time of one page picture; `read_page_s`: of
    reading one page by OCR. `converter`: what reads doc, ppt and wps files: `auto` (LibreOffice or
    catdoc where installed), `off`, or a path.
    """

    max_file_bytes: Annotated[int, Field(ge=1)] = 100 * MIB
    max_pages: Annotated[int, Field(ge=1)] = 5000
    max_page_points: Annotated[float, Field(gt=0)] = 14400.0
    max_text_chars: Annotated[int, Field(ge=1)] = 20_000_000
    max_decompressed_bytes: Annotated[int, Field(ge=1)] = 512 * MIB
    timeout_s: Annotated[float, Field(gt=0)] = 300.0
    memory_bytes: Annotated[int, Field(ge=256 * MIB)] = 2048 * MIB
    base_cpu_s: Annotated[float, Field(ge=1)] = 30.0
    cpu_s_per_mib: Annotated[float, Field(ge=0)] = 60.0
    base_memory_bytes: Annotated[int, Field(ge=256 * MIB)] = 1024 * MIB
    turn_s: Annotated[float, Field(gt=0)] = 0.5
    slow_lanes: Annotated[int, Field(ge=1, le=16)] | None = None
    picture_s: Annotated[float, Field(ge=1)] = 5.0
    read_page_s: Annotated[float, Field(ge=1)] = 30.0
    converter: Annotated[str, Field(min_length=1)] = "auto"
    lease_s: Annotated[float, Field(ge=1)] = 30.0
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    max_files_per_upload: Annotated[int, Field(ge=1)] = 500
    max_upload_bytes: Annotated[int, Field(ge=1)] = 2048 * MIB


class RetrievalSettings(BaseModel):
    """KB_RETRIEVAL__…: how many chunks are fused and how much text reaches the generator.

    `dense_weight`: of what is near in meaning, beside 1 for the words; 0 asks words and exact
    identifiers only, and no vectors are made.
    """

    candidates: Annotated[int, Field(ge=1, le=1000)] = 100
    dense_weight: Annotated[float, Field(ge=0, le=10)] = 0.5
    passages: Annotated[int, Field(ge=1, le=50)] = 6
    passage_tokens: Annotated[int, Field(ge=50, le=4000)] = 400
    context_tokens: Annotated[int, Field(ge=100, le=32000)] = 2400
    max_top_k: Annotated[int, Field(ge=1)] = 100
    max_question_chars: Annotated[int, Field(ge=1)] = 2000


def _index_url(value: str) -> str:
    """Check where the index is: the address of a Milvus server, or a file of milvus-lite."""
    if not value or value.endswith(".db"):
        return value
    parts = urlsplit(value)
    is_plain = parts.hostname and not (parts.username or parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not is_plain:
        raise ValueError("not an address such as http://milvus:19530, without names and passwords")
    return value.rstrip("/")


class IndexSettings(BaseModel):
    """KB_INDEX__…: where words and vectors are searched: segments of this machine, or a Milvus.

    `url`: http(s) address of Milvus, or a file (`.db`) of milvus-lite, which one process at a time
    can open; empty: segments in the data folder. `token`: `user:password` or a key. `prefix`: what
    the names of its collections begin with; services that share one Milvus need different ones.
    `timeout_s`: the longest wait for an answer of it.
    """

    url: Annotated[str, AfterValidator(_index_url)] = ""
    token: SecretStr = SecretStr("")
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{0,31}$")] = "kb"
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0


def _listed(value: object) -> object:
    """Split `a, b` as the environment writes a list; kb.toml has real ones."""
    if isinstance(value, str):
        return [part for part in re.split(r"[,\s]+", value) if part]
    return value


def _level(name: str) -> str:
    if name.upper() not in logging.getLevelNamesMapping():
        raise ValueError(f"{name!r} is none of DEBUG, INFO, WARNING, ERROR, CRITICAL")
    return name.upper()


def _host(name: str) -> str:
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?", name):
        raise ValueError(f"{name!r} is not a host name with an optional port")
    return name.lower()


def _public_url(value: str) -> str:
    """Check the address by which browsers reach the service; its end is never a slash."""
    if not value:
        return value
    parts = urlsplit(value)
    is_plain = parts.hostname and not (parts.username or parts.query or parts.fragment)
    is_path = re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", parts.path)
    if parts.scheme not in {"http", "https"} or not is_plain or not is_path:
        raise ValueError(f"{value!r} is not an address such as https://kb.example.org/docs")
    _host(parts.netloc)
    return value.rstrip("/")


Hosts = Annotated[
    tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_listed)
]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)]


class StorageSettings(BaseModel):
    """KB_STORAGE__…: how long a write waits for another one, and the room kept for deletes.

    `write_wait_s`: after so long a change is refused (503) rather than kept waiting. The worker
    waits longer, a question never that long. `reserve_bytes`: 0 keeps nothing back. Of PostgreSQL:
    each process keeps `pool_size` connections, opens `pool_extra` more while these are in use, and
    after `pool_wait_s` without one a request is refused (503).
    """

    write_wait_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    reserve_bytes: Annotated[int, Field(ge=0)] = 32 * MIB
    pool_size: Annotated[int, Field(ge=1, le=200)] = 5
    pool_extra: Annotated[int, Field(ge=0, le=200)] = 15
    pool_wait_s: Annotated[float, Field(gt=0, le=600)] = 10.0


def _bucket_url(value: str) -> str:
    """Check where original files are kept: empty, or a bucket with a folder or without."""
    if value and not re.fullmatch(r"s3://[A-Za-z0-9][A-Za-z0-9._-]+(/[\w.-]+)*/?", value):
        raise ValueError("an address such as s3://bucket/folder is accepted; it holds no password")
    return value.rstrip("/")


class BlobSettings(BaseModel):
    """KB_BLOBS__…: where original files are kept: `url` empty for the data folder, or s3://….

    `user` and `password`: key and secret of the store, `endpoint`: of one that is not Amazon's,
    `ca_file`: certificates to trust instead of the system's. Files in use are copied into the data
    folder: each for `copies_s` after its last use, all together `copies_bytes`.
    """

    url: Annotated[str, AfterValidator(_bucket_url)] = ""
    endpoint: str = ""
    user: str = ""
    password: SecretStr = SecretStr("")
    ca_file: str = ""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    copies_s: Annotated[float, Field(ge=120, le=86_400)] = 3600.0
    copies_bytes: Annotated[int, Field(ge=0)] = 2048 * MIB


class FollowedFolder(BaseModel):
    """One of `[[sync.folders]]`: a place (`path` or `url`) and the base (`kb`) that follows it."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, Field(min_length=1, validation_alias=AliasChoices("path", "url"))]
    kb: Annotated[str, Field(min_length=1)]
    account: str = ""
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prune: bool = False


class SourceAccount(BaseModel):
    """KB_SYNC__ACCOUNTS__<NAME>__…: how a place on another machine is opened.

    `endpoint`: of an object store that is not Amazon's. `ca_file`: certificates to trust instead of
    the system's. `tls`: false lets names, passwords and words travel in the open.
    """

    model_config = ConfigDict(extra="forbid")

    user: str = ""
    password: SecretStr = SecretStr("")
    endpoint: str = ""
    ca_file: str = ""
    tls: bool = True


class SyncSettings(BaseModel):
    """KB_SYNC__…: what `kb sync` follows. `settle_s`: pause between two looks at a new file."""

    settle_s: Annotated[float, Field(ge=0, le=60)] = 0.5
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    folders: tuple[FollowedFolder, ...] = ()
    accounts: dict[str, SourceAccount] = Field(default_factory=dict)


class HistorySettings(BaseModel):
    """KB_HISTORY__…: how long earlier versions can be searched.

    `keep_days`: after so many a version that was replaced is no longer found as of its time; its
    bytes and its text stay with its document.
    """

    keep_days: Annotated[int, Field(ge=0, le=36_500)] = 365


class WatchSettings(BaseModel):
    """KB_WATCH__…: standing questions. `settle_s`: how long a base rests before they are asked.

    `webhook_hosts`: the hosts (`name` or `name:port`) that changes may be posted to; none without.
    `webhook_private`: also where such a host is an address of this machine or of a private network.
    """

    settle_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    webhook_hosts: Hosts = ()
    webhook_private: bool = False
    webhook_timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0


def setting_names(model: type[BaseModel], prefix: str = "KB_") -> Iterator[str]:
    """Yield the environment name of every setting, nested ones included."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_names(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


class Settings(BaseSettings):
    """All settings; `Settings()` reads kb.toml in the working folder, then the environment."""

    model_config = SettingsConfigDict(
        env_prefix="KB_", env_nested_delimiter="__", toml_file="kb.toml", extra="forbid"
    )

    data_dir: Path = Path("kb-data")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    public_url: Annotated[str, AfterValidator(_public_url)] = ""
    allowed_hosts: Hosts = ()
    trusted_proxies: Networks = ()
    proxy_authenticates: bool = False
    max_connections: Annotated[int, Field(ge=0, le=100_000)] = 0
    database_url: str = ""
    api_keys: dict[str, SecretStr] = Field(default_factory=dict)
    log_level: Annotated[str, AfterValidator(_level)] = "INFO"
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    rerank: RerankSettings = Field(default_factory=RerankSettings)
    reader: ReaderSettings = Field(default_factory=ReaderSettings)
    llm: LlmSettings = Field(default_factory=LlmSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    ingest: IngestSettings = Field(default_factory=IngestSettings)
    ray: RaySettings = Field(default_factory=RaySettings)
    retrieval: RetrievalSettings = Field(default_factory=RetrievalSettings)
    index: IndexSettings = Field(default_factory=IndexSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    blobs: BlobSettings = Field(default_factory=BlobSettings)
    sync: SyncSettings = Field(default_factory=SyncSettings)
    watch: WatchSettings = Field(default_factory=WatchSettings)
    history: HistorySettings = Field(default_factory=HistorySettings)

    @property
    def effective_database_url(self) -> str:
        """The database in force: the given URL, else SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'kb.sqlite3'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over kb.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
