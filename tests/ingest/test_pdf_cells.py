"""Rows of tables stay rows; gaps of prose stay spaces."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont

from ingest.pdf_cells import mark_aligned_cells, row_cells
from ingest.pdf_glyphs import Line
from ingest.pdf_layout import compose
from tests.ingest import pdf_samples as samples
from tests.ingest.test_pdf import assert_boxes_hold_their_characters, load
from tests.ingest.test_pdf_layout import line

FORM = (
    ("编号", "SG-2022-070"),
    ("类别", "火灾"),
    ("发生时间", "2022年10月21日17时37分"),
    ("地点", "北山市安顺仓储中心一车间"),
)
PROSE = ("2022年10月21日，位于北山市的安顺仓储中心", "一车间发生火灾事故，造成三人死亡、一人受")


def form(path: Path, rows: tuple[tuple[str, str], ...], step: float) -> Path:
    """A form of two columns 60 points apart above two lines of a wrapped sentence."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def draw(canvas: samples.Canvas) -> None:
        canvas.setFont("STSong-Light", 10)
        for index, (label, value) in enumerate(rows):
            canvas.drawString(68, 700 - step * index, label)
            canvas.drawString(128, 700 - step * index, value)
        for index, text in enumerate(PROSE):
            canvas.drawString(68, 660 - step * len(rows) - 15 * index, text)
        canvas.showPage()

    return samples.write(path, draw, pagesize=(595, 842))


@pytest.mark.parametrize("step", [13.0, 15.0, 21.6])
def test_the_rows_of_a_form_stay_apart_and_their_cells_have_tabs(
    tmp_path: Path, step: float
) -> None:
    path = form(tmp_path / "a.pdf", FORM, step)
    document = load(path)
    assert document.text.split("\n\n") == [*("\t".join(row) for row in FORM), "".join(PROSE)]
    assert_boxes_hold_their_characters(path, document)


def test_a_value_that_wraps_inside_its_cell_stays_one_value(tmp_path: Path) -> None:
    rows = (*FORM[:3], ("地点", "北山市安顺仓储中心一车"), ("", "间南侧堆场"))
    path = form(tmp_path / "a.pdf", rows, 13.0)
    document = load(path)
    assert "地点\t北山市安顺仓储中心一车间南侧堆场\n\n" in document.text
    assert_boxes_hold_their_characters(path, document)


LABELS = st.text("发生时间地点类别编号事故", min_size=2, max_size=5)
VALUES = st.text("北山市安顺仓储中心一车间", min_size=4, max_size=14)


@given(st.lists(st.tuples(LABELS, VALUES), min_size=2, max_size=6), st.floats(12.5, 25.0))
def test_no_form_of_any_size_has_joined_rows(rows: list[tuple[str, str]], step: float) -> None:
    lines = [row(*cells, y=700 - step * index) for index, cells in enumerate(rows)]
    page = compose(mark_aligned_cells(lines))
    assert page.text.split("\n\n") == ["\t".join(cells) for cells in rows]
    assert len(page.boxes) == len(page.text)


def row(*cells: str, y: float = 700, xs: tuple[float, ...] = (50, 120, 220)) -> Line:
    """A line whose cells begin at the given places, read as pdfium does: a space for each gap."""
    whole = line("", y)
    for text, x in zip(cells, xs, strict=False):
        part = line(text, y, x)
        if whole.text:
            whole.text += " "
            whole.boxes.append((0.0, 0.0, 0.0, 0.0))
        whole.text += part.text
        whole.boxes.extend(part.boxes)
        whole.box = (50.0, part.box[1], part.box[2], part.box[3])
    return whole


def test_cells_read_as_lines_of_their_own_make_one_row() -> None:
    lines = [
        line(text, 700 - 15 * index, x)
        for index, cells in enumerate(FORM)
        for text, x in zip(cells, (50, 120), strict=True)
    ]
    assert compose(lines).text.split("\n\n") == ["\t".join(cells) for cells in FORM]
    assert row_cells(lines) == [(50.0, 120.0)] * 8


def test_a_line_below_a_row_that_starts_at_the_left_is_not_glued_to_it() -> None:
    lines = [row("类别", "火灾"), row("发生时间", "二〇二二年十月廿一日", y=685), line("备注", 670)]
    assert compose(mark_aligned_cells(lines)).text.endswith("廿一日\n备注")


def test_gaps_that_no_other_line_confirms_stay_spaces() -> None:
    lines = [row("one two", "end", xs=(50, 108)), row("one", "two", y=685, xs=(50, 90))]
    assert [marked.text for marked in mark_aligned_cells(lines)] == ["one two end", "one two"]


def test_widened_spaces_of_justified_prose_stay_spaces_although_they_align() -> None:
    words = ("the", "old", "valve")
    lines = [row(*words, y=700 - 15 * index, xs=(50, 84, 118)) for index in range(3)]
    assert [marked.text for marked in mark_aligned_cells(lines)] == ["the old valve"] * 3


@pytest.mark.parametrize("mark", ["1.", "（2）", "•", "三、", "1.2"])
def test_the_gap_after_a_list_mark_is_no_cell(mark: str) -> None:
    lines = [row(mark, "增设报警装置", y=700 - 15 * index, xs=(50, 95)) for index in range(2)]
    assert [marked.text for marked in mark_aligned_cells(lines)] == [f"{mark} 增设报警装置"] * 2


def test_prose_with_a_stray_gap_is_not_cut() -> None:
    above = line("We had planned for a day that", 700)
    below = line("somebody from Ops\tjoins us", 685)
    assert compose([above, below]).text == f"{above.text}\n{below.text}"
