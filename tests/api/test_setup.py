"""How the service is set up is told without a secret or a path."""

from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from kb_service import __version__
from kb_service.domain.errors import ConfigurationError
from tests.api.service import ApiService


def test_models_room_and_counts_are_told(client: TestClient, service: ApiService) -> None:
    found = client.get("/setup").json()
    assert found["version"] == __version__ and found["database"] == "sqlite"
    assert 0 < found["free_bytes"] <= found["total_bytes"]
    assert [(m["part"], m["name"], m["problem"]) for m in found["models"]] == [
        ("generator", "scripted", None),
        ("embedder", "counting", None),
    ]
    assert found["models"][0]["setting"] == "KB_LLM__MODEL"
    assert (found["num_chunks"], found["num_jobs_open"], found["keys"]) == (0, 0, [])


def test_a_model_that_is_missing_is_told_with_its_code(
    client: TestClient, service: ApiService
) -> None:
    service.replaced = {"embedder": ConfigurationError("no folder", code="model_missing")}
    service.waiting = {"generator": ConfigurationError("loading", code="loading")}
    generator, embedder = client.get("/setup").json()["models"]
    assert (generator["name"], generator["problem"]) == ("", "loading")
    assert (embedder["name"], embedder["problem"]) == ("counting", "model_missing")


def test_names_of_keys_are_told_to_who_has_one_and_no_key_is(service: ApiService) -> None:
    service.settings.api_keys = {"ann": SecretStr("s3cret-of-ann"), "bob": SecretStr("s3cret-2")}
    with TestClient(create_app(service.services), base_url="http://127.0.0.1") as client:
        assert client.get("/setup").status_code == 401
        told = client.get("/setup", headers={"Authorization": "Bearer s3cret-of-ann"})
        assert told.json()["keys"] == ["ann", "bob"]
        assert "s3cret" not in told.text and str(service.settings.data_dir) not in told.text
