"""The limits one file is parsed under, as a value. Knows numbers, units and what passing one is."""

import math
from dataclasses import dataclass

from kb_service.domain.errors import DocumentError

MIB = 1024 * 1024
_MEMORY_PER_FILE_BYTE = 32


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What one file may cost. ValueError at birth when a limit is not positive.

    `max_file_bytes`: size of the file. `max_pages`: pages, slides or sheets. `max_page_points`:
    longer side of a PDF page in points (14400 is the PDF limit of 200 inches). `max_text_chars`:
    code points of extracted text. `max_decompressed_bytes`: sum of the unpacked parts of an Office
    file. `timeout_s`: wall-clock seconds for the whole file. `memory_bytes`: address space of the
    parsing child. `max_pixels`: pixels of a rendered page picture.

    A small file may cost less: `base_cpu_s` and `cpu_s_per_mib` give the processor time that a file
    of its size may take, `base_memory_bytes` the memory that any file may take; `timeout_s` and
    `memory_bytes` are the ceilings of both.
    """

    max_file_bytes: int = 100 * MIB
    max_pages: int = 5000
    max_page_points: float = 14400.0
    max_text_chars: int = 20_000_000
    max_decompressed_bytes: int = 512 * MIB
    timeout_s: float = 300.0
    memory_bytes: int = 2048 * MIB
    max_pixels: int = 40_000_000
    base_cpu_s: float = 30.0
    cpu_s_per_mib: float = 60.0
    base_memory_bytes: int = 1024 * MIB

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0 and name != "cpu_s_per_mib":
                raise ValueError(f"{name} is {getattr(self, name)}, it must be above 0")

    def check_pages(self, name: str, num_pages: int, what: str) -> None:
        """Raise DocumentError `too_many_pages`. `what`: the pages of this format, in the plural."""
        if num_pages > self.max_pages:
            raise DocumentError(
                f"{name} has {num_pages} {what}, at most {self.max_pages} are read",
                code="too_many_pages",
                details={"num_pages": num_pages, "max_pages": self.max_pages},
            )

    def cpu_budget_s(self, size_bytes: int) -> int:
        """Return the whole seconds of processor time that a file of this size may take."""
        wanted = self.base_cpu_s + self.cpu_s_per_mib * size_bytes / MIB
        return math.ceil(min(wanted, self.timeout_s))

    def memory_budget_bytes(self, size_bytes: int) -> int:
        """Return the address space that a file of this size may fill."""
        return min(self.base_memory_bytes + _MEMORY_PER_FILE_BYTE * size_bytes, self.memory_bytes)
