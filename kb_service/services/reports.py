"""Reports to hand over: an answer with its quotes in one file, and whether such a file holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kb_service import __version__
from kb_service.domain.answers import Answer, Citation
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import InvalidRequest, KbError, NotFound
from kb_service.domain.masking import Masking, PersonalKind, PersonRole
from kb_service.domain.query_json import query_json
from kb_service.domain.spans import TextSpan
from kb_service.domain.tables import Tabled
from kb_service.language.messages import language_of
from kb_service.services.across import Told
from kb_service.services.report_page import FORMAT, Json, data_of, digest_of, is_as_made, page_of
from kb_service.services.veiled import Hiding
from kb_service.services.veils import MaskingService
from kb_service.storage.catalog import Catalog
from kb_service.storage.identity import Clock, utc_now


@dataclass(frozen=True, slots=True)
class CheckedQuote:
    """A quote of a report. `problem`: None, or a code: what is not as the report says.

    `document_gone`: deleted, or never in this base; `words_differ`: the stored text says something
    else there; `file_differs`: the stored file has another hash, or is gone.
    """

    number: int
    document_name: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """`is_as_made`: nobody changed the file; `quotes` as they hold against the base."""

    is_as_made: bool
    made_at: str
    version: str
    base: str
    quotes: tuple[CheckedQuote, ...]

    @property
    def holds(self) -> bool:
        """True where nothing of the report is other than it says."""
        return self.is_as_made and not any(quote.problem for quote in self.quotes)


class ReportService:
    """Makes reports, and checks them against the base that they are of."""

    def __init__(self, catalog: Catalog, masking: MaskingService, clock: Clock = utc_now) -> None:
        self._catalog, self._masking, self._clock = catalog, masking, clock

    def of_answer(self, answer: Answer, hiding: Hiding | None = None) -> str:
        """Return the report of an answer as a page. Raises NotFound, StorageError.

        `hiding`: how personal data is hidden in it; None: it is not.
        """
        return page_of(self._of_answer(answer, hiding))

    def docx_of_answer(self, answer: Answer, hiding: Hiding | None = None) -> bytes:
        """Return it as a Word document. Raises NotFound (kb_not_found), StorageError."""
        from kb_service.services.report_docx import docx_of  # what writes XML: few ask for it

        return docx_of(self._of_answer(answer, hiding))

    def _of_answer(self, answer: Answer, hiding: Hiding | None) -> dict[str, Any]:
        base = self._catalog.bases.get(answer.kb_id)
        said: dict[str, Any] = {
            "question": answer.question,
            "answer": answer.answer,
            "language": language_of(answer.understood.question),
            "status": str(answer.status),
            "reason": answer.reason,
        }
        data = self._data(base, said, answer.citations, answer.tabled, answer.created_at)
        return _finished(data, hiding)

    def of_query(self, kb_id: str, told: Told, language: str, hiding: Hiding | None = None) -> str:
        """Return the report of a typed query's answer. Raises NotFound, StorageError."""
        base = self._catalog.bases.get(kb_id)
        said: dict[str, Any] = {
            "question": "",
            "answer": told.text,
            "language": language,
            "status": str(told.status),
            "reason": told.reason,
        }
        data = self._data(base, said, told.citations, told.tabled, self._clock())
        return page_of(_finished(data, hiding))

    def check(self, page: str) -> CheckedReport:
        """Check a report. Raises InvalidRequest (invalid_report), StorageError."""
        data = data_of(page)
        as_made = is_as_made(page, data)
        kb_id = str(data["base"]["id"])
        quotes = tuple(
            CheckedQuote(
                item["number"], item["document_name"], self._problem(kb_id, item, masked_as(data))
            )
            for item in data["citations"]
        )
        base = str(data["base"]["name"])
        return CheckedReport(as_made, str(data["made_at"]), str(data["version"]), base, quotes)

    def _problem(self, kb_id: str, item: Json, masking: Masking) -> str | None:
        document, revision = str(item["document_id"]), str(item["revision"])
        try:
            _, text = self._catalog.revisions.text(kb_id, document, revision)
            self._catalog.documents.content(kb_id, document, revision)
        except NotFound:
            return "document_gone"
        except KbError as error:
            if error.code in {"text_damaged", "blob_missing", "blob_damaged"}:
                return "file_differs"
            raise
        words, span = text[item["start"] : item["end"]], TextSpan(item["start"], item["end"])
        if masking:
            place = (document, revision)
            words = self._masking.veil(kb_id, masking, [place]).quoted(words, place, span)
        return None if words == item["quote"] else "words_differ"

    def _data(
        self,
        base: KnowledgeBase,
        said: dict[str, Any],
        citations: Sequence[Citation],
        tabled: Tabled | None,
        at: datetime,
    ) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": __version__,
            "made_at": self._clock().isoformat(timespec="seconds"),
            "answered_at": at.isoformat(timespec="seconds"),
            "base": {"id": base.id, "name": base.name, "change": base.change},
            **said,
            **_tabled(tabled),
            "citations": [_cited(citation) for citation in citations],
        }


def _finished(data: dict[str, Any], hiding: Hiding | None) -> dict[str, Any]:
    """Return the data of a report with what is hidden, and their digest."""
    if hiding is not None:
        data = hiding.hide(data)
        data["masked"] = {
            "kinds": sorted(hiding.masking.kinds),
            "roles": sorted(hiding.masking.roles),
        }
    data["digest"] = digest_of(data)
    return data


def masked_as(data: Json) -> Masking:
    """Return what the data of a report say to be masked in it. Raises InvalidRequest."""
    told = data.get("masked") or {"kinds": (), "roles": ()}
    try:
        return Masking(
            frozenset(map(PersonalKind, told["kinds"])), frozenset(map(PersonRole, told["roles"]))
        )
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidRequest(
            f"the report names another masking: {error!r}", code="invalid_report"
        ) from error


def _tabled(tabled: Tabled | None) -> dict[str, Any]:
    if tabled is None:
        return {"query": None, "table": None, "counted": None}
    tally = tabled.tally
    rows = [[[cell.value, list(cell.citations)] for cell in row] for row in tabled.rows]
    return {
        "query": query_json(tabled.query),
        "table": {"columns": [str(name) for name in tabled.columns], "rows": rows},
        "counted": {
            "matched": tally.matched,
            "of": tally.of,
            "documents": tally.documents,
            "lacking": list(tally.lacking),
        },
    }


def _cited(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "document_id": citation.document_id,
        "document_name": citation.document_name or citation.title,
        "revision": citation.sha256,
        "quote": citation.cited_text,
        "start": citation.source.start,
        "end": citation.source.end,
        "pages": [region.page_number for region in citation.regions],
        "status": str(citation.status),
    }
