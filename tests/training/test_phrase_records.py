"""The records written by hand with phrases that fit them, and near ones that do not."""

import json
from collections import Counter
from pathlib import Path

import pytest

from training.phrases.records import FOLDER, HELD, WrittenRecord, read_records, records

FILES = sorted(FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_file_of_records_is_well_formed(path: Path) -> None:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        row, at = json.loads(line), f"{path.name}:{number}"
        assert row.keys() == {"domain", "text", "fits", "not"}, at
        phrases = [*row["fits"], *row["not"]]
        assert row["fits"] and row["not"], at
        assert all(isinstance(one, str) for one in (row["domain"], row["text"], *phrases)), at
        assert row["domain"].strip() and row["text"].strip(), at
        assert all(one and one == one.strip() and "\n" not in one for one in phrases), at
        assert not {*row["fits"]} & {*row["not"]}, at
        assert len({*phrases}) == len(phrases), at


def test_held_files_are_there_and_others_are_too() -> None:
    stems = {path.stem for path in FILES}
    assert stems > HELD
    assert {stem[:2] for stem in HELD} == {stem[:2] for stem in stems - HELD} == {"zh", "en"}


def test_held_records_are_of_other_offices_and_none_is_lost_or_doubled() -> None:
    held, trained = records(held=True), records(held=False)
    assert not {one.domain for one in held} & {one.domain for one in trained}
    num_lines = sum(len(path.read_text("utf-8").splitlines()) for path in FILES)
    assert len({one.text for one in (*held, *trained)}) == num_lines == len(held) + len(trained)


def test_every_office_has_several_records() -> None:
    numbers = Counter(one.domain for held in (True, False) for one in records(held=held))
    assert min(numbers.values()) > 12


def test_a_line_is_read_as_a_record(tmp_path: Path) -> None:
    line = {"domain": "d", "text": "滑倒", "fits": ["摔倒"], "not": ["盗窃", "火灾"]}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    (found,) = read_records(tmp_path / "a.jsonl")
    assert found == WrittenRecord("d", "滑倒", ("摔倒",), ("盗窃", "火灾"))
