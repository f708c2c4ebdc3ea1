"""Forms of six sorts of file, asked by labels that stand for no field of all documents."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from docx import Document
from openpyxl import Workbook

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.words_reader import WordsReader
from kb_service.services.across import AcrossDocuments
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.services.querying import QueryRunner
from kb_service.settings import RetrievalSettings
from kb_service.storage.database import open_database
from kb_service.storage.records.store import RecordStore
from tests.services.answer_fakes import FakeShelf
from tests.storage.world import World, build_world

Form = Mapping[str, str]


def form(number: int, pump: str, temperature: str, shift: str, wind: str = "") -> Form:
    rows = {
        "Report no": f"PF-{number}",
        "Date of incident": f"2024-05-0{number}",
        "Location": f"Pier {number}",
        "Pump type": pump,
        "Bearing temperature": temperature,
        "Shift on duty": shift,
    }
    return rows | ({"Wind speed": wind} if wind else {})


FORMS = [
    form(1, "centrifugal", "85 °C", "night", "12 m/s"),
    form(2, "piston", "71 °C", "day", "4 m/s"),
    form(3, "centrifugal", "93 °C", "night"),
    form(4, "screw", "64 °C", "day", "7 m/s"),
    form(5, "centrifugal", "77 °C", "day", "9 m/s"),
    form(6, "piston", "58 °C", "night", "15 m/s"),
]


def lines(form: Form) -> bytes:
    return "\n".join(f"{label}: {value}" for label, value in form.items()).encode()


def word(form: Form) -> bytes:
    file, stream = Document(), io.BytesIO()
    file.add_heading("Pump failure report", 1)
    table = file.add_table(rows=0, cols=2)
    for pair in form.items():
        for cell, words in zip(table.add_row().cells, pair, strict=True):
            cell.text = words
    file.save(stream)
    return stream.getvalue()


def sheet(form: Form) -> bytes:
    book, stream = Workbook(), io.BytesIO()
    for pair in form.items():
        book.active.append(pair)
    book.save(stream)
    return stream.getvalue()


def terms(form: Form) -> bytes:
    listed = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in form.items())
    return f"<html><body><h1>Pump failure</h1><dl>{listed}</dl></body></html>".encode()


def cells(form: Form) -> bytes:
    rows = "".join(f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in form.items())
    return f"<html><body><table>{rows}</table></body></html>".encode()


def marked_list(form: Form) -> bytes:
    return "\n".join(f"- **{label}:** {value}" for label, value in form.items()).encode()


FILES = [
    ("one.docx", types.DOCX, word),
    ("two.txt", types.PLAIN_TEXT, lines),
    ("three.html", types.HTML, terms),
    ("four.html", types.HTML, cells),
    ("five.xlsx", types.XLSX, sheet),
    ("six.md", types.MARKDOWN, marked_list),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("forms")
    database = open_database(f"sqlite:///{folder / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, folder)
    kb_id = world.catalog.bases.create("pumps").id
    for (name, media_type, write), made in zip(FILES, FORMS, strict=True):
        world.ingest(kb_id, name, [read(folder, name, media_type, write(made))])
    return world


def read(folder: Path, name: str, media_type: str, data: bytes) -> str:
    path = folder / name
    path.write_bytes(data)
    *_, document = DocumentLoader(ParseLimits()).load(path, name, media_type)
    assert isinstance(document, ParsedDocument)
    return document.text


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.get("pumps").id


@pytest.fixture
def runner(world: World) -> QueryRunner:
    return QueryRunner(RecordStore(world.database))


@pytest.fixture
def desk(world: World) -> AnsweringService:
    return AnsweringService(
        retriever=FakeShelf(),
        find_base=world.catalog.bases.get,
        library=world.catalog.revisions,
        reader=WordsReader(),
        generator=ExtractiveReader(),
        answers=world.answers,
        settings=RetrievalSettings(),
        across=AcrossDocuments(RecordStore(world.database), world.catalog.revisions),
        clock=lambda: datetime(2024, 9, 10, tzinfo=UTC),
    )


def ask(desk: AnsweringService, question: str) -> Answer:
    return desk.ask(AskRequest("pumps", question))


def cited(answer: Answer) -> set[str]:
    return {citation.document_name for citation in answer.citations}


def test_labels_of_all_sorts_of_file_are_one_column(world: World, kb_id: str) -> None:
    fields = RecordStore(world.database).fields(kb_id)
    assert {"Pump type", "Bearing temperature", "Shift on duty", "Wind speed"} <= fields
    assert {name for name in fields if name[0].isupper()} <= set(FORMS[0])


@pytest.mark.parametrize(
    "question",
    [
        "How many reports have pump type centrifugal?",
        "How many incidents had the pump type centrifugal?",
    ],
)
def test_records_are_counted_by_a_label(desk: AnsweringService, question: str) -> None:
    answer = ask(desk, question)
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.tabled and answer.tabled.tally.matched == 3
    assert cited(answer) == {"one.docx", "three.html", "five.xlsx"}


def test_records_are_grouped_by_a_label(desk: AnsweringService) -> None:
    answer = ask(desk, "How many incidents per pump type?")
    assert answer.tabled
    rows = [tuple(cell.value for cell in row) for row in answer.tabled.rows]
    assert {row[:2] for row in rows} == {("centrifugal", 3), ("piston", 2), ("screw", 1)}


def test_the_most_of_a_label_with_numbers_are_found(runner: QueryRunner, kb_id: str) -> None:
    query = RecordQuery(Operation.TOP, field="Bearing temperature", limit=2)
    found = runner.run(kb_id, query)
    values = [unit.settled("Bearing temperature") for unit in found.units]
    assert [value.number for value in values if value] == [93, 85]
    average = runner.run(kb_id, RecordQuery(Operation.AVERAGE, field="Wind speed"))
    assert [(one.value, one.unit) for one in average.numbers] == [(9.4, "m/s")]


def test_records_are_listed_by_a_label_and_what_lacks_it_is_told(
    runner: QueryRunner, kb_id: str, world: World
) -> None:
    windy = Filters(fields=(FieldFilter("Wind speed", min=9),))
    found = runner.run(kb_id, RecordQuery(Operation.LIST, windy))
    names = {d.id: d.name for d in world.catalog.documents.list(kb_id, limit=10).items}
    assert {names[u.records[0].document_id] for u in found.units} == {
        "one.docx",
        "five.xlsx",
        "six.md",
    }
    assert [names[one] for one in found.tally.lacking] == ["three.html"]


def test_a_label_that_no_form_has_is_told(desk: AnsweringService) -> None:
    answer = ask(desk, "average pump pressure of all incidents")
    assert answer.tabled is None and answer.status is AnswerStatus.REFUSED
