"""Values as they go between a server and its answering processes, with all their parts set."""

from datetime import UTC, date, datetime

from kb_service.domain.answers import AnswerAudit, Conversation, Message, Understood
from kb_service.domain.chats import ChatMessage, SamplingOptions
from kb_service.domain.documents import Chunk, ChunkDraft, KnowledgeBase
from kb_service.domain.history import AsOf
from kb_service.domain.people import Principal, Right, Rights
from kb_service.domain.queries import (
    FieldFilter,
    Filters,
    Reranking,
    RetrievalResult,
    ScoredChunk,
)
from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.tables import Chart, CitedCell, Tabled, Tally
from kb_service.domain.times import Period
from kb_service.services.asking import AskRequest, Drafted, Inquiry
from kb_service.services.searching import SearchRequest
from tests.web.answers import crane_answer

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
BASE = KnowledgeBase("kb_1", "报告", "", 2, 9, NOW, NOW, 12)
FILTERS = Filters(
    document_ids=("doc_1",),
    date_from=NOW,
    time_from=datetime(2025, 1, 1),  # noqa: DTZ001  incidents have local times
    kind=("fire",),
    fields=(FieldFilter("deaths", min=1), FieldFilter("cause", none_of=("火",))),
)
QUERY = RecordQuery(Operation.GROUP, FILTERS, by="kind", columns=("time",))
TABLED = Tabled(
    QUERY,
    ("kind", "count"),
    ((CitedCell("fire", (1,)), CitedCell(2)), (CitedCell(None), CitedCell(1.5))),
    Tally(3, 4, 2, ("doc_2",)),
    Chart("bars", ("fire",), (2.0, None)),
    ("doc_1",),
)
UNDERSTOOD = Understood(
    "何时？",
    ("crane",),
    Period(date(2026, 1, 1), date(2026, 1, 2)),
    FILTERS,
    ("crane",),
    ("doc_1",),
)
ANSWER = crane_answer(
    tabled=TABLED,
    understood=UNDERSTOOD,
    missing=("pump",),
    nearest=(1,),
    as_of=7,
    owner="key_1",
)
AUDIT = AnswerAudit(
    "ab", "cd", (1, 2), {"seed": 3, "temperature": 0.5, "top_p": None}, 3, "…", Reranking("m", 9, 9)
)
DRAFTED = Drafted(ANSWER, AUDIT)
REQUEST = AskRequest(
    "kb_1",
    "它何时倒塌？",
    conversation_id="conv_1",
    top_k=5,
    filters=FILTERS,
    options=SamplingOptions(0.0, 9, 1, 0.5),
    history=(
        ChatMessage("user", "Hello\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")),
    ),
    as_of="2026-01-02",
    who=Principal("mary", "key_1", Rights(by_base={"kb_1": Right.WRITE}, see_personal=True)),
)
CONVERSATION = Conversation(
    "conv_1", "kb_1", "t", (Message("user", "q", None, NOW),), NOW, NOW, owner="key_1"
)
STATE = AsOf(7, NOW, is_present=False, num_chunks=9)
INQUIRY = Inquiry(
    REQUEST,
    BASE,
    date(2026, 1, 2),
    AsOf(7, NOW, is_present=False, num_chunks=9),
    CONVERSATION,
    (ANSWER,),
    12.5,
)
SEARCH = SearchRequest("kb_1", "crane", 3, FILTERS, 20260101, BASE)
CHUNK = Chunk(
    7, "kb_1", "doc_1", 2, "t", ChunkDraft(1, TextSpan(0, 5), "crane", ("A",), "p"), "a.pdf"
)
FOUND = RetrievalResult(
    (
        ScoredChunk(
            CHUNK,
            "ab" * 32,
            0.1 + 0.2,
            {"lexical": 1},
            {"lexical": 1 / 3},
            (PageRegion(1, ((0.1, 2.0, 3.5, 4.0),), 0.97),),
        ),
    ),
    {"total_s": 0.1},
    Reranking("m", 20, 19),
)
