"""Programs of this machine that read what no library here reads: old Word and PowerPoint, WPS.

Knows where they are, what each makes of which kind, and how it is called; starts none.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import media_types as types
from kb_service.domain.errors import ConfigurationError

AUTO, OFF = "auto", "off"
LIBREOFFICE, CATDOC, CATPPT = "LibreOffice", "catdoc", "catppt"
_OFFICES = ("soffice", "libreoffice")
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
</oor:items>
"""
"""Of LibreOffice: no macros, nothing fetched, no links followed."""


@dataclass(frozen=True, slots=True)
class Converter:
    """A program, as people know it, and what it makes of each kind that it reads."""

    name: str
    program: Path
    results: dict[str, str]

    def command(self, source: Path, folder: Path) -> list[str]:
        """Return what is run for a file in a folder of its own; a text comes by standard output."""
        if self.name != LIBREOFFICE:
            return [str(self.program), "-d", "utf-8", *(["-w"] if self.name == CATDOC else []),
                    str(source)]  # fmt: skip
        profile = folder / "profile"
        (profile / "user").mkdir(parents=True)
        (profile / "user" / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
        return [
            str(self.program), f"-env:UserInstallation={profile.as_uri()}", "--headless",
            "--norestore", "--nolockcheck", "--nodefault", "--nofirststartwizard", "--convert-to",
            "pptx" if source.suffix == ".ppt" else "docx", "--outdir", str(folder), str(source),
        ]  # fmt: skip


_BY_OFFICE = {types.DOC: types.DOCX, types.WPS: types.DOCX, types.PPT: types.PPTX}
_BY_CATDOC = {types.DOC: types.PLAIN_TEXT, types.WPS: types.PLAIN_TEXT}
_BY_CATPPT = {types.PPT: types.PLAIN_TEXT}


def find_converters(setting: str) -> tuple[Converter, ...]:
    """Return the programs that are used, best first.

    `setting`: `auto` for those on the path, `off` for none, or the path of one. ConfigurationError
    when that is none that is known.
    """
    if setting == OFF:
        return ()
    if setting == AUTO:
        offices = [found for name in _OFFICES if (found := shutil.which(name))]
        return (*_known(offices[:1]), *_known(filter(None, map(shutil.which, (CATDOC, CATPPT)))))
    named = _known([setting] if shutil.which(setting) else [])
    if not named:
        raise ConfigurationError(
            f"KB_INGEST__CONVERTER is {setting!r}, no program that converts files; known are"
            f" {', '.join(_OFFICES)}, {CATDOC} and {CATPPT}, by their paths"
        )
    return named


def convertible(converters: Sequence[Converter]) -> frozenset[str]:
    """Return the media types that some of these read."""
    return frozenset(kind for converter in converters for kind in converter.results)


def told(setting: str) -> str:
    """Return for people which files are converted by which programs."""
    converters = find_converters(setting)
    if not converters:
        return "none: doc, ppt and wps files are refused (install LibreOffice or catdoc)"
    said = (f"{converter.name} ({converter.program})" for converter in converters)
    return f"doc, ppt and wps files are read by {', '.join(said)}"


def _known(programs: Iterable[str]) -> tuple[Converter, ...]:
    found = []
    for program in programs:
        name = Path(program).stem.lower()
        if name.startswith(_OFFICES):
            found.append(Converter(LIBREOFFICE, Path(program), _BY_OFFICE))
        elif name in (CATDOC, CATPPT):
            results = _BY_CATDOC if name == CATDOC else _BY_CATPPT
            found.append(Converter(name, Path(program), results))
    return tuple(found)
