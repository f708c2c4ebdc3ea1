"""Boxes of characters joined into line pieces."""

from kb_service.domain.spans import Box, TextSpan, line_pieces, merge_boxes


def row(y: float, num: int, x: float = 0.0) -> list[Box]:
    return [(x + 6 * i, y, x + 6 * i + 5, y + 8) for i in range(num)]


def column(x: float, num: int) -> list[Box]:
    return [(x, 6 * i, x + 8, 6 * i + 5) for i in range(num)]


def test_characters_of_one_line_become_one_box_and_empty_boxes_vanish() -> None:
    line = row(100, 4)
    assert merge_boxes([line[0], (0, 0, 0, 0), *line[1:]]) == ((0, 100, 23, 108),)


def test_each_line_and_each_far_piece_keeps_its_own_box() -> None:
    boxes = [*row(100, 3), *row(100, 3, x=200), *row(88, 2)]
    assert merge_boxes(boxes) == ((0, 100, 17, 108), (200, 100, 217, 108), (0, 88, 11, 96))


def test_a_line_that_runs_up_the_page_is_one_box() -> None:
    assert merge_boxes([*column(50, 5), *column(70, 3)]) == ((50, 0, 58, 29), (70, 0, 78, 17))


def test_a_long_line_never_swallows_the_word_under_it() -> None:
    assert merge_boxes([*row(100, 30), *row(91, 1, x=60)]) == ((0, 100, 179, 108), (60, 91, 65, 99))


def test_pieces_tell_which_characters_they_are_and_begin_and_end_with_ink() -> None:
    space = (0.0, 0.0, 0.0, 0.0)
    boxes = [space, *row(100, 2), space, *row(100, 1, x=12), space, *row(88, 2), space]
    spans = [span for span, _ in line_pieces(boxes)]
    assert spans == [TextSpan(1, 5), TextSpan(6, 8)]
