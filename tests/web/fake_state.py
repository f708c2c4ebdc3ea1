"""What the fake service behind the page remembers: bases, documents, jobs, one prepared answer.

A job moves one step whenever the document list is read. Knows no HTTP.
"""

from typing import Any

NOW = "2026-01-02T03:04:05Z"
STAGES = (("load", 1, 3), ("load", 3, 3), ("embed", 2, 8), ("done", 8, 8))


class FakeService:
    """What tests set (`answer`, `key`, `ready`) and what they look at (`calls`, `documents`)."""

    def __init__(self) -> None:
        self.bases: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, Any]] = []
        self.answer: dict[str, Any] = {}
        self.pieces: list[str] = []
        self.delay_s = 0.0
        self.key = ""
        self.text = ""
        self.ready: dict[str, Any] = {"status": "ready", "reasons": []}

    def add_base(self, name: str, description: str = "") -> dict[str, Any]:
        base: dict[str, Any] = {
            "id": f"kb_{len(self.bases)}",
            "name": name,
            "description": description,
        }
        base |= {"num_documents": 0, "num_chunks": 0, "created_at": NOW, "updated_at": NOW}
        return self.bases.setdefault(base["id"], base)

    def add_document(self, name: str, **fields: object) -> dict[str, Any]:
        doc: dict[str, Any] = {
            "id": f"doc_{len(self.documents)}",
            "name": name,
            "media_type": "application/pdf",
        }
        doc |= {"size_bytes": 1234567, "status": "pending", "error": None, "tags": [], "step": 0}
        doc |= {"revision": None, "page_report": None, "created_at": NOW, "updated_at": NOW}
        job: dict[str, Any] = {
            "id": f"job_{doc['id']}",
            "document_id": doc["id"],
            "status": "queued",
        }
        doc["job"] = job | {"stage": "queued", "done": 0, "total": 0, "attempt": 1, "error": None}
        return self.documents.setdefault(doc["id"], doc | fields)

    def advance_all(self) -> None:
        for doc in self.documents.values():
            self.advance(doc)

    def advance(self, doc: dict[str, Any]) -> None:
        if doc["status"] not in ("pending", "processing"):
            return
        stage, done, total = STAGES[min(doc["step"], 3)]
        doc["step"] += 1
        doc["status"] = "ready" if stage == "done" else "processing"
        status = "succeeded" if stage == "done" else "running"
        doc["job"] |= {"status": status, "stage": stage, "done": done, "total": total}
        if stage == "done":
            doc["revision"] = {"sha256": "aa" * 32, "num_pages": 3, "num_chunks": 8, "id": 1}
            pages = [{"page_number": 3, "kind": "empty", "num_chars": 0, "reason": "no_text_layer"}]
            doc["page_report"] = {"text": 2, "ocr": 0, "empty": 1, "failed": 0, "pages": pages}
