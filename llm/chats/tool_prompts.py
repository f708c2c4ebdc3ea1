"""What a system message says about tools, in the very words that each generation was trained on.

Knows those texts and what a tool's description must have. Does not know roles, ids or replies.
A tool is described as {name, description, parameters}, alone or as OpenAI wraps it, or is one of
the model's own: {"type": "python"}, for GLM-4 also "simple_browser" and "cogview".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llm.errors import InvalidPrompt

Tool = Mapping[str, Any]

CHATGLM3_SYSTEM = (
    "You are ChatGLM3, a large language model trained by Zhipu.AI. Follow the user's instructions"
    " carefully. Respond using markdown."
)
CHATGLM3_TOOLS = (
    "Answer the following questions as best as you can. You have access to the following tools:"
)
CHATGLM3_INTERPRETER = (
    "你是一位智能AI助手，你叫ChatGLM3，你连接着一台电脑，但请注意不能联网。在使用Python"
    "解决任务时，你可以运行代码并得到结果，如果运行结果有错误，你需要尽可能对代码进行改进。"
    "你可以处理用户上传到电脑上的文件，文件默认存储路径是/mnt/data/。"
)
# How ChatGLM3 calls its code interpreter.
INTERPRETER = "interpreter"

_GLM4_SYSTEM = (
    "你是一个名为 {name} 的人工智能助手。你是基于智谱AI训练的语言模型 GLM-4 模型开发的，"
    "你的任务是针对用户的问题和要求提供适当的答复和支持。"
)
GLM4_NAME = "GLM-4"
# The first release misspelt its own name, and its golden values have it so.
GLM4_FIRST_NAME = "GhatGLM"
_GLM4_TOOLS = "\n\n# 可用工具"
_GLM4_CALL = "在调用上述函数时，请使用 Json 格式表示调用的参数。"
GLM4_BUILT_IN = {
    "python": (
        "当你向 `python` 发送包含 Python 代码的消息时，该代码将会在一个有状态的 Jupyter"
        " notebook 环境中执行。\n"
        "`python` 返回代码执行的输出，或在执行 60 秒后返回超时。\n"
        "`/mnt/data` 将会持久化存储你的文件。在此会话中，`python` 无法访问互联网。不要使用"
        " `python` 进行任何网络请求或者在线 API 调用，这些在线内容的访问将不会成功。"
    ),
    "simple_browser": (
        "你可以使用 `simple_browser` 工具。该工具支持以下函数：\n"
        "`search(query: str, recency_days: int)`：使用搜索引擎进行查询并显示结果，可以使用"
        " `recency_days` 参数控制搜索内容的时效性。\n"
        "`mclick(ids: list[int])`：获取一系列指定 id 的页面内容。每次调用时，须选择3-10个页面。"
        "选择多个角度的页面，同时尽可能选择可信任的信息来源。考虑到部分页面是无法加载的，"
        "你也可以多打开一些可能有用的页面而不用担心内容过多。\n"
        "`open_url(url: str)`：打开指定的 URL。\n"
        "\n"
        "使用 `【{引用 id}†{引用文本}】` 来引用内容。\n"
        "\n"
        "操作步骤：1. 使用 `search` 来获得信息列表; 2. 使用 `mclick` 来获取指定 ID 页面的内容;"
        " 3. 根据获得的内容进行回复。在回复中应当引用信息来源。\n"
        " 如果用户提供了 URL，也可以用 `open_url` 直接打开页面。\n"
        "如果初次搜索结果没有找到合适的信息，也可以再次使用 `search` 进行搜索。"
    ),
    "cogview": (
        "如果用户的请求中包含了对图像的描述，你可以使用 `cogview` 来生成图像并展示给用户。"
        "你需要向 `cogview` 发送图像描述，规则：\n"
        "- 发送给 `cogview` 的消息必须使用英语。用户的中文描述必须完全翻译为英语。\n"
        "- 应当尽可能详细地描述图像生成的需求，需求描述约 100 英文单词。\n"
        "- 保持用户原始描述的意图。不要虚构内容或者没见过的人物。\n"
        "- 如无特殊说明，所在地为中国，持有中国立场并遵循中国社会主义价值观。"
    ),
}


def chatglm3_system(content: str, tools: Sequence[Tool]) -> str:
    """The system text of ChatGLM3: tools as indented JSON below it, or the interpreter's text.

    Raises:
        InvalidPrompt: a tool without a name, or one that this generation does not have.
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
        InvalidPrompt: a tool without a name, or one that this generation does not have.
    """
    return _GLM4_SYSTEM.format(name=name) + _GLM4_TOOLS + "".join(map(_glm4_section, tools))


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
    return f"\n\n## {function['name']}\n\n{_json(function)}\n{_GLM4_CALL}"


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
