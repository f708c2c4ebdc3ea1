"""Files that a Word document points at as a part of its text (`altChunk`): web pages, RTF, text.

Word takes them in when it opens the document; programs that write reports leave them outside. Knows
the formats by their bytes; a Word document inside one is its reader's.
"""

from collections.abc import Iterator
from email import message_from_bytes, policy

from ingest.draft import Block
from ingest.encodings import decode
from ingest.rich_text import rich_text
from ingest.web_page import blocks_of, html_tree, put_frames_in

PACKAGE = b"PK\x03\x04"
_MIME = b"mime-version:"
_RTF = b"{\\rtf"
_HEAD_BYTES = 1024


def chunk_blocks(data: bytes, name: str) -> Iterator[Block]:
    """Yield the blocks of a file that is no package. Raises DocumentError, also behind them."""
    if data.startswith(_RTF):
        yield from map(Block, rich_text(data).split("\n"))
    elif _MIME in data[:_HEAD_BYTES].lower():
        for part in message_from_bytes(data, policy=policy.default).walk():
            if part.get_content_type() == "text/html":
                body = part.get_payload(decode=True)
                declared = part.get_content_charset() or ""
                page = decode(body if isinstance(body, bytes) else b"", name, declared=declared)
                yield from _page_blocks(page.text)
    else:
        text = decode(data, name).text
        is_page = text.lstrip()[:1] == "<"
        yield from _page_blocks(text) if is_page else map(Block, text.splitlines())


def _page_blocks(text: str) -> Iterator[Block]:
    root = html_tree(text)
    errors = put_frames_in(root)
    yield from blocks_of(root)
    if errors:
        raise errors[0]
