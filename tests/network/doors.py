"""Walks through every door of the service, or of the model alone, and prints each it came through.

Run as `python -m tests.network.doors GROUP FOLDER` beside `watch/sitecustomize.py`.
"""

import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.testclient import TestClient

ELSEWHERE = "203.0.113.7"
"""Nobody's address (RFC 5737)."""

QUESTION = "When did the pump of line four stop?"
TEMPTING = {
    "page.html": f"""<!DOCTYPE html SYSTEM "http://{ELSEWHERE}/x.dtd"><html><head>
        <link rel=stylesheet href="http://{ELSEWHERE}/x.css"></head><body>
        <img src="http://{ELSEWHERE}/x.png"><iframe src="http://{ELSEWHERE}/"></iframe>
        <p>The pump of line six stopped at ten.</p></body></html>""",
    "note.md": f"# Note\n\n![p](http://{ELSEWHERE}/x.png) The pump of line five stopped at two.",
    "mail.eml": f"From: a@b\nTo: c@d\nSubject: x\nContent-Type: text/html\n\n"
    f'<img src="http://{ELSEWHERE}/x.png"><p>The pump of line two stopped at six.</p>',
}
Door = Callable[[], object]


def control() -> None:
    """Prove that the watch works: this attempt must be the only one it writes down."""
    try:
        socket.create_connection((ELSEWHERE, 9), timeout=5)
    except ConnectionRefusedError:
        return
    raise SystemExit("nothing is watched")


def service_doors(folder: Path) -> Iterator[tuple[str, Door]]:
    """Yield the commands, the routes and the retriever, over files of every format."""
    from ingest import ocr
    from ingest.limits import ParseLimits
    from ingest.loaders import DocumentLoader
    from tests.ingest.format_samples import good_files
    from tests.ingest.picture_samples import drawn

    place = folder / "files"
    place.mkdir()
    for media_type, path in good_files(place).items():
        yield (
            f"read {media_type}",
            lambda p=path, m=media_type: DocumentLoader(ParseLimits()).load(p, p.name, m),
        )
    if ocr.is_installed():
        yield "read a picture", lambda: ocr.RapidReader().read(drawn([QUESTION]))
    for name, text in TEMPTING.items():
        (place / name).write_text(text)
    questions = folder / "questions.jsonl"
    questions.write_text(json.dumps({"id": "1", "question": QUESTION, "answers": ["noon"]}))
    yield "kb sync", lambda: kb("sync", str(place), "--kb", "r")
    yield "kb ingest", lambda: kb("ingest", str(place / "note.md"), "--kb", "r", "--wait")
    for arguments in (
        ["ask", QUESTION, "--kb", "r"],
        ["search", "pump", "--kb", "r"],
        ["list", "--kb", "r"],
        ["show", "note.md", "--kb", "r"],
        ["eval", str(questions), "--kb", "r", "--no-baselines", "--out", str(folder / "report")],
        ["reindex", "--kb", "r"],
        ["verify"],
        ["doctor"],
    ):
        yield f"kb {arguments[0]}", lambda a=arguments: kb(*a)
    yield from routes(folder)
    yield "kb delete", lambda: kb("delete", "--all", "--kb", "r")


def kb(*arguments: str) -> None:
    """Run a command of `kb`."""
    from typer.testing import CliRunner

    from kb_service.cli import app

    done = CliRunner().invoke(app, arguments)
    if done.exit_code not in (0, 3):
        raise SystemExit(f"kb {arguments[0]} ended with {done.exit_code}: {done.output}")


def routes(folder: Path) -> Iterator[tuple[str, Door]]:
    """Yield the routes that work, and the retriever as LangChain has it."""
    from starlette.testclient import TestClient

    from api.app import create_app
    from kb_service.bootstrap import compose
    from kb_service.model_parts import build_models
    from kb_service.parts import build_parts
    from kb_service.settings import Settings
    from retrievers.langchain import KnowledgeBaseRetriever

    settings = Settings()
    parts = build_parts(settings, build_models(settings))
    services = compose(parts)
    base = services.bases.show("r")
    chat = {"model": "kb:r", "messages": [{"role": "user", "content": QUESTION}]}
    with TestClient(create_app(services), base_url="http://127.0.0.1:8000") as client:
        for path in ("/", "/metrics", "/openapi.json", "/kb/r/documents", "/v1/models"):
            yield f"GET {path}", lambda p=path: sent(client, "GET", p)
        for path, body in (
            ("/kb/r/search", {"query": "pump"}),
            ("/kb/r/ask", {"question": QUESTION}),
            ("/kb/r/ask", {"question": QUESTION, "stream": True}),
            ("/v1/chat/completions", chat),
            ("/v1/chat/completions", chat | {"stream": True}),
            (
                "/v1/embeddings",
                {"model": parts.models.embedder().model.profile.name, "input": "pump"},
            ),
        ):
            yield f"POST {path}", lambda p=path, b=body: sent(client, "POST", p, json=b)
        page = (folder / "files" / "page.html").read_bytes()
        files = {"files": ("other.html", page)}
        yield "GET /readyz", lambda: sent(client, "GET", "/readyz")
        yield "upload", lambda: sent(client, "POST", "/kb/r/documents", files=files)
        retriever = KnowledgeBaseRetriever(retriever=parts.retriever(), kb_id=base.id)
        yield "LangChain's retriever", lambda: retriever.invoke("pump")
    services.close()


def sent(client: "TestClient", method: str, path: str, **more: Any) -> None:  # noqa: ANN401  a body
    """Call a route; it has to answer well."""
    response = client.request(method, path, **more)
    if not response.is_success:
        raise SystemExit(f"{method} {path} answers {response.status_code}: {response.text}")


def model_doors(folder: Path) -> Iterator[tuple[str, Door]]:
    """Yield what a checkpoint folder is used for: LangChain's model and the command of `llm`."""
    from langchain_core.messages import AIMessage, HumanMessage, trim_messages

    from llm.__main__ import main
    from llm.chats.chat_model import ChatModel
    from llm.chats.langchain_chat import LocalChatGLM
    from tests.llm.tiny_checkpoint import train_tiny_tokenizer, write_tiny_checkpoint

    tiny = write_tiny_checkpoint(folder / "tiny", train_tiny_tokenizer(folder / "tokenizer.model"))
    model = LocalChatGLM(model=ChatModel.load(tiny, device="cpu"), max_tokens=4)
    asked = [HumanMessage("a pump"), AIMessage("it leaked"), HumanMessage("when?")]
    yield "invoke", lambda: model.invoke(asked)
    yield "stream", lambda: list(model.stream(asked))
    yield "get_num_tokens", lambda: model.get_num_tokens("a pump")
    yield "get_num_tokens_from_messages", lambda: model.get_num_tokens_from_messages(asked)
    yield "trim_messages", lambda: trim_messages(asked, max_tokens=20, token_counter=model)
    arguments = ["generate", "--model", str(tiny), "--prompt", "hi", "--max-tokens", "3"]
    yield "llm generate", lambda: main(arguments)


GROUPS = {"service": service_doors, "model": model_doors}

if __name__ == "__main__":
    control()
    for door, walk in GROUPS[sys.argv[1]](Path(sys.argv[2])):
        walk()
        sys.stderr.write(f"through {door}\n")
