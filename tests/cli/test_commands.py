"""The `kb` command on real files in a temporary data folder: output, exit codes, errors."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from kb_service.cli import app
from tests.conftest import ROOT

REPORT = next((ROOT / "kb_service" / "demo").glob("SG-2024-001*.pdf"))


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    yield
    structlog.reset_defaults()  # a command sets up logs for its process, here for all tests


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "reports"
    place.mkdir()
    (place / "pump.txt").write_text("The pump in hall 3 leaked at 14:20. Nobody was hurt.")
    (place / "valve.md").write_text("# Valve\n\nThe valve SG-7 was replaced on 2024-05-01.")
    return place


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def kb_json(*arguments: str) -> Any:  # noqa: ANN401  JSON
    return json.loads(kb(*arguments, "--json").stdout)


def test_ingest_ask_search_show_and_delete_work_on_a_real_pdf() -> None:
    done = kb("ingest", str(REPORT), "--kb", "reports", "--wait")
    assert done.exit_code == 0, done.output
    answer = kb_json("ask", "中环数据中心三号机房的泄漏发生在哪一天？", "--kb", "reports")
    assert answer["status"] == "answered"
    assert "2024年8月17日" in answer["answer"]
    assert answer["citations"][0]["source"]["pages"][0]["boxes"]
    spoken = kb("ask", "中环数据中心三号机房的泄漏发生在哪一天？", "--kb", "reports")
    assert "page 1" in spoken.output
    hits = kb_json("search", "SG-2024-001", "--kb", "reports")["items"]
    assert hits[0]["ranks"]["lexical"] == 1
    shown = kb_json("show", REPORT.name, "--kb", "reports")
    assert shown["status"] == "ready"
    assert kb("delete", REPORT.name, "--kb", "reports").exit_code == 0
    assert kb_json("search", "SG-2024-001", "--kb", "reports")["items"] == []
    assert kb("verify").exit_code == 0


def test_ingesting_the_same_file_again_is_nothing_to_do(folder: Path) -> None:
    assert kb("ingest", str(folder), "--kb", "r", "--wait").exit_code == 0
    assert kb("ingest", str(folder), "--kb", "r", "--wait").exit_code == 3


def test_a_bad_file_fails_the_command_and_the_good_one_is_there(folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(REPORT.read_bytes()[:5000])
    done = kb("ingest", str(folder), "--kb", "r", "--wait")
    assert done.exit_code == 1
    assert "corrupt_document" in done.output
    statuses = {item["name"]: item["status"] for item in kb_json("list", "--kb", "r")["items"]}
    assert statuses == {"broken.pdf": "failed", "pump.txt": "ready", "valve.md": "ready"}


def test_sync_follows_a_folder_and_says_what_it_did(folder: Path) -> None:
    planned = kb_json("sync", str(folder), "--kb", "r", "--dry-run")
    assert planned["plan"]["added"] == ["pump.txt", "valve.md"]
    assert kb_json("list")["items"] == []
    assert kb("sync", str(folder), "--kb", "r").exit_code == 0
    assert kb("sync", str(folder), "--kb", "r").exit_code == 3
    (folder / "pump.txt").unlink()
    pruned = kb("sync", str(folder), "--kb", "r", "--prune", "--json")
    assert pruned.exit_code == 0
    assert json.loads(pruned.stdout)["removed"] == ["pump.txt"]
    assert [item["name"] for item in kb_json("list", "--kb", "r")["items"]] == ["valve.md"]


def test_sync_skips_clutter_and_fails_once_for_what_is_no_document(folder: Path) -> None:
    (folder / "~$pump.docx").write_bytes(b"\x05user" + bytes(157))
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(500))
    first = kb("sync", str(folder), "--kb", "r")
    assert (first.exit_code, "skipped    2 hidden" in first.output) == (0, True)
    assert kb("sync", str(folder), "--kb", "r").exit_code == 3
    (folder / "machine.bin").write_bytes(bytes(range(256)))
    assert kb("sync", str(folder), "--kb", "r").exit_code == 1
    again = kb("sync", str(folder), "--kb", "r")
    assert again.exit_code == 3
    assert "refused    machine.bin (as before): " in again.output
    assert kb_json("sync", str(folder), "--kb", "r", "--dry-run")["plan"]["num_skipped"] == 2
    assert kb("sync", str(folder), "--kb", "r", "--strict").exit_code == 1
    (folder / "machine.bin").unlink()
    assert kb("sync", str(folder), "--kb", "r", "--strict").exit_code == 3
    ingested = kb_json("ingest", str(folder), "--kb", "other")
    assert (len(ingested["items"]), ingested["num_skipped"]) == (2, 2)


def test_sync_names_a_file_that_it_could_not_read_until_it_changes(folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(REPORT.read_bytes()[:5000])
    assert kb("sync", str(folder), "--kb", "r").exit_code == 1
    again = kb("sync", str(folder), "--kb", "r")
    assert again.exit_code == 3
    assert "unchanged  3 files" in again.output
    assert "unread     broken.pdf: " in again.output
    (folder / "broken.pdf").write_bytes(REPORT.read_bytes())
    assert kb("sync", str(folder), "--kb", "r").exit_code == 0
    last = kb("sync", str(folder), "--kb", "r", "--json")
    assert json.loads(last.stdout)["failed_before"] == []


def test_reindex_and_verify_agree_with_the_database(folder: Path) -> None:
    kb("ingest", str(folder), "--kb", "r", "--wait")
    assert len(kb_json("verify")["pending"]) == 2
    assert kb_json("reindex", "--kb", "r")["num_embedded"] > 0
    assert kb_json("reindex", "--kb", "r")["num_embedded"] == 0
    report = kb_json("verify")
    assert report["is_clean"]
    assert report["pending"] == []
    assert report["num_documents"] == 2


def test_deleting_a_whole_base_needs_all_and_leaves_nothing(folder: Path) -> None:
    kb("ingest", str(folder), "--kb", "r", "--wait")
    assert kb("delete", "--kb", "r").exit_code == 2
    assert kb("delete", "--all", "--kb", "r").exit_code == 0
    assert kb_json("verify")["num_blobs"] == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (["ask", "why?", "--kb", "none"], 1, "kb_not_found"),
        (["show", "none.txt", "--kb", "none"], 1, "kb_not_found"),
        (["sync", "/no/such/folder", "--kb", "r"], 2, "not_a_folder"),
        (["ingest", "/no/such/file", "--kb", "r"], 2, "no_such_path"),
    ],
)
def test_errors_are_typed_and_become_exit_codes(
    arguments: list[str], exit_code: int, code: str
) -> None:
    done = kb(*arguments)
    assert done.exit_code == exit_code
    assert code in done.output
    assert kb_json(*arguments)["error"]["code"] == code


@pytest.mark.parametrize("question", ["", "x" * 50_000])
def test_a_question_outside_its_range_names_the_range(folder: Path, question: str) -> None:
    kb("ingest", str(folder), "--kb", "r", "--wait")
    done = kb("ask", question, "--kb", "r")
    assert done.exit_code == 2
    assert "2000" in done.output


def test_the_extractive_reader_has_no_prompt_to_show(folder: Path) -> None:
    kb("ingest", str(folder), "--kb", "r", "--wait")
    assert "no_prompt" in kb("prompt-ids", "Where did the pump leak?", "--kb", "r").output


def test_verify_of_the_mode_without_vectors_is_clean_and_says_what_is_to_come(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_EMBEDDING__MODEL", "/nowhere")
    assert kb("ingest", str(folder), "--kb", "r", "--wait").exit_code == 0
    assert kb("verify").exit_code == 0
    report = kb_json("verify")
    assert (report["is_clean"], report["lost"], len(report["pending"])) == (True, [], 2)
    monkeypatch.delenv("KB_EMBEDDING__MODEL")
    assert kb("reindex", "--kb", "r").exit_code == 0
    assert kb_json("verify")["pending"] == []


def test_a_backup_is_restored_into_another_folder_and_finds_all(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kb("ingest", str(folder), "--kb", "r", "--wait").exit_code == 0
    place = tmp_path / "backup"
    taken = kb_json("backup", str(place))
    assert (taken["num_blobs"], taken["lacking"]) == (2, [])
    assert kb("backup", str(place)).exit_code == 1
    assert kb("restore", str(place)).exit_code == 1  # over a database: never
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "restored"))
    assert kb("restore", str(tmp_path / "nowhere")).exit_code == 2
    done = kb("restore", str(place))
    assert (done.exit_code, "2 files" in done.output) == (0, True)
    assert kb("verify").exit_code == 0
    assert kb_json("search", "SG-7", "--kb", "r")["items"][0]["title"] == "Valve"
    statuses = {item["name"]: item["status"] for item in kb_json("list", "--kb", "r")["items"]}
    assert statuses == {"pump.txt": "ready", "valve.md": "ready"}


def test_verify_of_a_torn_database_names_the_damage_and_fails(folder: Path, tmp_path: Path) -> None:
    assert kb("ingest", str(folder), "--kb", "r", "--wait").exit_code == 0
    path = tmp_path / "data" / "kb.sqlite3"
    whole = path.read_bytes()
    for page in (1, 12):
        start = (page - 1) * 4096
        torn = bytes(byte ^ 0x5A for byte in whole[start : start + 4096])
        path.write_bytes(whole[:start] + torn + whole[start + 4096 :])
        report = kb_json("verify")
        assert (report["is_clean"], bool(report["damaged"])) == (False, True)
        assert report["num_blobs"] == 2
        assert kb("verify").exit_code == 1


def test_doctor_names_what_is_in_force_and_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert kb("doctor").exit_code == 0
    monkeypatch.setenv("KB_EMBEDDING__MODEL", str(tmp_path / "nowhere"))
    done = kb("doctor")
    assert done.exit_code == 1
    assert "nowhere" in done.output
    found = {item["name"]: item for item in kb_json("doctor")}
    assert not found["embedding model"]["is_ok"]
    assert "nowhere" in found["embedding model"]["text"]


def test_doctor_finds_a_mistyped_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_EMBEDING__MODEL", "models/other")
    done = kb("doctor")
    assert done.exit_code == 1
    assert "KB_EMBEDING__MODEL: no such setting" in done.output


def test_a_setting_that_is_gone_stops_nothing_and_the_doctor_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reranker had a time budget once; who had set it can go on without it."""
    monkeypatch.setenv("KB_RERANK__BUDGET_MS", "300")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb.toml").write_text("[rerank]\nbudget_ms = 300\n", encoding="utf-8")
    assert kb("list").exit_code == 0
    assert "KB_RERANK__BUDGET_MS: no such setting" in kb("doctor").output


