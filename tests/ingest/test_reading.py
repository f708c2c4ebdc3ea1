"""Words in pictures are read, placed and named as read; what cannot be read is named as well."""

import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ingest import media_types as types
from ingest.completeness import counted
from ingest.limits import ParseLimits
from ingest.ocr import RapidReader, SeenLine
from ingest.page_picture import pixel_box
from ingest.page_reading import PictureReading, ReadingFolder
from ingest.pdf import PdfLoader
from ingest.pdf_count import DrawnLetters
from ingest.picture_reading import read_pages, read_upright
from ingest.reading import PageReader, ReadingLoader, reading_sandbox
from ingest.sandbox import SandboxedLoader
from kb_service.domain.documents import Page, PageKind, ParsedDocument, regions_of
from kb_service.domain.errors import ParseAccident
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.spans import TextSpan
from tests.conftest import ROOT
from tests.ingest import pdf_samples
from tests.ingest.picture_samples import MARGIN, chinese, drawn, needs_chinese_font, needs_ocr

WORDS = "The valve is not safe."
LIMITS = ParseLimits(timeout_s=120)


class FixedReader:
    """PictureReader that sees one line in every picture, and counts the pictures."""

    def __init__(self, words: str = WORDS, score: float = 0.97) -> None:
        self.words = words
        self.score = score
        self.sizes: list[tuple[int, int]] = []

    def read(self, picture: Image.Image) -> list[SeenLine]:
        self.sizes.append(picture.size)
        if not self.words:
            return []
        width, height = picture.size
        left, right, top, bottom = 0.1 * width, 0.5 * width, 0.1 * height, 0.12 * height
        step = (right - left) / len(self.words)
        boxes = tuple(
            (left + n * step, top, left + (n + 1) * step, bottom) if c.strip() else (0.0,) * 4
            for n, c in enumerate(self.words)
        )
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        scores = tuple(self.score for _ in self.words)
        return [SeenLine(self.words, corners, boxes, scores)]  # type: ignore[arg-type]


class FixedSandbox:
    """The process that reads, in this one; it dies of the pages in `poison`."""

    def __init__(self, reader: FixedReader | None = None, poison: Sequence[int] = ()) -> None:
        self.reader = reader or FixedReader()
        self.poison = poison

    def run(self, request: Mapping[str, Any], name: str) -> Generator[Progress | Path, None, None]:
        path, numbers = Path(request["path"]), request["page_numbers"]
        readings = ReadingFolder(Path(request["readings"]))
        for done, number in enumerate(numbers, start=1):
            if number in self.poison:
                raise ParseAccident(f"died of page {number}")
            [(_, reading)] = read_pages(path, name, request["media_type"], [number], self.reader)
            readings.add(number, reading)
            yield Progress(JobStage.LOAD, done, len(numbers))

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[SandboxedLoader]:
    with SandboxedLoader(LIMITS) as loader:
        yield loader


def load(
    sandboxed: SandboxedLoader,
    path: Path,
    media_type: str,
    fake: FixedSandbox | None = None,
    *,
    can_read: bool = True,
    kept_at: Callable[[Path], Path] | None = None,
) -> ParsedDocument:
    reader = PageReader(fake or FixedSandbox())
    loader = ReadingLoader(sandboxed, reader, lambda: can_read, kept_at)
    *_, document = loader.load(path, path.name, media_type)
    assert isinstance(document, ParsedDocument)
    return document


def kinds(pages: Sequence[Page]) -> list[tuple[PageKind, str | None]]:
    return [(page.kind, page.reason) for page in pages]


