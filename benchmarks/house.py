"""The house in numbers: lines, literals of natural language, regular expressions, circles, names.

Counts what stands in the source of the product, by reading it; runs none of it. Everything printed
is a count, so every machine gives the same figures.
"""

import argparse
import ast
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("kb_service", "ingest", "retrievers", "llm", "api", "web")
LANGUAGE = "kb_service/language/"
_CJK = (("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\u3000", "\u303f"))
_COMPILING = {"compile", "search", "match", "fullmatch", "findall", "finditer", "sub", "split"}


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of the product: its path from the root, and its syntax tree."""

    name: str
    text: str
    tree: ast.Module


def product_sources(root: Path) -> list[Source]:
    """Return the Python files of the product that git tracks below `root`."""
    command = ["git", "ls-files", "--", *(f"{package}/**.py" for package in PRODUCT)]
    listing = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return [
        Source(name, text, ast.parse(text))
        for name in listing.splitlines()
        if (root / name).is_file()
        for text in [(root / name).read_text(encoding="utf-8")]
    ]


def natural_literals(source: Source) -> list[str]:
    """Return the string literals with Chinese characters or marks; docstrings are no literals."""
    documentation = {id(node) for node in _docstrings(source.tree)}
    return [
        node.value
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
        and any(first <= letter <= last for letter in node.value for first, last in _CJK)
    ]


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for statement in body:
            # A string that stands alone documents what is before it, wherever it stands.
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield statement.value


def num_patterns(source: Source) -> int:
    """Return how many calls hand a regular expression to `re`."""
    return sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in _COMPILING
        for node in ast.walk(source.tree)
    )


def function_lengths(source: Source) -> list[int]:
    """Return the lines of each function."""
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def repeated_classes(sources: list[Source]) -> dict[str, list[str]]:
    """Return the public class names that stand in more than one file, with the files."""
    homes: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(source.name)
    return {name: files for name, files in sorted(homes.items()) if len(files) > 1}


def import_circles(sources: list[Source]) -> list[list[str]]:
    """Return the groups of modules that know one another: imports of functions are left out."""
    modules = {_module_of(source.name): source for source in sources}
    graph = {
        name: {target for target in _imports(source.tree, modules) if target != name}
        for name, source in modules.items()
    }
    return [group for group in _components(graph) if len(group) > 1]


def _module_of(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(tree: ast.Module, modules: Mapping[str, Source]) -> Iterator[str]:
    of_types = [node for branch in tree.body if isinstance(branch, ast.If) for node in branch.body]
    for node in [*tree.body, *of_types]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in modules:
                    yield inner
                elif node.module in modules:
                    yield node.module


def _components(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the sets of nodes that reach one another (each by plain reachability)."""
    reach = {node: _reachable(graph, node) for node in graph}
    groups = {
        frozenset({node, *(other for other in reach[node] if node in reach[other])})
        for node in graph
    }
    return sorted(sorted(group) for group in groups)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for target in graph[waiting.pop()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def counted(root: Path) -> dict[str, object]:
    """Return every figure by its name."""
    sources = product_sources(root)
    outside = [source for source in sources if not source.name.startswith(LANGUAGE)]
    speaking = [source.name for source in outside if natural_literals(source)]
    lengths = [length for source in sources for length in function_lengths(source)]
    median, p90 = statistics.median(lengths), statistics.quantiles(lengths, n=10)[-1]
    repeated = repeated_classes(sources)
    return {
        "Python files": len(sources),
        "Python lines": sum(source.text.count("\n") for source in sources),
        "function lines, median / p90 / max": f"{median:.0f} / {p90:.0f} / {max(lengths)}",
        "files with a natural-language literal outside language/": len(speaking),
        "regular expressions outside language/": sum(map(num_patterns, outside)),
        "class names that stand more than once": len(repeated),
        "import circles": len(import_circles(sources)),
        "speaking files": speaking,
        "repeated classes": sorted(repeated),
    }


def main() -> None:
    """Print the figures of a checkout as a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, help="checkout to count")
    for name, value in counted(parser.parse_args().root).items():
        shown = "\n  ".join(["", *value]) if isinstance(value, list) else f" {value}"
        sys.stdout.write(f"{name}:{shown}\n")


if __name__ == "__main__":
    main()
