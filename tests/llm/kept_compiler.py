"""A C++ compiler that does the same work once: `python kept_compiler.py FOLDER COMPILER ARGUMENTS`.

A command over the same sources gives the file that it gave before, from FOLDER; the first one is
compiled, while whoever wants the same waits. A failure is not kept. Another compiler under the
same name is another one.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path


def main(folder: Path, compiler: str, arguments: list[str]) -> int:
    place = arguments.index("-o")
    command = arguments[:place] + arguments[place + 2 :]
    kept = folder / _digest([compiler, *command])
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = kept.with_suffix(".new")
            status = subprocess.run([compiler, *command, "-o", str(made)], check=False).returncode
            if status:
                return status
            made.replace(kept)
    shutil.copy(kept, arguments[place + 1])  # with its permission: some of it is run
    return 0


def _digest(words: list[str]) -> str:
    """Over the words, the compiler, and every source that they name with the headers beside it."""
    sources = [Path(word) for word in words if word.endswith(".cpp")]
    headers = [path for source in sources for path in sorted(source.parent.glob("*.h"))]
    compiler = Path(words[0]).resolve().stat()
    # Wherever the sources lie: some are written anew by each run.
    command = [Path(word).name if word.endswith(".cpp") else word for word in words]
    command += [str(compiler.st_size), str(compiler.st_mtime_ns)]
    digest = hashlib.sha256("\0".join(command).encode())
    for path in [*sources, *headers]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
