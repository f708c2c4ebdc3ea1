"""What OCR saw becomes lines as a text layer has them: rows, sizes, skew, what is too unsure."""

import math
from collections.abc import Sequence

import pytest

from ingest import ocr
from ingest.ocr import SeenLine
from ingest.page_reading import PictureReading
from ingest.pdf_cells import mark_aligned_cells
from ingest.pdf_layout import compose
from ingest.seen_lines import SeenPage, seen_page

SIZE = 20.0
"""Of the font in pixels; a wide character is as wide, a narrow one half."""


def line(
    text: str, x: float, y: float, *, score: float = 1.0, size: float = SIZE, slope: float = 0.0
) -> SeenLine:
    """A line whose middle begins at x, y; the box leaves some paper around it."""
    steps = [size if ord(c) > 0x2000 else size / 2 for c in text]
    places = [x + sum(steps[:n]) for n in range(len(text) + 1)]
    up, edge = 0.675 * size, 0.2 * size
    boxes = tuple(
        (0.0,) * 4 if c.isspace() else (a, y + slope * a - up, b, y + slope * a + up)
        for c, a, b in zip(text, places, places[1:], strict=False)
    )
    left, right = places[0] - edge, places[-1] + edge
    corners = tuple(
        (at, y + slope * at + down)
        for at, down in ((left, -up), (right, -up), (right, up), (left, up))
    )
    return SeenLine(text, corners, boxes, tuple(score for _ in text))  # type: ignore[arg-type]


def page_of(lines: Sequence[SeenLine]) -> SeenPage:
    return seen_page(PictureReading(1000, 1400, tuple(lines)), 500, 700)


def text_of(lines: Sequence[SeenLine]) -> str:
    return compose(mark_aligned_cells(page_of(lines).lines)).text


def test_lines_of_a_paragraph_are_joined_and_a_table_has_cells() -> None:
    found = [
        line("直接原因：检修前未断电挂牌，值班人员没有发现泵", 100, 200),
        line("房异常。", 100, 230),
        line("编号", 100, 300),
        line("SG-2024-009", 400, 301),
    ]
    assert (
        text_of(found)
        == "直接原因：检修前未断电挂牌，值班人员没有发现泵房异常。\n\n编号\tSG-2024-009"
    )


def test_a_skewed_picture_is_read_as_if_it_lay_straight() -> None:
    slope = math.tan(math.radians(3))
    found = [
        line("The valve of pump four was not closed before", 100, 200, slope=slope),
        line("the work began.", 100, 230, slope=slope),
        line("Place", 100, 290, slope=slope),
        line("Riverside plant", 350, 290, slope=slope),
    ]
    text = text_of(reversed(found))  # type: ignore[arg-type]
    assert text == (
        "The valve of pump four was not closed before\nthe work began.\n\nPlace\tRiverside plant"
    )


def test_a_title_keeps_its_size_beside_a_body_of_another() -> None:
    found = [
        line("事故调查报告", 100, 100, size=30),
        line("说明", 100, 160),
        line("正文第一行写到这里为止。", 100, 200),
        line("正文第二行写到这里。", 100, 230),
    ]
    sizes = [one.size for one in page_of(found).lines]
    assert sizes[0] == pytest.approx(15, rel=0.05)
    assert sizes[1:] == pytest.approx([sizes[2]] * 3, rel=0.05)


def test_boxes_are_points_from_the_bottom_of_the_page_and_each_knows_its_score() -> None:
    found = page_of([line("泵 4", 100, 200, score=0.5)])
    [only] = found.lines
    assert only.boxes[0] == pytest.approx((50, 593.25, 60, 606.75))
    assert only.boxes[1] == (0.0, 0.0, 0.0, 0.0)
    assert {box: found.scores[box] for box in only.boxes[::2]} == found.scores
    assert set(found.scores.values()) == {128}


@pytest.mark.parametrize(
    "unsure",
    [line("smudge", 100, 200, score=0.4), line("u nhe", 100, 200, size=80.0)],
    ids=["low score", "few letters in a long line"],
)
def test_what_is_too_unsure_is_counted_and_not_told(unsure: SeenLine) -> None:
    if unsure.score == 1.0:
        wide = tuple((x * 12, y) for x, y in unsure.corners)
        unsure = SeenLine(unsure.text, wide, unsure.boxes, unsure.scores)
    found = page_of([unsure, line("The pump stopped.", 100, 300)])
    assert [one.text for one in found.lines] == ["The pump stopped."]
    assert found.num_unsure == 1


def test_a_line_whose_characters_have_other_numbers_of_places_keeps_its_words() -> None:
    corners = [[0.0, 0.0], [60.0, 0.0], [60.0, 10.0], [0.0, 10.0]]
    one = ("a", 0.9, [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])
    line = ocr._line("not safe", corners, [one, one])
    assert line is not None
    assert line.text == "not safe"
    lefts = [box[0] for box, c in zip(line.boxes, line.text, strict=True) if c != " "]
    assert lefts == sorted(set(lefts))
    assert {s for s, c in zip(line.scores, line.text, strict=True) if c != " "} == {0.9}
