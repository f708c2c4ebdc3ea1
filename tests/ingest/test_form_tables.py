"""Tables of labels and values in several columns are forms in every format; lists are not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document
from openpyxl import Workbook
from reportlab.lib import colors
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import SimpleDocTemplate, Table, TableStyle

from ingest.form_tables import Form
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import detect_media_type
from ingest.tables import row_texts
from kb_service.domain.documents import ParsedDocument

Rows = list[list[str]]
LIFT = [
    ["维修单号", "WX-0417", "故障类别", "电梯困人"],
    ["所在小区", "松风里", "具体位置", "2栋西侧客梯"],
    ["发生时间", "2027-02-11 19:40", "恢复时间", "2027-02-11 20:05"],
    ["报修人", "3楼住户", "维修人员", "阮立群"],
    ["维修费用（元）", "", "受伤人数", "无"],
    ["经过", *["下行时在两层之间停住，两人被困。"] * 3],
]
LIFT_SAID = [
    "维修单号: WX-0417; 故障类别: 电梯困人",
    "所在小区: 松风里; 具体位置: 2栋西侧客梯",
    "发生时间: 2027-02-11 19:40; 恢复时间: 2027-02-11 20:05",
    "报修人: 3楼住户; 维修人员: 阮立群",
    "维修费用（元）:; 受伤人数: 无",
    "经过: 下行时在两层之间停住，两人被困。",
]
FERRY = [
    ["Report no.", "FR-88", "Vessel", "Marigold", "Berth", "4"],
    ["Occurred", "12 March 2027 06:50", "Cleared", "12 March 2027 08:15", "Crew", "6"],
    ["Reported by", "Deckhand Ines Falk", "Damage (EUR)", "", "Injured", "1"],
    ["What happened", *["The stern line parted. One deckhand bruised a wrist."] * 5],
]
FERRY_SAID = [
    "Report no.: FR-88; Vessel: Marigold; Berth: 4",
    "Occurred: 12 March 2027 06:50; Cleared: 12 March 2027 08:15; Crew: 6",
    "Reported by: Deckhand Ines Falk; Damage (EUR):; Injured: 1",
    "What happened: The stern line parted. One deckhand bruised a wrist.",
]
ROSTER = [
    ["班组", "姓名", "岗位", "电话"],
    ["一班", "段淑芬", "驾驶员", "13800000001"],
    ["一班", "喻国梁", "调度员", "13800000002"],
    ["二班", "柴玉珍", "安全员", "13800000003"],
]
CALLS = [
    ["Caller", "Rang", "Place", "Attended by"],
    ["Ann Cole", "2027-03-01 08:10", "Mill Lane", "Unit 4"],
    ["Bo Hart", "2027-03-02 09:15", "Quay Road", "Unit 2"],
    ["Cy Webb", "2027-03-04 22:40", "Dock Street", "Unit 4"],
]


def read(path: Path) -> list[str]:
    media_type = detect_media_type(path.name, path.read_bytes())
    *_, found = DocumentLoader(ParseLimits()).load(path, path.name, media_type)
    assert isinstance(found, ParsedDocument)
    return [block for block in found.text.split("\n\n") if block]


def as_docx(rows: Rows, path: Path) -> Path:
    document = Document()
    table = document.add_table(len(rows), len(rows[0]))
    for at, row in enumerate(rows):
        for column, words in enumerate(row):
            table.cell(at, column).text = words
        if len({*row[1:]}) == 1:
            merged = table.cell(at, 1).merge(table.cell(at, len(row) - 1))
            merged.text = row[1]
    document.save(str(path))
    return path


def as_html(rows: Rows, path: Path) -> Path:
    def cells(row: list[str]) -> str:
        if len({*row[1:]}) == 1:
            return f"<th>{row[0]}</th><td colspan='{len(row) - 1}'>{row[1]}</td>"
        tags = ("th", "td")
        return "".join(f"<{tags[n % 2]}>{one}</{tags[n % 2]}>" for n, one in enumerate(row))

    body = "".join(f"<tr>{cells(row)}</tr>" for row in rows)
    path.write_text(f"<meta charset='utf-8'><table>{body}</table>", encoding="utf-8")
    return path


def as_xlsx(rows: Rows, path: Path) -> Path:
    """Each value in two merged cells, an empty column before all."""
    sheet = Workbook()
    page = sheet.active
    for at, row in enumerate(rows, start=1):
        if len({*row[1:]}) == 1:
            page.cell(at, 2, row[0])
            page.cell(at, 3, row[1])
            page.merge_cells(
                start_row=at, end_row=at, start_column=3, end_column=3 * len(row) // 2 + 1
            )
            continue
        for pair in range(len(row) // 2):
            page.cell(at, 2 + 3 * pair, row[2 * pair])
            page.cell(at, 3 + 3 * pair, row[2 * pair + 1] or None)
            page.merge_cells(
                start_row=at, end_row=at, start_column=3 + 3 * pair, end_column=4 + 3 * pair
            )
    sheet.save(path)
    return path


def as_pdf(rows: Rows, path: Path) -> Path:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    style: list[tuple[object, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
        ("FONT", (0, 0), (-1, -1), "STSong-Light", 9),
    ]
    style += [("SPAN", (1, at), (-1, at)) for at, row in enumerate(rows) if len({*row[1:]}) == 1]
    cells = [row if len({*row[1:]}) > 1 else [*row[:2], *[""] * (len(row) - 2)] for row in rows]
    widths = [75, 105] * (len(rows[0]) // 2)
    SimpleDocTemplate(str(path), leftMargin=20, rightMargin=20).build(
        [Table(cells, colWidths=widths, style=TableStyle(style))]
    )
    return path


@pytest.mark.parametrize("made", [as_docx, as_html, as_xlsx, as_pdf])
@pytest.mark.parametrize(("rows", "said"), [(LIFT, LIFT_SAID), (FERRY, FERRY_SAID)])
def test_a_form_of_several_pairs_in_a_row_is_said_by_its_labels(
    rows: Rows, said: list[str], made: Callable[[Rows, Path], Path], tmp_path: Path
) -> None:
    ending = made.__name__.removeprefix("as_")
    found = read(made(rows, tmp_path / f"a.{ending}"))
    assert [block for block in found if block != "Sheet"] == said


def test_labels_that_mostly_have_colons_stay_as_they_stand_on_a_page(tmp_path: Path) -> None:
    own = [[cell + ":" if n % 2 == 0 else cell for n, cell in enumerate(row)] for row in FERRY[:3]]
    assert not [block for block in read(as_pdf(own, tmp_path / "a.pdf")) if "; " in block]
    once = [[*FERRY[0][:4], "Berth:", "4"], *FERRY[1:]]
    assert read(as_pdf(once, tmp_path / "b.pdf")) == FERRY_SAID


@pytest.mark.parametrize("rows", [ROSTER, CALLS])
def test_a_list_of_four_columns_keeps_the_names_above_them(rows: Rows) -> None:
    assert Form.of(rows) is None
    first = "; ".join(f"{name}: {word}" for name, word in zip(rows[0], rows[1], strict=True))
    assert list(row_texts(rows))[1] == first


def test_a_word_beside_several_rows_stands_above_their_pairs() -> None:
    rows = [
        ["基本情况", "编号", "QX-7", "类别", "火灾"],
        ["基本情况", "时间", "2027-01-05 03:20", "地点", "东排架"],
        ["处置", "到场单位", "北站消防站", "处置措施", "切断电源"],
    ]
    assert list(row_texts(rows)) == [
        "基本情况\n编号: QX-7; 类别: 火灾",
        "时间: 2027-01-05 03:20; 地点: 东排架",
        "处置\n到场单位: 北站消防站; 处置措施: 切断电源",
    ]


def test_a_value_that_goes_on_in_another_row_gets_no_colon() -> None:
    rows = [["地点", "三号码头"], ["措施", "停机检查"], ["", "更换钢缆"]]
    assert list(row_texts(rows)) == ["地点: 三号码头", "措施: 停机检查", "更换钢缆"]


STACKED = [
    ["一、基本情况"] * 3,
    ["编号", "事故类型", "发生时间"],
    ["SG-031", "燃气泄漏", "2024年5月3日14时20分"],
    ["二、伤亡"] * 3,
    ["受伤人数", "死亡人数", "死亡人数"],
    ["2", "", ""],
    ["处置措施"] * 3,
    ["关阀，疏散，抢修后恢复。"] * 3,
]
STACKED_SAID = [
    "一、基本情况",
    "编号: SG-031; 事故类型: 燃气泄漏; 发生时间: 2024年5月3日14时20分",
    "二、伤亡",
    "受伤人数: 2; 死亡人数:",
    "处置措施: 关阀，疏散，抢修后恢复。",
]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (STACKED, STACKED_SAID),
        (
            [["Ref", "Type"], ["A-1", "Fire"], ["Location", "Injured"], ["Pier 7", "0"]],
            ["Ref: A-1; Type: Fire", "Location: Pier 7; Injured: 0"],
        ),
    ],
)
def test_rows_of_labels_over_their_values_are_a_form(rows: Rows, said: list[str]) -> None:
    """The first row was the header of all: numbers that read Location, kinds that read Injured."""
    assert list(row_texts(rows)) == said


@pytest.mark.parametrize(
    "rows",
    [
        [["编号", "类型"], ["A-1", "火灾"], ["A-2", "盗窃"], ["A-3", "火灾"]],
        [["编号", "类型"], ["A-1", "火灾"]],
        [["编号", "类型"], ["A-1", "火灾"], ["地点", "受伤人数"]],
        [["姓名", "班组"], ["张三", "甲班"], ["李四", "乙班"], ["王五", "丙班"]],
        [["Name", "Place"], ["Ann", "Hull"], ["Site 4", "Type B"], ["Bo", "Goole"]],
    ],
)
def test_a_row_of_labels_over_all_others_is_a_table(rows: Rows) -> None:
    assert list(row_texts(rows))[1] == "; ".join(
        f"{name}: {cell}" for name, cell in zip(*rows[:2], strict=True)
    )
