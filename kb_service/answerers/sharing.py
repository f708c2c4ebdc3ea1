"""Searches and answers shared out between a server and its answering processes.

Knows whom to ask, and what to do when that one dies: the server does it itself.
"""

from collections.abc import Callable, Sequence
from contextlib import closing

import structlog

from kb_service.answerers.crew import AnswererLost, Crew
from kb_service.domain.errors import GenerationError
from kb_service.domain.queries import RetrievalResult
from kb_service.services.asking import Drafted, DraftEvent, Drafting, Inquiry
from kb_service.services.searching import SearchRequest

Draft = Callable[[Inquiry], Drafting]
Search = Callable[[SearchRequest], RetrievalResult]

log = structlog.get_logger("answerers")


def shared_draft(crew: Crew, here: Draft) -> Draft:
    """Return what has answers made by whoever of a crew has least to do, `here` among them."""

    def draft(inquiry: Inquiry) -> Drafting:
        told: list[DraftEvent] = []
        with crew.drafting(inquiry.request.cancelled) as answerer:
            if answerer is None:
                return (yield from here(inquiry))
            try:
                return (yield from _noted(answerer.draft(inquiry), told))
            except AnswererLost:
                log.warning("an answering process was lost; its question is answered here")
        return (yield from continued(here(inquiry), told))

    return draft


def shared_search(crew: Crew, here: Search) -> Search:
    """Return what has chunks found by whoever of a crew has least to do, `here` among them."""

    def search(request: SearchRequest) -> RetrievalResult:
        with crew.searching() as answerer:
            if answerer is None:
                return here(request)
            try:
                return answerer.search(request)
            except AnswererLost:
                log.warning("an answering process was lost; its search is done here")
        return here(request)

    return search


def _noted(drafting: Drafting, told: list[DraftEvent]) -> Drafting:
    """Pass a drafting on; add to `told` what of it was told."""
    with closing(drafting):
        while True:
            try:
                event = next(drafting)
            except StopIteration as end:
                drafted: Drafted = end.value
                return drafted
            told.append(event)
            yield event


def continued(drafting: Drafting, told: Sequence[DraftEvent]) -> Drafting:
    """Go on behind what was told already. Raises GenerationError when this one tells otherwise.

    The same question of the same documents has the same answer, so what was told holds, unless the
    documents changed meanwhile or a model elsewhere found other words.
    """
    with closing(drafting):
        for known in told:
            if next(drafting, None) != known:
                raise GenerationError("the answer broke off and cannot be continued: ask again")
        return (yield from drafting)
