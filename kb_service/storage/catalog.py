"""Bases, documents, revisions and labels of one database, by noun."""

from kb_service.storage.bases import Bases
from kb_service.storage.blobs import BlobStore
from kb_service.storage.database import Database
from kb_service.storage.documents.store import Documents
from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.labels.store import Labels
from kb_service.storage.revisions.store import Revisions


class Catalog:
    """What is stored, by knowledge base."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock = utc_now) -> None:
        self.revisions = Revisions(database)
        self.documents = Documents(database, blobs, clock)
        self.labels = Labels(database, clock)
        self.bases = Bases(database, blobs, self.documents.delete, clock)
