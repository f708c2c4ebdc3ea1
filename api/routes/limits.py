"""What the service accepts, so that a client can say so before it sends anything, and how it is
set up.

The limits themselves are held where the bytes and words come in.
"""

from fastapi import APIRouter
from pydantic import BaseModel

from api.dependencies import ServicesParam
from api.json_route import JsonRoute
from kb_service.schemas.setup import SetupBody
from kb_service.services.uploads import ENCODINGS

router = APIRouter(route_class=JsonRoute, tags=["operations"])


class LimitsBody(BaseModel):
    """Limits of a question and of an upload; `accepted_suffixes` are those of file names.

    `encodings`: of texts, those to choose from; others are accepted too.
    """

    max_question_chars: int
    max_file_bytes: int
    max_files_per_upload: int
    max_upload_bytes: int
    accepted_suffixes: list[str]
    encodings: list[str]


@router.get("/setup")
def show_setup(services: ServicesParam) -> SetupBody:
    """Show the models in use, what is stored, the room left and the names of the keys."""
    return SetupBody.of(services.setup.show())


@router.get("/limits")
def show_limits(services: ServicesParam) -> LimitsBody:
    """Show the limits in force."""
    ingest = services.settings.ingest
    return LimitsBody(
        max_question_chars=services.settings.retrieval.max_question_chars,
        max_file_bytes=ingest.max_file_bytes,
        max_files_per_upload=ingest.max_files_per_upload,
        max_upload_bytes=ingest.max_upload_bytes,
        accepted_suffixes=list(services.accepted_suffixes),
        encodings=list(ENCODINGS),
    )
