"""Which model does what, and which index is asked, in words for `kb doctor`.

Part of the composition root: it may ask any concrete model. Loads nothing but torch, and raises
what a check raises.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, runtime_checkable

from kb_service.answerers.number import answerers_text
from kb_service.checksums import listed_checksums
from kb_service.domain.extras import install_command
from kb_service.domain.ports import Embedder, Generator, PassageReader, RemoteModel, Reranker
from kb_service.index_parts import told
from kb_service.model_parts import Models, dense_weight
from kb_service.settings import EmbeddingSettings, ReaderSettings, RerankSettings, Settings

GIB = 1024**3
NO_TORCH = f"not asked: torch is not installed, and nothing needs it ({install_command('llm')})"


@runtime_checkable
class Described(Protocol):
    """A generator of this process."""

    @property
    def description(self) -> str:
        """How it answers, its shape, type and place."""


def model_checks(settings: Settings, models: Models) -> dict[str, Callable[[], str]]:
    """Return the checks of `kb doctor` that need the models themselves, in order."""
    rerank, embedding = settings.rerank, settings.embedding
    return {
        "index": lambda: told(settings),
        "retrieval": lambda: retrieval_text(dense_weight(settings.retrieval, models)),
        "embedding model": lambda: embedder_text(embedding, models.embedder().configured()),
        "reranking model": lambda: reranker_text(rerank, models.reranker().configured()),
        "reading model": lambda: reader_text(settings.reader, models.reader().configured()),
        "answering model": lambda: generator_text(
            settings.llm.model, models.generator().configured()
        ),
        "int8 and int4 products": kernel_text,
        "answering processes": lambda: answerers_text(settings),
        "gpu": gpu_text,
    }


def retrieval_text(dense_weight: float) -> str:
    """Which legs a question asks."""
    words = "words (BM25) and exact identifiers"
    if dense_weight == 0:
        return f"{words}; vectors are not asked (weight 0)"
    return f"{words}, and vectors at weight {dense_weight:g}"


def embedder_text(embedding: EmbeddingSettings, embedder: Embedder) -> str:
    """Name, size, fingerprint and origin of the embedding model."""
    profile = embedder.profile
    facts = f"{profile.name}, {profile.dimension} dimensions, {profile.fingerprint[:12]}"
    return f"{facts}; {origin_text(embedding.model)}"


def reranker_text(rerank: RerankSettings, reranker: Reranker | None) -> str:
    """What orders the first candidates anew, how many, and how much it counts."""
    if reranker is None:
        return "none: searches keep the order of words and identifiers"
    facts = f"{reranker.name}, first {rerank.candidates} candidates, weight {rerank.weight:g}"
    return f"{facts}; {origin_text(rerank.model)}"


def generator_text(model: str, generator: Generator) -> str:
    """What answers, and where it comes from; `model` is KB_LLM__MODEL. Asks a remote one."""
    if isinstance(generator, RemoteModel):
        return generator.check()
    description = generator.description if isinstance(generator, Described) else "no description"
    origin = f"; {origin_text(model)}" if model else ""
    return f"{generator.info.name}: {description}{origin}"


def origin_text(model: str) -> str:
    """Where a model was loaded from, and whether its files were compared with checksums."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return "from this machine's model cache, which has no checksums of ours"
    num = len(listed_checksums(folder))
    state = f"{num} files match their checksums" if num else "no checksums beside it: not compared"
    return f"{folder.resolve()}, {state}"


def reader_text(reader: ReaderSettings, model: PassageReader) -> str:
    """What reads the passages, and how much of them for each question."""
    if not reader.model:
        return "none: shared words choose what is quoted"
    return f"{model.name}, {reader.windows} windows a question; {origin_text(reader.model)}"


def kernel_text() -> str:
    """Which kernel multiplies with int8 and int4 weights on the CPU, and why."""
    if not _has_torch():
        return NO_TORCH
    from llm.kernels.cpu.selection import choose_kernel

    choice = choose_kernel()
    if choice.reason:
        make = "`python -m llm.kernels.build` compiles the fast one"
        return f"torch, several times slower: {choice.reason}; {make}"
    return f"{choice.kernel.name}, compiled: the fastest that this CPU runs"


def gpu_text() -> str:
    """The GPUs that torch sees."""
    if not _has_torch():
        return NO_TORCH
    import torch

    names = [_gpu(torch.cuda.get_device_properties(n)) for n in range(torch.cuda.device_count())]
    return ", ".join(names) or f"none seen (torch {torch.__version__})"


def _has_torch() -> bool:
    return find_spec("torch") is not None


class _Device(Protocol):
    name: str
    total_memory: int


def _gpu(device: _Device) -> str:
    return f"{device.name}, {device.total_memory / GIB:.0f} GiB"
