"""Old Office files, by small programs that stand for LibreOffice and catdoc, and by the real."""

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.converters import CATDOC, CATPPT, LIBREOFFICE, convertible, find_converters, told
from ingest.converting import ConvertingLoader
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import accepted_suffixes, detect_media_type
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import ConfigurationError, DocumentError, ParseInterrupted
from kb_service.domain.jobs import Progress
from tests.ingest.word_samples import paragraph, run, word_file

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
LIMITS = ParseLimits(timeout_s=20.0)


class InThisProcess:
    """Loads what was made here; remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        self.given.append((path.name, media_type))
        yield from DocumentLoader(ParseLimits()).load(path, name, media_type)

    def warm_up(self) -> None: ...

    def close(self) -> None: ...


def program(folder: Path, name: str, body: str) -> str:
    """A program that is called with what a converter is called with."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport os, subprocess, sys, time\n{body}\n")
    path.chmod(0o755)
    return str(path)


def loader(setting: str, limits: ParseLimits = LIMITS) -> tuple[ConvertingLoader, InThisProcess]:
    inner = InThisProcess()
    return ConvertingLoader(inner, find_converters(setting), limits), inner  # type: ignore[arg-type]


def read(
    tmp_path: Path, setting: str, kind: str = types.DOC, limits: ParseLimits = LIMITS
) -> ParsedDocument:
    path = tmp_path / "0123abcd"
    path.write_bytes(OLE)
    *_, document = loader(setting, limits)[0].load(path, "a.doc", kind)
    assert isinstance(document, ParsedDocument)
    return document


@pytest.mark.parametrize(
    ("name", "kind"), [(CATDOC, types.DOC), (CATDOC, types.WPS), (CATPPT, types.PPT)]
)
def test_what_a_program_says_is_the_text_and_it_is_named(
    tmp_path: Path, name: str, kind: str
) -> None:
    catdoc = program(tmp_path, name, "print('Die Bremse ist nicht sicher. 钢缆断裂。')")
    document = read(tmp_path, catdoc, kind)
    assert document.text == "Die Bremse ist nicht sicher. 钢缆断裂。"
    assert document.metadata["converted_by"] == name


def test_what_a_program_writes_is_read_as_the_document_that_it_is(tmp_path: Path) -> None:
    made = tmp_path / "made.docx"
    made.write_bytes(word_file(paragraph(run("The brake is not safe."))))
    soffice = program(
        tmp_path,
        "soffice",
        "folder = sys.argv[sys.argv.index('--outdir') + 1]\n"
        "assert '--headless' in sys.argv and sys.argv[-1].endswith('.doc'), sys.argv\n"
        "assert open(sys.argv[-1], 'rb').read(4) == b'\\xd0\\xcf\\x11\\xe0'\n"
        f"assert os.path.exists(folder + '/profile/user/registrymodifications.xcu')\n"
        f"open(folder + '/document.docx', 'wb').write(open({str(made)!r}, 'rb').read())",
    )
    path = tmp_path / "0123abcd"
    path.write_bytes(OLE)
    converting, inner = loader(soffice)
    *_, document = converting.load(path, "a.doc", types.DOC)
    assert isinstance(document, ParsedDocument)
    assert document.text == "The brake is not safe."
    assert document.metadata["converted_by"] == LIBREOFFICE
    assert inner.given == [("0123abcd", types.DOCX)]  # its readings are kept by the same hash


def test_other_files_are_read_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("plain words")
    *_, document = loader("off")[0].load(path, "a.txt", types.PLAIN_TEXT)
    assert isinstance(document, ParsedDocument)
    assert (document.text, document.metadata) == ("plain words", {})


@pytest.mark.parametrize(
    "body", ["sys.exit(3)", "print('half of it', flush=True)\nos.kill(os.getpid(), 11)"]
)
def test_a_program_that_fails_makes_a_corrupt_document(tmp_path: Path, body: str) -> None:
    with pytest.raises(DocumentError, match="cannot be converted by catdoc") as failed:
        read(tmp_path, program(tmp_path, CATDOC, body))
    assert failed.value.code == "corrupt_document"


def test_a_file_in_which_a_program_finds_nothing_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="catdoc found nothing to read") as failed:
        read(tmp_path, program(tmp_path, CATDOC, "pass"))
    assert failed.value.code == "corrupt_document"


def test_a_program_that_was_killed_may_have_wanted_memory(tmp_path: Path) -> None:
    with pytest.raises(ParseInterrupted) as killed:
        read(tmp_path, program(tmp_path, CATDOC, "os.kill(os.getpid(), 9)"))
    assert killed.value.code == "parse_memory"


