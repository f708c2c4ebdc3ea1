"""Small OLE storages (MS-CFB, version 3) with a few streams, for tests."""

import struct
from collections.abc import Mapping

SECTOR, SMALL = 512, 64
FREE, END, FAT_SECTOR, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
ROOT, STREAM = 5, 2


def _entry(name: str, kind: int, first: int, size: int, right: int, child: int) -> bytes:
    told = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        told, len(told) + 2 if name else 0, kind, 1, NONE, right, child, b"", 0, 0, 0, first, size,
    )  # fmt: skip


def storage(streams: Mapping[str, bytes]) -> bytes:
    """Return a storage with small streams: sector 0 is the FAT, 1 the small FAT, then the rest."""
    small_fat: list[int] = []
    firsts, body = [], b""
    for data in streams.values():
        num = max(1, -(-len(data) // SMALL))
        firsts.append(len(small_fat))
        small_fat += [*range(len(small_fat) + 1, len(small_fat) + num), END]
        body += data.ljust(num * SMALL, b"\0")
    fat = [FAT_SECTOR, END]
    first_body, num_body = len(fat), -(-len(body) // SECTOR)
    fat += [*range(first_body + 1, first_body + num_body), END]
    entries = [_entry("Root Entry", ROOT, first_body, len(body), NONE, 1)]
    for number, (name, data) in enumerate(streams.items(), start=1):
        right = number + 1 if number < len(streams) else NONE
        entries.append(_entry(name, STREAM, firsts[number - 1], len(data), right, NONE))
    directory = b"".join(entries)
    first_entry, num_entry = len(fat), -(-len(directory) // SECTOR)
    fat += [*range(first_entry + 1, first_entry + num_entry), END]
    head = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, 1, first_entry,
        0, 4096, 1, 1, END, 0,
    )  # fmt: skip
    head += struct.pack("<109I", 0, *[FREE] * 108)
    tables = [struct.pack("<128I", *(t + [FREE] * (128 - len(t)))) for t in (fat, small_fat)]
    return b"".join(
        [
            head,
            *tables,
            body.ljust(num_body * SECTOR, b"\0"),
            directory.ljust(num_entry * SECTOR, b"\0"),
        ]
    )