def test_a_setting_outside_its_range_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_PORT", "99999")
    done = kb("list")
    assert done.exit_code == 1
    assert "KB_PORT" in done.output


def test_a_name_that_is_not_utf8_is_told_in_json_and_in_text(folder: Path) -> None:
    (folder / os.fsdecode(b"bad\xff.txt")).write_text("words")
    items = kb_json("ingest", str(folder), "--kb", "r")["items"]
    errors = {item["name"]: item["error"] for item in items if item["error"]}
    assert [name.encode("utf-8", "surrogateescape") for name in errors] == [b"bad\xff.txt"]
    assert {error["code"] for error in errors.values()} == {"invalid_document_name"}
    assert kb("ask", os.fsdecode(b"\xff?"), "--kb", "r").exit_code == 2


def test_a_control_character_in_a_name_does_not_reach_the_terminal(folder: Path) -> None:
    (folder / "clear\x1b[2J.txt").write_text("words")
    done = kb("ingest", str(folder), "--kb", "r")
    assert "\x1b" not in done.output
    assert "clear\\x1b[2J.txt" in done.output


def test_a_data_folder_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "file" / "data"))
    assert kb_json("list")["error"]["code"] == "storage_failed"


@pytest.mark.parametrize("content", [b"port = [broken", 'host = "报告"'.encode("gbk")])
def test_a_broken_settings_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "kb.toml").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    done = kb("list")
    assert done.exit_code == 1
    assert "kb.toml is not TOML" in done.output


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("KB_API_KEYS", "s3cret", "KB_API_KEYS__ALICE"),
        ("KB_LLM", "chatglm3", "KB_LLM__MODEL"),
        ("KB_LOG_LEVEL", "LOUD", "'LOUD' is none of DEBUG, INFO, WARNING"),
        ("KB_INGEST__MAX_ATTEMPTS", "21", "less than or equal to 20"),
    ],
)
def test_a_setting_that_means_nothing_is_named_and_no_key_is_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    error = kb_json("list")["error"]
    assert error["code"] == "invalid_setting"
    assert told in error["message"]
    assert "s3cret" not in kb("list").output