def scan(path: Path, *, footer: str = "", rotation: int = 0) -> Path:
    """A page that is a picture, with a line of text over it."""

    def draw(canvas: pdf_samples.Canvas) -> None:
        canvas.setPageRotation(rotation)
        canvas.drawImage(pdf_samples.picture(), 0, 0, 595, 842)
        canvas.drawString(60, 40, footer)
        canvas.showPage()

    return pdf_samples.write(path, draw, pagesize=(595, 842))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_scan_is_read_and_its_words_stand_where_they_are_seen(
    sandboxed: SandboxedLoader, tmp_path: Path, rotation: int
) -> None:
    document = load(sandboxed, scan(tmp_path / "a.pdf", rotation=rotation), types.PDF)
    assert document.text == WORDS
    assert kinds(document.pages) == [(PageKind.OCR, None)]
    [region] = regions_of(document.pages, TextSpan(4, 9))
    assert region.confidence == pytest.approx(0.97, abs=0.002)
    [box] = region.boxes
    [page] = document.pages
    assert page.rotation == rotation
    left, top, right, bottom = pixel_box(box, (page.width, page.height), rotation, 1.0)
    sides = (page.width, page.height)
    width, height = sides[::-1] if rotation in (90, 270) else sides
    places = [0.1 + 0.4 * n / len(WORDS) for n in (4, 9)]
    assert [left / width, right / width] == pytest.approx(places, abs=0.002)
    assert [top / height, bottom / height] == pytest.approx([0.1, 0.12], abs=0.002)


def test_a_scan_with_a_written_footer_is_both(sandboxed: SandboxedLoader, tmp_path: Path) -> None:
    path = scan(tmp_path / "a.pdf", footer="Page 1 of 1")
    document = load(sandboxed, path, types.PDF)
    assert document.text == f"{WORDS}\n\nPage 1 of 1"
    assert kinds(document.pages) == [(PageKind.BOTH, None)]
    [page] = document.pages
    assert page.char_scores[: len(WORDS)].count(0) == WORDS.count(" ")
    assert set(page.char_scores[len(WORDS) :]) == {0}
    [written] = regions_of(document.pages, TextSpan(len(WORDS) + 2, len(document.text)))
    assert written.confidence is None


