"""How a pocket reader's folder is told from a chat model's: by a field of its config.json.

Both have the layout of ChatGLM3; asked as a chat model, a pocket reader would write nonsense. Reads
config.json only and needs no array library. Does not know weights.
"""

import json
from pathlib import Path

from kb_service.domain.errors import ConfigurationError

CONFIG_FILE = "config.json"
READER_FIELD = "pocket_reader"
PROMPT_VERSION = 1
"""The value of the field: which prompt the weights were trained for (pocket_prompt)."""


def is_pocket_reader(folder: Path) -> bool:
    """True when config.json says so; a folder whose config cannot be read is left to others.

    Raises ConfigurationError `model_corrupt` for a prompt that this version does not write.
    """
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    if not isinstance(config, dict) or READER_FIELD not in config:
        return False
    version = config[READER_FIELD]
    if version != PROMPT_VERSION:
        raise ConfigurationError(
            f"{folder / CONFIG_FILE} has {READER_FIELD} = {version!r}; expected {PROMPT_VERSION}",
            code="model_corrupt",
            details={"file": str(folder / CONFIG_FILE)},
        )
    return True
