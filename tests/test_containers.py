"""The container files: compose accepts them, nothing is open without a key, what they name exists.

What an image is and does is not looked at here: no test starts a container.
"""

import os
import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from typing import Any

import pytest
import yaml

from kb_service.cli import COMMANDS
from kb_service.settings import Settings, setting_names
from tests.conftest import ROOT

_VARIABLE = re.compile(r"\$\{(\w+)(?::?([-?])([^}]*))?\}")
SCALE = {
    "KB_API_KEY": "k" * 32,
    "KB_LOCK": "ray",
    "KB_INDEX__URL": "http://milvus:19530",
    "KB_POSTGRES_PASSWORD": "open sesame",
    "KB_DATABASE_URL": "postgresql+psycopg://kb:open%20sesame@postgres/kb",
    "KB_BLOBS__URL": "s3://kb-originals",
    "KB_BLOBS__ENDPOINT": "http://objects:9000",
    "KB_BLOBS__USER": "kb",
    "KB_BLOBS__PASSWORD": "hunter2",
    "KB_RAY__ADDRESS": "ray://ray:10001",
    "RAY_AUTH_TOKEN": "t" * 32,
}
"""What the file and the guide say to set for everything of the profile."""

SERVICE_KEYS = {
    "build", "cap_drop", "command", "environment", "healthcheck", "image", "ports", "profiles",
    "read_only", "restart", "security_opt", "shm_size", "tmpfs", "volumes",
}  # fmt: skip


def filled(value: Any, variables: dict[str, str]) -> Any:  # noqa: ANN401  what YAML holds
    """Return a value with its variables filled in, as compose does."""
    if isinstance(value, dict):
        return {key: filled(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, variables) for item in value]
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(lambda m: variables.get(m[1]) or (m[3] if m[2] == "-" else ""), value)


