"""The files of a history: made up from a kind and a number, the same bytes for the same pair.

Few numbers a kind, so that contents come back; every content has letters that no other has.
"""

import csv
import hashlib
import io
import json
import random
import tomllib
import zipfile
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

from docx import Document

NUMBERS = 5
"""Contents of a kind; one number more is a file that cannot be read, or is refused."""

NAMES = {
    "a.txt": "text",
    "b.txt": "text",
    "yard/a.txt": "text",
    "c.txt": "chinese",
    "d.md": "markdown",
    "e.csv": "table",
    "f.html": "page",
    "g.eml": "mail",
    "h.docx": "word",
    "i.json": "json",
    "j.zip": "archive",
}
WORDS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("files.toml").read_text(encoding="utf-8")
)


def mark_of(kind: str, number: int) -> str:
    """Return the letters that only this content has."""
    digest = hashlib.sha256(f"{kind} {number}".encode()).hexdigest()
    return "zq" + "".join(chr(ord("a") + int(digit, 16)) for digit in digest[:10])


def marks_of(kind: str, number: int) -> frozenset[str]:
    """Return the letters of a content and of the files inside it."""
    found = {(kind, number)}
    if kind == "mail" and number % 2:
        found.add(("mailed", number % 3))
    if kind == "archive":
        found.add(("packed", 9))
        if number % 3:
            found.add(("mail in a file", number))
            found |= {("mailed", number % 3)} if number % 2 else set()
    return frozenset(mark_of(*pair) for pair in found)


@cache
def content(kind: str, number: int) -> bytes:
    """Return the bytes of a file; `number` NUMBERS of some kinds is one that cannot be read."""
    if number == NUMBERS and kind in _BROKEN:
        return _BROKEN[kind]
    return _MAKERS[kind](kind, number)


def questions() -> tuple[str, ...]:
    """Return questions of which some have an answer in some files."""
    found = []
    for words, thing, place in (("english", 2, 1), ("chinese", 0, 0)):
        said = WORDS[words]
        named = {"thing": said["things"][thing], "place": said["places"][place]}
        found.append(said["question"].format(**named))
    return tuple(found)


def searches() -> tuple[str, ...]:
    """Return words that are in some files, and the letters of a few contents."""
    marks = [mark_of(kind, number) for kind, number in (("text", 1), ("archive", 0))]
    shared = [text for words in WORDS.values() for text in words["searches"]]
    return (*shared, " ".join(marks))


def _sentences(kind: str, number: int, language: str = "english") -> list[str]:
    dice, words = random.Random(f"{kind} {number}"), WORDS[language]
    found = [words["head"].format(mark=mark_of(kind, number))]
    for _ in range(dice.choice((1, 2, 4))):
        named = {name: dice.choice(words[f"{name}s"]) for name in ("thing", "place")}
        named |= {"person": dice.choice(words["people"]), "day": str(dice.randrange(1, 29))}
        found.append(words["repaired"].format(**named))
        if dice.random() < 0.5:
            found.append(words["cause"].format(number=dice.randrange(2, 90), **named))
    return [*found, words["shared"]] if dice.random() < 0.4 else found


def _text(kind: str, number: int) -> bytes:
    return "\n\n".join(_sentences(kind, number)).encode()


def _chinese(kind: str, number: int) -> bytes:
    return "\n\n".join(_sentences(kind, number, "chinese")).encode("gb18030")


def _markdown(kind: str, number: int) -> bytes:
    head, *rest = _sentences(kind, number)
    return f"# {head}\n\n{rest[0]}\n\n## B\n\n{' '.join(rest)}\n".encode()


def _table(kind: str, number: int) -> bytes:
    dice, file = random.Random(number), io.StringIO()
    rows = csv.writer(file)
    rows.writerow(("Case", "Date", "Place", "Injured"))
    for _ in range(3):
        place = dice.choice(WORDS["english"]["places"])
        day = f"2026-05-{dice.randrange(1, 29):02}"
        rows.writerow((mark_of(kind, number), day, place, dice.randrange(4)))
    return file.getvalue().encode()


def _page(kind: str, number: int) -> bytes:
    head, *rest = _sentences(kind, number)
    shown = "".join(f"<p>{text}</p>" for text in rest)
    return f"<html><head><title>{head}</title></head><body>{shown}</body></html>".encode()


def _mail(kind: str, number: int) -> bytes:
    head, *rest = _sentences(kind, number)
    message = EmailMessage()
    message["From"], message["To"] = "a@example.org", "b@example.org"
    message["Subject"], message["Date"] = head, "Mon, 04 May 2026 10:00:00 +0000"
    message.set_content("\n\n".join(rest))
    if number % 2:
        inside = _text("mailed", number % 3)
        message.add_attachment(inside, maintype="text", subtype="plain", filename="note.txt")
        message.set_boundary("0123456789")
    return message.as_bytes()


def _word(kind: str, number: int) -> bytes:
    made, file = Document(), io.BytesIO()
    for text in _sentences(kind, number):
        made.add_paragraph(text)
    made.save(file)
    return file.getvalue()


def _json(kind: str, number: int) -> bytes:
    return json.dumps({"lines": _sentences(kind, number)}).encode()


def _archive(kind: str, number: int) -> bytes:
    """Some files of three: one is the same in all archives, one is sometimes gone."""
    inside = {"same.txt": _text("packed", 9), f"own-{number % 2}.md": _markdown(kind, number)}
    if number % 3:
        inside["g.eml"] = _mail("mail in a file", number)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in inside.items():
            packed.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


_MAKERS = {
    "text": _text,
    "chinese": _chinese,
    "markdown": _markdown,
    "table": _table,
    "page": _page,
    "mail": _mail,
    "word": _word,
    "json": _json,
    "archive": _archive,
}
_BROKEN = {
    "text": b"",
    "word": b"PK\x03\x04 no archive at all",
    "json": b'{"lines": [',
}
