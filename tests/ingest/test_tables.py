"""Tables as text: titles, headers of one or two rows, and rows that make sense alone."""

from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import CSV
from ingest.tables import row_texts
from kb_service.domain.documents import ParsedDocument


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        ([["a", "b"], ["1", "2"]], ["a; b", "a: 1; b: 2"]),
        ([["1", "2"], ["3", "4"]], ["1; 2", "3; 4"]),
        ([["Name:", "Li"], ["Role:", "clerk"]], ["Name: Li", "Role: clerk"]),
        ([["", "Dead", "Hurt"], ["Quay", "0", "2"]], ["Dead; Hurt", "Quay; Dead: 0; Hurt: 2"]),
        ([["", "rope", "broken"], ["", "brake", "worn"]], ["rope broken", "brake worn"]),
        ([["List"], ["a", "b"], ["1", "2"]], ["List", "a; b", "a: 1; b: 2"]),
        ([["List"], ["Day: 3 May", "Clerk: Li"], ["a", "b"], ["1", "2"]], [
            "List", "Day: 3 May; Clerk: Li", "a; b", "a: 1; b: 2",
        ]),
        ([["a", "b"], ["1", "2"], ["Total"], ["3", "4"]], [
            "a; b", "a: 1; b: 2", "Total", "a: 3; b: 4",
        ]),
        (
            [["Place", "People", "People"], ["Place", "Dead", "Hurt"], ["Quay", "0", "2"]],
            ["Place; People", "Place; Dead; Hurt", "Place: Quay; People Dead: 0; People Hurt: 2"],
        ),
        ([["Yes", "Yes"], ["No", "No"]], ["Yes; Yes", "No; No"]),
        ([["a", "b"], ["1"]], ["a; b", "1"]),
        ([["a", "b"], ["1", "2", "3"]], ["a; b", "a: 1; b: 2; 3"]),
        ([[], ["  "], ["a\n b", "c"], ["1", "2"]], ["a b; c", "a b: 1; c: 2"]),
        ([["a", "b"], ["1", "2"], [], ["c", "d"], ["3", "4"]], [
            "a; b", "a: 1; b: 2", "c; d", "c: 3; d: 4",
        ]),
        ([["a", "b"], ["x", "y"], [], ["z", "w"], ["u", "v"]], [
            "a; b", "a: x; b: y", "a: z; b: w", "a: u; b: v",
        ]),
        ([["a", "b"], ["x", "y"], [], ["c", "d", "e"], ["u", "v", "w"]], [
            "a; b", "a: x; b: y", "c; d; e", "c: u; d: v; e: w",
        ]),
        ([["a", "b"], ["x", "Li"], ["y", "ditto"], ["z", "同上"], ["", "w"], ["v", "〃"]], [
            "a; b", "a: x; b: Li", "a: y; b: Li (ditto)", "a: z; b: Li (同上)", "b: w",
            "a: v; b: w (〃)",
        ]),
        ([["a", "b"], ["同上", "1"]], ["a; b", "a: 同上; b: 1"]),
        ([], []),
    ],
)  # fmt: skip
def test_a_row_is_said_beside_the_names_of_its_columns(
    rows: list[list[str]], texts: list[str]
) -> None:
    assert list(row_texts(rows)) == texts


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        ([["地点", "三号码头"], ["原因", "钢缆断裂"]], ["地点: 三号码头", "原因: 钢缆断裂"]),
        ([["事故名称", "撞船"], ["地点", "码头"], ["时间", "9时"]], [
            "事故名称: 撞船", "地点: 码头", "时间: 9时",
        ]),
        ([["姓名", "张三", "性别", "男"], ["年龄", "34", "电话", "13800138000"]], [
            "姓名: 张三; 性别: 男", "年龄: 34; 电话: 13800138000",
        ]),
        ([["地點", "三號碼頭", "三號碼頭"], ["原因", "鋼纜斷裂", "鋼纜斷裂"]], [
            "地點: 三號碼頭", "原因: 鋼纜斷裂",
        ]),
        ([["Report"], ["Site", "Quay three"], ["Date", ""], ["Name", "Li"]], [
            "Report", "Site: Quay three", "Date:", "Name: Li",
        ]),
        ([["Place:", "Quay"], ["Cause：", "rope"]], ["Place: Quay", "Cause： rope"]),
        ([["Place", "Date"], ["Quay", "3 May"]], ["Place; Date", "Place: Quay; Date: 3 May"]),
        ([["Place", "Note"], ["Quay", "wet"]], ["Place; Note", "Place: Quay; Note: wet"]),
        ([["Place", "3", "4"], ["Cause", "5", "6"]], ["Place; 3; 4", "Cause; 5; 6"]),
        ([["a:", "1", "b:", "2"], ["c:", "3", "d:", "4"]], ["a: 1; b: 2", "c: 3; d: 4"]),
    ],
)  # fmt: skip
def test_a_form_is_said_by_its_labels(rows: list[list[str]], texts: list[str]) -> None:
    assert list(row_texts(rows)) == texts


def test_many_rows_are_read_one_after_another() -> None:
    rows = ([f"r{number}", str(number)] for number in range(100_000))
    texts = row_texts(rows, ["name", "count"])
    assert next(texts) == "name: r0; count: 0"
    assert sum(1 for _ in texts) == 99_999


def test_columns_of_one_name_are_all_named_where_no_cell_is_merged() -> None:
    rows = [["State", "State", "Item"], ["new", "old", "rope"]]
    assert next(row_texts(rows, is_header_sure=True)) == "State; State; Item"


def test_a_csv_with_a_title_above_its_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Accident list 2026\n\ndate,place\n2026-03-05,Quay three\n")
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, CSV)
    assert isinstance(document, ParsedDocument)
    assert document.text.split("\n\n") == [
        "Accident list 2026", "date; place", "date: 2026-03-05; place: Quay three",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        (
            [["", ""], ["Severity", "SEV-2"], ["Scribe", "Joel"]],
            ["Severity: SEV-2", "Scribe: Joel"],
        ),
        ([["", " "], ["等级", "二级"], ["记录", "柯燕"]], ["等级: 二级", "记录: 柯燕"]),
        ([["", ""], ["Damage:", "none"], ["", ""], ["Open", ""]], ["Damage: none", "Open:"]),
    ],
)
def test_two_columns_under_a_header_without_a_word_are_labels_and_values(
    rows: list[list[str]], texts: list[str]
) -> None:
    assert list(row_texts(rows)) == texts


def test_three_columns_under_an_empty_row_have_their_header_below_it() -> None:
    rows = [["", "", ""], ["Part", "Stock", "Due"], ["seal", "4", "May"]]
    assert list(row_texts(rows)) == ["Part; Stock; Due", "Part: seal; Stock: 4; Due: May"]
