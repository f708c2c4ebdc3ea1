"""What only some installations have: which extra of the package brings a module that is absent.

Knows names. Imports nothing; who needs a module imports it where it is used.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from kb_service.domain.errors import ConfigurationError

OURS = frozenset(("kb_service", "ingest", "retrievers", "llm", "api", "web"))


def install_command(extra: str) -> str:
    """Return what installs an extra."""
    return f'pip install "kb-service[{extra}]"'


@contextmanager
def extra_needed(extra: str, by: str) -> Iterator[None]:
    """Import meanwhile what an extra installs; `by`: what needs it, for people.

    Raises ConfigurationError (model_unavailable) that names the extra where a module is absent.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        absent = (error.name or "").partition(".")[0]
        if absent in OURS:
            raise
        raise ConfigurationError(
            f"{by} needs {absent}, which is not installed: {install_command(extra)}",
            code="model_unavailable",
            details={"extra": extra},
        ) from error
