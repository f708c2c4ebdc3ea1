"""Page pictures for tests: white, with the asked boxes filled, so that one sees what was lit."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from kb_service.domain.spans import Box

PAGE = (595, 842)


class DrawnPictures:
    """Draws every page alike and remembers what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, tuple[Box, ...], float]] = []

    def render(
        self,
        path: Path,
        page_number: int,
        boxes: Sequence[Box],
        scale: float,
        hidden: Sequence[Box] = (),
    ) -> bytes:
        assert path.exists()
        self.calls.append((page_number, tuple(boxes), scale))
        image = Image.new("RGB", (int(PAGE[0] * scale), int(PAGE[1] * scale)), "white")
        draw = ImageDraw.Draw(image)
        for x0, y0, x1, y1 in boxes:
            top = PAGE[1] - y1, PAGE[1] - y0
            draw.rectangle([x0 * scale, top[0] * scale, x1 * scale, top[1] * scale], fill="#ffe08a")
        for x0, y0, x1, y1 in hidden:
            top = PAGE[1] - y1, PAGE[1] - y0
            draw.rectangle([x0 * scale, top[0] * scale, x1 * scale, top[1] * scale], fill="black")
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()
