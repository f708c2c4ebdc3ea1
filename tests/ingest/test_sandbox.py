"""The sandbox: real processes that hang, eat memory, crash and are cancelled."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import DOCX, MARKDOWN, PDF, PLAIN_TEXT
from ingest.parsed_file import members_beside, read_parsed, write_parsed
from ingest.pdf import PdfLoader
from ingest.sandbox import SandboxedLoader
from kb_service.domain.documents import Heading, Page, PageKind, ParsedDocument
from kb_service.domain.errors import (
    DocumentError,
    ParseAccident,
    ParseInterrupted,
    ParserFailed,
)
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.members import Loss, Member
from kb_service.domain.spans import TextSpan
from tests.ingest import pdf_samples as samples
from tests.ingest.costly_files import brackets


@pytest.fixture(scope="module")
def loader() -> Iterator[SandboxedLoader]:
    with SandboxedLoader(ParseLimits(timeout_s=60)) as sandboxed:
        yield sandboxed


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.02)


def first_pid(loader: SandboxedLoader, steps: Iterator[object]) -> int:
    """Begin to load; the process that works on it."""
    while not loader._sandbox.pids:
        next(steps)
    (pid,) = loader._sandbox.pids
    return pid


def test_the_child_gives_what_the_loader_gives(loader: SandboxedLoader, tmp_path: Path) -> None:
    path = samples.mixed_pages(tmp_path / "a.pdf")
    steps = list(loader.load(path, "a.pdf", PDF))
    expected = list(PdfLoader(ParseLimits()).load(path, "a.pdf", PDF))
    told = [step for step in dict.fromkeys(steps[:-1]) if isinstance(step, Progress) and step.total]
    assert told == expected[:-1] == [Progress(JobStage.LOAD, n, 4) for n in (1, 2, 3, 4)]
    found, wanted = steps[-1], expected[-1]
    assert isinstance(found, ParsedDocument) and isinstance(wanted, ParsedDocument)
    assert (found.text, found.title, found.headings) == (wanted.text, wanted.title, wanted.headings)
    for page, original in zip(found.pages, wanted.pages, strict=True):
        assert (page.kind, page.reason, page.span) == (
            original.kind,
            original.reason,
            original.span,
        )
        for box, exact in zip(page.char_boxes, original.char_boxes, strict=True):
            assert box == pytest.approx(exact, abs=1e-3)


def test_one_nursery_serves_many_files_and_goes_on_after_a_bad_one(
    loader: SandboxedLoader, tmp_path: Path
) -> None:
    good = samples.rotated(tmp_path / "a.pdf", 0)
    bad = samples.encrypted(tmp_path / "b.pdf")
    list(loader.load(good, "a.pdf", PDF))
    nursery = loader._sandbox._nursery
    with pytest.raises(DocumentError, match=r"b\.pdf is encrypted") as caught:
        list(loader.load(bad, "b.pdf", PDF))
    assert caught.value.code == "encrypted_document"
    with pytest.raises(DocumentError) as caught:
        list(loader.load(good, "a.docx", DOCX))
    assert caught.value.code == "corrupt_document"
    assert isinstance(list(loader.load(good, "a.pdf", PDF))[-1], ParsedDocument)
    assert nursery is not None and loader._sandbox._nursery is nursery
    assert loader._sandbox.pids == frozenset()


def test_what_most_files_need_is_there_before_the_first_of_them() -> None:
    with SandboxedLoader(ParseLimits(timeout_s=60)) as loader:
        loader.warm_up()
        nursery = loader._sandbox._nursery
        assert nursery is not None and nursery.is_alive
        mapped = Path(f"/proc/{nursery._process.pid}/maps").read_text()
    assert all(library in mapped for library in ("pdfium", "lxml", "charset_normalizer"))


def test_making_ready_what_cannot_be_imported_leaves_it_to_the_file_to_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def fail(_own: object, media_type: str) -> None:
        asked.append(media_type)
        raise ParserFailed("no module")

    monkeypatch.setattr("ingest.sandbox.Sandbox.prepare", fail)
    with SandboxedLoader(ParseLimits()) as loader:
        loader.warm_up()
    assert len(asked) == 1


def test_a_file_that_takes_long_gives_way_to_younger_ones(tmp_path: Path) -> None:
    costly = brackets(tmp_path / "a.md")
    with SandboxedLoader(ParseLimits(timeout_s=60)) as loader:
        slow = loader.load(costly, "a.md", MARKDOWN)
        old = first_pid(loader, slow)
        begun_with = os.getpriority(os.PRIO_PROCESS, 0)
        while os.getpriority(os.PRIO_PROCESS, old) == begun_with:
            next(slow)
        quick = loader.load(costly, "b.md", MARKDOWN)
        while len(loader._sandbox.pids) < 2:
            next(quick)
        (young,) = loader._sandbox.pids - {old}
        assert os.getpriority(os.PRIO_PROCESS, old) > os.getpriority(os.PRIO_PROCESS, young)
        for steps in (slow, quick):
            steps.close()  # type: ignore[attr-defined] # a generator has close()


def test_a_file_past_the_time_limit_is_stopped_and_the_next_one_works(tmp_path: Path) -> None:
    path = samples.many_pages(tmp_path / "a.pdf", 3000)
    small = samples.rotated(tmp_path / "b.pdf", 0)
    with SandboxedLoader(ParseLimits(timeout_s=1.5)) as loader:
        started = time.monotonic()
        with pytest.raises(ParseInterrupted, match=r"longer than 1.5 s") as caught:
            list(loader.load(path, "a.pdf", PDF))
        assert caught.value.code == "parse_timeout"
        assert time.monotonic() - started < 6
        assert isinstance(caught.value, ParseAccident)  # by the clock: it may be bad luck
        loader._sandbox.limits = ParseLimits(timeout_s=60)
        assert isinstance(list(loader.load(small, "b.pdf", PDF))[-1], ParsedDocument)


def test_text_that_needs_more_memory_than_allowed_is_reported_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("事故报告。\n\n".encode() * 4_000_000)
    limits = ParseLimits(memory_bytes=300 << 20, timeout_s=60, max_text_chars=10**9)
    with SandboxedLoader(limits) as loader, pytest.raises(ParseInterrupted) as caught:
        list(loader.load(path, "a.txt", PLAIN_TEXT))
    assert caught.value.code == "parse_memory"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGSEGV, "parse_crashed"), (signal.SIGKILL, "parse_memory")]
)
def test_a_child_that_dies_is_a_typed_error(
    tmp_path: Path, number: signal.Signals, code: str
) -> None:
    path = samples.many_pages(tmp_path / "a.pdf", 1500)
    with SandboxedLoader(ParseLimits(timeout_s=60)) as loader:
        steps = loader.load(path, "a.pdf", PDF)
        pid = first_pid(loader, steps)
        os.kill(pid, number)
        with pytest.raises(ParseInterrupted) as caught:
            list(steps)
        assert caught.value.code == code
        assert isinstance(caught.value, ParseAccident)
        assert isinstance(next(loader.load(path, "a.pdf", PDF)), Progress)


def test_closing_the_iterator_early_kills_the_work(tmp_path: Path) -> None:
    path = samples.many_pages(tmp_path / "a.pdf", 1500)
    with SandboxedLoader(ParseLimits(timeout_s=60)) as loader:
        steps = loader.load(path, "a.pdf", PDF)
        pid = first_pid(loader, steps)
        steps.close()  # type: ignore[attr-defined] # a generator has close()
        wait_until_gone(pid)


def test_the_child_ends_with_its_parent_and_leaves_no_folder(tmp_path: Path) -> None:
    path = samples.many_pages(tmp_path / "a.pdf", 3000)
    script = (
        "import sys, time; from pathlib import Path\n"
        "from ingest.limits import ParseLimits; from ingest.sandbox import SandboxedLoader\n"
        "loader = SandboxedLoader(ParseLimits())\n"
        f"steps = loader.load(Path({str(path)!r}), 'a', 'application/pdf'); \n"
        "while not loader._sandbox.pids: next(steps)\n"
        "print(*loader._sandbox.pids, loader._sandbox._folder, flush=True); time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root)
    assert parent.stdout is not None
    pid, folder = parent.stdout.readline().decode().split()
    child = int(pid)
    assert is_alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_gone(child)
    deadline = time.monotonic() + 10
    while Path(folder).exists():
        assert time.monotonic() < deadline, f"{folder} stays behind"
        time.sleep(0.02)


def test_the_child_knows_no_secrets_and_writes_no_core(
    loader: SandboxedLoader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_API_KEYS__ADMIN", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    with SandboxedLoader(ParseLimits()) as fresh:
        steps = fresh.load(samples.many_pages(tmp_path / "a.pdf", 500), "a.pdf", PDF)
        pid = first_pid(fresh, steps)
        environment = Path(f"/proc/{pid}/environ").read_text()
        limits = Path(f"/proc/{pid}/limits").read_text()
    assert "secret" not in environment and "PROXY" not in environment
    assert "Max core file size        0 " in limits
    allowed = ParseLimits().memory_budget_bytes((tmp_path / "a.pdf").stat().st_size)
    assert f"Max address space         {allowed} " in limits


def test_a_parsed_document_survives_the_file_between_the_processes(tmp_path: Path) -> None:
    boxes = ((1.5, 2.25, 3.0, 4.0), (0.0, 0.0, 0.0, 0.0), (7.0, 8.0, 9.0, 10.0))
    pages = (
        Page(1, TextSpan(0, 1), PageKind.TEXT, None, 595.0, 842.0, 90, boxes[:1]),
        Page(2, TextSpan(1, 1), PageKind.EMPTY, "no_text_layer"),
        Page(3, TextSpan(1, 3), PageKind.BOTH, None, 595.0, 842.0, 0, boxes[1:], b"\0\xfe"),
    )
    headings = (Heading(TextSpan(0, 1), 1), Heading(TextSpan(2, 3), 2))
    folder = members_beside(tmp_path / "result")
    folder.mkdir()
    (folder / "0").write_bytes(b"inside")
    members = (Member("a/b.txt", folder / "0"),)
    losses = (Loss("a/c.bin", "damaged", None, "not read"),)
    document = ParsedDocument(
        "事 😀", pages, headings, "t\0", {"author": "x"}, (2,), members, losses, (1,)
    )
    assert all(getattr(document, field.name) for field in fields(document)), "one is not tried"
    write_parsed(document, tmp_path / "result")
    assert read_parsed(tmp_path / "result") == document
    for data in (b"", b"\xff" * 8, b"\2\0\0\0\0\0\0\0{}"):
        (tmp_path / "result").write_bytes(data)
        with pytest.raises((ValueError, KeyError)):
            read_parsed(tmp_path / "result")


def test_every_shared_sample_loads_or_is_refused_by_name(
    loader: SandboxedLoader, shared_dir: Path
) -> None:
    from ingest.media_types import detect_media_type
    from kb_service.domain.ports import HEAD_BYTES

    num_loaded = num_refused = 0
    for path in sorted((shared_dir / "data/formats").rglob("*")):
        if not path.is_file():
            continue
        try:
            with path.open("rb") as stream:
                media_type = detect_media_type(path.name, stream.read(HEAD_BYTES))
            *_, document = loader.load(path, path.name, media_type)
        except DocumentError as error:
            num_refused += 1
            assert error.code in (
                "unsupported_media_type", "encrypted_document", "empty_document",
                "corrupt_document", "converter_missing",
            )  # fmt: skip
            continue
        assert isinstance(document, ParsedDocument)
        assert document.pages
        num_loaded += 1
    assert num_loaded > 150
    assert num_refused > 5


def test_loading_in_this_process_refuses_what_the_child_refuses(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"")
    with pytest.raises(DocumentError, match="0 bytes"):
        list(DocumentLoader(ParseLimits()).load(path, "a.pdf", PDF))
