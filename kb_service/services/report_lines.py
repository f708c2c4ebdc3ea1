"""The lines of a report, the same in each of its formats: from its data, in its language. Pure.

Knows what a report says; how it looks is the business of the formats. Lines are plain text.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kb_service.language.report_words import report_reason, report_text
from kb_service.language.tables import field_name

Json = Mapping[str, Any]


def title_of(data: Json) -> str:
    """Return the question, or what stands for one."""
    return str(data["question"] or report_text("query", _language(data)))


def query_of(data: Json) -> str:
    """Return the typed query as JSON; "" without one."""
    asked = data["query"]
    return json.dumps(asked, ensure_ascii=False, sort_keys=True) if asked else ""


def status_of(data: Json) -> str:
    """Return how the answer stands, and why where it is less than whole."""
    language = _language(data)
    status = report_text(data["status"], language)
    if not data["reason"]:
        return report_text("status", language, status=status)
    reason = report_reason(data["reason"], language)
    return report_text("status_reason", language, status=status, reason=reason)


def counted_of(data: Json) -> str:
    """Return what stands behind a table; "" where nothing was counted."""
    told = data["counted"]
    if not told:
        return ""
    name = "counted_lacking" if told["lacking"] else "counted"
    return report_text(name, _language(data), **{**told, "lacking": len(told["lacking"])})


def columns_of(data: Json) -> list[str]:
    """Return the heads of the table."""
    return [field_name(str(name), _language(data)) for name in data["table"]["columns"]]


def heading_of_sources(data: Json) -> str:
    """Return the heading above the sources, with their number."""
    return report_text("sources", _language(data), number=len(data["citations"]))


def source_of(item: Json, data: Json) -> str:
    """Return a source: document, pages, whether its quote was verified."""
    language = _language(data)
    name, status = item["document_name"], report_text(item["status"], language)
    if not item["pages"]:
        return report_text("source", language, name=name, status=status)
    pages = report_text("comma", language).join(str(page) for page in item["pages"])
    return report_text("source_pages", language, name=name, pages=pages, status=status)


def file_of(item: Json, data: Json) -> str:
    """Return by what a quote is found again: hash of the file, place in its text."""
    places = {name: f"{item[name]:d}" for name in ("start", "end")}
    return report_text("file", _language(data), revision=item["revision"], **places)


def foot_of(data: Json) -> Sequence[str]:
    """Return where the report is from, how it is checked, and its own hash."""
    language, base = _language(data), data["base"]
    masked = (report_text("masked", language),) if data.get("masked") else ()
    return (
        *masked,
        report_text(
            "made",
            language,
            base=base["name"],
            change=base["change"],
            version=data["version"],
            at=data["made_at"],
        ),
        report_text("check", language),
        report_text("digest", language, digest=data["digest"]),
    )


def _language(data: Json) -> str:
    return str(data["language"])
