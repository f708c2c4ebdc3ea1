"""PagePictures: PDF pages as PNG with passages lit, drawn in a child process under limits.

Knows the accepted range of a request; the drawing is `page_picture`, the child is `sandbox`.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ingest.limits import ParseLimits
from ingest.sandbox import SandboxChild
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.spans import Box

MIN_SCALE = 0.25
MAX_SCALE = 4.0
MAX_BOXES = 2000
_SIGNATURE_WITHIN = 1024


class PagePictures:
    """Draws pages. One picture at a time; others wait for their turn."""

    def __init__(self, limits: ParseLimits) -> None:
        self._child = SandboxChild(limits)

    def render(self, path: Path, page_number: int, boxes: Sequence[Box], scale: float) -> bytes:
        """Return a PNG of the page, `scale` pixels per point, with `boxes` lit.

        Boxes are points from the bottom-left corner of the unrotated page. Raises InvalidRequest
        (invalid_scale, invalid_boxes, picture_too_large), NotFound (page_not_found,
        page_has_no_picture when the file is no PDF), DocumentError, ParseInterrupted.
        """
        _check(path, boxes, scale)
        request = {
            "command": "render",
            "path": str(path.resolve()),
            "page_number": page_number,
            "boxes": [list(box) for box in boxes],
            "scale": scale,
        }
        steps = self._child.run(request, path.name)
        with contextlib.closing(steps):
            for step in steps:
                if isinstance(step, Path):
                    return step.read_bytes()
        raise RuntimeError("the child ended without a picture or an error")

    def close(self) -> None:
        """End the child process."""
        self._child.close()


def _check(path: Path, boxes: Sequence[Box], scale: float) -> None:
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise InvalidRequest(
            f"scale {scale:g} is not within {MIN_SCALE}..{MAX_SCALE}",
            code="invalid_scale",
            details={"scale": scale, "min_scale": MIN_SCALE, "max_scale": MAX_SCALE},
        )
    if len(boxes) > MAX_BOXES:
        raise InvalidRequest(
            f"{len(boxes)} boxes, at most {MAX_BOXES} are lit", code="invalid_boxes"
        )
    with path.open("rb") as stream:
        if b"%PDF-" not in stream.read(_SIGNATURE_WITHIN):
            raise NotFound("only pages of PDF files have a picture", code="page_has_no_picture")
