"""Tool calls read from a reply: literals only, bounded, and written back as they were."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.chats.tool_calls import (
    MAX_CALL_CHARS,
    MAX_CALL_DEPTH,
    ParsedToolCall,
    read_json_call,
    read_python_call,
    write_json_call,
    write_python_call,
)
from llm.errors import InvalidPrompt, ToolCallError

identifiers = st.from_regex(r"arg_[a-z0-9]{0,6}", fullmatch=True)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def fenced(source: str) -> str:
    return f"```python\n{source}\n```"


def test_a_call_of_chatglm3_becomes_json() -> None:
    text = fenced("tool_call(city='北京', days=-2, deep={'a': [1.5, None, True]}, pair=(1, 2))")
    expected = '{"city": "北京", "days": -2, "deep": {"a": [1.5, null, true]}, "pair": [1, 2]}'
    assert read_python_call("weather", text) == ParsedToolCall("weather", expected, text)
    assert read_python_call("weather", "tool_call()").arguments == "{}"


def test_a_call_of_glm4_becomes_json() -> None:
    text = '\n{"city": "北京"}'
    assert read_json_call("weather", text) == ParsedToolCall("weather", '{"city": "北京"}', text)


def test_free_text_of_the_models_own_tools_is_one_argument() -> None:
    assert read_json_call("python", " print(1)\n").arguments == '{"input": "print(1)"}'
    call = read_python_call("interpreter", fenced("a = 1\nprint(a)"))
    assert call.arguments == '{"input": "a = 1\\nprint(a)"}'
    assert write_json_call("python", '{"input": "print(1)"}') == "print(1)"
    assert write_python_call("interpreter", call.arguments) == call.text


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os').system('true')",
        "tool_call(x=__import__('os'))",
        "tool_call(x=open('/etc/passwd').read())",
        "tool_call(x=(lambda: 1)())",
        "tool_call(x=[i for i in range(9)])",
        "tool_call(x=1 + 1)",
        "tool_call(x=f'{1}')",
        "tool_call(x={1, 2})",
        "tool_call(x=b'1')",
        "tool_call(x=1j)",
        "tool_call(x=1e999)",
        "tool_call(x=-1e999)",
        "tool_call(x=...)",
        "tool_call(x={1: 2})",
        "tool_call(x={**{}})",
        "tool_call('x')",
        "tool_call(*[1])",
        "tool_call(**{'x': 1})",
        "tool_call(x=1, x=2)",
        "a.tool_call(x=1)",
        "other(x=1)",
        "tool_call",
        "tool_call(x=1); tool_call(x=2)",
        "import os",
        "",
        "tool_call(x='\x00')",
        "tool_call(x=" + "9" * 5000 + ")",
        "tool_call(x=" + "[" * 90 + "]" * 90 + ")",
        "tool_call(x=" + "-" * 60_000 + "1)",
        "tool_call(x=" + "(" * 30_000 + ")" * 30_000 + ")",
        "tool_call(x=" + "not " * 15_000 + "1)",
        "tool_call(x='" + "a" * MAX_CALL_CHARS + "')",
    ],
    ids=lambda source: source[:40],
)
def test_anything_but_a_call_with_literals_is_refused_in_no_time(source: str) -> None:
    started = time.monotonic()
    with pytest.raises(ToolCallError, match="the tool 'weather' cannot be read: "):
        read_python_call("weather", fenced(source))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '"x"',
        "{",
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": -Infinity}',
        "{'a': 1}",
        '{"a": 1} x',
        '{"a": ' * 40 + "1" + "}" * 40,
        "[" * 60_000,
        '{"a": ' + "9" * 5000 + "}",
        '{"a": "' + "x" * MAX_CALL_CHARS + '"}',
    ],
    ids=lambda text: text[:40],
)
@pytest.mark.parametrize("read", [read_json_call, write_json_call, write_python_call])
def test_anything_but_a_small_json_object_is_refused(
    read: Callable[[str, str], object], text: str
) -> None:
    with pytest.raises(ToolCallError, match="the tool 'weather' cannot be read: "):
        read("weather", text)


def test_nesting_up_to_the_bound_is_read() -> None:
    deep = "[" * (MAX_CALL_DEPTH - 1) + "]" * (MAX_CALL_DEPTH - 1)
    assert read_python_call("weather", f"tool_call(x={deep})").arguments == f'{{"x": {deep}}}'
    assert read_json_call("weather", f'{{"x": {deep}}}').arguments == f'{{"x": {deep}}}'


@settings(max_examples=100, deadline=None)
@given(arguments=st.dictionaries(identifiers, json_values, max_size=4))
def test_a_call_written_for_a_prompt_reads_as_the_same_call(arguments: dict[str, object]) -> None:
    text = json.dumps(arguments, ensure_ascii=False)
    of_glm4 = read_json_call("weather", write_json_call("weather", text))
    assert json.loads(of_glm4.arguments) == arguments
    of_chatglm3 = read_python_call("weather", write_python_call("weather", text))
    assert json.loads(of_chatglm3.arguments) == arguments


@pytest.mark.parametrize("key", ["a-b", "class", "1", "", "a=1, b"])
def test_an_argument_that_python_cannot_name_is_refused(key: str) -> None:
    with pytest.raises(InvalidPrompt, match="Python identifiers"):
        write_python_call("weather", json.dumps({key: 1}))
