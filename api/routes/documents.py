"""Documents of a knowledge base: upload, list, show, delete, stored text, original bytes."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from api.attachments import attachment
from api.dependencies import (
    DEFAULT_LIMIT,
    Base,
    Cursor,
    LabelNames,
    Limit,
    PrincipalParam,
    RequestIdParam,
    RevisionName,
    ServicesParam,
    ShownParam,
)
from api.errors import error_response
from api.inputs import ENCODING_NAME, MAX_ENCODING_CHARS, ReadAsInput
from api.json_route import JsonRoute
from api.label_inputs import DocumentChange
from api.multipart import MAX_FIELD_BYTES, UploadForm, UploadLimits, UploadParser
from api.schema import A_NAME, STORABLE, Id
from kb_service.domain.documents import DocumentStatus
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.lists import DocumentOrder, Wanted
from kb_service.domain.names import OnConflict
from kb_service.schemas.documents import (
    DocumentBody,
    DocumentListBody,
    ListBody,
    SpanBody,
    TagBody,
    TagListBody,
    TextBody,
    UploadBody,
    UploadItemBody,
    document_list_body,
    document_state_body,
    list_body,
    upload_body,
    upload_item_body,
)
from kb_service.schemas.labels import FolderBody
from kb_service.services.labels import MAX_LABEL_CHARS, MAX_LABELS
from kb_service.services.uploads import (
    MAX_TAG_CHARS,
    MAX_TAGS,
    UploadItem,
    UploadService,
    checked_tags,
)
from kb_service.settings import Settings

router = APIRouter(route_class=JsonRoute, tags=["documents"])

FEED_BYTES = 1024 * 1024
"""Body bytes gathered before one trip to the thread pool."""

UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                        },
                        "tags": {
                            "type": "string",
                            "description": "JSON list of strings.",
                            "maxLength": MAX_FIELD_BYTES,
                            "contentMediaType": "application/json",
                            "contentSchema": {
                                "type": "array",
                                "maxItems": MAX_TAGS,
                                "items": {
                                    "type": "string",
                                    "minLength": 1,
                                    "maxLength": MAX_TAG_CHARS,
                                    "pattern": STORABLE,
                                },
                            },
                        },
                        "labels": {
                            "type": "string",
                            "description": "JSON list of labels by id or name.",
                            "maxLength": MAX_FIELD_BYTES,
                            "contentMediaType": "application/json",
                            "contentSchema": {
                                "type": "array",
                                "maxItems": MAX_LABELS,
                                "items": {
                                    "type": "string",
                                    "minLength": 1,
                                    "maxLength": MAX_LABEL_CHARS,
                                    "pattern": A_NAME,
                                },
                            },
                        },
                        "on_conflict": {
                            "type": "string",
                            "description": "What to do with other content of a known name.",
                            "enum": [*OnConflict],
                            "default": OnConflict.REVISE,
                        },
                        "encoding": {
                            "type": "string",
                            "description": "Of the texts; other files say theirs themselves.",
                            "maxLength": MAX_ENCODING_CHARS,
                            "pattern": ENCODING_NAME,
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "/kb/{kb}/documents",
    status_code=202,
    response_model=UploadBody,
    openapi_extra=UPLOAD_BODY,
)
async def upload_documents(
    base: Base,
    request: Request,
    services: ServicesParam,
    who: PrincipalParam,
    request_id: RequestIdParam,
    shown: ShownParam,
) -> Response:
    """Take files in; 202 with one outcome a file, 422 with the same when all were rejected."""
    parser = await run_in_threadpool(
        upload_parser, request.headers.get("content-type"), services.settings
    )
    try:
        await feed_body(request, parser)
        form = parser.flush()
        if form.encoding:
            # It holds for all that the document has and gets, also for what others send in.
            shown.require_all(base.id, "a document read in another encoding")
        named = await run_in_threadpool(
            shown.label_keys, base.id, form.labels, services.labels.marks
        )
        labels = await run_in_threadpool(services.labels.ids_of, base.id, named, who)
        items = await run_in_threadpool(accept_all, services.uploads, base.id, form, labels)
    finally:
        await run_in_threadpool(parser.close)
    body = upload_body(items).model_dump(mode="json")
    if any(item.outcome != "rejected" for item in items):
        return JSONResponse(body, 202)
    rejected = InvalidRequest(
        f"{_all_of(len(items))} rejected; `items` says why", code="all_files_rejected"
    )
    return error_response(rejected, request_id, extra=body)


def _all_of(num_files: int) -> str:
    return "the file was" if num_files == 1 else f"all {num_files} files were"


def upload_parser(content_type: str | None, settings: Settings) -> UploadParser:
    """Return a parser with the limits in force, its temporary files in the data folder."""
    ingest = settings.ingest
    limits = UploadLimits(
        ingest.max_file_bytes, ingest.max_upload_bytes, ingest.max_files_per_upload
    )
    folder = settings.data_dir.resolve() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return UploadParser(content_type, limits, folder)


async def feed_body(request: Request, parser: UploadParser) -> None:
    """Pass the body on in large pieces, off the event loop."""
    gathered = bytearray()
    async for piece in request.stream():
        gathered += piece
        if len(gathered) >= FEED_BYTES:
            await run_in_threadpool(parser.feed, bytes(gathered))
            gathered.clear()
    await run_in_threadpool(parser.feed, bytes(gathered))


def accept_all(
    uploads: UploadService, kb_id: str, form: UploadForm, labels: Sequence[str]
) -> list[UploadItem]:
    """Take the files in one after the other; each returned outcome is committed."""
    return [
        uploads.accept(
            kb_id,
            file.name,
            file.stream,
            form.tags,
            on_conflict=form.on_conflict,
            encoding=form.encoding,
            labels=labels,
        )
        for file in form.files
    ]


@router.get("/kb/{kb}/documents")
def list_documents(
    base: Base,
    services: ServicesParam,
    shown: ShownParam,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    name: Annotated[Id | None, Query(description="Only the document of that name.")] = None,
    name_contains: Annotated[Id | None, Query(description="Part of the name, any case.")] = None,
    status: Annotated[DocumentStatus | None, Query(description="Where they stand.")] = None,
    tag: Annotated[Id | None, Query(description="Only those with that tag.")] = None,
    label: LabelNames = None,
    folder: Annotated[Id | None, Query(description="Only what lies in that folder.")] = None,
    sort: Annotated[DocumentOrder, Query(description="A minus turns it.")] = DocumentOrder.NAME,
) -> DocumentListBody:
    """List documents; the first part also tells of their base, and counts them by status."""
    if folder:
        shown.require_all(base.id, "what lies in a folder")
    wanted = Wanted(name, name_contains, status, tag, tuple(label or ()), folder)
    part = services.documents.list(base.id, cursor, limit, wanted, sort)
    return document_list_body(part, base)


@router.get("/kb/{kb}/folders")
def list_folders(
    base: Base,
    services: ServicesParam,
    shown: ShownParam,
    within: Annotated[Id, Query(description="A folder; default: the base.")] = "",
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> ListBody[FolderBody]:
    """List the folders right in a folder by name, each with what lies in it by status."""
    shown.require_all(base.id, "the folders of a base")
    return list_body(services.documents.folders(base.id, within, cursor, limit), FolderBody.of)


@router.get("/kb/{kb}/tags")
def list_tags(base: Base, services: ServicesParam) -> TagListBody:
    """List the tags of a base by name, with how many documents carry each."""
    found = services.documents.tags(base.id)
    return TagListBody(items=[TagBody(tag=name, num_documents=n) for name, n in found.items()])


@router.patch("/kb/{kb}/documents/{document}")
def change_document(
    base: Base,
    document: Id,
    body: DocumentChange,
    who: PrincipalParam,
    services: ServicesParam,
    shown: ShownParam,
) -> DocumentBody:
    """Give a document, and what came out of it, these tags and labels in place of its own."""
    stored = services.documents.show(base.id, document).document
    tags: Sequence[str] | None = None
    labels: Sequence[str] | None = None
    if body.tags is not None:
        # Before the labels, which may make one.
        tags = checked_tags(shown.kept(base.id, tag, stored.tags) for tag in body.tags)
    if body.labels is not None:
        named = shown.label_keys(base.id, body.labels, services.labels.marks, stored.labels)
        labels = services.labels.ids_of(base.id, named, who)
    if tags is None and labels is None:
        return document_state_body(services.documents.show(base.id, document))
    return document_state_body(services.documents.mark(base.id, document, tags, labels))


@router.get("/kb/{kb}/documents/{document}")
def show_document(base: Base, document: Id, services: ServicesParam) -> DocumentBody:
    """Show a document with its page report."""
    return document_state_body(services.documents.show(base.id, document))


@router.post("/kb/{kb}/documents/{document}/read", status_code=202)
def read_document_as(
    base: Base, document: Id, body: ReadAsInput, services: ServicesParam, shown: ShownParam
) -> UploadItemBody:
    """Have a text read again in the encoding that is named; its ingest goes on as a job."""
    # In another encoding its words are other characters, of which none is known to be personal.
    shown.require_all(base.id, "a document read in another encoding")
    return upload_item_body(services.uploads.read_as(base.id, document, body.encoding))


@router.delete("/kb/{kb}/documents/{document}", status_code=204)
def delete_document(base: Base, document: Id, services: ServicesParam) -> None:
    """Delete a document; from then on nothing of it is found."""
    services.documents.delete(base.id, document)


@router.get("/kb/{kb}/documents/{document}/text")
def show_text(
    base: Base, document: Id, services: ServicesParam, revision: RevisionName = None
) -> TextBody:
    """Show the stored text of a revision."""
    found, text = services.documents.text(base.id, document, revision)
    unsure = [SpanBody.of(span) for span in services.documents.unsure(found)]
    return TextBody(document_id=document, revision=found.sha256, text=text, unsure=unsure)


@router.get(
    "/kb/{kb}/documents/{document}/content",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def download_content(
    base: Base,
    document: Id,
    services: ServicesParam,
    shown: ShownParam,
    revision: RevisionName = None,
) -> Response:
    """Download the original bytes: of a revision, or the newest content sent in."""
    shown.require_all(base.id, "the original of a document")
    path, found = services.documents.content(base.id, document, revision)
    return attachment(path, found.name, found.media_type)