def test_a_program_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    hangs = program(
        tmp_path,
        CATDOC,
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\ntime.sleep(60)",
    )
    with pytest.raises(ParseInterrupted) as late:
        read(tmp_path, hangs, limits=ParseLimits(timeout_s=1.5))
    assert late.value.code == "parse_timeout"
    assert _is_gone(int(note.read_text()))


def test_a_caller_that_leaves_ends_the_program(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    hangs = program(
        tmp_path, CATDOC, f"open({str(note)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    )
    path = tmp_path / "0123abcd"
    path.write_bytes(OLE)
    steps = loader(hangs)[0].load(path, "a.doc", types.DOC)
    while not (note.exists() and note.read_text()):
        assert isinstance(next(steps), Progress)
    steps.close()  # type: ignore[attr-defined]
    assert _is_gone(int(note.read_text()))


def _is_gone(pid: int) -> bool:
    """True once a process has ended; one that nobody waits for yet has ended too."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_program_has_limits_and_nothing_of_the_services_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_API_KEYS__ALICE", "secret")
    says = "import resource; print(sorted(os.environ), resource.getrlimit(resource.RLIMIT_FSIZE))"
    waits = "time.sleep(0.5)\n"  # until its limits are set
    document = read(tmp_path, program(tmp_path, CATDOC, waits + says))
    assert "KB_API" not in document.text
    assert str(LIMITS.max_decompressed_bytes) in document.text
    assert "HOME" in document.text


def test_a_program_that_never_stops_working_is_late(tmp_path: Path) -> None:
    works = program(tmp_path, CATDOC, "while True: pass")
    with pytest.raises(ParseInterrupted) as late:
        read(tmp_path, works, limits=ParseLimits(timeout_s=20.0, base_cpu_s=1.0))
    assert late.value.code == "parse_timeout"


@pytest.mark.parametrize("name", ["a.doc", "b.DOT", "c.ppt", "d.pps", "e.wps", "f.dps"])
def test_without_a_program_such_a_file_is_refused_with_what_to_install(name: str) -> None:
    with pytest.raises(DocumentError, match="install LibreOffice, or catdoc") as refused:
        detect_media_type(name, OLE)
    assert refused.value.code == "converter_missing"
    assert detect_media_type(name, OLE, frozenset({types.DOC, types.PPT, types.WPS}))


def test_a_file_that_was_taken_while_a_program_was_there_is_refused_later(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as refused:
        read(tmp_path, "off")
    assert refused.value.code == "converter_missing"


def test_what_is_found_on_the_path_is_used_the_better_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (find_converters("auto"), convertible(())) == ((), frozenset())
    assert "refused" in told("auto")
    for name in (CATDOC, CATPPT, "soffice"):
        program(tmp_path, name, "")
    found = find_converters("auto")
    assert [converter.name for converter in found] == [LIBREOFFICE, CATDOC, CATPPT]
    assert find_converters("off") == ()
    assert told("auto").startswith("doc, ppt and wps files are read by LibreOffice (")


def test_suffixes_are_offered_as_far_as_something_reads_them(tmp_path: Path) -> None:
    catdoc = find_converters(program(tmp_path, CATDOC, ""))
    assert {".doc", ".wps"} <= set(accepted_suffixes(convertible(catdoc)))
    assert ".ppt" not in accepted_suffixes(convertible(catdoc))
    assert ".doc" not in accepted_suffixes(frozenset())


@pytest.mark.parametrize("setting", ["/no/such/soffice", sys.executable, "yes"])
def test_a_setting_that_names_no_such_program_is_told(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="KB_INGEST__CONVERTER"):
        find_converters(setting)


@pytest.mark.skipif(shutil.which("catdoc") is None, reason="catdoc is not installed")
def test_the_real_catdoc_is_called_as_it_wants(tmp_path: Path) -> None:
    path = tmp_path / "0123abcd"
    long = "The brake of crane seven was not safe for use, " * 8
    path.write_text(rf"{{\rtf1\ansi\ansicpg1252 {long}caf\'e9.\par Second.\par}}")
    *_, document = loader(str(shutil.which("catdoc")))[0].load(path, "a.doc", types.DOC)
    assert isinstance(document, ParsedDocument)
    assert " ".join(f"{long}café. Second.".split()) == " ".join(document.text.split())
    assert "\n" not in document.text.partition("café")[0]  # no line is broken that was none
    assert [left.name for left in tmp_path.iterdir()] == ["0123abcd"]
