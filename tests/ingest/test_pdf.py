"""PDF text: every character where it stands, every page accounted for."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
import pytest

from ingest.limits import ParseLimits
from ingest.pdf import PdfLoader
from kb_service.domain.documents import PageKind, ParsedDocument, regions_of
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.members import Loss
from kb_service.domain.spans import Box
from kb_service.language.text import sentence_spans
from tests.ingest import pdf_samples as samples


def load(path: Path, limits: ParseLimits | None = None) -> ParsedDocument:
    *_, document = PdfLoader(limits or ParseLimits()).load(path, path.name, "application/pdf")
    assert isinstance(document, ParsedDocument)
    return document


@contextlib.contextmanager
def pdfium_reader(path: Path, number: int) -> Iterator[Callable[[Box], str]]:
    """Give a function that says what pdfium itself finds inside a box of the unrotated page."""
    document = pypdfium2.PdfDocument(path)
    page = document[number - 1]
    left, bottom, *_ = page.get_bbox()
    textpage = page.get_textpage()

    def words(box: Box) -> str:
        x0, y0, x1, y1 = box
        found = textpage.get_text_bounded(x0 + left, y0 + bottom, x1 + left, y1 + bottom)
        return str(found).replace("\x02", "-")

    yield words
    document.close()


def assert_boxes_hold_their_characters(path: Path, document: ParsedDocument) -> None:
    for page in document.pages:
        text = page.span.of(document.text)
        assert len(page.char_boxes) == len(text)
        with pdfium_reader(path, page.page_number) as words_in:
            for character, box in zip(text, page.char_boxes, strict=True):
                if character.isspace():
                    assert box == (0.0, 0.0, 0.0, 0.0)
                else:
                    assert 0 <= box[0] < box[2] <= page.width
                    assert 0 <= box[1] < box[3] <= page.height
                    assert character in words_in(box)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_rotated_page_keeps_unrotated_boxes(tmp_path: Path, degrees: int) -> None:
    path = samples.rotated(tmp_path / "a.pdf", degrees)
    document = load(path)
    (page,) = document.pages
    assert document.text == "\n".join(samples.LINES)
    assert (page.width, page.height, page.rotation) == (595, 842, degrees)
    assert page.char_boxes[0][0] == pytest.approx(72, abs=1)
    assert page.char_boxes[0][1] == pytest.approx(700, abs=1)
    assert_boxes_hold_their_characters(path, document)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_landscape_page_reads_as_its_viewer_shows_it(tmp_path: Path, degrees: int) -> None:
    path = samples.landscape(tmp_path / "a.pdf", degrees)
    document = load(path)
    (page,) = document.pages
    assert document.text == "\n".join(samples.LINES)
    assert (page.width, page.height, page.rotation) == (842, 842, degrees)
    assert_boxes_hold_their_characters(path, document)


def test_boxes_count_from_the_corner_of_the_crop_box(tmp_path: Path) -> None:
    path = samples.cropped(tmp_path / "a.pdf")
    document = load(path)
    (page,) = document.pages
    assert (page.width, page.height) == (495, 740)
    assert page.char_boxes[0][0] == pytest.approx(72 - 50, abs=1)
    assert page.char_boxes[0][1] == pytest.approx(700 - 60, abs=1)
    assert "outside the crop box" not in document.text
    assert document.losses == (Loss("page 1", "outside_page", 4, "outside the crop box"),)
    assert_boxes_hold_their_characters(path, document)


def test_the_boxes_of_a_sentence_hold_exactly_its_words(tmp_path: Path) -> None:
    path = samples.rotated(tmp_path / "a.pdf", 90)
    document = load(path)
    spans = sentence_spans(document.text)
    assert len(spans) == 3
    with pdfium_reader(path, 1) as words_in:
        for span in spans:
            (region,) = regions_of(document.pages, span)
            found = " ".join(words_in(box) for box in region.boxes)
            assert found.split() == span.of(document.text).split()


@pytest.mark.parametrize("is_interleaved", [False, True])
def test_columns_are_read_one_after_the_other(tmp_path: Path, is_interleaved: bool) -> None:
    path = samples.two_columns(tmp_path / "a.pdf", is_interleaved=is_interleaved)
    document = load(path)
    lines = [line for line in document.text.splitlines() if line]
    assert [line.split()[0] for line in lines] == ["left"] * 14 + ["right"] * 14
    assert_boxes_hold_their_characters(path, document)


def test_a_chinese_wrap_leaves_no_space_inside_the_sentence(tmp_path: Path) -> None:
    path = samples.chinese(tmp_path / "a.pdf")
    document = load(path)
    assert document.title == "泄漏事故调查报告"
    assert "".join(samples.CHINESE) in document.text.replace("\n\n", "")
    assert_boxes_hold_their_characters(path, document)


def test_every_page_is_reported_with_its_kind_and_reason(tmp_path: Path) -> None:
    path = samples.mixed_pages(tmp_path / "a.pdf")
    steps = list(PdfLoader(ParseLimits()).load(path, "a.pdf", ""))
    assert steps[:-1] == [Progress(JobStage.LOAD, n, 4) for n in (1, 2, 3, 4)]
    document = steps[-1]
    assert isinstance(document, ParsedDocument)
    assert [(page.kind, page.reason) for page in document.pages] == [
        (PageKind.TEXT, None),
        (PageKind.EMPTY, "blank"),
        (PageKind.EMPTY, "no_text_layer"),
        (PageKind.FAILED, "page_too_large"),
    ]
    assert [len(page.span) > 0 for page in document.pages] == [True, False, False, False]


LOGO = (450, 790, 50, 20)


@pytest.mark.parametrize(
    ("pictures", "reason"),
    [
        ([LOGO, (505, 790, 50, 20)], "blank"),
        ([(20, 400, 30, 100)], "blank"),
        ([LOGO, (250, 400, 50, 20)], "no_text_layer"),
        ([(40, 765, 500, 60)], "no_text_layer"),
        ([(20, 5 + 40 * strip, 30, 40) for strip in range(20)], "no_text_layer"),
    ],
)
def test_only_small_pictures_in_the_margins_leave_a_page_blank(
    tmp_path: Path, pictures: list[tuple[float, float, float, float]], reason: str
) -> None:
    def draw(canvas: samples.Canvas) -> None:
        for box in pictures:
            canvas.drawImage(samples.picture(), *box)
        canvas.showPage()

    (page,) = load(samples.write(tmp_path / "a.pdf", draw, pagesize=(595, 842))).pages
    assert (page.kind, page.reason) == (PageKind.EMPTY, reason)


def test_a_picture_inside_a_form_is_a_picture_wherever_it_lies(tmp_path: Path) -> None:
    def draw(canvas: samples.Canvas) -> None:
        canvas.beginForm("scan")
        canvas.drawImage(samples.picture(), 0, 0, 1, 1)
        canvas.endForm()
        canvas.scale(595, 842)
        canvas.doForm("scan")
        canvas.showPage()

    (page,) = load(samples.write(tmp_path / "a.pdf", draw, pagesize=(595, 842))).pages
    assert (page.kind, page.reason) == (PageKind.EMPTY, "no_text_layer")


def test_a_meaningless_text_layer_is_a_failed_page(tmp_path: Path) -> None:
    document = load(samples.unreadable(tmp_path / "a.pdf"))
    assert [(page.kind, page.reason) for page in document.pages] == [
        (PageKind.FAILED, "unreadable_text")
    ]
    assert document.text == ""


def test_a_sentence_runs_on_across_pages(tmp_path: Path) -> None:
    def draw(canvas: samples.Canvas) -> None:
        samples.draw_lines(canvas, ("The pump failed because the old",))
        canvas.showPage()
        samples.draw_lines(canvas, ("valve was broken.", "It was replaced."))
        canvas.showPage()

    document = load(samples.write(tmp_path / "a.pdf", draw))
    sentence = sentence_spans(document.text)[0]
    assert sentence.of(document.text) == "The pump failed because the old\fvalve was broken."
    assert [region.page_number for region in regions_of(document.pages, sentence)] == [1, 2]


def test_a_hyphen_at_a_line_end_stays(tmp_path: Path) -> None:
    def draw(canvas: samples.Canvas) -> None:
        samples.draw_lines(
            canvas, ("The single-engine aircraft had new infor-", "mation on board.")
        )
        canvas.showPage()

    path = samples.write(tmp_path / "a.pdf", draw)
    document = load(path)
    assert "new infor-\nmation on" in document.text
    assert_boxes_hold_their_characters(path, document)


def test_larger_type_makes_headings_and_the_title(tmp_path: Path) -> None:
    def draw(canvas: samples.Canvas) -> None:
        for size, y, text in ((20, 760, "Accident Report"), (14, 720, "Probable Cause")):
            canvas.setFont("Helvetica-Bold", size)
            canvas.drawString(72, y, text)
        samples.draw_lines(canvas, samples.LINES * 3)
        canvas.showPage()

    document = load(samples.write(tmp_path / "a.pdf", draw))
    assert document.title == "Accident Report"
    found = [(heading.level, heading.span.of(document.text)) for heading in document.headings]
    assert found == [(1, "Accident Report"), (2, "Probable Cause")]


def test_a_large_first_line_with_a_colon_is_the_title_and_a_field_is_none(tmp_path: Path) -> None:
    def draw(canvas: samples.Canvas) -> None:
        for size, y, text in ((18, 760, "Incident review: Ward 5"), (14, 720, "Reviewer: J. Doe")):
            canvas.setFont("Helvetica", size)
            canvas.drawString(72, y, text)
        samples.draw_lines(canvas, samples.LINES * 3)
        canvas.showPage()

    document = load(samples.write(tmp_path / "a.pdf", draw))
    assert document.title == "Incident review: Ward 5"
    assert len(document.headings) == 1


@pytest.mark.parametrize("title", ["(anonymous)", "(unspecified)", "untitled", "(Untitled)"])
def test_what_a_program_puts_where_nobody_named_a_file_is_no_title(
    tmp_path: Path, title: str
) -> None:
    def draw(canvas: samples.Canvas) -> None:
        canvas.setTitle(title)
        canvas.setAuthor(title)
        samples.draw_lines(canvas, samples.LINES)
        canvas.showPage()

    document = load(samples.write(tmp_path / "a.pdf", draw))
    assert document.title == ""
    assert "untitled" in title.lower() or "author" not in document.metadata


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_cut_off_file_is_refused(tmp_path: Path, share: float) -> None:
    path = samples.many_pages(tmp_path / "a.pdf", 3)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DocumentError) as caught:
        load(path)
    assert caught.value.code == "corrupt_document"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_document"),
        (b"%PDF-1.7\nnothing else", "corrupt_document"),
        (b"%PDF-1.7\ngarbage\nstartxref\n0\n%%EOF", "corrupt_document"),
    ],
)
def test_files_that_are_no_documents_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        load(path)
    assert caught.value.code == code


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load(samples.encrypted(tmp_path / "a.pdf"))
    assert caught.value.code == "encrypted_document"


def test_limits_on_pages_and_text_name_the_value_and_the_limit(tmp_path: Path) -> None:
    path = samples.many_pages(tmp_path / "a.pdf", 5)
    with pytest.raises(DocumentError, match="has 5 pages, at most 4") as caught:
        load(path, ParseLimits(max_pages=4))
    assert caught.value.code == "too_many_pages"
    with pytest.raises(DocumentError, match="more than 300 characters") as caught:
        load(path, ParseLimits(max_text_chars=300))
    assert caught.value.code == "document_too_large"


def test_demo_sentences_stand_where_their_boxes_say(shared_dir: Path) -> None:
    num_checked = 0
    for path in sorted((shared_dir / "data/demo/pdf").rglob("*.pdf"))[::22]:
        document = load(path)
        for page in document.pages:
            with pdfium_reader(path, page.page_number) as words_in:
                for span in sentence_spans(page.span.of(document.text))[::7]:
                    whole = span.shifted(page.span.start)
                    region = page.region(whole)
                    assert region is not None
                    found = "".join("".join(words_in(box).split()) for box in region.boxes)
                    wanted = "".join(whole.of(document.text).split())
                    assert is_subsequence(wanted, found), (path.name, wanted, found)
                    num_checked += 1
    assert num_checked > 50


def is_subsequence(wanted: str, found: str) -> bool:
    rest = iter(found)
    return all(character in rest for character in wanted)


def test_every_inked_character_of_the_demo_has_ink_in_its_box(shared_dir: Path) -> None:
    scale = 2
    num_checked = 0
    for path in sorted((shared_dir / "data/demo/pdf").rglob("*.pdf"))[5::37]:
        document = load(path)
        page = next((page for page in document.pages if page.char_boxes), None)
        if page is None:
            continue
        with contextlib.closing(pypdfium2.PdfDocument(path)) as opened:
            sheet = opened[page.page_number - 1].render(scale=scale, grayscale=True).to_numpy()
        paper = sheet.max()
        for box in page.char_boxes:
            if box != (0.0, 0.0, 0.0, 0.0):
                rows = slice(
                    int((page.height - box[3]) * scale), int((page.height - box[1]) * scale) + 1
                )
                columns = slice(int(box[0] * scale), int(box[2] * scale) + 1)
                assert sheet[rows, columns].min() < paper, (path.name, box)
                num_checked += 1
    assert num_checked > 3000
