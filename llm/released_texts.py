"""What the released models were trained to read and write, word for word.

The texts stand in a data file beside this module; here they get their names. Knows no roles and no
ids, and builds nothing of them.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files

_TEXTS = tomllib.loads((files("llm") / "released_texts.toml").read_text(encoding="utf-8"))

QUESTION: str = _TEXTS["rounds"]["question"]
ANSWER: str = _TEXTS["rounds"]["answer"]
PLACEHOLDER: str = _TEXTS["replies"]["placeholder"]
PLACEHOLDER_TEXT: str = _TEXTS["replies"]["placeholder_text"]
WIDE_PUNCTUATION: dict[str, str] = _TEXTS["replies"]["wide"]
QUOTATION_MARKS: dict[str, str] = _TEXTS["quotations"]["marks"]
CHATGLM3_TOOLS: str = _TEXTS["chatglm3"]["tools"]
CHATGLM3_INTERPRETER: str = _TEXTS["chatglm3"]["interpreter"]
GLM4_SYSTEM: str = _TEXTS["glm4"]["system"]
GLM4_TOOLS: str = _TEXTS["glm4"]["tools"]
GLM4_CALL: str = _TEXTS["glm4"]["call"]
GLM4_BUILT_IN: dict[str, str] = _TEXTS["glm4"]["built_in"]
