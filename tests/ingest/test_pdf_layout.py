"""Joining lines: what is a wrap, what ends a paragraph, what is a heading."""

import gzip
import json
import re
from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.pdf import PdfLoader
from ingest.pdf_characters import NO_BOX
from ingest.pdf_glyphs import Line, Sheet, turned_box, upright_box
from ingest.pdf_layout import compose
from kb_service.domain.documents import ParsedDocument


def line(text: str, y: float, x: float = 50.0, size: float = 12.0) -> Line:
    """A line of letters as wide as high for Chinese, half as wide for the rest."""
    boxes, at = [], x
    for character in text:
        width = size if ord(character) > 0x2E80 else size / 2
        boxes.append(NO_BOX if character == " " else (at, y, at + width, y + size * 0.8))
        at += width
    return Line(text, boxes, (x, y, at, y + size * 0.8), size, y)


def joined(*texts: str, step: float = 15.0) -> str:
    page = compose([line(text, 700 - step * index) for index, text in enumerate(texts)])
    assert len(page.boxes) == len(page.text)
    for paragraph in page.paragraphs:
        assert paragraph.span.of(page.text) == paragraph.span.of(page.text).strip()
    return page.text


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("the engine lost power on the", "final approach to runway two"), "\n"),
        (("It ended there.", "The next paragraph is a much longer line"), "\n\n"),
        (("直接经济损失约五百六十万元，造成一人死", "亡、三人受伤，并有设备损坏的情形。"), ""),
        (("直接经济损失约五百六十万元，造成损失约", "12.5万元。"), ""),
        (("事故处理完毕。", "当日十八时十二分，当班人员发现三号机房异常"), "\n\n"),
        (("一、事故概况", "位于云岭市的中环数据中心三号机房发生泄漏"), "\n\n"),
        (("1. 增设在线监测和报警装置；", "2. 修订应急预案并每季度演练；"), "\n"),
        (("Location: Tallahassee in the state", "Registration: N5921D of the plane"), "\n\n"),
    ],
)
def test_two_lines_are_joined_the_way_a_reader_would(texts: tuple[str, str], expected: str) -> None:
    assert joined(*texts) == expected.join(texts)


def test_a_step_larger_than_the_usual_one_ends_a_paragraph() -> None:
    steps = (0, 15, 30, 45, 60, 90)
    page = compose([line("words " * 8 + "end", 700 - step) for step in steps])
    assert [paragraph.num_lines for paragraph in page.paragraphs] == [5, 1]


def test_a_change_of_type_size_ends_a_paragraph() -> None:
    page = compose([line("Analysis of what happened", 700, size=18), line("The pilot " * 6, 680)])
    assert [paragraph.size for paragraph in page.paragraphs] == [18, 12]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turning_a_box_and_back_changes_nothing(turn: int) -> None:
    sheet = Sheet(500.0, 800.0, (0.0, 0.0), turn)
    box = (10.0, 20.0, 40.0, 25.0)
    turned = turned_box(box, sheet, turn)
    assert turned[0] < turned[2] and turned[1] < turned[3]
    assert upright_box(turned, sheet, turn) == box


def load(path: Path) -> ParsedDocument:
    *_, document = PdfLoader(ParseLimits()).load(path, path.name, "application/pdf")
    assert isinstance(document, ParsedDocument)
    return document


def test_chinese_demo_pdfs_hold_every_line_of_their_source_verbatim(shared_dir: Path) -> None:
    demo = shared_dir / "data/demo"
    with gzip.open(demo / "zh_synth_incident_docs.jsonl.gz", "rt", encoding="utf-8") as rows:
        sources = [row for row in map(json.loads, rows) if row["pdf_kind"] == "text"]
    assert len(sources) > 60
    for source in sources:
        text = load(demo / f"pdf/zh_synth/{source['doc']}.pdf").text
        missing = [part for part in source["text"].split("\n") if part not in text]
        assert missing == [], source["doc"]
        place = source["city"] + source["unit"] + source["place"]
        rows = {f"发生时间\t{source['date']}{source['time']}", f"地点\t{place}"}
        assert rows <= set(text.split("\n\n")), source["doc"]


def test_english_demo_pdfs_hold_the_words_of_their_source(shared_dir: Path) -> None:
    demo = shared_dir / "data/demo"
    with gzip.open(demo / "en_wikitech_docs.jsonl.gz", "rt", encoding="utf-8") as rows:
        sources = {row["doc"].split("/")[1]: row["text"] for row in map(json.loads, rows)}
    recalls = []
    for path in sorted((demo / "pdf/wikitech").glob("*.pdf"))[::6]:
        wanted = re.findall(r"\w+", sources.get(path.stem, ""))
        if len(wanted) > 60:  # shorter ones are notes that the page does not exist
            found = set(re.findall(r"\w+", load(path).text.replace("-\n", "-")))
            recalls.append(sum(word in found for word in wanted) / len(wanted))
    assert len(recalls) >= 10
    assert sum(recalls) / len(recalls) > 0.97
