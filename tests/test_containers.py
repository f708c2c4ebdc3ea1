"""The container files: compose accepts them, and nothing is open without a key."""

import os
import shutil
import subprocess

import pytest

from tests.conftest import ROOT


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
