"""Small PDFs made for tests: one function per kind of trouble. Needs reportlab."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from reportlab.lib import pdfencrypt
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

LINES = (
    "The pilot reported that the engine lost power on final approach.",
    'He said "we heard a bang" and the cost was 5% of 2,319 hours.',
    "Examination found a broken fuel line; no fire occurred.",
)
CHINESE = ("二〇二四年八月十七日十八时十二分，", "三号机房发生泄漏事故，造成五人受伤。")


def write(path: Path, draw: Callable[[Canvas], None], **options: object) -> Path:
    """Write a PDF whose pages `draw` paints."""
    canvas = Canvas(str(path), **options)
    draw(canvas)
    canvas.save()
    return path


def draw_lines(canvas: Canvas, lines: tuple[str, ...] = LINES, y: float = 700) -> None:
    canvas.setFont("Helvetica", 11)
    for index, line in enumerate(lines):
        canvas.drawString(72, y - 14 * index, line)


def rotated(path: Path, degrees: int) -> Path:
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(degrees)
        draw_lines(canvas)
        canvas.showPage()

    data = write(path, draw, pagesize=(595, 842)).read_bytes()
    # reportlab swaps the sides of a rotated page; the page meant here is an upright sheet, turned
    path.write_bytes(data.replace(b"/MediaBox [ 0 0 842 595 ]", b"/MediaBox [ 0 0 595 842 ]"))
    return path


def landscape(path: Path, degrees: int) -> Path:
    """A page whose text is drawn turned, so that a viewer that turns the page shows it upright."""

    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(degrees)
        canvas.translate(421, 421)
        canvas.rotate(degrees)
        canvas.translate(-421, -421)
        draw_lines(canvas)
        canvas.showPage()

    return write(path, draw, pagesize=(842, 842))


def cropped(path: Path) -> Path:
    """A page whose media box starts at (-30, 20) and whose crop box starts at (50, 60)."""

    def draw(canvas: Canvas) -> None:
        draw_lines(canvas)
        canvas.drawString(72, 30, "outside the crop box")
        canvas.showPage()

    data = write(path, draw, pagesize=(595, 842)).read_bytes()
    boxes = b"/MediaBox [ -30 20 595 842 ] /CropBox [ 50 60 545 800 ]"
    path.write_bytes(data.replace(b"/MediaBox [ 0 0 595 842 ]", boxes))
    return path


def two_columns(path: Path, *, is_interleaved: bool) -> Path:
    """Two columns of prose, drawn column by column or row by row across the gutter."""
    left = [f"left column line {n:02d} runs on with words" for n in range(14)]
    right = [f"right column row {n:02d} tells another story" for n in range(14)]

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        rows = [(72, n, left[n]) for n in range(14)], [(320, n, right[n]) for n in range(14)]
        order = [cell for pair in zip(*rows, strict=True) for cell in pair]
        for x, n, text in order if is_interleaved else [*rows[0], *rows[1]]:
            canvas.drawString(x, 700 - 14 * n, text)
        canvas.showPage()

    return write(path, draw, pagesize=(595, 842))


def chinese(path: Path) -> Path:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("STSong-Light", 20)
        canvas.drawString(72, 760, "泄漏事故调查报告")
        canvas.setFont("STSong-Light", 12)
        for index, line in enumerate(CHINESE):
            canvas.drawString(72, 700 - 18 * index, line)
        canvas.showPage()

    return write(path, draw, pagesize=(595, 842))


def picture() -> ImageReader:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (60, 40), (30, 90, 160)).save(stream, "PNG")
    stream.seek(0)
    return ImageReader(stream)


def mixed_pages(path: Path) -> Path:
    """Four pages: text, nothing at all, an image only, a page of 20000 x 20000 points."""

    def draw(canvas: Canvas) -> None:
        draw_lines(canvas)
        canvas.showPage()
        canvas.showPage()
        canvas.drawImage(picture(), 50, 100, 400, 600)
        canvas.showPage()
        canvas.setPageSize((20_000, 20_000))
        draw_lines(canvas)
        canvas.showPage()

    return write(path, draw, pagesize=(595, 842))


def encrypted(path: Path) -> Path:
    def draw(canvas: Canvas) -> None:
        draw_lines(canvas)
        canvas.showPage()

    return write(path, draw, encrypt=pdfencrypt.StandardEncryption("secret", canPrint=0))


def many_pages(path: Path, num_pages: int) -> Path:
    def draw(canvas: Canvas) -> None:
        for number in range(num_pages):
            draw_lines(canvas, (f"Page number {number + 1} of the report.", *LINES))
            canvas.showPage()

    return write(path, draw)


def unreadable(path: Path, first: int = 0, last: int = 0xFF) -> Path:
    """Glyphs whose ToUnicode map points into the private use area, of codes first to last."""

    def draw(canvas: Canvas) -> None:
        draw_lines(canvas)
        canvas.showPage()

    write(path, draw, pageCompression=0)
    return _mapped(path, b"1 beginbfrange <%02X> <%02X> <E000> endbfrange" % (first, last))


def _mapped(path: Path, said: bytes) -> Path:
    """What the glyphs of a file are said to stand for."""
    cmap = (
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF>"
        b" endcodespacerange %s endcmap end"
    ) % said
    stream = b"99 0 obj << /Length %d >> stream\n%s\nendstream endobj\n" % (len(cmap), cmap)
    data = path.read_bytes().replace(b"/Subtype /Type1", b"/ToUnicode 99 0 R /Subtype /Type1")
    path.write_bytes(data.replace(b"xref\n", stream + b"xref\n", 1))
    return path


def with_annotations(path: Path, *annotations: str, more: bytes = b"") -> Path:
    """A page of text with annotations of these entries."""

    def draw(canvas: Canvas) -> None:
        draw_lines(canvas)
        canvas.showPage()

    data = write(path, draw, pageCompression=0).read_bytes()
    told = "".join(
        f"<< /Type /Annot /Rect [100 {100 + 40 * n} 300 {120 + 40 * n}] {entries} >> "
        for n, entries in enumerate(annotations)
    )
    data = data.replace(b"/MediaBox", b"/Annots [ %s] /MediaBox" % told.encode(), 1)
    path.write_bytes(data.replace(b"xref\n", more + b"xref\n", 1))
    return path


MIRRORED = str.maketrans("()", ")(")


def both_directions(
    path: Path, rows: Sequence[tuple[Sequence[str], bool]], *, as_seen: bool = False
) -> Path:
    """Rows of pieces in the order of reading, each drawn letter by letter where it belongs.

    True: a row runs from right to left. `as_seen`: the file has the letters from left to right, as
    a printer puts them down; else in the order of reading.
    """
    said = sorted({c for pieces, _ in rows for piece in pieces for c in piece if ord(c) >= 0x590})
    drawn = {character: chr(0xC0 + number) for number, character in enumerate(said)}

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Courier", 10)
        for number, (pieces, runs_left) in enumerate(rows):
            found = places(pieces, runs_left=runs_left, as_seen=as_seen)
            line = canvas.beginText(0, 700 - 14 * number)
            line._code.append(_shown(sorted(found) if as_seen else found, drawn))
            canvas.drawText(line)
        canvas.showPage()

    write(path, draw, pageCompression=0)
    pairs = " ".join(f"<{0xC0 + number:02X}> <{ord(c):04X}>" for number, c in enumerate(said))
    return _mapped(path, f"{len(said)} beginbfchar {pairs} endbfchar".encode())


def _shown(places: Sequence[tuple[float, str]], drawn: dict[str, str]) -> str:
    """One operator that draws all characters, moved back and forth between them."""
    at, moves = 0.0, []
    for x, character in places:
        code = drawn.get(character, character).encode("cp1252").hex()
        moves.append(f"{(at - x) * 100:.0f} <{code}>")
        at = x + 6.0
    return f"[{' '.join(moves)}] TJ"


def places(
    pieces: Sequence[str], *, runs_left: bool, as_seen: bool = False
) -> list[tuple[float, str]]:
    """The x of each character, six points wide; what is `as_seen` opens brackets at the right."""
    found: list[tuple[float, str]] = []
    x = 500.0 if runs_left else 72.0
    for piece in pieces:
        width = 6.0 * len(piece)
        left = x - width if runs_left else x
        is_right = any(ord(c) >= 0x590 for c in piece) or (runs_left and not piece[0].isalnum())
        for number, character in enumerate(piece):
            shown = character.translate(MIRRORED) if is_right and as_seen else character
            found.append((left + 6.0 * (len(piece) - 1 - number if is_right else number), shown))
        x += -width if runs_left else width
    return found
