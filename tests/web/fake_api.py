"""The calls of the contract that the page makes, answered from a FakeService.

Pictures are white with the asked boxes filled, so that a test can see what was lit.
"""

import io
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from PIL import Image, ImageDraw
from starlette.responses import FileResponse

from tests.web.fake_state import FakeService
from web import static_dir

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CallNext = Callable[[Request], Awaitable[Response]]
PAGE = (595, 842)


def refusal(status: int, code: str, message: str) -> JSONResponse:
    error = {"code": code, "message": message, "details": None, "request_id": "req_42"}
    return JSONResponse({"error": error}, status)


def picture(boxes: str, scale: float) -> bytes:
    image = Image.new("RGB", (int(PAGE[0] * scale), int(PAGE[1] * scale)), "white")
    draw = ImageDraw.Draw(image)
    for line in range(70, 780, 18):
        draw.rectangle([60 * scale, line * scale, 520 * scale, (line + 6) * scale], fill="#c8c8c8")
    for box in filter(None, boxes.split(";")):
        x0, y0, x1, y1 = (float(value) * scale for value in box.split(","))
        top = PAGE[1] * scale
        draw.rectangle([x0, top - y1, x1, top - y0], fill="#ffe08a")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


class FakeApi:
    """Routes as methods; `app()` hangs them up."""

    def __init__(self, fake: FakeService) -> None:
        self.fake = fake

    def app(self) -> FastAPI:
        app = FastAPI()
        app.middleware("http")(self.gate)
        base, doc = "/kb/{kb}", "/kb/{kb}/documents/{doc}"
        for method, path, endpoint in [
            ("GET", "/", lambda: FileResponse(static_dir() / "index.html")),
            ("GET", "/readyz", lambda: self.fake.ready),
            ("GET", "/kb", lambda: listing(self.fake.bases.values())),
            ("POST", "/kb", self.create_base),
            ("GET", base, lambda kb: self.fake.bases[kb]),
            ("PATCH", base, self.change_base),
            ("DELETE", base, lambda kb: Response(bool(self.fake.bases.pop(kb)) * b"", 204)),
            ("GET", f"{base}/documents", self.list_documents),
            ("POST", f"{base}/documents", self.upload),
            ("GET", f"{base}/events", lambda: refusal(404, "not_found", "no events here")),
            ("POST", f"{base}/ask", self.ask),
            ("GET", doc, lambda doc: self.fake.documents[doc]),
            ("DELETE", doc, lambda doc: Response(bool(self.fake.documents.pop(doc)) * b"", 204)),
            ("GET", f"{doc}/text", lambda doc: {"document_id": doc, "text": self.fake.text}),
            ("GET", f"{doc}/content", lambda: Response(b"original bytes")),
            ("GET", f"{doc}/pages/{{page}}.png", self.page),
            ("POST", "/jobs/{job}/{action}", self.act),
        ]:
            app.add_api_route(path, endpoint, methods=[method], response_model=None)
        app.mount("/static", StaticFiles(directory=static_dir()))
        return app

    async def gate(self, request: Request, call_next: CallNext) -> Response:
        is_open = request.url.path == "/" or request.url.path.startswith(("/static", "/readyz"))
        wanted = f"Bearer {self.fake.key}"
        if self.fake.key and not is_open and request.headers.get("authorization") != wanted:
            return refusal(401, "unauthorized", "an API key is needed")
        response = await call_next(request)
        response.headers["content-security-policy"] = CSP
        response.headers["cache-control"] = "no-store"
        return response

    async def create_base(self, request: Request) -> Response:
        body = await request.json()
        if any(base["name"] == body["name"] for base in self.fake.bases.values()):
            return refusal(409, "conflict", f"the name {body['name']!r} is taken")
        return JSONResponse(self.fake.add_base(**body), 201)

    async def change_base(self, kb: str, request: Request) -> dict[str, Any]:
        self.fake.bases[kb] |= await request.json()
        return self.fake.bases[kb]

    def list_documents(
        self, name_contains: str = "", cursor: str = "", limit: int = 50
    ) -> dict[str, Any]:
        self.fake.advance_all()
        found = [
            d for d in self.fake.documents.values() if name_contains.lower() in d["name"].lower()
        ]
        start = int(cursor or 0)
        return listing(found[start : start + limit], len(found), start + limit)

    def upload(self, kb: str, files: list[UploadFile]) -> Response:
        items = [self.accept(kb, file) for file in files]
        self.fake.calls.append(("upload", [file.filename for file in files]))
        is_refused = all(item["outcome"] == "rejected" for item in items)
        return JSONResponse({"items": items}, 422 if is_refused else 202)

    def accept(self, kb: str, file: UploadFile) -> dict[str, Any]:
        name = file.filename or ""
        if name.endswith(".exe"):
            message = f"{name!r} is a program; accepted: .pdf, .txt"
            error = {"code": "unsupported_media_type", "message": message}
            return {"outcome": "rejected", "document": None, "job": None, "error": error}
        self.fake.bases[kb]["num_documents"] += 1
        doc = self.fake.add_document(name)
        return {"outcome": "created", "document": doc, "job": doc["job"], "error": None}

    async def ask(self, request: Request) -> StreamingResponse:
        self.fake.calls.append(("ask", await request.json()))
        return StreamingResponse(self.events(), media_type="text/event-stream")

    def events(self) -> Iterator[str]:
        for piece in self.fake.pieces:
            yield f"event: token\ndata: {json.dumps({'text': piece})}\n\n"
            time.sleep(self.fake.delay_s)
        for citation in self.fake.answer["citations"]:
            yield f"event: citation\ndata: {json.dumps(citation)}\n\n"
        yield f"event: done\ndata: {json.dumps(self.fake.answer)}\n\n"

    def page(self, page: int, boxes: str = "", scale: float = 1.0) -> Response:
        self.fake.calls.append(("page", {"page": page, "boxes": boxes, "scale": scale}))
        if self.fake.text:
            return refusal(404, "page_has_no_picture", "text has no pages")
        return Response(picture(boxes, scale), media_type="image/png")

    def act(self, job: str, action: str) -> dict[str, Any]:
        self.fake.calls.append((action, job))
        doc = next(d for d in self.fake.documents.values() if d["job"]["id"] == job)
        doc["status"] = "pending" if action == "retry" else "failed"
        doc["job"]["status"] = "queued" if action == "retry" else "cancelled"
        doc["error"] = None
        return dict(doc["job"])


def listing(items: Iterable[Any], total: int = 0, reached: int = 0) -> dict[str, Any]:
    return {"items": list(items), "next_cursor": str(reached) if reached < total else None}
