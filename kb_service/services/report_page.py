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

Json = Mapping[str, Any]
FORMAT = "kb-report/1"
MAX_CHARS = 50_000_000
_BEGIN, _END = '<script type="application/json" id="kb-report">', "</script>"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } caption { text-align: left; font-weight: 600 }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .6rem; text-align: left }
blockquote { border-left: 3px solid #888; margin: .25rem 0; padding-left: .75rem }
blockquote, .answer { white-space: pre-wrap }
code { font-size: .8rem; overflow-wrap: anywhere } li { margin-bottom: 1rem }
@media print { li, tr { break-inside: avoid } }
"""


def page_of(data: Json) -> str:
    """Return the page of a report."""
    title = escape(str(data["question"] or "Query"))
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
    yield f"<h1>{escape(str(data['question'] or 'Query'))}</h1>"
    if data["query"]:
        asked = json.dumps(data["query"], ensure_ascii=False, sort_keys=True)
        yield f"<p><code>{escape(asked)}</code></p>"
    reason = f" ({escape(data['reason'])})" if data["reason"] else ""
    yield f"<p>Status: {escape(data['status'])}{reason}</p>"
    yield f'<p class="answer">{escape(data["answer"])}</p>'
    if data["table"]:
        yield from _table(data["table"])
    if data["counted"]:
        told = data["counted"]
        lacking = f"; {len(told['lacking'])} documents lack a field" if told["lacking"] else ""
        yield f"<p>{told['matched']} of {told['of']}, {told['documents']} documents{lacking}.</p>"
    yield f"<h2>Sources ({len(data['citations'])})</h2>\n<ol>"
    yield from map(_source, data["citations"])
    yield "</ol>"
    yield (
        f"<footer><p>Knowledge base {escape(data['base']['name'])}, change "
        f"{data['base']['change']}. Made {escape(data['made_at'])} by kb-service "
        f"{escape(data['version'])}. Check it with <code>kb verify-report FILE</code>.</p>"
        f"<p>SHA-256 of the data: <code>{escape(data['digest'])}</code></p></footer>"
    )


def _table(table: Json) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in table["columns"])
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for row in table["rows"]:
        yield f"<tr>{''.join(map(_cell, row))}</tr>"
    yield "</tbody></table>"


def _cell(cell: Sequence[Any]) -> str:
    value, numbers = cell
    marks = "".join(f' <a href="#source-{number:d}">[{number:d}]</a>' for number in numbers)
    return f"<td>{escape('' if value is None else str(value))}{marks}</td>"


def _source(item: Json) -> str:
    pages = ", ".join(str(page) for page in item["pages"])
    where = f", page {escape(pages)}" if pages else ""
    return (
        f'<li id="source-{item["number"]:d}" value="{item["number"]:d}">'
        f"{escape(item['document_name'])}{where} ({escape(item['status'])})"
        f"<blockquote>{escape(item['quote'])}</blockquote>"
        f"<code>file SHA-256 {escape(item['revision'])}, "
        f"characters {item['start']:d} to {item['end']:d}</code></li>"
    )
