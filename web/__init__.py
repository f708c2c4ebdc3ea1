"""The page people use: plain HTML, CSS and ES modules, served as they are.

Knows where its own files lie. Knows nothing of the API's code, of storage or of models: the page
speaks to the service over HTTP alone.
"""

from pathlib import Path


def static_dir() -> Path:
    """Return the folder with index.html and the css/ and js/ folders beside it."""
    return Path(__file__).resolve().parent / "static"