def test_serving_on_a_taken_port_fails_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = kb("serve", "--no-demo", "--port", str(port))
    assert done.exit_code == 1
    assert f"port {port}" in done.output
    assert "address_unavailable" in done.output
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("port", ["-1", "65536", "abc"])
def test_a_port_outside_its_range_is_wrong_usage(port: str) -> None:
    assert kb("serve", "--port", port).exit_code == 2


def test_the_data_folder_inside_a_synced_folder_is_left_out(folder: Path, tmp_path: Path) -> None:
    assert kb("sync", str(tmp_path), "--kb", "r").exit_code == 0
    names = {item["name"] for item in kb_json("list", "--kb", "r")["items"]}
    assert names == {"reports/pump.txt", "reports/valve.md"}
    assert kb("sync", str(tmp_path), "--kb", "r").exit_code == 3


def test_a_deletion_is_proved_and_what_is_still_there_is_named(folder: Path) -> None:
    assert kb("ingest", str(folder), "--kb", "r", "--wait").exit_code == 0
    document_id = kb_json("show", "pump.txt", "--kb", "r")["id"]
    there = kb("verify", "--deleted", document_id)
    assert there.exit_code == 1
    assert "FOUND 1 row of documents" in there.output
    receipt = kb_json("delete", "pump.txt", "--kb", "r")
    assert (receipt["deleted"], receipt["is_complete"]) == ("pump.txt", True)
    assert len(receipt["receipt"]["files"]) == 1
    told = kb("verify", "--deleted", document_id)
    assert told.exit_code == 0, told.output
    assert "FOUND" not in told.output
    assert kb_json("verify", "--deleted", document_id)["receipt"] == receipt["receipt"]
    assert kb("verify", "--deleted", "doc_unknown").exit_code == 1
    assert kb("verify").exit_code == 0


