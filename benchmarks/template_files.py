"""Reports as files: plain text, Markdown, Word and web pages. Pure; knows no question."""

import html
import io
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from benchmarks.template_reports import Line, Report

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

_TABLES = ("entry", "row")


def as_txt(report: Report) -> bytes:
    """Entries begin with their time; a row of two columns is a field."""
    return "\n".join(_plain_lines(report)).encode()


def as_md(report: Report) -> bytes:
    """Rows of two or more columns are a pipe table, the rest is what Markdown has for it."""
    return "\n".join(_marked_lines(report)).encode()


def as_docx(report: Report) -> bytes:
    """Entries and rows are tables."""
    from docx import Document

    document = Document()
    for kind, lines in _runs(report):
        if kind in _TABLES:
            _word_table(document, [line.text.split("|") for line in lines])
            continue
        for line in lines:
            level = {"title": 0, "heading": 1}.get(kind)
            style = "List Bullet" if kind == "item" else None
            if level is not None:
                document.add_heading(line.text, level)
            else:
                document.add_paragraph(line.text, style)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def as_html(report: Report) -> bytes:
    """Entries and rows are tables, items a list."""
    body = "".join(_elements(report))
    return f"<!doctype html><html><meta charset=utf-8><body>{body}</body></html>".encode()


KINDS: dict[str, Callable[[Report], bytes]] = {
    "txt": as_txt, "md": as_md, "docx": as_docx, "html": as_html,
}  # fmt: skip


def _runs(report: Report) -> Iterator[tuple[str, list[Line]]]:
    """Yield neighbours of one kind; paragraphs of a numbered report count through."""
    number = 0
    for kind, lines in groupby(report.lines, lambda line: line.kind):
        told = list(lines)
        if kind == "number":
            told = [Line(kind, f"{number + n}. {line.text}") for n, line in enumerate(told, 1)]
            number += len(told)
        yield kind, told


def _plain_lines(report: Report) -> Iterator[str]:
    for kind, lines in _runs(report):
        for line in lines:
            if kind == "entry":
                yield line.text.replace("|", "  ")
            elif kind == "row":
                yield line.text.replace("|", ": " if line.text.count("|") == 1 else " | ")
            else:
                yield f"- {line.text}" if kind == "item" else line.text
            if kind in ("title", "para", "number", "heading"):
                yield ""
        yield ""


def _marked_lines(report: Report) -> Iterator[str]:
    marks = {"title": "# ", "heading": "## ", "item": "- "}
    for kind, lines in _runs(report):
        if kind == "row":
            yield from _pipes([line.text.split("|") for line in lines])
        for line in lines if kind != "row" else []:
            if kind == "entry":
                time, _, words = line.text.partition("|")
                yield f"- **{time}** {words}"
            else:
                yield marks.get(kind, "") + line.text.replace("\n", "  \n")
            if kind in ("title", "para", "number", "heading"):
                yield ""
        yield ""


def _pipes(rows: list[list[str]]) -> Iterator[str]:
    # Of two columns the first names the field, so that no row is a head.
    if len(rows[0]) == 2:
        rows = [["", ""], *rows]
    for number, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if number == 0:
            yield "|" + "---|" * len(row)


def _word_table(document: "WordDocument", rows: list[list[str]]) -> None:
    grid = document.add_table(rows=len(rows), cols=len(rows[0]))
    for line, row in zip(grid.rows, rows, strict=True):
        for cell, text in zip(line.cells, row, strict=True):
            cell.text = text


def _elements(report: Report) -> Iterator[str]:
    names = {"title": "h1", "heading": "h2"}
    for kind, lines in _runs(report):
        texts = [html.escape(line.text).replace("\n", "<br>") for line in lines]
        if kind in _TABLES:
            rows = ["".join(f"<td>{cell}</td>" for cell in text.split("|")) for text in texts]
            yield f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
        elif kind == "item":
            yield f"<ul>{''.join(f'<li>{text}</li>' for text in texts)}</ul>"
        else:
            name = names.get(kind, "p")
            yield "".join(f"<{name}>{text}</{name}>" for text in texts)
