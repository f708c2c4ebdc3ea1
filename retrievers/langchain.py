"""Any retriever of the domain as a LangChain `BaseRetriever`, for use in somebody's own chain.

Knows LangChain's Document and the domain's Query. Knows no index.
"""

from typing import Any

from pydantic import ConfigDict, Field, SkipValidation

from kb_service.domain.extras import extra_needed
from kb_service.domain.ports import Retriever
from kb_service.domain.queries import Filters, Query, ScoredChunk
from kb_service.language.asked import parse_question

with extra_needed("langchain", "a retriever for LangChain"):
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever


class KnowledgeBaseRetriever(BaseRetriever):
    """Answers `invoke(question)` with the best chunks of one knowledge base.

    A Document's `page_content` is the chunk's own text, its `id` the chunk id; metadata name the
    document, the revision (sha256), the span in its stored text, the pages and the scores.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: SkipValidation[Retriever]
    kb_id: str
    top_k: int = Field(default=10, ge=1)
    filters: Filters = Field(default_factory=Filters)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        asked = Query(
            self.kb_id, parse_question(query), self.top_k, self.filters, with_regions=True
        )
        return [_document(item) for item in self.retriever.retrieve(asked).items]


def _document(item: ScoredChunk) -> Document:
    chunk = item.chunk
    metadata: dict[str, Any] = {
        "document_id": chunk.document_id,
        "sha256": item.sha256,
        "title": chunk.title,
        "heading_path": list(chunk.draft.heading_path),
        "start": chunk.draft.span.start,
        "end": chunk.draft.span.end,
        "page_numbers": [region.page_number for region in item.regions],
        "score": item.score,
        "ranks": dict(item.ranks),
        "scores": dict(item.scores),
    }
    return Document(id=str(chunk.id), page_content=chunk.draft.text, metadata=metadata)
