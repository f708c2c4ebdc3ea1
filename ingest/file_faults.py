"""Which exceptions of the format libraries say that a file is damaged.

A list of names, because nothing else is safe to blame on the file: a KeyError or a failed import is
a fault of ours, and a file that is called corrupt is not tried again.
"""

import traceback
import zipfile
import zlib
from pathlib import PurePath
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

_OF_LIBRARIES = frozenset(
    {
        "lxml.etree.LxmlError",
        "pypdfium2.PdfiumError",
        "pypdfium2._helpers.misc.PdfiumError",
    }
)
"""By name: the library of another format need not be imported to know them."""
_OF_PYTHON = (zipfile.BadZipFile, zlib.error, ParseError, ExpatError, EOFError)
_PACKAGE_CODE = ("/zipfile.py",)
"""Where libraries look parts of a package up by name."""


def is_files_fault(error: Exception) -> bool:
    """True for an error that only a damaged file causes."""
    if isinstance(error, _OF_PYTHON) or _lacks_package_part(error):
        return True
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return not _OF_LIBRARIES.isdisjoint(names)


def _lacks_package_part(error: Exception) -> bool:
    """A part of the package, a relation to it or the way it is compressed is not there."""
    if not isinstance(error, KeyError | NotImplementedError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    place = PurePath(frames[-1].filename).as_posix() if frames else ""
    return any(code in place for code in _PACKAGE_CODE)