def test_what_is_written_is_not_said_again_by_the_picture(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    def draw(canvas: pdf_samples.Canvas) -> None:
        canvas.drawImage(pdf_samples.picture(), 0, 0, 595, 842)
        canvas.setFont("Helvetica", 20)
        canvas.drawString(59, 744, "The valve is not safe. Close it.")
        canvas.showPage()

    path = pdf_samples.write(tmp_path / "a.pdf", draw, pagesize=(595, 842))
    document = load(sandboxed, path, types.PDF)
    assert document.text == "The valve is not safe. Close it."
    assert kinds(document.pages) == [(PageKind.TEXT, None)]


def page_of_text(path: Path, box: tuple[float, float, float, float]) -> Path:
    """A page of text with a picture; the only line that is seen lies at its top left."""
    lines = tuple(f"Line {n} of the report says what happened then." for n in range(12))

    def draw(canvas: pdf_samples.Canvas) -> None:
        pdf_samples.draw_lines(canvas, lines, y=500)
        canvas.drawImage(pdf_samples.picture(), *box)
        canvas.showPage()

    return pdf_samples.write(path, draw, pagesize=(595, 842))


def test_a_picture_among_text_is_told_behind_the_text(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    path = page_of_text(tmp_path / "a.pdf", (40, 600, 500, 220))
    document = load(sandboxed, path, types.PDF)
    assert document.text.startswith("Line 0 of the report")
    assert document.text.endswith(f"what happened then.\n\n{WORDS}")
    assert kinds(document.pages) == [(PageKind.BOTH, None)]
    without = load(sandboxed, path, types.PDF, can_read=False)
    assert kinds(without.pages) == [(PageKind.TEXT, "ocr_not_installed")]


@pytest.mark.parametrize("box", [(40, 700, 90, 60), (0, 0, 595, 842)], ids=["icon", "paper"])
def test_icons_and_paper_behind_a_page_of_text_are_not_looked_at(
    sandboxed: SandboxedLoader, tmp_path: Path, box: tuple[float, float, float, float]
) -> None:
    reader = FixedReader()
    path = page_of_text(tmp_path / "a.pdf", box)
    document = load(sandboxed, path, types.PDF, FixedSandbox(reader))
    assert kinds(document.pages) == [(PageKind.TEXT, None)]
    assert reader.sizes == []


def test_a_text_layer_that_means_nothing_is_read_from_what_it_draws(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    document = load(sandboxed, pdf_samples.unreadable(tmp_path / "a.pdf"), types.PDF)
    assert (document.text, kinds(document.pages)) == (WORDS, [(PageKind.OCR, None)])


def test_pages_that_have_their_text_are_not_looked_at(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    reader = FixedReader()
    document = load(
        sandboxed, pdf_samples.mixed_pages(tmp_path / "a.pdf"), types.PDF, FixedSandbox(reader)
    )
    assert len(reader.sizes) == 1
    assert [page.kind for page in document.pages] == [
        PageKind.TEXT, PageKind.EMPTY, PageKind.OCR, PageKind.FAILED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fake", "can_read", "reason"),
    [
        (FixedSandbox(), False, "ocr_not_installed"),
        (FixedSandbox(poison=[1]), True, "ocr_failed"),
        (FixedSandbox(FixedReader(score=0.3)), True, "words_uncertain"),
        (FixedSandbox(FixedReader(words="")), True, "no_words"),
    ],
)
def test_a_picture_without_a_reading_says_why(
    sandboxed: SandboxedLoader, tmp_path: Path, fake: FixedSandbox, can_read: bool, reason: str
) -> None:
    path = scan(tmp_path / "a.pdf")
    document = load(sandboxed, path, types.PDF, fake, can_read=can_read)
    assert kinds(document.pages) == [(PageKind.EMPTY, reason)]


def test_a_scan_whose_picture_is_not_read_is_not_whole_for_its_footer(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    path = scan(tmp_path / "a.pdf", footer="Page 1 of 1")
    document = load(sandboxed, path, types.PDF, can_read=False)
    assert document.text == "Page 1 of 1"
    assert kinds(document.pages) == [(PageKind.TEXT, "ocr_not_installed")]


def test_each_picture_of_a_tiff_is_a_page(sandboxed: SandboxedLoader, tmp_path: Path) -> None:
    first, second = drawn(["one"]), drawn(["two", "three"])
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    document = load(sandboxed, tmp_path / "a.tif", types.TIFF)
    assert kinds(document.pages) == [(PageKind.OCR, None)] * 2
    assert document.text == f"{WORDS}\n\n{WORDS}"
    assert {max(page.width, page.height) for page in document.pages} == {842.0}


def test_a_photo_is_read_the_way_its_camera_was_held(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    picture = drawn(["a line"])
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    picture.save(tmp_path / "a.jpg", exif=exif)
    reader = FixedReader()
    [page] = load(sandboxed, tmp_path / "a.jpg", types.JPEG, FixedSandbox(reader)).pages
    assert reader.sizes == [picture.size[::-1]]
    assert page.height > page.width


def test_a_page_that_ends_the_process_costs_no_other_page(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    pictures = [drawn(["a line"]) for _ in range(4)]
    pictures[0].save(tmp_path / "a.tif", save_all=True, append_images=pictures[1:])
    document = load(sandboxed, tmp_path / "a.tif", types.TIFF, FixedSandbox(poison=[2, 4]))
    assert [page.reason for page in document.pages] == [None, "ocr_failed", None, "ocr_failed"]


def test_a_page_is_read_once_and_one_that_failed_again(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    path, reader = scan(tmp_path / "a.pdf"), FixedReader()
    kept = tmp_path / "readings"
    fake = FixedSandbox(reader, poison=[1])
    for expected in ("ocr_failed", None, None):
        [page] = load(sandboxed, path, types.PDF, fake, kept_at=lambda _: kept).pages
        assert page.reason == expected
        fake.poison = ()
    assert len(reader.sizes) == 1


def test_what_was_read_of_a_file_that_is_gone_is_not_kept(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    path, kept = scan(tmp_path / "a.pdf"), tmp_path / "readings"
    loader = ReadingLoader(sandboxed, PageReader(FixedSandbox()), lambda: True, lambda _: kept)
    steps = loader.load(path, "a.pdf", types.PDF)
    while not list(kept.glob("*.json")):
        next(steps)
    path.unlink()
    steps.close()  # type: ignore[attr-defined]
    assert not kept.exists()


@pytest.mark.parametrize("turn", [90, 180, 270])
@needs_ocr
def test_a_picture_on_its_side_or_upside_down_is_turned(reader: RapidReader, turn: int) -> None:
    lines = ["Pump four was stopped", "before the fire began."]
    found = read_upright(drawn(lines).rotate(turn, expand=True), reader)
    assert found.turn == turn
    assert [line.text for line in found.lines] == lines


@pytest.fixture(scope="module")
def reader() -> RapidReader:
    return RapidReader()


def test_letters_of_a_text_layer_that_was_not_taken_are_not_missing(tmp_path: Path) -> None:
    path = pdf_samples.rotated(tmp_path / "a.pdf", 0)
    drawn = DrawnLetters()
    list(PdfLoader(ParseLimits(), drawn=drawn).load(path, "a.pdf", types.PDF))
    page = Page(1, TextSpan(0, len(WORDS)), PageKind.OCR)
    document = ParsedDocument(WORDS, (page,))
    assert counted(document, path, "a.pdf", types.PDF, drawn) == document
    as_text = replace(document, pages=(replace(page, kind=PageKind.BOTH),))
    told = counted(as_text, path, "a.pdf", types.PDF, drawn)
    assert told.pages[0].reason == "words_missing"


def test_a_text_layer_with_holes_is_told_only_until_the_page_is_read(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    path = pdf_samples.unreadable(tmp_path / "a.pdf", ord("a"), ord("e"))
    unread = load(sandboxed, path, types.PDF, can_read=False)
    assert len(unread.text) > 40
    assert kinds(unread.pages) == [(PageKind.TEXT, "ocr_not_installed")]
    read = load(sandboxed, path, types.PDF)
    assert (read.text, kinds(read.pages)) == (WORDS, [(PageKind.OCR, None)])


def test_a_service_that_starts_imports_nothing_that_reads_pictures() -> None:
    code = (
        "import sys; from ingest import ocr, pictures, reading; ocr.is_installed(); "
        "print({'cv2', 'onnxruntime', 'pypdfium2', 'rapidocr'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert found.stdout == "set()\n"


@needs_ocr
def test_a_line_is_read_character_by_character(reader: RapidReader) -> None:
    picture = drawn(["Valve 7 is not safe"])
    [line] = reader.read(picture)
    assert line.text == "Valve 7 is not safe"
    assert line.score > 0.9
    inked = [box for box in line.boxes if any(box)]
    assert len(inked) == 15
    assert all(before[2] <= after[0] + 1 for before, after in pairwise(inked))
    assert abs(inked[0][0] - MARGIN) < 12
    assert abs(inked[-1][2] - (picture.width - MARGIN)) < 12
    assert reader.read(picture) == [line]


@needs_ocr
@needs_chinese_font
@pytest.mark.parametrize("size", [18, 36])
def test_a_dot_at_half_height_is_no_full_stop(reader: RapidReader, size: int) -> None:
    [named, measured] = reader.read(
        chinese(["博源公司“1·7”火灾事故", "水深约3.5米，损失2.75万元"], size)
    )
    assert named.text == "博源公司“1·7”火灾事故"
    assert measured.text == "水深约3.5米，损失2.75万元"


@needs_ocr
@needs_chinese_font
def test_a_chinese_upload_is_read_in_a_process_of_its_own(
    sandboxed: SandboxedLoader, tmp_path: Path
) -> None:
    chinese(["检修前未断电挂牌"]).save(tmp_path / "a.png")
    pages = PageReader(reading_sandbox(LIMITS, 60))
    loader = ReadingLoader(sandboxed, pages)
    try:
        *steps, document = loader.load(tmp_path / "a.png", "a.png", types.PNG)
    finally:
        pages.close()
    assert isinstance(document, ParsedDocument)
    assert document.text == "检修前未断电挂牌"
    assert kinds(document.pages) == [(PageKind.OCR, None)]
    assert Progress(JobStage.LOAD, 1, 1) in steps


def test_a_reading_survives_the_file_between_the_processes(tmp_path: Path) -> None:
    folder = ReadingFolder(tmp_path)
    reading = PictureReading(80, 40, tuple(FixedReader().read(drawn(["a"]))), 90)
    folder.add(3, reading)
    again = folder.get(3)
    assert again is not None
    assert (again.width, again.height, again.turn, again.has_failed) == (80, 40, 90, False)
    assert again.lines[0].text == WORDS
    assert folder.get(4) is None
    for data in (
        "{}",
        "[]",
        '{"lines": [{"text": "a", "corners": [], "boxes": [], "scores": []}]}',
    ):
        (tmp_path / "5.json").write_text(data)
        with pytest.raises((ValueError, KeyError, TypeError)):
            folder.get(5)
