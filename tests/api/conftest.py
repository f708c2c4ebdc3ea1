"""Fixtures: an application over a fresh data folder, and clients of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from kb_service.settings import Settings
from tests.api.service import DATABASE_FILE, ApiService

BASE_URL = "http://127.0.0.1:8000"
PDF_BYTES = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the newest schema, made once."""
    folder = tmp_path_factory.mktemp("migrated")
    ApiService(Settings(data_dir=folder)).database.close()
    return folder / DATABASE_FILE


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    """Settings of a fresh data folder."""
    shutil.copy(migrated, tmp_path / DATABASE_FILE)
    return Settings(data_dir=tmp_path)


@pytest.fixture
def service(settings: Settings) -> Iterator[ApiService]:
    """An application over a fresh data folder."""
    made = ApiService(settings)
    yield made
    made.database.close()


@pytest.fixture
def app(service: ApiService) -> FastAPI:
    """The ASGI application."""
    return create_app(service.services)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client on the loopback address; server exceptions become responses."""
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def kb_id(client: TestClient) -> str:
    """The id of an empty knowledge base named `reports`."""
    return str(client.post("/kb", json={"name": "reports"}).json()["id"])
