"""Small pictures of words, made for these tests."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest import ocr

CHINESE_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
needs_ocr = pytest.mark.skipif(
    not ocr.is_installed(), reason="reads pictures: pip install rapidocr onnxruntime"
)
needs_chinese_font = pytest.mark.skipif(
    not CHINESE_FONT.is_file(), reason="draws Chinese characters: fonts-noto-cjk"
)
MARGIN = 20


def drawn(
    lines: Sequence[str], size: int = 28, font: ImageFont.FreeTypeFont | None = None
) -> Image.Image:
    """Return a picture of the lines, black on white, as large as they need."""
    face = font or ImageFont.load_default(size)
    step = round(1.5 * size)
    width = max(round(face.getlength(line)) for line in lines) + 2 * MARGIN
    picture = Image.new("RGB", (width, step * len(lines) + 2 * MARGIN), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((MARGIN, MARGIN + number * step), line, fill="black", font=face)
    return picture


def chinese(lines: Sequence[str], size: int = 28) -> Image.Image:
    """Return a picture of Chinese lines."""
    return drawn(lines, size, ImageFont.truetype(str(CHINESE_FONT), size))
