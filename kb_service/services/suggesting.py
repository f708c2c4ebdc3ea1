"""Questions worth asking a base, kept only when its documents answered them.

Knows when a base is looked through and how many questions are tried; wordings are the language's,
and whether a question is answered is the reader's.
"""

from collections.abc import Callable, Iterator
from itertools import zip_longest

import structlog

from kb_service.domain.answers import Answer, AnswerStatus, CitationStatus
from kb_service.domain.errors import KbError, StorageError
from kb_service.domain.facts import Fact
from kb_service.domain.suggestions import Suggestion
from kb_service.language.suggesting import questions_about, questions_over
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.storage.facts.store import Facts
from kb_service.storage.suggestions import Suggestions

MAX_SHOWN = 6
MAX_TRIED = 18
"""So many questions are asked of a base at most."""
NUM_DOCUMENTS = 8
NUM_FACTS = 60
"""So many documents, the latest, and so many facts of each are looked at."""

log = structlog.get_logger("suggestions")


class SuggestionService:
    """Belongs to one thread but for `listed`. `settle_s`: how long a base rests before."""

    def __init__(
        self,
        suggestions: Suggestions,
        facts: Facts,
        answering: Callable[[], AnsweringService],
        elapsed: Callable[[], float],
        settle_s: float,
    ) -> None:
        self._suggestions, self._facts, self._answering = suggestions, facts, answering
        self._elapsed, self._settle_s = elapsed, settle_s
        self._rests: dict[str, tuple[int, float]] = {}
        self._work: Iterator[None] = iter(())

    def listed(self, kb_id: str) -> tuple[Suggestion, ...]:
        """Return questions that the base answers as it is now. Raises NotFound."""
        return self._suggestions.listed(kb_id)

    def step(self) -> bool:
        """Ask one question; False when no base waits. Raises StorageError when storage is out."""
        if next(self._work, self) is None:
            return True
        for kb_id, change in self._suggestions.due():
            if self._has_rested(kb_id, change):
                self._work = self._look_through(kb_id, change)
                next(self._work, None)
                return True
        return False

    def _has_rested(self, kb_id: str, change: int) -> bool:
        now_s = self._elapsed()
        known, since_s = self._rests.get(kb_id, (None, now_s))
        if known != change:
            self._rests[kb_id] = change, now_s
            since_s = now_s
        return now_s - since_s >= self._settle_s

    def _look_through(self, kb_id: str, change: int) -> Iterator[None]:
        """Ask one question after the other; each `None` is one.

        A base that suggests nothing yet shows each as it is found: the last may be a minute away.
        """
        is_first = not self._suggestions.listed(kb_id)
        found: list[Suggestion] = []
        tried: set[str] = set()
        for question, language, about in self._candidates(kb_id):
            if question in tried or len(tried) >= MAX_TRIED or len(found) >= MAX_SHOWN:
                continue
            tried.add(question)
            suggestion = self._tried(kb_id, question, language, about)
            if suggestion:
                found.append(suggestion)
                if is_first:
                    self._suggestions.put(kb_id, change, found, is_whole=False)
            yield None
        self._suggestions.put(kb_id, change, found)

    def _candidates(self, kb_id: str) -> Iterator[tuple[str, str, str | None]]:
        """One question of each document in turn, then one over all, then the next of each."""
        lists: list[list[tuple[str, str, str | None]]] = []
        facts: list[Fact] = []
        for document in self._suggestions.sample(kb_id, NUM_DOCUMENTS):
            listed = self._facts.listed(kb_id, document_id=document.document_id, limit=NUM_FACTS)
            own = [item.fact for item in listed.items]
            facts += own
            asked = questions_about(document.title, own)
            lists.append([(*one, document.document_id) for one in asked])
        lists.append([(*one, None) for one in questions_over(facts)])
        for turn in zip_longest(*lists):
            yield from filter(None, turn)

    def _tried(
        self, kb_id: str, question: str, language: str, about: str | None
    ) -> Suggestion | None:
        try:
            answer = self._answering().ask(AskRequest(kb_id=kb_id, question=question))
        except KbError as error:
            if isinstance(error, StorageError) and error.is_outage:
                raise
            log.warning("suggestion not tried", kb_id=kb_id, error=error.message)
            return None
        cited = _cited(answer, about)
        current = self._suggestions.current(sorted(cited)) if cited else {}
        if not cited or current.keys() != cited:
            return None
        return Suggestion(question, language, tuple(sorted(current.values())))


def _cited(answer: Answer, about: str | None) -> frozenset[str]:
    """Return the documents of an answer that holds whole, empty for any other.

    `about`: the document that has to be among them.
    """
    is_whole = answer.status is AnswerStatus.ANSWERED and all(
        citation.status is CitationStatus.VERIFIED for citation in answer.citations
    )
    cited = frozenset(citation.document_id for citation in answer.citations)
    is_about = about is None or cited == {about}
    return cited if is_whole and is_about else frozenset()
