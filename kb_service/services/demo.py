"""The demo knowledge base of the first start: twenty real and synthetic incident reports.

Knows where the files lie; they take the same way in as any upload.
"""

from pathlib import Path

from kb_service.language.messages import in_all_languages
from kb_service.services.uploads import UploadService
from kb_service.storage.catalog import Catalog

DEMO_FOLDER = Path(__file__).resolve().parent.parent / "demo"
DEMO_NAME = "demo"


def load_demo(catalog: Catalog, uploads: UploadService) -> bool:
    """Create the demo base when there is no base at all; True when it was created."""
    if catalog.bases.list(limit=1).items:
        return False
    base = catalog.bases.create(DEMO_NAME, " ".join(in_all_languages("demo")))
    for path in sorted(DEMO_FOLDER.glob("*.pdf")):
        with path.open("rb") as stream:
            uploads.accept(base.id, path.name, stream)
    return True
