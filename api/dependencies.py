"""What routes take as parameters: the services, who asks, a base, a list cursor.

Knows where a request keeps them; decides nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from starlette.types import Scope

from api.errors import request_id_of
from api.masked_labels import masked_keys
from api.metrics import Metrics
from api.needs import principal_of
from api.schema import Id, integer
from api.veiling import hides_itself, masked_error, veiling_of
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.facts import StoredFact
from kb_service.domain.labels import LabelMark
from kb_service.domain.people import Principal
from kb_service.operations import Services
from kb_service.services.veiled import Hiding
from kb_service.services.veils import Marks, Place

DEFAULT_LIMIT = 100


def services_of(request: Request) -> Services:
    """Return the services that this server was made with."""
    services: Services = request.app.state.services
    return services


def metrics_of(request: Request) -> Metrics:
    """Return the metrics of this server."""
    metrics: Metrics = request.app.state.metrics
    return metrics


def request_id(request: Request) -> str:
    """Return the id of the request."""
    return request_id_of(request.scope)


ServicesParam = Annotated[Services, Depends(services_of)]
MetricsParam = Annotated[Metrics, Depends(metrics_of)]
RequestIdParam = Annotated[str, Depends(request_id)]
PrincipalParam = Annotated[Principal, Depends(principal_of)]


class Shown:
    """What the caller may be shown of things that are no JSON."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._veiling = veiling_of(scope)

    def hides(self, kb_id: str) -> bool:
        """True when anything of this base is hidden from the caller."""
        return self._veiling is not None and self._veiling.is_masked(kb_id)

    def report(self, kb_id: str) -> Hiding | None:
        """Return what hides personal data of a base in a report; None where nothing is hidden."""
        hides_itself(self._scope)
        return self._veiling.hiding(kb_id) if self._veiling else None

    def require_all(self, kb_id: str, what: str) -> None:
        """Raise RightMissing (personal_data_masked) where anything of this base is hidden."""
        if self.hides(kb_id):
            raise masked_error(what)

    def kept(self, kb_id: str, sent: str, stored: Sequence[str]) -> str:
        """Return what is to be stored of words that were sent: what came back masked stays."""
        hiding = self._veiling.hiding(kb_id) if self._veiling else None
        if hiding is None:
            return sent
        return next((words for words in stored if hiding.hide(words) == sent), sent)

    def require_open(self, kb_id: str, words: str, what: str) -> None:
        """Raise RightMissing (personal_data_masked) where words are hidden from the caller."""
        hiding = self._veiling.hiding(kb_id) if self._veiling else None
        if hiding is not None and hiding.hide(words) != words:
            raise masked_error(what)

    def label_keys(
        self,
        kb_id: str,
        sent: Sequence[str],
        known: Callable[[str], Iterable[LabelMark]],
        own: Iterable[LabelMark] = (),
    ) -> list[str]:
        """Return by what labels are found that were named: what came back masked stays.

        `known`: id of a base -> its labels. `own`: those among which a masked name is looked for
        first. Raises RightMissing (personal_data_masked) for words that are hidden from the caller,
        whether or not a label is called so; InvalidRequest (invalid_label) where several look so.
        """
        hiding = self._veiling.hiding(kb_id) if self._veiling and sent else None
        if hiding is None:
            return list(sent)
        return masked_keys(sent, hiding.hide, [*known(kb_id)], [*own])

    def facts(self, kb_id: str, found: Iterator[StoredFact]) -> Iterator[StoredFact]:
        """Return facts of a base with what is hidden hidden."""
        hides_itself(self._scope)
        return found if self._veiling is None else self._veiling.facts(found, kb_id)

    def file_name(self, base: KnowledgeBase) -> str:
        """Return how files of a base are called: its name may be personal, its id is not."""
        return base.id if self.hides(base.id) else base.name

    def marks(self, kb_id: str, place: Place) -> Marks | None:
        """Return what a text hides, for a picture of it; None where the base hides nothing.

        Raises RightMissing (personal_data_masked) where it does and the text is not there.
        """
        hides_itself(self._scope)
        if self._veiling is None or not self.hides(kb_id):
            return None
        found = self._veiling.marks(kb_id, place)
        if found is None:
            raise masked_error("the picture of a page whose text is gone")
        return found


def shown_to(request: Request) -> Shown:
    """Return what the caller of a request may be shown."""
    return Shown(request.scope)


ShownParam = Annotated[Shown, Depends(shown_to)]


async def base_of(
    request: Request,
    kb: Annotated[Id, Path(description="Id or exact name of a knowledge base.")],
) -> KnowledgeBase:
    """Return the base that the path names, from the guard, which looked whether it may be seen."""
    base: KnowledgeBase = request.state.base
    return base


Base = Annotated[KnowledgeBase, Depends(base_of)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the part before.")]
Limit = Annotated[int, integer(1, 1000), Query(description="Most items of one answer, 1 to 1000.")]
LabelNames = Annotated[
    list[Id] | None, Query(description="Only what carries all of these labels, by id or name.")
]
RevisionName = Annotated[Id | None, Query(description="SHA-256 of a revision; default: current.")]
