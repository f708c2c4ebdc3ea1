"""What the doors may do: one service a subject. Knows no door, and not how a service is built."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb_service.services.across import AcrossDocuments
from kb_service.services.answering import AnsweringService
from kb_service.services.bases import BaseService
from kb_service.services.chatting import ChattingService
from kb_service.services.columns import ColumnService
from kb_service.services.documents import DocumentService
from kb_service.services.erasing import ErasureService
from kb_service.services.facts import FactService
from kb_service.services.history import HistoryService
from kb_service.services.intake import IntakeService
from kb_service.services.jobs import JobService
from kb_service.services.keys import KeyService
from kb_service.services.labels import LabelService
from kb_service.services.models import ModelService
from kb_service.services.pictures import PictureService
from kb_service.services.readiness import ReadinessService
from kb_service.services.reindexing import ReindexService
from kb_service.services.reports import ReportService
from kb_service.services.searching import SearchService
from kb_service.services.setup import SetupService
from kb_service.services.similar import SimilarIncidents
from kb_service.services.starting import StartService
from kb_service.services.suggesting import SuggestionService
from kb_service.services.transfer import TransferService
from kb_service.services.upkeep import UpkeepService
from kb_service.services.uploads import UploadService
from kb_service.services.veils import MaskingService
from kb_service.services.watching import WatchService
from kb_service.settings import Settings
from kb_service.storage.statistics import Statistics

if TYPE_CHECKING:
    from kb_service.evaluation.measuring import MeasuringService


@dataclass(frozen=True, slots=True)
class Services:
    """The running service. `answering` and `chatting` load their model when they are first called,
    and no server measures.

    `close` releases what was opened; safe to call twice.
    """

    settings: Settings
    accepted_suffixes: Sequence[str]
    bases: BaseService
    transfer: TransferService
    documents: DocumentService
    erasing: ErasureService
    facts: FactService
    columns: ColumnService
    uploads: UploadService
    intake: IntakeService
    jobs: JobService
    keys: KeyService
    labels: LabelService
    pictures: PictureService
    searching: SearchService
    similar: SimilarIncidents
    querying: AcrossDocuments
    watching: WatchService
    suggesting: SuggestionService
    answering: Callable[[], AnsweringService]
    history: HistoryService
    chatting: Callable[[], ChattingService]
    models: ModelService
    readiness: ReadinessService
    reports: ReportService
    masking: MaskingService
    statistics: Statistics
    setup: SetupService
    reindexing: ReindexService
    upkeep: UpkeepService
    starting: StartService
    measuring: "Callable[[], MeasuringService]"
    close: Callable[[], None]
