"""Fixtures every test package shares: where the shared data lies, and a clean environment."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.storage.database import open_database
from tests.encoder.tiny_bert import write_tiny_encoder
from tests.postgres import administer, start_server, with_database

KEPT_SETTINGS = {"KB_SHARED_DIR", "KB_SCREENSHOTS"}
ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """No test may reach a model hub or send telemetry, nor compile what another one compiled."""
    os.environ.update(
        HF_HUB_OFFLINE="1",
        SCARF_NO_ANALYTICS="true",
        DO_NOT_TRACK="true",
        LANGSMITH_TRACING="false",
    )
    # Hundreds of processes start here; each would compile every module of ours again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    for name in [
        name for name in os.environ if name.startswith("KB_") and name not in KEPT_SETTINGS
    ]:
        del os.environ[name]
    # A random encoder of a few kilobytes, and no say for it: the shipped one has tests of its own.
    models = tempfile.TemporaryDirectory(prefix="kb-models-", ignore_cleanup_errors=True)
    config.add_cleanup(models.cleanup)
    os.environ["KB_EMBEDDING__MODEL"] = str(write_tiny_encoder(Path(models.name) / "tiny"))
    os.environ["KB_RETRIEVAL__DENSE_WEIGHT"] = "0"


@pytest.fixture(scope="module", autouse=True)
def frozen_objects() -> None:
    """Leave what a process has loaded so far out of further collections.

    Modules and caches of thousands of tests come to a million objects; every full collection halts
    all threads for what it takes to look through them, a server that a page waits for too.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with shared goldens, tokenizers and data; skips when it is absent."""
    folder = Path(os.environ.get("KB_SHARED_DIR", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"shared data folder {folder} is absent (set KB_SHARED_DIR)")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server with a migrated template database; skips without one."""
    with tempfile.TemporaryDirectory(prefix="kb-pg-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = start_server(Path(folder) / "data")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        for statement in ("fsync = off", "full_page_writes = off", "autovacuum = off"):
            administer(url, f"ALTER SYSTEM SET {statement}")
        administer(url, "SELECT pg_reload_conf()")
        administer(url, "CREATE DATABASE kb_template")
        template = open_database(with_database(url, "kb_template"))
        template.migrate()
        template.close()
        administer(url, "CREATE DATABASE kb_shared TEMPLATE kb_template")
        yield url
        server.cleanup()
