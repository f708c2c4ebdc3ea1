"""Fixtures every test package shares: where the shared data lies, and a clean environment."""

import os
from pathlib import Path

import pytest

KEPT_SETTINGS = {"KB_SHARED_DIR", "KB_SCREENSHOTS"}
ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """No test may reach a model hub or send telemetry."""
    os.environ.update(
        HF_HUB_OFFLINE="1",
        SCARF_NO_ANALYTICS="true",
        DO_NOT_TRACK="true",
        LANGSMITH_TRACING="false",
    )
    for name in [
        name for name in os.environ if name.startswith("KB_") and name not in KEPT_SETTINGS
    ]:
        del os.environ[name]


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with shared goldens, tokenizers and data; skips when it is absent."""
    folder = Path(os.environ.get("KB_SHARED_DIR", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"shared data folder {folder} is absent (set KB_SHARED_DIR)")
    return folder
