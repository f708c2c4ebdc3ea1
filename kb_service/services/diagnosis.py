"""What `kb doctor` finds: each setting in force, and each part that would not work.

Looks at folders, the database and model files; starts nothing and changes nothing but the data
folder, which it makes when it is absent and closes to others, to see that it can.
"""

import os
import platform
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kb_service.domain.errors import KbError
from kb_service.settings import LlmSettings, Settings, setting_names
from kb_service.storage.data_folder import (
    foreign_names,
    make_folder,
    open_to_others,
    tighten,
)

MIN_FREE_BYTES = 1024**3
_NAMED_BY_THE_USER = ("KB_API_KEYS__", "KB_SYNC__ACCOUNTS__")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the report; `is_ok` False means that something has to be done."""

    name: str
    is_ok: bool
    text: str

    def as_dict(self) -> dict[str, object]:
        """Return JSON-ready values."""
        return asdict(self)


def diagnose(settings: Settings, checks: dict[str, Callable[[], str]]) -> list[Diagnosis]:
    """Return the settings in force, then the result of each named check.

    A check returns what it saw, or raises KbError or OSError with what is wrong.
    """
    findings = [Diagnosis(name, text=value, is_ok=True) for name, value in _in_force(settings)]
    findings.extend(
        Diagnosis(name, text="no such setting; it has no effect", is_ok=False)
        for name in unknown_settings(os.environ)
    )
    findings += [_disk(settings.data_dir), _privacy(settings.data_dir)]
    for name, check in checks.items():
        try:
            findings.append(Diagnosis(name, text=check(), is_ok=True))
        except (KbError, OSError) as error:
            findings.append(Diagnosis(name, text=str(error), is_ok=False))
    return findings


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """Return the `KB_…` variables that name no setting, most likely mistyped ones."""
    known = set(setting_names(Settings))
    named = (name for name in environment if name.upper().startswith("KB_"))
    return sorted(
        name
        for name in named
        if name.upper() not in known and not name.upper().startswith(_NAMED_BY_THE_USER)
    )


def _in_force(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "python", f"{platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores"
    yield "KB_DATA_DIR", str(settings.data_dir.resolve())
    yield "KB_DATABASE_URL", _without_password(settings.effective_database_url)
    yield "KB_HOST", settings.host
    yield "KB_PORT", str(settings.port)
    yield (
        "KB_API_KEYS",
        ", ".join(settings.api_keys) or "none in the settings; `kb keys list` shows all",
    )
    yield "KB_LLM__MODEL", _model_text(settings.llm)
    yield "KB_EMBEDDING__MODEL", settings.embedding.model
    yield "KB_RERANK__MODEL", settings.rerank.model or "none"


def _model_text(llm: LlmSettings) -> str:
    if not llm.model:
        return "none: answers come from the extractive reader"
    # A password has no place in the address; the check of the model says so without repeating it.
    model = re.sub(r"//[^/]*@", "//***@", llm.model)
    if "://" in model:
        model = re.sub(r"[?#].*", "?***", model)  # nor has a key
    has_key = ", with a key" if llm.api_key.get_secret_value() else ""
    return f"{model}{has_key}"


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)


def _privacy(folder: Path) -> Diagnosis:
    """Say who else may read the folder, and why it could not be closed to them."""
    try:
        tighten(folder)
        left = open_to_others(folder)
    except OSError as error:
        return Diagnosis("privacy", text=f"{folder}: {error.strerror}", is_ok=False)
    if not left:
        return Diagnosis("privacy", text=f"only its owner can read {folder.resolve()}", is_ok=True)
    path = left[0]
    found = path.stat()
    if found.st_uid != os.geteuid():
        why = (
            f"it belongs to user {found.st_uid}, and we are {os.geteuid()}: let its owner close it"
        )
    elif others := foreign_names(folder):
        why = (
            f"it also holds {others[0]!r}, which is not ours: give the service a folder of its own"
        )
    else:
        why = "its file system keeps no such rights: mount it for its owner only, or choose another"
    mode = f"{stat.S_IMODE(found.st_mode):04o}"
    return Diagnosis("privacy", text=f"others may read {path} ({mode}): {why}", is_ok=False)


def _disk(folder: Path) -> Diagnosis:
    try:
        make_folder(folder)
        free = shutil.disk_usage(folder).free
    except (KbError, OSError) as error:
        return Diagnosis("disk", text=f"{folder}: {error}", is_ok=False)
    is_ok = free >= MIN_FREE_BYTES and os.access(folder, os.W_OK)
    return Diagnosis(
        "disk", is_ok=is_ok, text=f"{free / 1024**3:.1f} GiB free in {folder.resolve()}"
    )
