"""A start without settings needs no extra; a door that needs one names it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
ABSENT = (
    "torch", "transformers", "sentence_transformers", "safetensors", "sentencepiece", "tiktoken",
    "langchain_core", "langchain_text_splitters", "psycopg", "matplotlib", "s3fs", "webdav4",
    "pymilvus", "ray",
)  # fmt: skip


def run_without_extras(program: str, folder: Path) -> str:
    """Return what a program prints where no module of an extra can be imported."""
    blocked = f"import sys\nfor name in {ABSENT!r}: sys.modules[name] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", blocked + program],
        cwd=ROOT,
        env=os.environ | {"KB_DATA_DIR": str(folder / "data"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_documents_are_read_found_and_quoted_without_any_extra(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The pump of hall 3 failed on 17 August 2024.\n")
    (tmp_path / "long.txt").write_text("word  " * 2000)
    files = [str(tmp_path / name) for name in ("a.txt", "long.txt")]
    program = f"""
from kb_service.cli import app
for arguments in (
    ["ingest", *{files!r}, "--kb", "try", "--wait"],
    ["ask", "When did the pump of hall 3 fail?", "--kb", "try"],
    ["doctor"],
):
    try:
        app(arguments, standalone_mode=False)
    except SystemExit as end:
        print(arguments[0], "ended with", end.code)
"""
    told = run_without_extras(program, tmp_path)
    assert "17 August 2024" in told
    assert told.count(
        'torch is not installed, and nothing needs it (pip install "kb-service[llm]")'
    )
    assert "ended with" not in told, told


DOORS = """
from pathlib import Path
from kb_service.model_parts import choose_embedder, choose_generator, choose_reranker
from kb_service.settings import EmbeddingSettings, LlmSettings, RerankSettings, Settings
from kb_service.index_parts import connect
from kb_service.storage.database import open_database
from kb_service.cluster.pool import ActorPool
from kb_service.cluster_settings import RaySettings
import llm.__main__, sys
sys.stderr = sys.stdout

folder = Path(FOLDER)
(folder / "config.json").write_text('{"model_type": "bert"}')
(folder / "model.safetensors").write_bytes(b"weights")
print("chat", choose_generator(LlmSettings(model=str(folder))).problem)
print("embedding", choose_embedder(EmbeddingSettings(model=str(folder))).problem)
print("reranking", choose_reranker(RerankSettings(model=str(folder))).problem)
for door in ("retrievers.langchain", "llm.chats.langchain_chat"):
    try:
        __import__(door)
    except Exception as error:
        print(door, error)
try:
    open_database("postgresql+psycopg://host/name")
except Exception as error:
    print("database", error)
try:
    connect(Settings(index={"url": "http://localhost:19530"}))
except Exception as error:
    print("index", error)
try:
    ActorPool(RaySettings(address="local")).check()
except Exception as error:
    print("cluster", error)
print("command", llm.__main__.main(["generate", "--model", str(folder), "--prompt", "x"]))
"""


def test_each_door_names_the_extra_that_it_lacks(tmp_path: Path) -> None:
    told = run_without_extras(DOORS.replace("FOLDER", repr(str(tmp_path))), tmp_path)
    lines = {line.partition(" ")[0]: line for line in told.splitlines()}
    for door in ("chat", "embedding", "reranking", "error:"):
        assert 'pip install "kb-service[llm]"' in lines[door], told
    for door in ("retrievers.langchain", "llm.chats.langchain_chat"):
        assert 'pip install "kb-service[langchain]"' in lines[door], told
    assert 'pip install "kb-service[postgres]"' in lines["database"], told
    assert "KB_INDEX__URL needs pymilvus" in lines["index"], told
    assert 'pip install "kb-service[milvus]"' in lines["index"], told
    assert 'pip install "kb-service[ray]"' in lines["cluster"], told
    assert lines["command"] == "command 2"


def test_what_is_locked_for_a_start_is_no_extra() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = (ROOT / "requirements" / "runtime.lock").read_text()
    names = {line.partition("==")[0] for line in locked.splitlines() if "==" in line}
    extras = {
        item.partition("==")[0].partition("[")[0]
        for extra in ("llm", "langchain", "postgres", "milvus", "ray", "eval")
        for item in declared["optional-dependencies"][extra]
    }
    assert names.isdisjoint(extras)
