"""Leak detection and licences of the training data."""

import gzip
import json
from pathlib import Path
from typing import Any

from training.corpus import (
    SOURCES,
    LeakFilter,
    free_article_titles,
    held_out,
    with_free_articles,
)
from training.model_folder import licence_text

PASSAGE = (
    "The investigation found that the fire started in the cable duct below hall three, where a "
    "worn insulation had been reported twice in the year before and was never repaired."
)


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_a_held_out_passage_is_found_inside_a_longer_text() -> None:
    leaks = LeakFilter.of([PASSAGE], [])
    for shift in range(60):
        assert leaks.has_passage("x" * shift + PASSAGE.upper() + " and more text after it")


def test_a_shared_run_of_74_letters_is_found_wherever_it_lies() -> None:
    run = PASSAGE.replace(" ", "").replace(",", "").replace(".", "")[10:84]
    leaks = LeakFilter.of([PASSAGE], [])
    assert all(leaks.has_passage("z" * shift + run + "z" * 100) for shift in range(60))


def test_other_text_is_no_leak() -> None:
    leaks = LeakFilter.of([PASSAGE], ["Where did it start?"])
    assert not leaks.has_passage("A wholly different report about a flood in the harbour. " * 5)
    assert not leaks.has_question("Where did it end?")


def test_held_out_questions_are_compared_without_case_and_marks() -> None:
    assert LeakFilter.of([], ["Where did it start?"]).has_question("where did it START")


def test_held_out_reads_dev_demo_and_reference_texts(tmp_path: Path) -> None:
    write_rows(tmp_path / "dev" / "a.jsonl.gz", [{"context": PASSAGE, "question": "Why so?"}])
    other = PASSAGE.replace("fire", "flood").replace("cable duct", "water main")[::-1]
    write_rows(tmp_path / "demo" / "b.jsonl.gz", [{"question": "?", "refs": [{"text": other}]}])
    leaks = held_out(tmp_path)
    assert leaks.has_passage(PASSAGE)
    assert leaks.has_passage(other)
    assert leaks.has_question("Why so")


def test_only_articles_that_state_a_free_licence_are_used() -> None:
    rows = [
        {"title": "free", "context": "License: cc-by\nAbstract"},
        {"title": "free", "context": "a later window of the same article"},
        {"title": "closed", "context": "License: cc-by-nc-nd\nAbstract"},
        {"title": "silent", "context": "no licence line"},
    ]
    assert with_free_articles(rows) == rows[:2]


def test_the_articles_of_the_notice_are_the_ones_used(tmp_path: Path) -> None:
    rows = [
        {"title": "B", "context": "License: cc0\ntext"},
        {"title": "A", "context": "License: cc-by\ntext"},
        {"title": "C", "context": "License: no-cc\ntext"},
    ]
    write_rows(tmp_path / "train" / "en_covidqa.jsonl.gz", rows)
    assert free_article_titles(tmp_path) == ["A", "B"]
    assert free_article_titles(tmp_path / "elsewhere") == []
    assert licence_text(SOURCES, ["A", "B"]).endswith("- A\n- B\n")


def test_no_source_has_a_non_commercial_licence() -> None:
    assert all("NC" not in source.licence.upper() for source in SOURCES)
    assert all(source.attribution for source in SOURCES)
