"""A word that a loader loses turns a sentence round: the answer says the opposite, and cites it."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.loaders import DocumentLoader
from kb_service.bootstrap import compose
from kb_service.ingest_limits import parse_limits
from kb_service.model_parts import build_models
from kb_service.operations import Services
from kb_service.parts import build_parts
from kb_service.services.asking import AskRequest
from kb_service.services.parts import Part
from kb_service.settings import Settings

ENGLISH = "Is the brake of crane nine safe for use?"
CHINESE = "九号起重机的制动器可以使用吗？"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


class InProcessLoader(DocumentLoader):
    """Parses here; a child would only make the test slower."""

    def close(self) -> None:
        """Nothing to end."""


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    settings = Settings(data_dir=tmp_path / "data")
    loader = Part(lambda: InProcessLoader(parse_limits(settings.ingest)))
    made = compose(replace(build_parts(settings, build_models(settings)), loader=loader))
    yield made
    made.close()


def html(wrapped: str) -> bytes:
    return (
        "<html><body><h1>Report on the brake</h1><p>The brake of crane nine is "
        f"{wrapped} safe for use after the repair in May.</p></body></html>"
    ).encode()


def docx(wrapped: str) -> bytes:
    """A Word file of two paragraphs; the wrapped run stands inside the second."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    links = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{links}"><Relationship Id="r1" Type='
        f'"{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body>'
        "<w:p><w:r><w:t>Report on the brake of crane nine.</w:t></w:r></w:p><w:p>"
        f"{run('The brake of crane nine is ')}{wrapped}"
        f"{run('safe for use after the repair in May.')}</w:p></w:body></w:document>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        for name, text in parts.items():
            package.writestr(name, text)
    return target.getvalue()


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def answer_to(services: Services, name: str, data: bytes, question: str) -> str:
    base = services.bases.create("brakes")
    item = services.uploads.accept(base.id, name, io.BytesIO(data))
    assert item.job is not None
    assert services.intake.ingest([item.job.id]).failures == []
    return services.answering().ask(AskRequest(base.id, question)).answer


@pytest.mark.parametrize(
    "wrapped",
    ["<font color=red>not</font>", "<ins>not</ins>", "<my-mark>not</my-mark>", "<b>not</b>"],
)
def test_a_web_page_keeps_the_word_whatever_element_holds_it(
    services: Services, wrapped: str
) -> None:
    answer = answer_to(services, "brake.html", html(wrapped), ENGLISH)
    assert "is not safe for use" in answer


def test_markdown_keeps_the_word_inside_an_element_of_a_web_page(services: Services) -> None:
    text = "# 制动器报告\n\n九号起重机的制动器在五月修理之后<font color=red>不</font>可以使用。\n"
    answer = answer_to(services, "brake.md", text.encode(), CHINESE)
    assert "不可以使用" in answer


@pytest.mark.parametrize(
    "wrapped",
    [
        f'<w:ins w:id="1" w:author="A">{run("not ")}</w:ins>',
        f"<w:sdt><w:sdtContent>{run('not ')}</w:sdtContent></w:sdt>",
        f'<w:smartTag w:uri="u" w:element="e">{run("not ")}</w:smartTag>',
        f'<w:moveTo w:id="2" w:author="A">{run("not ")}</w:moveTo>',
    ],
    ids=["inserted", "content control", "smart tag", "moved"],
)
def test_word_keeps_a_word_that_was_inserted_or_stands_in_a_control(
    services: Services, wrapped: str
) -> None:
    answer = answer_to(services, "brake.docx", docx(wrapped), ENGLISH)
    assert "is not safe for use" in answer
