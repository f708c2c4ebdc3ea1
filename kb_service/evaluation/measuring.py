"""A base and its readers, ready to be measured with the models of the settings and no others.

Knows the simple readers that stand beside the one in force. Measures nothing itself, and loads what
measures when a base is to be measured: every command has this service.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kb_service.domain.ports import Embedder, Generator, Retriever
from kb_service.services.answering import AnsweringService
from kb_service.services.lookup import every_document
from kb_service.services.parts import Chosen, Part
from kb_service.services.turns import AnswerLog
from kb_service.storage.catalog import Catalog

if TYPE_CHECKING:
    from kb_service.evaluation.base_trial import BaseUnderTest


class MeasuringService:
    """`built_in` makes the reader that needs no model. Every model is loaded by the first use."""

    def __init__(
        self,
        catalog: Catalog,
        embedder: Part[Chosen[Embedder]],
        generator: Part[Chosen[Generator]],
        models: Mapping[str, Part[Chosen[object]]],
        retriever: Callable[[], Retriever],
        answering: Callable[[Generator, AnswerLog], AnsweringService],
        built_in: Callable[[], Generator],
    ) -> None:
        self._catalog = catalog
        self._embedder = embedder
        self._generator = generator
        self._models = models
        self._retriever = retriever
        self._answering = answering
        self._built_in = built_in

    def under_test(self, kb: str, baseline_seed: int | None) -> "BaseUnderTest":
        """Return a base (id or name) with the reader in force, ready to be measured.

        With a seed the simple readers stand before it. What they answer is not kept. Raises why a
        model of the settings cannot be used: another must not be taken for it.
        """
        from kb_service.evaluation.base_trial import BaseUnderTest
        from kb_service.evaluation.baselines import LexicalSentence, RandomSentence
        from kb_service.services.unkept import UnkeptAnswers

        for load in self._models.values():
            load().configured()
        readers: list[Generator] = [self._generator().model]
        if baseline_seed is not None:
            readers[:0] = [RandomSentence(baseline_seed), LexicalSentence(), self._built_in()]
        base = self._catalog.bases.get(kb)
        return BaseUnderTest(
            kb=base,
            documents={item.id: item.name for item in every_document(self._catalog, base.id)},
            retriever=self._retriever(),
            readers={
                reader.info.name: self._answering(reader, UnkeptAnswers()) for reader in readers
            },
            stored_text=lambda document_id, sha256: self._catalog.revisions.text(
                base.id, document_id, sha256
            )[1],
            embedding_model=self._embedder().model.profile.name,
        )
