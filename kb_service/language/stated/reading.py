"""Reads facts with whatever tells what labels mean; one for a process. Knows no storage."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date

from kb_service.domain.facts import Fact, TableMeaning
from kb_service.domain.texts import MarkedText
from kb_service.language.stated.columns import columns_in
from kb_service.language.stated.extraction import FACT_RULES, facts_in
from kb_service.language.stated.sense import LabelSense


class FactReader:
    """`sense` is asked when it is needed: it may load a model. None: labels are told by lists."""

    def __init__(self, sense: Callable[[], LabelSense | None] = lambda: None) -> None:
        self._sense = sense

    @property
    def rules(self) -> str:
        """The name (SHA-256, hexadecimal) of how facts are found."""
        sense = self._sense()
        if sense is None:
            return FACT_RULES
        return hashlib.sha256(f"{FACT_RULES}\0{sense.name}".encode()).hexdigest()

    def facts_in(
        self,
        marked: MarkedText,
        columns: Mapping[str, str] | None = None,
        title: str = "",
        came: date | None = None,
    ) -> tuple[Fact, ...]:
        """Return what a whole text states, which is called so.

        `columns`: what people said that columns stand for. `came`: the day on which it came to its
        base, whose year records have where the text names none.
        """
        sense = self._sense()
        return facts_in(marked, columns, sense, title, sense.tells if sense else None, came)

    def columns_in(self, text: str, given: Mapping[str, str]) -> tuple[TableMeaning, ...]:
        """Return the tables of a text. `given`: what people said that columns stand for."""
        return columns_in(text, given, self._sense())
