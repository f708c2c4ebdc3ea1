"""What every command shares: the services for its run, its output, its errors as exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing to do.
"""

import codecs
import io
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from kb_service.domain.errors import InvalidRequest, KbError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from kb_service.operations import Services
    from kb_service.services.upkeep import UpkeepService
    from kb_service.settings import Settings

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def valid_text(value: str | None) -> str | None:
    """Return an argument; BadParameter when its bytes were not UTF-8."""
    try:
        (value or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise typer.BadParameter(f"{value!r} is not valid UTF-8") from error
    return value


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
KbOption = Annotated[
    str, typer.Option("--kb", help="Name or id of the knowledge base.", callback=valid_text)
]


LabelOption = Annotated[
    list[str] | None,
    typer.Option("--label", help="Only what carries this label, by name or id; repeatable."),
]


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOTHING_TO_DO = 3


@contextmanager
def session(*, as_json: bool = False) -> Iterator["Services"]:
    """Open the services for one command; a KbError is printed and becomes the exit code."""
    with reported_errors(as_json=as_json):
        from kb_service.bootstrap import open_services
        from kb_service.cli.logs import configure_logs

        with private_files():
            settings = load_settings()
            configure_logs("WARNING")
            services = open_services(settings)
            try:
                yield services
            finally:
                services.close()


@contextmanager
def upkeep_session(*, as_json: bool = False) -> Iterator["UpkeepService"]:
    """Open what checks a service, as `session` opens the whole: the database may be damaged."""
    with reported_errors(as_json=as_json):
        from kb_service.bootstrap import open_upkeep
        from kb_service.cli.logs import configure_logs

        with private_files():
            settings = load_settings()
            configure_logs("WARNING")
            with open_upkeep(settings) as upkeep:
                yield upkeep


@contextmanager
def private_files() -> Iterator[None]:
    """Make every file of this process, and of those it starts, readable by its owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


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
    from pydantic_settings import SettingsError

    from kb_service.domain.errors import ConfigurationError
    from kb_service.settings import Settings

    try:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"kb.toml is not TOML: {error}", code="invalid_setting") from error
    except SettingsError as error:  # without the value, which may be a key
        raise ConfigurationError(
            f"invalid settings: {error}: name one value, as in KB_API_KEYS__ALICE or KB_LLM__MODEL",
            code="invalid_setting",
        ) from error
    except ValidationError as error:
        wrong = "; ".join(
            f"KB_{'__'.join(str(part).upper() for part in item['loc'])}={_shown_input(item)}: "
            f"{item['msg']}"
            for item in error.errors()
        )
        raise ConfigurationError(f"invalid settings: {wrong}", code="invalid_setting") from error


def _shown_input(item: "ErrorDetails") -> str:
    """Return a wrong value, unless it may be a password under a mistyped name."""
    return "***" if "accounts" in item["loc"] else repr(item.get("input"))


def replace_what_cannot_be_shown() -> None:
    """Let standard output write `\\U0001f600` where its encoding has no such character."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as Python does for standard error


def print_json(value: object) -> None:
    """Print a JSON-ready value on standard output, indented; ASCII where that is not UTF-8."""
    sys.stdout.flush()
    if codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8":
        sys.stdout.write(_escaped(value) + "\n")
    else:
        sys.stdout.buffer.write(_json_bytes(value) + b"\n")
    sys.stdout.flush()


def _json_bytes(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except TypeError:  # a file name that is not UTF-8: escaped, which orjson cannot do
        return json.dumps(value, indent=2).encode("ascii")


def _escaped(value: object) -> str:
    return json.dumps(orjson.loads(_json_bytes(value)), indent=2)


def say(text: str, *, to_stderr: bool = False, ends_line: bool = True) -> None:
    """Print text without mark-up; a control character in it must not steer the terminal."""
    shown = _CONTROL.sub(lambda match: ascii(match.group())[1:-1], text)
    typer.echo(shown, err=to_stderr, nl=ends_line)
