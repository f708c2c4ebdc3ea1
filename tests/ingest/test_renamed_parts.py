"""Office packages whose parts have other names than Office gives them: the relations count."""

import io
import re
import zipfile
from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from kb_service.domain.documents import ParsedDocument
from tests.ingest.format_samples import office_bytes

WORDS = "The pump of line four stopped at noon."
PARTS = {
    types.DOCX: "document styles numbering",
    types.PPTX: "presentation",
    types.XLSX: "workbook sharedStrings styles",
}


def renamed(data: bytes, parts: list[str], ending: str) -> bytes:
    """The package with another name for each of some parts, in every place that names it."""
    names = re.compile(rf"\b({'|'.join(parts)})\.xml")
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith((".rels", "[Content_Types].xml")):
                content = names.sub(rf"\g<1>{ending}.xml", content.decode()).encode()
            new.writestr(names.sub(rf"\g<1>{ending}.xml", name), content)
    return stream.getvalue()


def read(path: Path, data: bytes, media_type: str) -> ParsedDocument:
    path.write_bytes(data)
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, media_type)
    assert isinstance(document, ParsedDocument)
    return document


@pytest.mark.parametrize("ending", ["2", "_of_a_server"])
@pytest.mark.parametrize("media_type", PARTS)
def test_parts_are_found_by_the_relations_of_the_package(
    tmp_path: Path, media_type: str, ending: str
) -> None:
    usual = office_bytes(media_type, WORDS)
    other = renamed(usual, PARTS[media_type].split(), ending)
    names = zipfile.ZipFile(io.BytesIO(other)).namelist()
    assert not any(name.endswith(f"/{PARTS[media_type].split()[0]}.xml") for name in names)
    first, second = (read(tmp_path / "a", data, media_type) for data in (usual, other))
    assert (second.text, second.headings) == (first.text, first.headings)
    assert WORDS in second.text
    assert second.metadata == first.metadata
