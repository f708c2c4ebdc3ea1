"""CPU of reading PDF files, beside pdfminer.six (`pip install pdfminer.six`, for this alone).

    python -m benchmarks.pdf_cost FOLDER … [--files 40]

Ours: text, boxes of characters, headings, tables and the count of what the page draws, in this
process and without OCR. Theirs: `extract_text`. File by file in turns, so that both meet the same
machine; a file that either refuses is left out of both.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from kb_service.domain.errors import DocumentError

MEDIA_TYPE = "application/pdf"


def ours(path: Path) -> int:
    """Read a file as an upload is read; return its pages."""
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, MEDIA_TYPE)
    return len(getattr(document, "pages", ()))


def seconds(read: Callable[[], object]) -> float:
    """Return the CPU of a call."""
    began = time.process_time()
    read()
    return time.process_time() - began


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line."""
    from pdfminer.high_level import extract_text
    from pdfminer.pdfexceptions import PDFException

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=40, help="at most, evenly chosen")
    options = parser.parse_args(arguments)
    paths = sorted(path for folder in options.folders for path in folder.rglob("*.pdf"))
    mine = theirs = 0.0
    num_pages = num_files = 0
    for path in paths[:: max(1, len(paths) // options.files)]:
        try:
            num = ours(path)
            costs = seconds(lambda p=path: ours(p)), seconds(lambda p=path: extract_text(p))  # type: ignore[misc]
        except (DocumentError, PDFException, ValueError) as error:
            sys.stderr.write(f"left out: {path.name}: {error}\n")
            continue
        mine, theirs = mine + costs[0], theirs + costs[1]
        num_pages, num_files = num_pages + num, num_files + 1
    print(
        f"{num_files} files, {num_pages} pages: {1000 * mine / num_pages:.1f} ms a page,"
        f" pdfminer.six {1000 * theirs / num_pages:.1f} ms, {theirs / mine:.1f} times"
    )


if __name__ == "__main__":
    main()
