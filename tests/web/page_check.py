"""The page's scripts against the types of the API and against a linter; run by `make check`.

The types are made from the OpenAPI document of this very code, so they are never stale. Needs node
and the packages that `make tools` installs; says so and checks nothing where they are absent.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

TOOLS = Path(__file__).parent / "tools"


def absent() -> str:
    """Return what is missing to check anything, "" when nothing is."""
    if shutil.which("node") is None:
        return "there is no node on the PATH"
    pinned = json.loads((TOOLS / "package.json").read_text())["devDependencies"]
    for name, version in pinned.items():
        package = TOOLS / "node_modules" / name / "package.json"
        if not package.is_file() or json.loads(package.read_text())["version"] != version:
            return f"{name} {version} is not installed: make tools"
    return ""


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document that the service publishes."""
    from api.app import create_app
    from kb_service.settings import Settings
    from tests.api.service import ApiService

    with tempfile.TemporaryDirectory() as folder:
        service = ApiService(Settings(data_dir=Path(folder)))
        try:
            return create_app(service.services).openapi()
        finally:
            service.database.close()


def tool(name: str, *arguments: str) -> bool:
    """Run an installed tool; True when it found nothing, else what it found is printed."""
    command = [str(TOOLS / "node_modules" / ".bin" / name), *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.stdout.write(done.stdout + done.stderr)
    return done.returncode == 0


def main() -> int:
    """Check, and return the exit code."""
    if reason := absent():
        sys.stdout.write(f"page scripts: not checked, {reason}\n")
        return 0
    build = TOOLS / "build"
    build.mkdir(exist_ok=True)
    document, types = build / "openapi.json", build / "api.d.ts"
    document.write_text(json.dumps(openapi()))
    checks = (
        ("openapi-typescript", str(document), "--output", str(types)),
        ("tsc", "--project", str(TOOLS)),
        ("eslint", "--config", str(TOOLS / "eslint.config.js"), "web/static/js"),
    )
    return 0 if all(tool(*check) for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
