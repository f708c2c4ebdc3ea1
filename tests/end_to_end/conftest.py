"""One real service with the demo documents for all end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.service import Service, running_service
from tests.conftest import ROOT

DEMO = ROOT / "kb_service" / "demo"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service with every demo document ingested into the base `demo`."""
    with running_service(tmp_path_factory.mktemp("service") / "data") as running:
        kb = running.create_kb("demo")
        files = [(path.name, path.read_bytes()) for path in sorted(DEMO.glob("*.pdf"))]
        assert {item["outcome"] for item in running.upload(kb, files)} == {"created"}
        assert {item["status"] for item in running.wait_idle(kb, 120)} == {"ready"}
        yield running


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    return DEMO
