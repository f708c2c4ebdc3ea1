"""What keeps unstructured offline: its tokenizer module replaced, its telemetry switched off.

unstructured 0.18 imports `unstructured.nlp.tokenize`, which downloads NLTK data. This module puts
three plain functions in its place and teaches its title rule, which counts spaces, about Chinese.
Knows nothing of files. Call `keep_offline()` before the first import of a partitioner.
"""

import os
import re
import sys
from types import ModuleType
from typing import Any

from kb_service.language.text import is_chinese, sentence_spans

_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
_VERB_END = re.compile(r"(?i)\w{2,}(?:ed|ing|ise[sd]?|ize[sd]?)$")
_VERBS = re.compile(
    r"(?i)(?:am|is|are|was|were|be|been|being|has|have|had|do|does|did|can|could|will|would|shall|"
    r"should|may|might|must|go|goes|went|came|come|made|make|makes|said|say|says|took|take|takes|"
    r"see|saw|seen|get|got|found|find|left|led|kept|held|set|put|run|ran|gave|give|given)$"
)
_MAX_CHINESE_TITLE = 40
_SENTENCE_MARK = re.compile(r"[。！？；，：;]")


def keep_offline() -> None:
    """Replace the tokenizer and silence telemetry; safe to call more than once."""
    os.environ.update(
        SCARF_NO_ANALYTICS="true",
        DO_NOT_TRACK="true",
        AUTO_DOWNLOAD_NLTK="false",
        UNSTRUCTURED_DISABLE_NOTICE="1",
    )
    name = "unstructured.nlp.tokenize"
    if isinstance(sys.modules.get(name), _OfflineTokenizer):
        return
    sys.modules[name] = _OfflineTokenizer(name)
    _teach_chinese_titles()


class _OfflineTokenizer(ModuleType):
    """Stands in for `unstructured.nlp.tokenize`."""

    @staticmethod
    def sent_tokenize(text: str) -> list[str]:
        """Return the sentences of a text."""
        return [span.of(text) for span in sentence_spans(text)]

    @staticmethod
    def word_tokenize(text: str) -> list[str]:
        """Return words and marks."""
        return _WORD.findall(text)

    @staticmethod
    def pos_tag(text: str) -> list[tuple[str, str]]:
        """Tag likely verbs VB and everything else NN; only verbs matter to the caller."""
        return [(word, "VB" if _is_verb(word) else "NN") for word in _WORD.findall(text)]

    @staticmethod
    def download_nltk_packages() -> None:
        """Download nothing."""


def _is_verb(word: str) -> bool:
    return bool(_VERBS.match(word) or _VERB_END.match(word))


def _teach_chinese_titles() -> None:
    from unstructured.partition import text_type

    is_english_title = text_type.is_possible_title
    is_english_narrative = text_type.is_possible_narrative_text

    def is_possible_title(
        text: str,
        *args: Any,  # noqa: ANN401 - passed on
        **options: Any,  # noqa: ANN401 - passed on
    ) -> bool:
        if is_chinese(text):
            return len(text) <= _MAX_CHINESE_TITLE and not _SENTENCE_MARK.search(text)
        return bool(is_english_title(text, *args, **options))

    def is_possible_narrative_text(
        text: str,
        *args: Any,  # noqa: ANN401 - passed on
        **options: Any,  # noqa: ANN401 - passed on
    ) -> bool:
        if is_chinese(text):
            return len(text) > _MAX_CHINESE_TITLE or bool(_SENTENCE_MARK.search(text))
        return bool(is_english_narrative(text, *args, **options))

    vars(text_type).update(
        is_possible_title=is_possible_title, is_possible_narrative_text=is_possible_narrative_text
    )
