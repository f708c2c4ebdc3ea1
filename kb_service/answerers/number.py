"""How many processes answer beside the server, and with which settings.

Knows settings and cores; starts nothing.
"""

from kb_service.ingest_limits import num_cores
from kb_service.settings import LlmSettings, Settings

MAX_BY_CORES = 3
"""More only where the setting says so: each holds the models of retrieval and reading."""

AT_ONCE = 2
"""One computes while the other reads from the disk."""


def num_answerers(settings: Settings) -> int:
    """Return how many there are: the server answers too, so one core is left to it.

    None by themselves beside a model in this process, whose threads use all cores, nor over an
    index that one process at a time can open.
    """
    if settings.server.answerers is not None:
        return settings.server.answerers
    is_alone = has_own_model(settings.llm) or settings.index.url.endswith(".db")
    return 0 if is_alone else min(num_cores() - 1, MAX_BY_CORES)


def at_once(settings: Settings) -> int | None:
    """Return how many answers a process makes at a time; None where a model writes them.

    What quotes is computed without a pause: more at once make each other slow and none faster.
    """
    return None if settings.llm.model else AT_ONCE


def has_own_model(llm: LlmSettings) -> bool:
    """True where a checkpoint is loaded here: once, by the server, which answers alone then."""
    return bool(llm.model) and not llm.is_remote


def settings_of_answerers(settings: Settings) -> Settings:
    """Return the settings without a checkpoint: what is written with it, the server writes."""
    if not has_own_model(settings.llm):
        return settings
    return settings.model_copy(update={"llm": LlmSettings()})


def answerers_text(settings: Settings) -> str:
    """Return what `kb doctor` tells."""
    num = num_answerers(settings)
    what = "searches" if has_own_model(settings.llm) else "searches and questions"
    return f"{num} processes beside the server, for {what}" if num else "the server alone"
