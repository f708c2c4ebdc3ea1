"""The counts of the house, on sources of a few lines."""

import ast
import textwrap

from benchmarks.house import (
    Source,
    import_circles,
    natural_literals,
    num_patterns,
    repeated_classes,
)


def source(name: str, code: str) -> Source:
    text = textwrap.dedent(code)
    return Source(name, text, ast.parse(text))


def test_a_literal_counts_and_a_docstring_does_not() -> None:
    found = source(
        "a.py", '"""模块。"""\n\nLIMIT = 3\n"""说明。"""\n\nWORDS = ("事故", "fire", "。")\n'
    )
    assert natural_literals(found) == ["事故", "。"]


def test_every_call_that_hands_over_a_pattern_counts() -> None:
    found = source(
        "a.py", "import re\nA = re.compile('a')\n\ndef f(t):\n    return re.sub('a', t, t)\n"
    )
    assert num_patterns(found) == 2


def test_modules_that_import_one_another_are_a_circle_also_through_a_third() -> None:
    sources = [
        source("p/a.py", "from p.b import B\n"),
        source("p/b.py", "from p import c\n"),
        source(
            "p/c.py",
            """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from p.a import A
            """,
        ),
        source("p/d.py", "from p.a import A\n"),
    ]
    assert import_circles(sources) == [["p.a", "p.b", "p.c"]]


def test_an_import_inside_a_function_makes_no_circle() -> None:
    late = source("p/b.py", "def f():\n    from p.a import A\n    return A\n")
    assert import_circles([source("p/a.py", "from p.b import f\n"), late]) == []


def test_public_classes_of_one_name_are_named_with_their_files() -> None:
    sources = [source(name, "class Turn: ...\nclass _Own: ...\n") for name in ("a.py", "b.py")]
    assert repeated_classes(sources) == {"Turn": ["a.py", "b.py"]}
