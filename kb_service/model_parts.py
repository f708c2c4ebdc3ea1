"""Which models answer, embed and rerank, and what takes the place of one that cannot be used.

Part of the composition root. A model whose files are missing or not the ones that were shipped is
never used: its place is taken by the next best that needs no such file, and the reason is kept to
be told. A server on another machine has no next best. Knows no database.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from kb_service.checksums import verify_checksums
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.extras import extra_needed
from kb_service.domain.ports import Embedder, Generator, PassageReader, Reranker
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.words_reader import WordsReader
from kb_service.language.stated.sense import LabelSense
from kb_service.services.parts import Chosen, Part
from kb_service.settings import (
    EmbeddingSettings,
    LlmSettings,
    ReaderSettings,
    RerankSettings,
    RetrievalSettings,
    Settings,
)
from retrievers.absent import AbsentEmbedder

if TYPE_CHECKING:
    from kb_service.encoder.kernel import Kernel

Model = TypeVar("Model")
SENSING_ENCODER = "e5-zh-en"
"""The encoder whose cosines tell what labels mean: the margins were set on it."""
NO_EMBEDDER = (
    "words and exact identifiers find alone; what is ingested meanwhile gets its vectors when the "
    "model can be used again"
)
NO_READER = "shared words alone choose what is quoted: fewer questions are answered, less surely"
NO_RERANKER = "searches keep the order of words and identifiers"


log = structlog.get_logger("models")


@dataclass(frozen=True, slots=True)
class Models:
    """The models of one service, each loaded when it is first asked for."""

    embedder: Part[Chosen[Embedder]]
    reranker: Part[Chosen[Reranker | None]]
    reader: Part[Chosen[PassageReader]]
    generator: Part[Chosen[Generator]]


def build_models(settings: Settings) -> Models:
    """Return the models that the settings name, or what takes their places; loads none yet."""
    return Models(
        Part(lambda: _told("embedder", choose_embedder(settings.embedding))),
        Part(lambda: _told("reranker", choose_reranker(settings.rerank))),
        Part(lambda: _told("reader", choose_reader(settings.reader))),
        Part(lambda: _told("generator", choose_generator(settings.llm))),
    )


def configured_models(models: Models, settings: Settings) -> Mapping[str, Part[Chosen[object]]]:
    """Return those that load a model of the settings, by name."""
    found: dict[str, Part[Chosen[object]]] = {"embedder": models.embedder}
    if settings.rerank.model:
        found["reranker"] = models.reranker
    if settings.reader.model:
        found["reader"] = models.reader
    return found | {"generator": models.generator}


def model_names(models: Models, settings: Settings) -> Mapping[str, Callable[[], str]]:
    """Return what tells the name of each model of the settings that is in use, by part."""

    def reranker() -> str:
        model = models.reranker().model
        return model.name if model else ""

    found: dict[str, Callable[[], str]] = {"generator": lambda: models.generator().model.info.name}
    if settings.reader.model:
        found["reader"] = lambda: models.reader().model.name
    found["embedder"] = lambda: models.embedder().model.profile.name
    if settings.rerank.model:
        found["reranker"] = reranker
    return found


def label_sense(retrieval: RetrievalSettings, models: Models) -> LabelSense | None:
    """Return what tells what labels mean: the encoder on which its margins were set, or none."""
    if retrieval.dense_weight == 0:
        return None
    embedder = models.embedder().model
    profile = embedder.profile
    is_known = profile.name == SENSING_ENCODER and profile.dimension > 0
    return LabelSense(embedder.embed_passages, profile.fingerprint) if is_known else None


def dense_weight(retrieval: RetrievalSettings, models: Models) -> float:
    """Return the weight in force: without vectors the dense leg is not asked."""
    has_vectors = models.embedder().model.profile.dimension > 0
    return retrieval.dense_weight if has_vectors else 0.0


def _told(part: str, chosen: Chosen[Model]) -> Chosen[Model]:
    """Log why a model is not the configured one."""
    if problem := chosen.problem:
        log.error("next best model", part=part, code=problem.code, error=problem.message)
    return chosen


def choose_embedder(embedding: EmbeddingSettings) -> Chosen[Embedder]:
    """Return the configured embedder, else one without vectors."""

    def load() -> Embedder:
        from retrievers.embedding import load_embedder

        return load_embedder(
            embedding.model,
            allow_download=embedding.allow_download,
            num_threads=embedding.threads,
            kernel=encoder_kernel(),
        )

    return _or_next_best(load, lambda reason: Chosen(AbsentEmbedder(reason)), NO_EMBEDDER)


def choose_reranker(rerank: RerankSettings) -> Chosen[Reranker | None]:
    """Return the configured reranker, None where there is none or it cannot be used."""
    if not rerank.model:
        return Chosen(None)

    def load() -> Reranker | None:
        from retrievers.cross_encoder import load_reranker

        return load_reranker(_folder_of(rerank.model), num_threads=rerank.threads)

    return _or_next_best(load, lambda _: Chosen(None), NO_RERANKER)


def choose_reader(reader: ReaderSettings) -> Chosen[PassageReader]:
    """Return the configured reading model, else reading by shared words."""
    if not reader.model:
        return Chosen(WordsReader())
    return _or_next_best(
        lambda: load_reader(_folder_of(reader.model), reader),
        lambda _: Chosen(WordsReader()),
        NO_READER,
    )


def load_reader(folder: Path, settings: ReaderSettings) -> PassageReader:
    """Open a reading model after checking its files. Raises ConfigurationError `model_…`."""
    from kb_service.encoder.folder import WORDS_FROM, read_config
    from kb_service.generation.passage_reader import TrainedReader
    from kb_service.generation.span_scorer import load_scorer

    if not folder.is_dir():
        raise ConfigurationError(
            f"reading model folder {folder} does not exist",
            code="model_unavailable",
            details={"path": str(folder)},
        )
    verify_checksums(folder)
    shared = str(read_config(folder).get(WORDS_FROM, "."))
    verify_checksums(Path(os.path.normpath(folder / shared)))
    scorer = load_scorer(folder, settings.threads, encoder_kernel())
    return TrainedReader(scorer, settings.windows)


def encoder_kernel() -> "Kernel | None":
    """Return the compiled arithmetic of encoders; None where there is none on this machine."""
    from kb_service.encoder.kernel import CompiledKernel
    from llm.kernels.cpu.arrays import array_kernel

    parts = array_kernel()
    return CompiledKernel(parts) if parts else None


def choose_generator(llm: LlmSettings) -> Chosen[Generator]:
    """Return what answers: the model of the address or folder, else the extractive reader."""
    if llm.is_remote:
        return Chosen(_open_remote(llm))
    if not llm.model:
        return Chosen(ExtractiveReader())

    def next_best(_: ConfigurationError) -> Chosen[Generator]:
        return Chosen(ExtractiveReader())

    consequence = "answers come from the built-in extractive reader"
    return _or_next_best(lambda: _from_folder(llm), next_best, consequence)


def _open_remote(llm: LlmSettings) -> Generator:
    from kb_service.generation.remote import open_remote

    return open_remote(
        llm.model,
        llm.name,
        api_key=llm.api_key.get_secret_value(),
        timeout_s=llm.timeout_s,
        max_tokens=llm.max_tokens,
        temperature=llm.temperature,
        max_context=llm.max_context,
    )


def _from_folder(llm: LlmSettings) -> Generator:
    """Load a checkpoint after checking its files, where a list of checksums stands beside them."""
    folder = _folder_of(llm.model)
    verify_checksums(folder)
    return _load_chatglm(folder, llm)


def _folder_of(model: str) -> Path:
    try:
        return Path(model).expanduser()
    except RuntimeError as error:
        raise ConfigurationError(
            f"model folder {model} does not exist: no such user",
            code="model_unavailable",
            details={"path": model},
        ) from error


def _load_chatglm(folder: Path, llm: LlmSettings) -> Generator:
    with extra_needed("llm", "a checkpoint of the ChatGLM family"):
        from kb_service.generation.chatglm import ChatGlmGenerator
        from llm.engine.scheduler import EngineLimits

    generator = ChatGlmGenerator.load(
        str(folder),
        max_tokens=llm.max_tokens,
        temperature=llm.temperature,
        limits=EngineLimits(
            cache_tokens=llm.cache_tokens,
            max_running=llm.max_running,
            max_waiting=llm.max_waiting,
        ),
        device=llm.device,
        dtype=llm.dtype,
        quantize=llm.quantize or None,
        lora=Path(llm.adapter) if llm.adapter else None,
        prefix=Path(llm.prefix) if llm.prefix else None,
        family=llm.generation or None,
        rope_theta=llm.rope_theta or None,
    )
    _ = generator.info  # hashes every weight file once; until then it counts as loading
    return generator


def _or_next_best(
    load: Callable[[], Model],
    next_best: Callable[[ConfigurationError], Chosen[Model]],
    consequence: str,
) -> Chosen[Model]:
    """Return the model, or what takes its place with both reasons. Other errors are raised."""
    try:
        return Chosen(_readable(load))
    except ConfigurationError as error:
        if not error.code.startswith("model_"):
            raise
        chosen = next_best(error)
        problem = f"{error.message}; {consequence}"
        if chosen.problem:
            problem = f"{problem}; {chosen.problem.message}"
        return Chosen(
            chosen.model, ConfigurationError(problem, code=error.code, details=error.details)
        )


def _readable(load: Callable[[], Model]) -> Model:
    """Load; a folder or file that the system does not let us read is a model out of reach."""
    try:
        return load()
    except OSError as error:
        raise ConfigurationError(
            f"the model cannot be read: {error}",
            code="model_unavailable",
            details={"path": str(error.filename)},
        ) from error
