"""Whole bases: one as an archive, and one from an archive."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.attachments import attachment
from api.dependencies import Base, PrincipalParam, ServicesParam, ShownParam
from api.inputs import ExportInput
from api.json_route import JsonRoute
from api.schema import BaseName
from kb_service.domain.errors import PayloadTooLarge, StorageError
from kb_service.schemas.documents import KnowledgeBaseBody
from kb_service.settings import Settings

router = APIRouter(route_class=JsonRoute, tags=["knowledge bases"])

ARCHIVE = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


@router.post("/kb/{kb}/export", response_class=Response, responses={200: {"content": {**ARCHIVE}}})
def export_base(
    base: Base,
    body: ExportInput,
    who: PrincipalParam,
    services: ServicesParam,
    shown: ShownParam,
) -> Response:
    """Download a base as one archive; conversations, which are other keys', for administrators."""
    shown.require_all(base.id, "the archive of a base")
    if body.conversations:
        who.require_admin()
    with temporary(services.settings) as path:
        services.transfer.export(base.id, path, with_talks=body.conversations)
        return attachment(path, f"{base.name}.kb.zip", "application/zip")


@router.post(
    "/kb/import",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": ARCHIVE}},
)
async def import_base(
    request: Request,
    services: ServicesParam,
    name: Annotated[BaseName | None, Query(description="Instead of the archive's name.")] = None,
) -> KnowledgeBaseBody:
    """Make a base of an archive, the body of the request; nothing is kept of one that is bad."""
    with temporary(services.settings) as path:
        await receive(request, path, services.settings.ingest.max_upload_bytes)
        done = await run_in_threadpool(services.transfer.bring_back, path, name)
    return KnowledgeBaseBody.of(await run_in_threadpool(services.bases.show, done.kb_id))


@contextmanager
def temporary(settings: Settings) -> Iterator[Path]:
    """Yield a path that does not exist; what is there at the end goes, but for who has it open.

    What a killed process leaves there is removed like a staged upload.
    """
    folder = settings.data_dir.resolve() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"staged-{secrets.token_hex(16)}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


async def receive(request: Request, path: Path, max_bytes: int) -> None:
    """Write the body into a file. Raises PayloadTooLarge, StorageError."""
    size_bytes = 0
    try:
        with path.open("xb") as file:
            async for piece in request.stream():
                size_bytes += len(piece)
                if size_bytes > max_bytes:
                    raise PayloadTooLarge(
                        f"the archive has more than {max_bytes} bytes, the limit",
                        details={"size_bytes": size_bytes, "max_bytes": max_bytes},
                    )
                await run_in_threadpool(file.write, piece)
    except OSError as error:
        raise StorageError.from_os_error("keep the archive", error) from error
