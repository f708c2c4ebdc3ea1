"""What a system message says about tools, as each family was trained to read it.

Knows how those texts are put together and what a tool's description must have. Does not know
roles, ids or replies. A tool is described as {name, description, parameters}, alone or as OpenAI
wraps it, or is one of the model's own: {"type": "python"}, for GLM-4 also "simple_browser" and
"cogview".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llm.errors import InvalidPrompt
from llm.released_texts import (
    CHATGLM3_INTERPRETER,
    CHATGLM3_TOOLS,
    GLM4_BUILT_IN,
    GLM4_CALL,
    GLM4_SYSTEM,
    GLM4_TOOLS,
)

Tool = Mapping[str, Any]

# How ChatGLM3 calls its code interpreter.
INTERPRETER = "interpreter"

GLM4_NAME = "GLM-4"
# The first release misspelt its own name, and its golden values have it so.
GLM4_FIRST_NAME = "GhatGLM"


def chatglm3_system(content: str, tools: Sequence[Tool]) -> str:
    """The system text of ChatGLM3: tools as indented JSON below it, or the interpreter's text.

    Raises:
        InvalidPrompt: a tool without a name, or one that this family does not have.
    """
    if not tools:
        return content
    built_in = [kind for tool in tools if (kind := _built_in_kind(tool, ("python",)))]
    if built_in and len(tools) > 1:
        raise InvalidPrompt(
            "ChatGLM3's code interpreter is offered alone; there are"
            f" {len(tools)} tools: {', '.join(map(tool_name, tools))}"
        )
    if built_in:
        return content or CHATGLM3_INTERPRETER
    functions = [_function(tool) for tool in tools]
    return f"{content or CHATGLM3_TOOLS}\n{_json(functions)}"


def glm4_tools(tools: Sequence[Tool], name: str = GLM4_NAME) -> str:
    """What GLM-4 reads of its tools, one section each.

    Raises:
        InvalidPrompt: a tool without a name, or one that this family does not have.
    """
    return GLM4_SYSTEM.format(name=name) + GLM4_TOOLS + "".join(map(_glm4_section, tools))


def tool_name(tool: Tool) -> str:
    """The name by which a reply calls the tool.

    Raises:
        InvalidPrompt: it has none.
    """
    kind = _built_in_kind(tool, tuple(GLM4_BUILT_IN))
    return kind or str(_function(tool)["name"])


def chatglm3_tool_name(tool: Tool) -> str:
    """The same for ChatGLM3, which calls its code interpreter by another name."""
    return INTERPRETER if _built_in_kind(tool, ("python",)) else tool_name(tool)


def _glm4_section(tool: Tool) -> str:
    kind = _built_in_kind(tool, tuple(GLM4_BUILT_IN))
    if kind:
        return f"\n\n## {kind}\n\n{GLM4_BUILT_IN[kind]}"
    function = _function(tool)
    return f"\n\n## {function['name']}\n\n{_json(function)}\n{GLM4_CALL}"


def _built_in_kind(tool: Tool, accepted: tuple[str, ...]) -> str:
    """The name of one of the model's own tools, or empty for a described function."""
    kind = tool.get("type", "function")
    if kind == "function" or "name" in tool:
        return ""
    if kind not in accepted:
        raise InvalidPrompt(
            f"a tool has the type {kind!r}; expected 'function', {', '.join(map(repr, accepted))}"
        )
    return str(kind)


def _function(tool: Tool) -> Tool:
    function = tool.get("function", tool)
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name.strip() or "\n" in name:
        raise InvalidPrompt(f"a tool has the name {name!r}; expected one line of text")
    return dict(function)


def _json(value: object) -> str:
    """Indented, in the given order, with every character as itself: as the models were trained."""
    try:
        return json.dumps(value, indent=4, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidPrompt(f"a tool's description is no JSON: {error}") from error
