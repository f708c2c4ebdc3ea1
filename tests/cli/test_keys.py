"""`kb keys` makes, tells, changes and revokes keys; the service asks for one from then on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from kb_service.cli import app


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("The pump in hall 3 leaked at 14:20 on 3 May 2024.")
    for base in ("reports", "drafts"):
        assert kb("ingest", str(tmp_path / "files"), "--kb", base).exit_code == 0
    yield
    structlog.reset_defaults()  # a command sets up logs for its process, here for all tests


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def listed() -> dict[str, str]:
    lines = kb("keys", "list").stdout.splitlines()
    return dict(line.split("  ", 1) for line in lines)


def test_the_secret_of_a_key_is_told_once_and_its_rights_are_listed() -> None:
    made = kb("keys", "add", "ops", "--role", "admin", "--json")
    secret = json.loads(made.stdout)["secret"]
    assert secret.startswith("kb-") and len(secret) > 40
    mary = kb("keys", "add", "mary", "--role", "read", "--base", "reports", "--for", "Mary")
    assert mary.exit_code == 0
    assert "(told this once)" in mary.stdout
    assert listed() == {"mary": "read in reports, for Mary", "ops": "admin"}
    assert secret not in kb("keys", "list", "--json").stdout


def test_the_first_key_is_an_administrators_and_the_last_of_these_stays() -> None:
    refused = kb("keys", "add", "mary", "--role", "read", "--base", "reports")
    assert refused.exit_code == 1 and "no_administrator" in refused.output
    kb("keys", "add", "ops", "--role", "admin")
    for last in (
        kb("keys", "revoke", "ops"),
        kb("keys", "change", "ops", "--role", "read", "--every-base"),
    ):
        assert last.exit_code == 1 and "last_administrator" in last.output
    kb("keys", "add", "second", "--role", "admin")
    assert "revoked" in kb("keys", "revoke", "ops").stdout
    assert kb("keys", "revoke", "second").exit_code == 1


def test_a_change_concerns_the_bases_it_names() -> None:
    kb("keys", "add", "ops", "--role", "admin")
    kb("keys", "add", "bot", "--role", "read", "--base", "reports", "--days", "30")
    kb("keys", "change", "bot", "--role", "write", "--base", "drafts")
    assert "write in drafts, read in reports, expires" in listed()["bot"].replace(
        "read in reports, write in drafts", "write in drafts, read in reports"
    )
    kb("keys", "change", "bot", "--role", "none", "--base", "reports", "--see-personal")
    assert listed()["bot"].startswith("write in drafts, sees personal data, expires")
    kb("keys", "change", "bot", "--role", "manage", "--every-base")
    assert listed()["bot"].startswith("manage in every base, write in drafts")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--role", "read"), "invalid_role"),
        (("--role", "read", "--base", "reports", "--every-base"), "invalid_role"),
        (("--role", "owner", "--base", "reports"), "invalid_role"),
        (("--role", "admin", "--base", "reports"), "invalid_role"),
        (("--role", "read", "--base", "reports", "--days", "0"), "days_out_of_range"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...], code: str) -> None:
    kb("keys", "add", "ops", "--role", "admin")
    refused = kb("keys", "add", "mary", *arguments)
    assert refused.exit_code == 2 and code in refused.output
    assert "mary" not in listed()


def test_a_name_is_taken_until_its_key_is_revoked() -> None:
    kb("keys", "add", "ops", "--role", "admin")
    kb("keys", "add", "mary", "--role", "read", "--every-base")
    again = kb("keys", "add", "mary", "--role", "read", "--every-base")
    assert again.exit_code == 1 and "key_name_taken" in again.output
    kb("keys", "revoke", "mary")
    assert kb("keys", "add", "mary", "--role", "read", "--every-base").exit_code == 0


def test_keys_of_the_settings_are_listed_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_API_KEYS__ALICE", "correct-horse-battery")
    assert listed() == {"alice": "admin  (in the settings)"}
    assert "key_of_settings" in kb("keys", "revoke", "alice").output
    assert "key_name_taken" in kb("keys", "add", "alice", "--role", "admin").output
