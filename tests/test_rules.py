"""Rules of the house that a linter has no name for, checked on the syntax tree of every module."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.nursery_process import NurseryProcess
from kb_service.bootstrap import open_services
from kb_service.settings import Settings
from tests.conftest import ROOT
from tests.length_gate import MAX_FUNCTION_LINES, tracked_files, violations

FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "marshal", "shelve", "fitz", "torchvision"}
FORBIDDEN_CALLS = {"eval", "exec"}
# Tests may build the malicious files that the code must refuse.
PYTHON_FILES = [
    path
    for path in tracked_files()
    if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests"
]


def forbidden(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from forbidden_import(node)
        if isinstance(node, ast.Call):
            yield from forbidden_call(node)


def forbidden_import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if ast.unparse(node) == "from pickle import UnpicklingError":
        return  # what torch.load(weights_only=True) raises; it unpickles nothing
    is_from = isinstance(node, ast.ImportFrom)
    names = [node.module or ""] if is_from else [alias.name for alias in node.names]
    yield from (name for name in names if name.split(".")[0] in FORBIDDEN_IMPORTS)


def forbidden_call(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    flags = {word.arg: ast.unparse(word.value) for word in node.keywords}
    if name in FORBIDDEN_CALLS or name == "yaml.load":
        yield name
    if flags.get("shell") == "True" or flags.get("trust_remote_code") == "True":
        yield ast.unparse(node)
    if name == "torch.load" and flags.get("weights_only") != "True":
        yield "torch.load without weights_only"


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_runs_code_from_data(path: Path) -> None:
    assert list(forbidden(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_every_process_stays_in_the_session_of_the_service() -> None:
    """Linux may share the cores out by session first (`sched_autogroup_enabled`): what began one of
    its own got half of a core that a question wanted, at whatever niceness."""
    texts = {path: path.read_text(encoding="utf-8") for path in PYTHON_FILES}
    assert [
        path for path, text in texts.items() if re.search(r"start_new_session|setsid", text)
    ] == []


def test_a_nursery_hears_no_ctrl_c_of_the_service_and_is_of_its_session(tmp_path: Path) -> None:
    nursery = NurseryProcess(tmp_path)
    try:
        with nursery.connect():
            pid = nursery.pid
            assert os.getsid(pid) == os.getsid(0)
            assert os.getpgid(pid) == pid != os.getpgrp()
    finally:
        nursery.kill()


def test_the_rule_finds_what_it_forbids() -> None:
    source = "import pickle\neval('1')\nrun('x', shell=True)\ntorch.load('f')\nyaml.load('f')\n"
    assert len(list(forbidden(ast.parse(source)))) == 5


def test_the_length_gate_finds_a_long_function() -> None:
    source = "def long() -> None:\n" + "    pass\n" * MAX_FUNCTION_LINES
    assert list(violations(Path("x.py"), "x.py", source)) == [
        f"x.py:1: long has {MAX_FUNCTION_LINES + 1} lines, the limit is {MAX_FUNCTION_LINES}"
    ]


def imported_by(program: str, names: set[str], **environment: str) -> list[str]:
    """Return which of these libraries a program has imported by its end."""
    told = f"import sys\n{program}\nprint(*sorted({names!r} & sys.modules.keys()), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", told],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.split()


MODELS = {"torch", "transformers", "faiss", "sentence_transformers"}
ARRAYS_AND_SERVERS = {"numpy", "httpx", "fastapi", "uvicorn", "openai"}
PARSERS = {"lxml", "pypdfium2", "PIL", "langchain_core", "langchain_text_splitters"}


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    assert imported_by("import kb_service.cli", MODELS | PARSERS | {"numpy", "sqlalchemy"}) == []


def test_the_server_listens_before_it_imports_models_arrays_and_what_measures() -> None:
    unneeded = MODELS | PARSERS | {"numpy", "alembic", "kb_service.evaluation"}
    unneeded |= {"psycopg", "opencc", "imaplib", "fsspec", "pymilvus", "ray", "cv2", "onnxruntime"}
    unneeded |= {"xml.sax", "kb_service.services.report_docx", "pandas", "scipy", "unstructured"}
    assert imported_by("import api.server, kb_service.bootstrap", unneeded) == []


def test_a_command_on_an_up_to_date_folder_imports_what_it_needs_and_no_more(
    tmp_path: Path,
) -> None:
    open_services(Settings(data_dir=tmp_path)).close()
    unneeded = MODELS | ARRAYS_AND_SERVERS | PARSERS | {"alembic"}
    run = "from kb_service.cli import app\napp(['list'], standalone_mode=False)"
    assert imported_by(run, {*unneeded, "sqlalchemy"}, KB_DATA_DIR=str(tmp_path)) == ["sqlalchemy"]
