"""How near a label is to each field by what both mean, and a paper to what sorts there are.

Through vectors that are handed in. Knows what fields and papers are described by (`field_senses`,
`paper_senses` of the languages); knows no model and reads no value. A label is embedded once.
"""

from array import array
from collections.abc import Callable, Sequence
from math import fsum
from operator import mul

from kb_service.language.lexicon import shipped_languages
from kb_service.language.stated.labels import spoken_label

MAX_KEPT = 20_000
"""Labels whose nearness is remembered; then all are forgotten."""

_SORTS_OF_PAPER = ("account", "other")
_NEAREST = 3
"""Descriptions of each sort that are compared: one alone may share no more than its words."""

Embed = Callable[[Sequence[str]], Sequence[bytes]]
"""Texts to unit vectors, little-endian float32."""


class LabelSense:
    """Nearness of labels to fields; `name` tells by which vectors, for who keeps what was found."""

    def __init__(self, embed: Embed, name: str) -> None:
        self._embed, self.name = embed, name
        self._kept: dict[str, dict[str, float]] = {}
        self._described: list[tuple[str, array[float]]] = []
        self._papers: dict[str, list[array[float]]] = {}

    def __call__(self, label: str) -> dict[str, float]:
        """Return the cosine of a label with the nearest description of each field."""
        words = spoken_label(label)
        if words not in self._kept:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[words] = self._nearness(words)
        return self._kept[words]

    def tells(self, text: str) -> float:
        """Return by how much a text is nearer to accounts of happenings than to other papers."""
        if not self._papers:
            senses = [tables["paper_senses"] for tables in shipped_languages().values()]
            for sort in _SORTS_OF_PAPER:
                described = [one for sense in senses for one in sense[sort]]
                self._papers[sort] = [array("f", one) for one in self._embed(described)]
        (vector,) = (array("f", one) for one in self._embed([text]))
        near = (
            sorted((fsum(map(mul, vector, one)) for one in self._papers[sort]), reverse=True)
            for sort in _SORTS_OF_PAPER
        )
        account, other = (fsum(several[:_NEAREST]) / _NEAREST for several in near)
        return account - other

    def _nearness(self, words: str) -> dict[str, float]:
        if not self._described:
            pairs = [
                (field, description)
                for tables in shipped_languages().values()
                for field, descriptions in tables["field_senses"].items()
                for description in descriptions
            ]
            vectors = self._embed([description for _, description in pairs])
            self._described = [
                (field, array("f", vector))
                for (field, _), vector in zip(pairs, vectors, strict=True)
            ]
        (vector,) = (array("f", one) for one in self._embed([words]))
        near: dict[str, float] = {}
        for field, described in self._described:
            near[field] = max(near.get(field, -1.0), fsum(map(mul, vector, described)))
        return near