def test_what_documents_state_is_listed_and_found_anew(folder: Path) -> None:
    kb("ingest", str(folder), "--kb", "reports", "--wait")
    told = kb_json("facts", "--kb", "reports", "--field", "injured")
    assert [(f["document_name"], f["number"], f["value"]) for f in told] == [
        ("pump.txt", 0.0, "Nobody was hurt")
    ]
    assert kb_json("reindex", "--facts", "--kb", "reports")["num_documents"] == 2
    exported = kb("facts", "--kb", "reports", "--csv", "--document", "pump.txt").stdout
    assert exported.startswith("document,record,incident,field,value")
    assert kb("facts", "--kb", "reports", "--field", "fine").exit_code == 3


def test_who_waits_for_an_ingest_finds_by_meaning_after(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else makes vectors where no server runs; a second run has none to make."""
    monkeypatch.setenv("KB_RETRIEVAL__DENSE_WEIGHT", "0.5")
    done = kb_json("ingest", str(folder), "--kb", "r", "--wait")
    assert done["run"]["num_embedded"] == done["run"]["num_chunks"] > 0
    hits = kb_json("search", "泵泄漏", "--kb", "r")["items"]
    assert hits[0]["ranks"]["dense"] == 1
    assert kb_json("ingest", str(folder), "--kb", "r", "--wait")["run"]["num_embedded"] == 0
