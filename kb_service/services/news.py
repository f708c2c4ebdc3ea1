"""What changed for a listener besides documents and jobs: one mark for each thing that is shown.

Knows which things those are and how to tell that one is another; what it is, is read by GET. A mark
says nothing by itself: it is keyed by a secret of the process, so that nothing can be guessed from
it, and made of letters alone, so that none looks like anybody's number.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from kb_service.domain.people import Principal, Rights
from kb_service.services.bases import BaseService
from kb_service.services.history import HistoryService
from kb_service.services.keys import KeyService
from kb_service.services.readiness import ReadinessService
from kb_service.services.suggesting import SuggestionService
from kb_service.services.watching import WatchService

MAX_BASES = 100
MAX_CONVERSATIONS = 100
"""So many of each list, the first, are looked at."""

MARK_BYTES = 8
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@dataclass(frozen=True, slots=True)
class NewsService:
    """`marks` raises StorageError; Unauthorized and NotFound for who may not listen any more."""

    bases: BaseService
    keys: KeyService
    history: HistoryService
    suggesting: SuggestionService
    watching: WatchService
    readiness: ReadinessService
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def marks(self, who: Principal, kb_id: str) -> Mapping[str, str]:
        """Return a mark of each thing, another one where the thing is another.

        `bases`: those that are there for this one, without how many documents the one listened to
        has; `rights`: its own; `conversations`: those of the page in this base; `suggestions` and
        `watches` of this base; `service`: what works, and with which model.
        """
        now = self.keys.now(who)
        return {
            "bases": self._mark(self._bases(now, kb_id)),
            "rights": self._mark(_rights(now.rights)),
            "conversations": self._mark(self.history.latest(now, kb_id, MAX_CONVERSATIONS)),
            "suggestions": self._mark(self.suggesting.listed(kb_id)),
            "watches": self._mark(self.watching.states(kb_id)),
            "service": self._mark(self._service()),
        }

    def _bases(self, who: Principal, kb_id: str) -> list[object]:
        found = self.bases.list(who, None, MAX_BASES).items
        return [
            (
                *(base.id, base.name, base.description),
                *(sorted(base.masking.kinds), sorted(base.masking.roles)),
                base.num_documents if base.id != kb_id else None,
            )
            for base in found
        ]

    def _service(self) -> object:
        status = self.readiness.status()
        problems = {**status.impaired, **status.missing}
        codes = sorted((part, error.code) for part, error in problems.items())
        return codes, status.generator

    def _mark(self, value: object) -> str:
        digest = blake2b(repr(value).encode(), digest_size=MARK_BYTES, key=self._secret)
        return digest.hexdigest().translate(_LETTERS)


def _rights(rights: Rights) -> object:
    by_base = sorted(rights.by_base.items())
    return rights.is_admin, rights.everywhere, by_base, rights.see_personal
