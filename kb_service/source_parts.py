"""Which source stands behind the place of a sync. Opens it when it is asked for, and not before."""

from pathlib import Path

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.sources import Source
from kb_service.domain.sync import SyncOrder
from kb_service.services.folders import LocalFolder
from kb_service.settings import SyncSettings


def open_source(order: SyncOrder, settings: SyncSettings, data_dir: Path) -> Source:
    """Return the source of an order. Raises InvalidRequest, ConfigurationError."""
    scheme, mark, _ = order.place.partition("://")
    if not mark:
        return LocalFolder(Path(order.place), data_dir, settings.settle_s)
    raise InvalidRequest(f"no source {scheme}:// is known", code="unknown_source")
