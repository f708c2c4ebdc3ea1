"""Whether a text is read in its own encoding: ten encodings, thirty texts each, declared and not.

    python -m benchmarks.encodings LOCALES

LOCALES: a folder of message catalogues as gettext installs them (/usr/share/locale). A text is some
messages of one catalogue, from a line to a page (seeded). Right: every character. A wrong one whose
confidence is at most a half is flagged; any other is silent.
"""

import argparse
import contextlib
import html
import random
import struct
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ingest.encodings import UNSURE, decode
from kb_service.domain.errors import DocumentError

ENCODINGS = {
    "utf-8": ("zh_CN", "zh_TW", "ja", "de", "ru"), "utf-16-le": ("zh_CN", "zh_TW", "ja", "fr"),
    "gb18030": ("zh_CN",), "big5": ("zh_TW",), "shift_jis": ("ja",), "euc_jp": ("ja",),
    "euc_kr": ("ko",), "cp1252": ("de", "fr", "es", "it", "sv"), "cp1251": ("ru", "uk", "bg"),
    "koi8_r": ("ru",),
}  # fmt: skip
OTHERS = {
    "cp1250": ("pl", "cs", "hu", "sk", "ro", "sl"), "iso8859_2": ("pl", "cs", "hu", "sk", "sl"),
    "cp1253": ("el",), "iso8859_7": ("el",), "cp1254": ("tr",), "iso8859_9": ("tr",),
    "cp1255": ("he",), "cp1256": ("ar",), "cp1257": ("lt", "lv", "et"),
    "mac_roman": ("de", "fr", "es", "it"), "cp866": ("ru",), "cp874": ("th",),
}  # fmt: skip
"""Encodings that are read where they are declared; without, a text in one must be flagged."""
WRITTEN_AS = {"big5": "cp950", "shift_jis": "cp932", "euc_kr": "cp949"}
"""As programs write what they declare by that name."""
NUM_TEXTS = 30
SIZES = (20, 60, 120, 400, 2000)
MIN_BEYOND = 4
"""Characters beyond ASCII without which a text is the same in any encoding."""


def texts(locales: Path, encoding: str, seed: int) -> Iterator[str]:
    """Yield texts that the encoding can write, of the languages that use it, in turns."""
    rng = random.Random(f"{encoding} {seed}")
    num_found = 0
    while num_found < NUM_TEXTS:
        languages = (ENCODINGS | OTHERS)[encoding]
        language = languages[num_found % len(languages)]
        catalogues = sorted((locales / language / "LC_MESSAGES").glob("*.mo"))
        size = SIZES[num_found % len(SIZES)]
        text = _text(rng, rng.choice(catalogues), WRITTEN_AS.get(encoding, encoding), size)
        if sum(not char.isascii() for char in text) >= MIN_BEYOND:
            num_found += 1
            yield text


def _text(rng: random.Random, catalogue: Path, encoding: str, size: int) -> str:
    lines = [unicodedata.normalize("NFC", said).strip() for said in _messages(catalogue)]
    lines = [line for line in lines if _is_written(line, encoding)]
    rng.shuffle(lines)
    text = ""
    while lines and len(text) < size:
        text += f"{lines.pop()}\n"
    return text


def _messages(catalogue: Path) -> Iterator[str]:
    """Yield the translations of a catalogue in UTF-8 (the MO format of GNU gettext)."""
    data = catalogue.read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    number, _, start = struct.unpack(f"{order}3I", data[8:20])
    for place in range(start, start + 8 * number, 8):
        length, at = struct.unpack(f"{order}2I", data[place : place + 8])
        said = data[at : at + length].partition(b"\0")[0]
        with contextlib.suppress(UnicodeDecodeError):
            yield said.decode()


def _is_written(line: str, encoding: str) -> bool:
    try:
        return not line.isascii() and line.encode(encoding).decode(encoding) == line
    except UnicodeError:
        return False


def outcome(data: bytes, name: str, wanted: str) -> str:
    """Return `right`, `flagged` or `silent`."""
    try:
        found = decode(data, name)
    except DocumentError:
        return "flagged"
    if found.text == wanted:
        return "right"
    return "flagged" if found.confidence <= UNSURE or found.num_replaced else "silent"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("locales", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="what was read wrong")
    parser.add_argument("--others", action="store_true", help="the encodings nobody looks for")
    options = parser.parse_args()
    total: Counter[str] = Counter()
    print("| encoding | right | flagged | silent | declared: right | flagged | silent |")
    print("|---|---|---|---|---|---|---|")
    for encoding in OTHERS if options.others else ENCODINGS:
        told: Counter[str] = Counter()
        for text in texts(options.locales, encoding, options.seed):
            page = f"<meta charset={encoding}><p>{html.escape(text)}</p>\n"
            for way, said in (("", text), ("declared ", page)):
                data = said.encode(WRITTEN_AS.get(encoding, encoding))
                result = outcome(data, "a.txt", said)
                told[way + result] += 1
                if options.show and result != "right":
                    print(encoding, way, result, repr(said[:60]))
        cells = [
            told[way + kind] for way in ("", "declared ") for kind in ("right", "flagged", "silent")
        ]
        print(f"| {encoding} | {' | '.join(map(str, cells))} |", flush=True)
        total += told
    num_right, num_all = total["right"] + total["declared right"], total.total()
    num_silent = total["silent"] + total["declared silent"]
    print(f"{num_right} of {num_all} right, {num_silent} silently wrong")


if __name__ == "__main__":
    main()
