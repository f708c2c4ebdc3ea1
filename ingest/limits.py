"""The limits one file is parsed under, as a value. Knows numbers and units; enforces nothing."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What one file may cost. ValueError at birth when a limit is not positive.

    `max_file_bytes`: size of the file. `max_pages`: pages, slides or sheets. `max_page_points`:
    longer side of a PDF page in points (14400 is the PDF limit of 200 inches). `max_text_chars`:
    code points of extracted text. `max_decompressed_bytes`: sum of the unpacked parts of an Office
    file. `timeout_s`: wall-clock seconds for the whole file. `memory_bytes`: address space of the
    parsing child. `max_pixels`: pixels of a rendered page picture.
    """

    max_file_bytes: int = 100 * MIB
    max_pages: int = 5000
    max_page_points: float = 14400.0
    max_text_chars: int = 20_000_000
    max_decompressed_bytes: int = 512 * MIB
    timeout_s: float = 300.0
    memory_bytes: int = 2048 * MIB
    max_pixels: int = 40_000_000

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be above 0")
