"""The names and small steps of WordprocessingML that its readers share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
W = f"{{{MAIN}}}"


def child(node: "_Element | None", name: str) -> "_Element | None":
    """Return the first child of that name in Word's namespace; None without one."""
    return None if node is None else node.find(f"{W}{name}")


def value(node: "_Element | None") -> str:
    """Return an element's `w:val`, "" without one."""
    return "" if node is None else node.get(f"{W}val", "")


def is_on(node: "_Element | None") -> bool:
    """True for a switch that is there and not set to off."""
    return node is not None and node.get(f"{W}val", "1") not in ("0", "false", "off")
