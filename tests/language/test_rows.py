"""Rows of tables, told from prose."""

import pytest

from kb_service.language.rows import is_of_labels, is_row, labels_of, says_a_cell


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("姓名: 任俊杰; 岗位: 司机", True),
        ("Name: Kay Hollis; Site: Redford", True),
        ("| Kay | Redford |", True),
        ("Kay | Redford | 3", True),
        ("Length (m); MV Sorrel: 112; MV Tansy: 98", True),
        ("Length (m); MV Sorrel; MV Tansy", False),
        ("He came; she went: so it was.", False),
        ("原因：阀门锈蚀。", False),
        ("He came; she went.", False),
        ("Site: Redford; Hurt: nobody; Done: yes\n\nnights", True),
        ("Site: Redford\nHurt: nobody; nobody saw it", False),
        ("Cause: a valve", False),
    ],
)
def test_a_row_has_two_cells_or_more(words: str, *, is_one: bool) -> None:
    assert is_row(words) is is_one


def test_a_row_of_a_head_of_several_is_a_line_of_labels() -> None:
    labels = {"泵号", "甲班 流量", "乙班 流量", "备注"}
    assert is_of_labels("泵号; 甲班; 乙班; 备注", labels)
    assert is_of_labels("泵号; 流量; 流量; 备注", labels)
    assert not is_of_labels("泵号; 压力; 备注", labels)


def test_a_time_of_day_parts_no_label_from_its_value() -> None:
    row = "滤池: 1号; 甲班(08:00-20:00) 流量: 3; 冲洗时间: 7月5日21:00"
    assert labels_of(row) == ["滤池", "甲班(08:00-20:00) 流量", "冲洗时间"]
    assert says_a_cell("7月5日21:00冲洗的是哪个", row)
    assert not says_a_cell("00号阀", row)
