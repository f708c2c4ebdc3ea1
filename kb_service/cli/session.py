"""What every command shares: the application for its run, its output, its errors as exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing to do.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from kb_service.domain.errors import InvalidRequest, KbError

if TYPE_CHECKING:
    from kb_service.bootstrap import Application
    from kb_service.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
KbOption = Annotated[str, typer.Option("--kb", help="Name or id of the knowledge base.")]


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOTHING_TO_DO = 3


@contextmanager
def session(*, as_json: bool = False) -> Iterator["Application"]:
    """Open the application for one command; a KbError is printed and becomes the exit code."""
    with reported_errors(as_json=as_json):
        from kb_service.bootstrap import open_application
        from kb_service.cli.logs import configure_logs

        application = open_application(load_settings())
        configure_logs("WARNING")
        try:
            yield application
        finally:
            application.close()


@contextmanager
def reported_errors(*, as_json: bool = False) -> Iterator[None]:
    """Print a KbError on standard error and leave with its exit code."""
    try:
        yield
    except KbError as error:
        if as_json:
            print_json({"error": error.as_dict()})
        else:
            say(f"error: {error.message} [{error.code}]", to_stderr=True)
        is_usage = isinstance(error, InvalidRequest)
        raise typer.Exit(Exit.USAGE if is_usage else Exit.FAILED) from error


def load_settings() -> "Settings":
    """Read the settings; ConfigurationError naming each wrong value."""
    from pydantic import ValidationError

    from kb_service.domain.errors import ConfigurationError
    from kb_service.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"KB_{'__'.join(str(part).upper() for part in item['loc'])}={item.get('input')!r}: "
            f"{item['msg']}"
            for item in error.errors()
        )
        raise ConfigurationError(f"invalid settings: {wrong}", code="invalid_setting") from error


def print_json(value: object) -> None:
    """Print a JSON-ready value on standard output, indented, UTF-8."""
    sys.stdout.buffer.write(
        orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    sys.stdout.flush()


def say(line: str, *, to_stderr: bool = False) -> None:
    """Print one line of text as it is, without mark-up."""
    typer.echo(line, err=to_stderr)
