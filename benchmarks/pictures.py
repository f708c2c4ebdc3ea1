"""Made pictures of reports, spoilt as scanners and telephones spoil them: characters read right.

`python -m benchmarks.pictures`: needs the extra `ocr` and the fonts of fonts-noto-cjk. Each text is
drawn in each condition and read as the service reads an upload; a character that is inserted, lost
or changed is an error, white space aside. "Marked" is the share of the changed and inserted ones
that the reading itself is unsure of.
"""

import argparse
import difflib
import io
import random
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ingest.ocr import RapidReader
from ingest.pdf_glyphs import Sheet
from ingest.pdf_page import PageContent, read_picture
from ingest.picture_file import sheet_of
from ingest.picture_reading import read_upright
from kb_service.domain.documents import ocr_score

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SERIF = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc")
SIMPLIFIED = 2  # its place in the collection
UNSURE = ocr_score(0.9)
TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def drawn(name: str, size: int) -> Image.Image:
    """Return a page of a text in a font of `size` pixels."""
    lines = TEXTS[name]["lines"]
    font = SERIF if name == "serif" else FONT
    face = ImageFont.truetype(str(font), size, index=TEXTS[name]["font"])
    width = round(max(face.getlength(line) for line in lines)) + 6 * size
    page = Image.new("RGB", (width, round(1.8 * size * len(lines)) + 6 * size), "white")
    pen = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        pen.text((3 * size, 3 * size + number * 1.8 * size), line, fill=(25, 25, 30), font=face)
    return page


def photographed(page: Image.Image) -> Image.Image:
    """A page seen at an angle, lit from one side, a little out of focus, with grain."""
    width, height = page.size
    quad = (-0.03 * width, -0.02 * height, 0.02 * width, 1.03 * height,
            1.04 * width, 0.98 * height, 0.99 * width, 0.03 * height)  # fmt: skip
    seen = page.transform(page.size, Image.Transform.QUAD, quad, Image.Resampling.BICUBIC,
                          fillcolor=(120, 110, 100))  # fmt: skip
    values = np.asarray(seen.filter(ImageFilter.GaussianBlur(1.0))).astype(float)
    light = np.linspace(1.0, 0.55, width)[None, :, None]
    grain = np.random.default_rng(7).normal(0, 9, values.shape)
    return jpeg(Image.fromarray(np.clip(values * light + grain, 0, 255).astype(np.uint8)), 70)


def stamped(page: Image.Image) -> Image.Image:
    """A red round stamp over the words."""
    layer = Image.new("RGBA", page.size)
    pen = ImageDraw.Draw(layer)
    size = page.height // 3
    left, top = page.width // 2, page.height // 2 - size // 3
    pen.ellipse((left, top, left + size, top + size), outline=(220, 30, 30, 170), width=size // 25)
    face = ImageFont.truetype(str(FONT), size // 5, index=SIMPLIFIED)
    pen.text((left + size // 9, top + size // 3), "专用章", fill=(220, 30, 30, 150), font=face)
    page = page.convert("RGBA")
    return Image.alpha_composite(page, layer).convert("RGB")


def jpeg(page: Image.Image, quality: int) -> Image.Image:
    """A page through strong compression."""
    stream = io.BytesIO()
    page.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def speckled(page: Image.Image) -> Image.Image:
    """A photocopy: grey paper, pale ink, specks."""
    values = np.asarray(page.convert("L")).astype(float) * 0.45 + 110
    rng = random.Random(3)
    for _ in range(page.width * page.height // 900):
        y, x = rng.randrange(page.height), rng.randrange(page.width)
        values[y : y + 2, x : x + 2] = rng.choice((60, 230))
    return Image.fromarray(values.astype(np.uint8)).convert("RGB")


def turned(degrees: float) -> Callable[[Image.Image], Image.Image]:
    """A page that lies askew."""
    return lambda page: page.rotate(
        degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white"
    )


def sheet(page: Image.Image) -> Image.Image:
    """The words in a corner of a sheet of A4 at 300 dpi."""
    paper = Image.new("RGB", (2480, 3508), "white")
    paper.paste(page, (100, 100))
    return paper


CONDITIONS: dict[str, tuple[int, Callable[[Image.Image], Image.Image]]] = {
    "clean": (34, lambda page: page),
    "small print": (14, lambda page: page),
    "small print on a large sheet": (20, sheet),
    "skewed by 2 degrees": (28, turned(2)),
    "skewed by 7 degrees": (28, turned(-7)),
    "on its side": (28, turned(90)),
    "upside down": (28, turned(180)),
    "photographed": (34, photographed),
    "stamped": (28, stamped),
    "pale photocopy": (28, speckled),
    "strong compression": (24, lambda page: jpeg(page, 12)),
}


@dataclass(frozen=True, slots=True)
class Score:
    """Of one picture: characters drawn, wrong ones, and how many of those read are marked."""

    num_chars: int
    num_wrong: int
    num_told: int
    num_marked: int
    cpu_s: float


def score(name: str, condition: str, reader: RapidReader) -> Score:
    """Draw, read and compare one picture."""
    size, spoil = CONDITIONS[condition]
    picture = spoil(drawn(name, size))
    started = time.process_time()
    reading = read_upright(picture, reader)
    cpu_s = time.process_time() - started
    shown: Sheet = sheet_of(picture)
    content = read_picture(shown, reading)
    found = _inked(content)
    wanted = "".join("".join(TEXTS[name]["lines"]).split())
    matcher = difflib.SequenceMatcher(None, wanted, "".join(c for c, _ in found), autojunk=False)
    wrong = told = marked = 0
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            wrong += max(b - a, d - c)
            told += d - c
            marked += sum(0 < value < UNSURE for _, value in found[c:d])
    return Score(len(wanted), wrong, told, marked, cpu_s)


def _inked(content: PageContent) -> list[tuple[str, int]]:
    pairs = zip(content.text.text, content.text.boxes, strict=True)
    return [(c, content.scores.get(box, 0)) for c, box in pairs if not c.isspace()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(CONDITIONS))
    chosen = parser.parse_args(arguments).only
    reader = RapidReader()
    print(f"| condition | {' | '.join(TEXTS)} | wrong of all | marked of those told | CPU s |")
    print(f"|---|{'---|' * (len(TEXTS) + 3)}")
    for condition in chosen:
        scores = [score(name, condition, reader) for name in TEXTS]
        cells = [f"{100 * s.num_wrong / s.num_chars:.1f} %" for s in scores]
        all_wrong, all_chars = (sum(s.num_wrong for s in scores), sum(s.num_chars for s in scores))
        told, marked = sum(s.num_told for s in scores), sum(s.num_marked for s in scores)
        seconds = sum(s.cpu_s for s in scores) / len(scores)
        print(f"| {condition} | {' | '.join(cells)} | {all_wrong} of {all_chars} | "
              f"{marked} of {told} | {seconds:.1f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
