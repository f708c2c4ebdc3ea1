"""A report as one HTML file that says the same to people and to programs. Pure.

The page is made from its data, which it carries, and from nothing else: made anew from them it is
the same, or somebody changed it. It runs nothing and loads nothing.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from kb_service.domain.errors import InvalidRequest
from kb_service.services.report_lines import (
    columns_of,
    counted_of,
    file_of,
    foot_of,
    heading_of_sources,
    query_of,
    source_of,
    status_of,
    title_of,
)

Json = Mapping[str, Any]
FORMAT = "kb-report/2"
MAX_CHARS = 50_000_000
_BEGIN, _END = '<script type="application/json" id="kb-report">', "</script>"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } caption { text-align: left; font-weight: 600 }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .6rem; text-align: left }
blockquote { border-left: 3px solid #888; margin: .25rem 0; padding-left: .75rem }
blockquote, .answer { white-space: pre-wrap }
code, footer { font-size: .8rem; overflow-wrap: anywhere } li { margin-bottom: 1rem }
@media print { li, tr { break-inside: avoid } }
"""


def page_of(data: Json) -> str:
    """Return the page of a report."""
    title = escape(title_of(data))
    written = json.dumps(data, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    body = "\n".join(_parts(data))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(str(data["language"]))}">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n"
        f"{_BEGIN}{written}{_END}\n</body>\n</html>\n"
    )


def data_of(page: str) -> Json:
    """Return the data that a page carries. Raises InvalidRequest (invalid_report)."""
    start = page.rfind(_BEGIN)
    end = page.find(_END, start)
    try:
        if start < 0 or end < 0 or len(page) > MAX_CHARS:
            raise ValueError("it carries no data")
        data = json.loads(page[start + len(_BEGIN) : end])
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"it is not of the format {FORMAT}")
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"the file is no report of this service: {error}", code="invalid_report"
        ) from error
    return data


def is_as_made(page: str, data: Json) -> bool:
    """True where people read what the data say. Raises InvalidRequest for data of another shape.

    That they have the ids by which a report is checked is seen here, too.
    """
    try:
        ids = (data["base"]["id"], *(item["document_id"] for item in data["citations"]))
        is_same = page == page_of(data) and data["digest"] == digest_of(data)
        return is_same and all(isinstance(one, str) for one in ids)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidRequest(
            f"the data of the report lack something: {error!r}", code="invalid_report"
        ) from error


def digest_of(data: Json) -> str:
    """Return the SHA-256 of the data but for the digest itself."""
    others = {name: value for name, value in data.items() if name != "digest"}
    written = json.dumps(others, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()


def _parts(data: Json) -> Iterator[str]:
    yield f"<h1>{escape(title_of(data))}</h1>"
    if asked := query_of(data):
        yield f"<p><code>{escape(asked)}</code></p>"
    yield f"<p>{escape(status_of(data))}</p>"
    yield f'<p class="answer">{escape(data["answer"])}</p>'
    if data["table"]:
        yield from _table(columns_of(data), data["table"]["rows"])
    if told := counted_of(data):
        yield f"<p>{escape(told)}</p>"
    yield f"<h2>{escape(heading_of_sources(data))}</h2>\n<ol>"
    yield from (_source(item, data) for item in data["citations"])
    yield "</ol>"
    lines = "".join(f"<p>{escape(line)}</p>" for line in foot_of(data))
    yield f"<footer>{lines}</footer>"


def _table(columns: Sequence[str], rows: Sequence[Any]) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for row in rows:
        yield f"<tr>{''.join(map(_cell, row))}</tr>"
    yield "</tbody></table>"


def _cell(cell: Sequence[Any]) -> str:
    value, numbers = cell
    marks = "".join(f' <a href="#source-{number:d}">[{number:d}]</a>' for number in numbers)
    return f"<td>{escape('' if value is None else str(value))}{marks}</td>"


def _source(item: Json, data: Json) -> str:
    return (
        f'<li id="source-{item["number"]:d}" value="{item["number"]:d}">'
        f"{escape(source_of(item, data))}"
        f"<blockquote>{escape(item['quote'])}</blockquote>"
        f"<code>{escape(file_of(item, data))}</code></li>"
    )
