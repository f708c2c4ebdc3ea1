"""Markdown: what a reader of the rendered page sees, and every word of it."""

import time

import pytest

from ingest.draft import DraftDocument
from ingest.markdown import add_markdown
from kb_service.domain.documents import ParsedDocument


def read(text: str) -> ParsedDocument:
    draft = DraftDocument("a.md", 10**7)
    add_markdown(draft, text)
    draft.end_page()
    return draft.finish()


@pytest.mark.parametrize("tag", ["font color=red", "ins", "u", "mark", "b", "details"])
def test_the_words_inside_raw_tags_are_kept(tag: str) -> None:
    name = tag.split(maxsplit=1)[0]
    assert read(f"修理之后<{tag}>不</{name}>可以使用。").text.replace("\n\n", "") == (
        "修理之后不可以使用。"
    )


@pytest.mark.parametrize(
    "words",
    ["Copy the file to <host> first", "List<String> and Map<Key, Value>", "give <your-name> here",
     "a < b and c > d", "`kb ask <question>`", "AT&T; &nope;"],
)  # fmt: skip
def test_what_only_looks_like_a_tag_is_words(words: str) -> None:
    assert read(f"# Use\n\n{words}\n").text.endswith(words.strip("`"))


def test_a_block_that_begins_with_an_unknown_tag_is_words() -> None:
    assert read("<host> is the name.\n\nNext.").text == "<host> is the name.\n\nNext."


def test_markdown_inside_a_raw_block_is_read() -> None:
    text = "<details>\n<summary>More</summary>\n\nThe brake had **no** oil.\n\n</details>\n"
    assert read(text).text == "More\n\nThe brake had no oil."


def test_lists_tables_code_and_links_are_read_as_shown() -> None:
    text = (
        "事故清单如下：\n| 地点 | 原因 |\n|---|---|\n| 三号码头 | 钢缆断裂 |\n\n"
        "1. Stop\n2. Call the master\n\n```\nx <y>\n  z\n```\n\n[link](http://a) ![alt](b.png)\n"
    )
    assert read(text).text.split("\n\n") == [
        "事故清单如下：", "地点; 原因", "地点: 三号码头; 原因: 钢缆断裂",
        "1. Stop", "2. Call the master", "x <y>\n  z", "link alt",
    ]  # fmt: skip


def test_front_matter_is_read_as_it_stands() -> None:
    assert read("---\ntitle: Report\nno: 7\n---\n# A\n").text == "title: Report\nno: 7\n\nA"


@pytest.mark.parametrize(
    "text",
    ["[" * 50_000 + " end", "> " * 20_000 + "end", "- " * 3_000 + "end", "*" * 50_000 + " end",
     "![[" * 15_000 + " end", "[a](" * 10_000 + " end", "<" * 50_000 + " end"],
)  # fmt: skip
def test_runs_of_marks_lose_no_word_and_cost_no_minutes(text: str) -> None:
    began = time.process_time()
    assert read(text).text.endswith("end")
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("一、接警情况", ""),
        ("（一）事故概况", ""),
        ("第三章 处理", ""),
        ("2026年上半年火灾形势分析", "2026年上半年火灾形势分析"),
        ("Outage of 3 May", "Outage of 3 May"),
        ("3号楼火灾调查报告", "3号楼火灾调查报告"),
    ],
)
def test_the_heading_of_a_numbered_section_is_no_title(heading: str, title: str) -> None:
    assert read(f"# {heading}\n\n10时05分发现险情。").title == title


@pytest.mark.parametrize("before", ["", "> ", "- "])
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("| rope | broken | not safe |", "Item: rope; State: broken; not safe"),
        ("rope | broken | not | safe", "Item: rope; State: broken; not; safe"),
        ("| rope | broken | **not** `safe` |", "Item: rope; State: broken; not safe"),
        (r"| rope | broken \| bent | not safe |", "Item: rope; State: broken | bent; not safe"),
        ("| rope | broken |", "Item: rope; State: broken"),
    ],
)
def test_cells_beyond_the_head_of_a_table_are_read(before: str, row: str, words: str) -> None:
    rest = before.replace("-", " ")
    text = f"{before}| Item | State |\n{rest}|---|---|\n{rest}{row}\n\nNext.\n"
    assert read(text).text.split("\n\n") == ["Item; State", words, "Next."]
