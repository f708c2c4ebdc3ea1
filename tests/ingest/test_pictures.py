"""Pictures of pages: the lit pixels are where the words are, whichever way the page is turned."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ingest.limits import ParseLimits
from ingest.page_picture import LIGHT
from ingest.pdf import PdfLoader
from ingest.pictures import REMEMBERED_S, PagePictures
from kb_service.domain.documents import ParsedDocument, regions_of
from kb_service.domain.errors import (
    DocumentError,
    InvalidRequest,
    KbError,
    NotFound,
    ParseInterrupted,
)
from kb_service.domain.spans import TextSpan
from tests.ingest import costly_files
from tests.ingest import pdf_samples as samples

Places = NDArray[np.int64]


@pytest.fixture(scope="module")
def pictures() -> Iterator[PagePictures]:
    drawer = PagePictures(ParseLimits(timeout_s=60))
    yield drawer
    drawer.close()


def pixels(png: bytes) -> tuple[tuple[int, int], Places, Places]:
    """Return size, places (x, y) of lit paper and places of dark ink."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    colours = np.asarray(image).astype(int)
    lit = np.argwhere((colours == LIGHT).all(axis=2))[:, ::-1]
    ink = np.argwhere(colours.sum(axis=2) < 150)[:, ::-1]
    return image.size, lit, ink


@pytest.mark.parametrize("make", [samples.rotated, samples.landscape])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_the_words_of_a_sentence_are_lit_on_a_turned_page(
    pictures: PagePictures, tmp_path: Path, make: Callable[[Path, int], Path], degrees: int
) -> None:
    path = make(tmp_path / "a.pdf", degrees)
    *_, document = PdfLoader(ParseLimits()).load(path, "a.pdf", "")
    assert isinstance(document, ParsedDocument)
    (region,) = regions_of(document.pages, TextSpan(0, len(document.text)))
    _, lit, ink = pixels(pictures.render(path, 1, region.boxes, 1.0))
    assert len(region.boxes) == 3
    assert len(ink) > 300
    left, top = lit.min(axis=0)
    right, bottom = lit.max(axis=0)
    assert all(left <= x <= right and top <= y <= bottom for x, y in ink)
    plain = pixels(pictures.render(path, 1, [], 1.0))
    assert len(plain[1]) == 0


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_what_is_hidden_is_black_and_all_else_stays(
    pictures: PagePictures, tmp_path: Path, degrees: int
) -> None:
    path = samples.rotated(tmp_path / "a.pdf", degrees)
    *_, document = PdfLoader(ParseLimits()).load(path, "a.pdf", "")
    assert isinstance(document, ParsedDocument)
    (region,) = regions_of(document.pages, TextSpan(0, 5))
    plain, hidden = (
        np.asarray(Image.open(io.BytesIO(pictures.render(path, 1, [], 2.0, boxes))).convert("RGB"))
        for boxes in ([], region.boxes)
    )
    changed = (plain != hidden).any(axis=2)
    assert changed.sum() > 200
    assert (hidden[changed] == 0).all()
    ys, xs = np.nonzero(changed)
    area = hidden[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    assert (area == 0).all()
    (whole,) = regions_of(document.pages, TextSpan(0, len(document.text)))
    assert changed.sum() < (len(whole.boxes) * changed.size) / 8


def test_a_cropped_page_lights_the_word_and_nothing_else(
    pictures: PagePictures, tmp_path: Path
) -> None:
    path = samples.cropped(tmp_path / "a.pdf")
    *_, document = PdfLoader(ParseLimits()).load(path, "a.pdf", "")
    assert isinstance(document, ParsedDocument)
    start = document.text.index("pilot")
    (region,) = regions_of(document.pages, TextSpan(start, start + 5))
    size, lit, _ = pixels(pictures.render(path, 1, region.boxes, 2.0))
    assert size == (990, 1480)
    ((x0, y0, x1, y1),) = region.boxes
    for x, y in lit:
        assert 2 * x0 - 3 <= x <= 2 * x1 + 3
        assert 2 * (740 - y1) - 3 <= y <= 2 * (740 - y0) + 3


@pytest.mark.parametrize(
    ("page_number", "scale", "kind", "code"),
    [
        (0, 1.0, NotFound, "page_not_found"),
        (5, 1.0, NotFound, "page_not_found"),
        (4, 1.0, InvalidRequest, "picture_too_large"),
    ],
)
def test_requests_outside_the_range_are_refused_with_the_range(
    pictures: PagePictures,
    tmp_path: Path,
    page_number: int,
    scale: float,
    kind: type[KbError],
    code: str,
) -> None:
    path = samples.mixed_pages(tmp_path / "a.pdf")
    with pytest.raises(kind) as caught:
        pictures.render(path, page_number, [], scale)
    assert caught.value.code == code


def test_only_pdf_pages_have_pictures(pictures: PagePictures, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    with pytest.raises(NotFound) as caught:
        pictures.render(path, 1, [], 1.0)
    assert caught.value.code == "page_has_no_picture"


def test_an_encrypted_file_has_no_picture(pictures: PagePictures, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        pictures.render(samples.encrypted(tmp_path / "a.pdf"), 1, [], 1.0)
    assert caught.value.code == "encrypted_document"


def test_a_page_that_takes_too_long_is_refused_by_name_and_at_once_the_next_time(
    tmp_path: Path,
) -> None:
    slow = costly_files.nested_forms(tmp_path / "slow.pdf", 9)
    good = samples.rotated(tmp_path / "good.pdf", 0)
    now = [0.0]
    drawer = PagePictures(ParseLimits(), picture_s=1, clock=lambda: now[0])
    drawn: list[str] = []
    draw = drawer._drawn

    def noted(request: dict[str, object], name: str) -> bytes:
        drawn.append(name)
        return draw(request, name)

    drawer._drawn = noted  # type: ignore[method-assign] # counts the drawings
    try:
        for scale in (1.0, 1.0, 0.6, 2.0):
            with pytest.raises(ParseInterrupted, match="longer than 1 s") as caught:
                drawer.render(slow, 1, [], scale)
            assert caught.value.code == "picture_timeout"
        assert drawn == ["slow.pdf"]
        assert drawer.render(good, 1, [], 1.0).startswith(b"\x89PNG")
        now[0] += REMEMBERED_S
        with pytest.raises(ParseInterrupted):
            drawer.render(slow, 1, [], 1.0)
        assert drawn == ["slow.pdf", "good.pdf", "slow.pdf"]
    finally:
        drawer.close()
