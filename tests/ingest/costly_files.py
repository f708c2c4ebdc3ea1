"""Small files that cost much: for each format what makes its parser work out of all proportion."""

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from tests.ingest.format_samples import office_bytes


def brackets(path: Path, count: int = 50_000) -> Path:
    """Brackets in brackets: each may begin a link, and Markdown looks for the end of every one."""
    path.write_text("[" * (count // 2) + "]" * (count // 2))
    return path


def nested_forms(path: Path, depth: int) -> Path:
    """A PDF page whose forms each draw the next one ten times: 10 ** depth marks in the end."""
    objects = [_page(), _stream("", b"/X Do")]
    for number in range(depth):
        resources = f"/XObject<</X {6 + number} 0 R>>"
        objects.append(_form(resources, b"/X Do " * 10))
    objects.append(_form("", b"0 0 9 9 re f"))
    return _pdf(path, [*_tree("3 0 R", 1), *objects])


def many_page_objects(path: Path, count: int = 200_000) -> Path:
    """A page tree that names one page very often."""
    kids = "3 0 R " * count
    return _pdf(path, [*_tree(kids, count), _page(), _stream("", b"")])


def flate_bomb(path: Path, size: int = 150_000_000) -> Path:
    """A page whose content unpacks to very much."""
    packed = zlib.compressobj(9)
    data = b"".join(packed.compress(b"0 0 9 9 re\n" * 100_000) for _ in range(size // 1_100_000))
    content = _stream("/Filter/FlateDecode", data + packed.flush())
    return _pdf(path, [*_tree("3 0 R", 1), _page(), content])


def deep_quotes(path: Path) -> Path:
    path.write_text("> " * 20_000 + "deep")
    return path


def stars(path: Path) -> Path:
    path.write_text("*a **b " * 10_000)
    return path


def nested_list(path: Path) -> Path:
    path.write_text("\n".join("  " * depth + "- item" for depth in range(500)))
    return path


def nested_page(path: Path) -> Path:
    path.write_text("<html><body>" + "<div>" * 100_000 + "deep")
    return path


def many_columns(path: Path) -> Path:
    path.write_text(",".join("c" * 1_000_000) + "\n" + "1," * 1_000_000)
    return path


def vast_sheet(path: Path) -> Path:
    """A sheet that says it reaches the last cell there can be, and has a cell there."""
    sheet = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
        '2006/main"><dimension ref="A1:XFD1048576"/><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c>'
        "</row></sheetData></worksheet>"
    )
    return _with_part(path, "xlsx", "xl/worksheets/sheet1.xml", sheet.encode())


def growing_entities(path: Path) -> Path:
    """Entities of a Word file that each stand for ten of the one before."""
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    document = (
        f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY e0 "ha">{lines}]><w:document xmlns:w="http://'
        'schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&e11;</w:t>'
        "</w:r></w:p></w:body></w:document>"
    )
    return _with_part(path, "docx", "word/document.xml", document.encode())


def nested_parts(path: Path) -> Path:
    """A mail whose parts lie in each other."""
    heads = (
        f'Content-Type: multipart/mixed; boundary="b{depth}"\n\n--b{depth}\n'
        for depth in range(3000)
    )
    path.write_text("Message-ID: <1@x>\nFrom: a@x\nTo: b@x\nSubject: s\n" + "".join(heads))
    return path


def _with_part(path: Path, kind: str, name: str, data: bytes) -> Path:
    from ingest import media_types as types

    package = office_bytes({"docx": types.DOCX, "xlsx": types.XLSX}[kind], "words")
    with (
        zipfile.ZipFile(io.BytesIO(package)) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.namelist():
            target.writestr(part, data if part == name else source.read(part))
    return path


def _tree(kids: str, count: int) -> list[bytes]:
    tree = f"<</Type/Pages/Kids[{kids}]/Count {count}>>".encode()
    return [b"<</Type/Catalog/Pages 2 0 R>>", tree]


def _page() -> bytes:
    return (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</XObject<</X 5 0 R>>>>>>"
    )


def _form(resources: str, content: bytes) -> bytes:
    form = f"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<<{resources}>>"
    return _stream(form, content)


def _stream(entries: str, content: bytes) -> bytes:
    head = f"<<{entries}/Length {len(content)}>>stream\n".encode()
    return head + content + b"\nendstream"


def _pdf(path: Path, objects: Sequence[bytes]) -> Path:
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = (
        b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, rows)
        + b"trailer<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1)
        + b"startxref\n%d\n%%%%EOF\n" % len(data)
    )
    path.write_bytes(data + end)
    return path
