"""No file changes what the next one meets: all ordered pairs of formats, good and bad ones.

A CSV of 19 bytes once set a limit of the whole process; a library that read its own tables through
csv while it was first imported failed after it, and every Word file after that was "corrupt".
"""

import csv
import decimal
import json
import locale
import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.preparation import MEDIA_TYPES, prepare
from ingest.sandbox import SandboxedLoader
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import KbError
from tests.conftest import ROOT
from tests.ingest.format_samples import bad_files, good_files

WRITTEN_HERE = [kind for kind in MEDIA_TYPES if kind not in (types.XLS, types.XLSB, types.MSG)]
"""Old binary files of Office are read by libraries of their own, from samples in other tests."""

PAIRS = """
import sys, json
from pathlib import Path
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.preparation import prepare
from kb_service.domain.errors import KbError

def read(media_type, path):
    try:
        *_, document = DocumentLoader(ParseLimits()).load(Path(path), "a file", media_type)
    except KbError as error:
        return error.code
    return document.text

good, bad = json.loads(sys.argv[1])
found = []
for media_type in good:
    prepare(media_type)
for first in good:
    for path in (good[first], bad[first]):
        for second in good:
            read(first, path)
            found.append([first, path, second, read(second, good[second])])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats")


@pytest.fixture(scope="module")
def good(folder: Path) -> dict[str, Path]:
    return good_files(folder)


@pytest.fixture(scope="module")
def bad(folder: Path) -> dict[str, Path]:
    return bad_files(folder)


@pytest.fixture(scope="module")
def alone(good: dict[str, Path]) -> dict[str, str]:
    """The text of every good file, each from a process that has read no other."""
    with SandboxedLoader(ParseLimits(timeout_s=120)) as loader:
        return {kind: text_of(loader, path, kind) for kind, path in good.items()}


def text_of(loader: SandboxedLoader | DocumentLoader, path: Path, media_type: str) -> str:
    *_, document = loader.load(path, "a file", media_type)
    assert isinstance(document, ParsedDocument)
    return document.text


def test_the_samples_cover_every_media_type(good: dict[str, Path], bad: dict[str, Path]) -> None:
    assert set(good) == set(bad) == set(WRITTEN_HERE)


def test_every_format_reads_the_same_after_every_other_in_one_process(
    good: dict[str, Path], bad: dict[str, Path], alone: dict[str, str]
) -> None:
    files = [{kind: str(path) for kind, path in samples.items()} for samples in (good, bad)]
    command = [sys.executable, "-c", PAIRS, json.dumps(files)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    pairs = json.loads(output)
    assert len(pairs) == 2 * len(good) ** 2
    assert [pair for pair in pairs if pair[3] != alone[pair[2]]] == []


def test_a_table_that_comes_first_leaves_a_fresh_sandbox_fit_for_the_others(
    good: dict[str, Path], alone: dict[str, str]
) -> None:
    with SandboxedLoader(ParseLimits(timeout_s=120)) as loader:
        text_of(loader, good[types.CSV], types.CSV)
        for kind in (types.DOCX, types.HTML, types.MARKDOWN):
            assert text_of(loader, good[kind], kind) == alone[kind]


def process_state() -> dict[str, object]:
    """What a library could change for everybody in its process."""
    import PIL.Image
    from lxml import etree

    return {
        "csv": (csv.field_size_limit(), csv.list_dialects()),
        "decimal": repr(decimal.getcontext()),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "locale": locale.setlocale(locale.LC_ALL),
        "parser": id(etree.get_default_parser()),
        "path": tuple(sys.path),
        "pixels": PIL.Image.MAX_IMAGE_PIXELS,
        "recursion": sys.getrecursionlimit(),
        "sockets": socket.getdefaulttimeout(),
        "umask": umask(),
        "warnings": tuple(warnings.filters),
    }


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.fixture
def own_limit() -> Iterator[None]:
    """Preparing lifts the limit of csv in this process: put it back afterwards."""
    limit = csv.field_size_limit()
    yield
    csv.field_size_limit(limit)


@pytest.mark.usefixtures("own_limit")
@pytest.mark.parametrize("media_type", WRITTEN_HERE)
def test_no_loader_changes_the_state_of_its_process(
    good: dict[str, Path], bad: dict[str, Path], media_type: str
) -> None:
    for kind in (types.HTML, media_type):
        prepare(kind)
    before = process_state()
    for path in (good[media_type], bad[media_type]):
        try:
            text_of(DocumentLoader(ParseLimits()), path, media_type)
        except KbError:
            continue
    assert process_state() == before


def test_a_cell_longer_than_the_usual_limit_of_csv_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("no,what\n1," + "long " * 60_000 + "end\n")
    with SandboxedLoader(ParseLimits(timeout_s=120)) as loader:
        assert text_of(loader, path, types.CSV).endswith("long end")
