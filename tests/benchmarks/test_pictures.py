"""Made pictures are drawn, spoilt, read and scored."""

from benchmarks import pictures
from ingest.ocr import RapidReader
from tests.ingest.picture_samples import needs_chinese_font, needs_ocr


@needs_ocr
@needs_chinese_font
def test_small_print_is_read_with_hardly_a_wrong_character() -> None:
    found = pictures.score("english", "small print", RapidReader())
    assert found.num_chars > 300
    assert found.num_wrong <= 3