def composed(**variables: str) -> dict[str, Any]:
    """Return the compose file as these variables fill it."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    found: dict[str, Any] = filled(read, variables)
    return found


def settings_of(
    services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, str], Settings]:
    environment: dict[str, str] = services["kb-service"]["environment"]
    for name in [name for name in os.environ if name.startswith("KB_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment, Settings()


def test_the_default_of_the_container_is_that_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, settings = settings_of(composed(KB_API_KEY="k" * 32)["services"], monkeypatch)
    default = Settings.model_construct()
    for part in ("index", "blobs", "ray", "llm"):
        assert getattr(settings, part) == getattr(default, part)
    assert settings.database_url == ""


def test_every_setting_of_the_scale_profile_reaches_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = composed(**SCALE)["services"]
    environment, settings = settings_of(services, monkeypatch)
    named = {name for name in environment if name.startswith("KB_")}
    assert named - {"KB_API_KEYS__DEFAULT"} <= set(setting_names(Settings))
    assert settings.index.url == "http://milvus:19530"
    assert settings.database_url == SCALE["KB_DATABASE_URL"]
    assert (settings.blobs.url, settings.blobs.user) == ("s3://kb-originals", "kb")
    assert settings.blobs.password.get_secret_value() == "hunter2"
    assert settings.ray.address == "ray://ray:10001"
    hosts = ("milvus", "postgres", "objects", "ray")
    assert all(services[host]["profiles"] == ["scale"] for host in hosts)


def test_parts_of_the_profile_publish_no_port_and_keep_their_data() -> None:
    read = composed(**SCALE)
    services = read["services"]
    assert [name for name, each in services.items() if "ports" in each] == ["kb-service"]
    kept = [
        volume.partition(":")[0] for each in services.values() for volume in each.get("volumes", ())
    ]
    assert set(read["volumes"]) == {name for name in kept if "/" not in name}


def test_every_image_is_of_one_version() -> None:
    """`latest` is another program tomorrow, and two machines that pull apart have two of them."""
    images = [each["image"] for each in composed(**SCALE)["services"].values() if "image" in each]
    images += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.M)
    assert len(images) == 4
    for image in images:
        name, _, tag = image.rpartition(":")
        assert re.fullmatch(r"[a-z]+(/[a-z]+)?", name), image
        parts = 2 if name == "postgres" else 3  # whose versions have no third number
        assert re.fullmatch(rf"v?\d+(\.\d+){{{parts - 1}}}(-slim)?", tag), image


def test_every_service_has_the_shape_that_compose_reads() -> None:
    """What compose itself says is asked below, where there is one."""
    read = composed(**SCALE)
    assert read.keys() == {"services", "volumes"}
    for name, each in read["services"].items():
        assert each.keys() <= SERVICE_KEYS, name
        assert ("image" in each) != ("build" in each), name
        assert each["restart"] == "unless-stopped"
        for volume in each.get("volumes", ()):
            assert re.fullmatch(r"[^:]+:/[^:]+(:ro)?", volume), volume
        for variable, value in each["environment"].items():
            assert re.fullmatch(r"[A-Z][A-Z0-9_]*", variable)
            assert isinstance(value, str), variable


def test_what_holds_data_tells_whether_it_is_well_by_a_port_of_its_own() -> None:
    services = composed(**SCALE)["services"]
    settings = (services["kb-service"]["environment"], SCALE)
    for name, port in (("milvus", None), ("postgres", None), ("objects", "9000")):
        check = services[name]["healthcheck"]
        assert check["test"][0] == "CMD"
        assert all(re.fullmatch(r"\d+s", check[key]) for key in ("interval", "timeout"))
        assert port is None or f":{port}/" in check["test"][-1]
        assert port is None or any(f"objects:{port}" in value for value in settings[0].values())
    user = services["postgres"]["environment"]
    assert services["postgres"]["healthcheck"]["test"][2:] == [
        f"--username={user['POSTGRES_USER']}",
        f"--dbname={user['POSTGRES_DB']}",
    ]
    assert "postgresql+psycopg://kb:" in SCALE["KB_DATABASE_URL"]
    assert SCALE["KB_DATABASE_URL"].endswith(f"@postgres/{user['POSTGRES_DB']}")


def test_what_the_guide_starts_is_in_the_file() -> None:
    services = composed(**SCALE)["services"]
    guide = (ROOT / "docs/operations.md").read_text()
    told = re.findall(r"docker compose --profile scale (?:up|build) ([a-z -]+)$", guide, re.M)
    assert len(told) == 4
    assert {name for names in told for name in names.split()} == {"kb-service", "milvus", "ray"}
    assert {name for names in told for name in names.split()} <= services.keys()


def test_the_images_are_built_from_locks_and_commands_that_exist() -> None:
    services = composed(**SCALE)["services"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    built = [each["build"]["args"] for each in services.values() if "build" in each]
    assert all((ROOT / f"requirements/{args['LOCK']}.lock").is_file() for args in built)
    assert {name for args in built for name in args} <= set(
        re.findall(r"^ARG (\w+)", dockerfile, re.M)
    )
    locks = set(re.findall(r"KB_LOCK=(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert all((ROOT / f"requirements/{lock}.lock").is_file() for lock in locks)
    [command] = re.findall(r'^CMD \["kb", "(\w+)"\]', dockerfile, re.M)
    assert command in COMMANDS


@pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed")
def test_ray_knows_the_options_that_its_container_and_the_guide_give() -> None:
    from ray.scripts.scripts import start

    known = {option for parameter in start.params for option in parameter.opts}
    known |= {option for parameter in start.params for option in parameter.secondary_opts}
    guide = (ROOT / "docs/operations.md").read_text()
    told = [shlex.split(words) for words in re.findall(r"`ray start ([^`]+)`", guide)]
    assert told
    for command in (composed(**SCALE)["services"]["ray"]["command"][2:], *told):
        assert {word.partition("=")[0] for word in command} <= known


def compose_command() -> list[str]:
    """Return the compose command of this machine; skips when there is none."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = ["docker", "compose"]
    if shutil.which("docker") and subprocess.run([*plugin, "version"], check=False).returncode == 0:
        return plugin
    pytest.skip("neither docker-compose nor the compose plugin is installed")


def compose_config(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables}
    return subprocess.run(
        [*compose_command(), "config"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_compose_accepts_the_one_container_default() -> None:
    done = compose_config(KB_API_KEY="k" * 32)
    assert done.returncode == 0, done.stderr
    assert "127.0.0.1" in done.stdout
    assert "/models" in done.stdout


def test_compose_asks_for_a_key() -> None:
    done = compose_config()
    assert done.returncode != 0
    assert "KB_API_KEY" in done.stderr
