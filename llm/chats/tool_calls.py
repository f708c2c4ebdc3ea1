"""Tool calls in a reply: from the model's text to a name and JSON arguments, and back.

Runs nothing: a call of ChatGLM3 looks like Python, and only literals are read from its syntax
tree. Sizes and depths are bounded before any parser sees the text. Knows no tools.
"""

from __future__ import annotations

import ast
import json
import keyword
import math
from dataclasses import dataclass
from typing import Any

from llm.chats.tool_prompts import INTERPRETER
from llm.errors import InvalidPrompt, ToolCallError
from llm.released_texts import GLM4_BUILT_IN

MAX_CALL_CHARS = 65_536
MAX_CALL_DEPTH = 32

_FENCE = "```"
# The one argument of a tool that takes free text.
FREE_TEXT = "input"


@dataclass(frozen=True, slots=True)
class ParsedToolCall:
    """One call: the tool's name, its arguments as the text of a JSON object, and the model's own
    text, which a following prompt repeats word for word."""

    name: str
    arguments: str
    text: str


def read_python_call(name: str, text: str) -> ParsedToolCall:
    """A call of ChatGLM3: ```python fence around tool_call(key=literal, …); of its interpreter,
    a fence around code.

    Raises:
        ToolCallError: anything else, too long or too deep.
    """
    _require_short(name, text)
    source = _unfenced(text)
    if name == INTERPRETER:
        return ParsedToolCall(name, _json({FREE_TEXT: source}), text)
    call = _call_node(name, source)
    arguments = {str(word.arg): _literal(name, word.value, 1) for word in call.keywords}
    return ParsedToolCall(name, _json(arguments), text)


def read_json_call(name: str, text: str) -> ParsedToolCall:
    """A call of GLM-4: one JSON object, or free text for one of the model's own tools.

    Raises:
        ToolCallError: anything else, too long or too deep.
    """
    _require_short(name, text)
    if name in GLM4_BUILT_IN:
        return ParsedToolCall(name, _json({FREE_TEXT: text.strip()}), text)
    return ParsedToolCall(name, _json(_json_object(name, text)), text)


def write_python_call(name: str, arguments: str) -> str:
    """The text by which ChatGLM3 would have made this call; inverse of `read_python_call`.

    Raises:
        ToolCallError: arguments that are no JSON object of at most the bounded size.
        InvalidPrompt: an argument that Python's syntax cannot name.
    """
    _require_short(name, arguments)
    values = _json_object(name, arguments)
    if name == INTERPRETER and set(values) == {FREE_TEXT}:
        return f"{_FENCE}python\n{values[FREE_TEXT]}\n{_FENCE}"
    for key in values:
        if not key.isidentifier() or keyword.iskeyword(key):
            raise InvalidPrompt(
                f"tool {name!r} has an argument {key!r}; ChatGLM3 can name only Python identifiers"
            )
    words = ", ".join(f"{key}={value!r}" for key, value in values.items())
    return f"{_FENCE}python\ntool_call({words})\n{_FENCE}"


def write_json_call(name: str, arguments: str) -> str:
    """The text by which GLM-4 would have made this call; inverse of `read_json_call`.

    Raises:
        ToolCallError: arguments that are no JSON object of at most the bounded size.
    """
    _require_short(name, arguments)
    values = _json_object(name, arguments)
    if name in GLM4_BUILT_IN and set(values) == {FREE_TEXT}:
        return str(values[FREE_TEXT])
    return arguments


def _require_short(name: str, text: str) -> None:
    if len(text) > MAX_CALL_CHARS:
        raise _error(name, f"it has {len(text)} characters; at most {MAX_CALL_CHARS} are read")


def _unfenced(text: str) -> str:
    lines = text.strip().split("\n")
    if lines[0].startswith(_FENCE):
        lines = lines[1:]
        if lines and lines[-1].strip() == _FENCE:
            lines = lines[:-1]
    return "\n".join(lines).strip()


def _call_node(name: str, source: str) -> ast.Call:
    try:
        node = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _error(name, f"it is no expression: {error!r}") from error
    if (
        not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Name)
        or node.func.id != "tool_call"
    ):
        raise _error(name, f"it is {source[:80]!r}; expected tool_call(key=value, …)")
    if node.args or any(word.arg is None for word in node.keywords):
        raise _error(name, "it has an argument without a name")
    if len({word.arg for word in node.keywords}) < len(node.keywords):
        raise _error(name, "it has an argument twice")
    return node


def _literal(name: str, node: ast.expr, depth: int) -> object:
    """The value of a literal that JSON can write."""
    if depth > MAX_CALL_DEPTH:
        raise _error(name, f"its arguments are nested deeper than {MAX_CALL_DEPTH}")
    match node:
        case ast.Constant(value=None | bool() | str() as value):
            return value
        case ast.Constant(value=int() | float() as number) if _is_json(number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if (
            _is_json(number)
        ):
            return -number
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal(name, item, depth + 1) for item in items]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {_key(name, key): _literal(name, value, depth + 1) for key, value in pairs}
    raise _error(name, f"it has a {type(node).__name__} where only literals are read")


def _is_json(number: float) -> bool:
    """Whether JSON can write it; its size as an integer does not matter."""
    return isinstance(number, int) or math.isfinite(number)


def _key(name: str, node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise _error(name, "it has a dictionary key that is no string")


def _json_object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise _error(name, f"its arguments are no JSON: {error}") from error
    if not isinstance(value, dict):
        raise _error(name, f"its arguments are {text[:80]!r}; expected a JSON object")
    if _depth(value) > MAX_CALL_DEPTH:
        raise _error(name, f"its arguments are nested deeper than {MAX_CALL_DEPTH}")
    return value


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is no JSON value")
    return value


def _depth(value: object) -> int:
    """Levels of objects and arrays, counted without recursion."""
    depth, level = 0, [value]
    while level := [inner for each in level for inner in _inner(each)]:
        depth += 1
    return depth


def _inner(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _error(name: str, reason: str) -> ToolCallError:
    return ToolCallError(f"the call of the tool {name[:80]!r} cannot be read: {reason}")
