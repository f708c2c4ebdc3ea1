"""`kb labels`, and what other commands do with labels."""

from pathlib import Path

import pytest

from tests.cli.test_commands import data_folder, kb, kb_json

__all__ = ["data_folder"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "reports"
    place.mkdir()
    (place / "pump.txt").write_text("The pump in hall 3 leaked at 14:20. Nobody was hurt.")
    (place / "valve.txt").write_text("The valve SG-7 leaked on 2024-05-01.")
    return place


def test_documents_are_labelled_as_they_come_in_and_found_by_it(folder: Path) -> None:
    done = kb("ingest", str(folder / "pump.txt"), "--kb", "reports", "--label", "wet", "--wait")
    assert done.exit_code == 0, done.output
    kb("ingest", str(folder), "--kb", "reports", "--wait")
    labels = kb_json("labels", "list", "--kb", "reports")["items"]
    assert [(one["name"], one["num_documents"]) for one in labels] == [("wet", 1)]
    listed = kb_json("list", "--kb", "reports", "--label", "wet")["items"]
    assert [item["name"] for item in listed] == ["pump.txt"]
    hits = kb_json("search", "leaked", "--kb", "reports", "--label", "wet")["items"]
    assert {hit["document_name"] for hit in hits} == {"pump.txt"}
    asked = ("ask", "When did the valve SG-7 leak?", "--kb", "reports")
    assert kb_json(*asked)["status"] == "answered"
    assert kb_json(*asked, "--label", "wet")["status"] == "refused"
    facts = kb_json("facts", "--kb", "reports", "--label", "wet")
    assert {fact["document_name"] for fact in facts} <= {"pump.txt"}


def test_labels_are_managed_from_the_command_line(folder: Path) -> None:
    kb("ingest", str(folder), "--kb", "reports", "--wait")
    made = kb("labels", "add", "open", "--kb", "reports", "--colour", "red")
    assert made.exit_code == 0, made.output
    put = ("labels", "put", "pump.txt", "valve.txt", "--kb", "reports", "--add", "open")
    assert kb_json(*put) == {"num_documents": 2}
    kb("labels", "change", "open", "--kb", "reports", "--name", "closed", "--description", "done")
    assert "closed  (2 documents, red" in kb("labels", "list", "--kb", "reports").output
    assert kb("labels", "put", "pump.txt", "--kb", "reports").exit_code == 2
    assert kb("labels", "delete", "open", "--kb", "reports").exit_code == 1
    assert kb("labels", "delete", "closed", "--kb", "reports").exit_code == 0
    assert kb_json("labels", "list", "--kb", "reports") == {"items": []}
