"""The demo knowledge base of the first start: twenty real and synthetic incident reports.

Knows where the files lie; they take the same way in as any upload.
"""

from pathlib import Path

from kb_service.services.uploads import UploadService
from kb_service.storage.catalog import Catalog

DEMO_FOLDER = Path(__file__).resolve().parent.parent / "demo"
DEMO_NAME = "demo"
DEMO_DESCRIPTION = (
    "Twenty incident reports in English and Chinese: NTSB, Wikimedia and synthetic ones. "
    "示例知识库：中英文事故报告二十份。"
)


def load_demo(catalog: Catalog, uploads: UploadService) -> bool:
    """Create the demo base when there is no base at all; True when it was created."""
    if catalog.list_kbs(limit=1).items:
        return False
    base = catalog.create_kb(DEMO_NAME, DEMO_DESCRIPTION)
    for path in sorted(DEMO_FOLDER.glob("*.pdf")):
        with path.open("rb") as stream:
            uploads.accept(base.id, path.name, stream)
    return True
