"""`kb report, verify-report`: answers to hand over, and whether such a file holds."""

from pathlib import Path
from typing import Annotated

import typer

from kb_service.cli.session import Exit, JsonOption, print_json, say, session, valid_text
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.people import OPERATOR

ReportFile = Annotated[Path, typer.Argument(help="The file of the report.")]


def report(
    answer: Annotated[str, typer.Argument(help="Id of a stored answer.", callback=valid_text)],
    file: ReportFile,
    as_json: JsonOption = False,
) -> None:
    """Write a stored answer with its table and quotes as one HTML file to hand over."""
    with session(as_json=as_json) as services:
        page = services.reports.of_answer(services.history.answer(OPERATOR, answer).answer)
        write_report(file, page)
        if as_json:
            print_json({"file": str(file)})


def verify_report(file: ReportFile, as_json: JsonOption = False) -> None:
    """Check that a report is as it was made, and its quotes and file hashes against the base."""
    with session(as_json=as_json) as services:
        try:
            page = file.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"cannot read {file}: {error}", code="invalid_report") from error
        checked = services.reports.check(page)
        quotes = checked.quotes
        if as_json:
            rows = [
                {"number": q.number, "document": q.document_name, "problem": q.problem}
                for q in quotes
            ]
            print_json({"holds": checked.holds, "as_made": checked.is_as_made, "quotes": rows})
        else:
            say(f"report of {checked.base}, made {checked.made_at} by kb-service {checked.version}")
            say("the file is as it was made" if checked.is_as_made else "the file was CHANGED")
            for quote in quotes:
                say(f"[{quote.number}] {quote.document_name}: {quote.problem or 'holds'}")
        if not checked.holds:
            raise typer.Exit(Exit.FAILED)


def write_report(file: Path, page: str) -> None:
    """Write a report; a file that is there already stays. Raises InvalidRequest (file_exists)."""
    try:
        with file.open("xb") as stream:
            stream.write(page.encode("utf-8"))
    except FileExistsError as error:
        raise InvalidRequest(f"{file} is there already", code="file_exists") from error
    except OSError as error:
        raise InvalidRequest(f"cannot write {file}: {error}", code="unreadable_file") from error
