"""What is said about how the service is set up, made from domain values."""

from kb_service.schemas.documents import Shape


class UsedModelBody(Shape):
    """The model of a part; `name` is "" while it is loaded or where none is used.

    `problem`: a code of why it is not there, or not the configured one; null for neither.
    """

    part: str
    name: str
    setting: str
    problem: str | None


class SetupBody(Shape):
    """How the service is set up; `keys` are the names of API keys, never the keys."""

    version: str
    database: str
    free_bytes: int
    total_bytes: int
    num_chunks: int
    num_pages: int
    num_jobs_open: int
    models: list[UsedModelBody]
    keys: list[str]
