"""The length limits of the code, checked over every tracked source file.

Function 50 lines, Python file 400, test file 500, JavaScript and CSS file 250. No ignore list.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = {".py": 400, ".js": 250, ".css": 250}
MAX_TEST_FILE_LINES = 500


def tracked_files() -> list[Path]:
    """Return the source files git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / line for line in listing.splitlines()]
    return [path for path in paths if path.suffix in MAX_FILE_LINES and path.is_file()]


def violations(path: Path, name: str, source: str) -> Iterator[str]:
    """Yield one line for each limit that the file passes."""
    is_test = name.startswith("tests/")
    limit = MAX_TEST_FILE_LINES if is_test and path.suffix == ".py" else MAX_FILE_LINES[path.suffix]
    num_lines = source.count("\n") + 1
    if num_lines > limit:
        yield f"{name}: {num_lines} lines, the limit is {limit}"
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield (
                    f"{name}:{node.lineno}: {node.name} has {length} lines, "
                    f"the limit is {MAX_FUNCTION_LINES}"
                )


def main() -> int:
    """Print every violation; 1 when there is one."""
    found = [
        line
        for path in tracked_files()
        for line in violations(path, str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    sys.stdout.write("\n".join(found) + "\n" if found else "lengths: all within the limits\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
