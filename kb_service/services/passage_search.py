"""From a query to the passages that may answer it: retrieve, assemble, and look again where named.

Knows that a report is often named on one page and answers on another. Knows no question words, no
evidence and no model.
"""

from collections.abc import Sequence
from dataclasses import replace

from kb_service.domain.ports import Searcher
from kb_service.domain.queries import Query
from kb_service.domain.questions import Subject
from kb_service.language.numbered import writings_across
from kb_service.services.assembly import Context, ContextAssembler, RevisionTexts, fixed_by
from kb_service.services.nearness import nearness_of
from kb_service.settings import RetrievalSettings


class PassageSearch:
    """Finds numbered passages within the budget of the settings."""

    def __init__(
        self, retriever: Searcher, texts: RevisionTexts, settings: RetrievalSettings
    ) -> None:
        self._retriever = retriever
        self._assembler = ContextAssembler(
            texts,
            retriever,
            max_passages=settings.passages,
            passage_tokens=settings.passage_tokens,
            context_tokens=settings.context_tokens,
        )

    def find(self, query: Query, subjects: Sequence[Subject] = ()) -> Context:
        """Search; when documents state what the query fixes, search again in them.

        `subjects`: what the question names.

        The second search finds the right page of a report that is named on another page. Across
        languages, numbered things pick documents as these write them: 2号泵 for pump 2.
        """
        fixed = fixed_by(query.question, subjects)
        if query.is_across:
            fixed = (*fixed, *writings_across(query.question.normalised))
        context = self._search(query, fixed)
        if not context.confirmed:
            return context
        named = tuple(sorted({passage.document_id for passage in context.passages}))
        filters = replace(query.filters, document_ids=named)
        again = self._search(replace(query, filters=filters), fixed)
        return replace(again, nearness=context.nearness)

    def _search(self, query: Query, fixed: tuple[str, ...]) -> Context:
        found = self._retriever.retrieve(query)
        context = self._assembler.assemble(query.kb_id, found.items, fixed)
        nearness = nearness_of(query.question.language, found.items)
        return replace(context, reranking=found.reranking, nearness=nearness)
