"""What the published schema says of values whose limits the services check and name.

Types that are read as they are and described with their limits, and the limits that settings give.
Knows JSON Schema; checks nothing.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BeforeValidator, WithJsonSchema

from kb_service.services.asking import MAX_SEED, MAX_TOKENS
from kb_service.services.pictures import MAX_BOXES
from kb_service.services.ranges import MAX_TEMPERATURE
from kb_service.services.uploads import MAX_TAG_CHARS
from kb_service.settings import Settings

Json = dict[str, Any]
MAX_CHAT_INTEGER = 2**63 - 1024
"""The largest below 2^63 that a schema's number, which is a float, can say exactly."""
A_NAME = r"^[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f\u0085][^\u0000-\u001f\u007f]*$"
STORABLE = r"^[^\u0000]*$"
WITH_WORDS = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
"""U+001C to U+001F and U+0085 are white space to Python, and none to a schema's pattern."""
BOXES = rf"^(-?\d{{1,6}}(\.\d{{1,6}})?(,-?\d{{1,6}}(\.\d{{1,6}})?){{3}};?){{0,{MAX_BOXES}}}$"


def whole(value: object) -> object:
    """Return an integer for a number like 5.0: JSON knows no difference."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def text(min_chars: int, max_chars: int, pattern: str) -> WithJsonSchema:
    """Describe a text by its length in code points and its form."""
    limits = {"minLength": min_chars, "maxLength": max_chars, "pattern": pattern}
    return WithJsonSchema({"type": "string", **limits})


def integer(low: int, high: int) -> WithJsonSchema:
    """Describe an integer by its range."""
    return WithJsonSchema({"type": "integer", "minimum": low, "maximum": high})


def number(low: float, high: float) -> WithJsonSchema:
    """Describe a number by its range."""
    return WithJsonSchema({"type": "number", "minimum": low, "maximum": high})


def one_of(words: Iterable[str]) -> WithJsonSchema:
    """Describe a text that is one of some words."""
    return WithJsonSchema({"type": "string", "enum": [*words]})


def stated(name: str) -> Json:
    """Describe an object that has a number of a name."""
    return {"required": [name], "properties": {name: {"type": "number"}}}


def a_day_or_a_time() -> WithJsonSchema:
    """Describe a time that may be a whole day."""
    formats = [{"type": "string", "format": name} for name in ("date-time", "date")]
    return WithJsonSchema({"anyOf": formats})


def one_or_many(item: Json, min_items: int, max_items: int) -> WithJsonSchema:
    """Describe a list whose only item may stand for it."""
    many = {"type": "array", "items": item, "minItems": min_items, "maxItems": max_items}
    return WithJsonSchema({"anyOf": [item, many]})


Whole = BeforeValidator(whole)
Storable = WithJsonSchema({"type": "string", "pattern": STORABLE})
"""No identifier, name or tag has U+0000, and none is looked up."""
Id = Annotated[str, Storable]
BaseName = Annotated[str, text(1, 200, A_NAME)]
Description = Annotated[str, text(0, 10_000, STORABLE)]
Comment = Annotated[str, text(0, 10_000, STORABLE)]
ColumnName = Annotated[str, text(1, 200, WITH_WORDS)]
ConversationTitle = Annotated[str, text(1, 100, WITH_WORDS)]
Tag = Annotated[str, text(1, MAX_TAG_CHARS, WITH_WORDS)]
Question = Annotated[str, text(1, 2000, WITH_WORDS)]
WatchName = Annotated[str, text(1, 200, A_NAME)]
SCHEDULE = r"^(after changes|every [1-9]\d{0,5} (minute|hour)s?|daily at ([01]?\d|2[0-3]):[0-5]\d)$"
ScheduleLine = Annotated[str, text(1, 40, SCHEDULE)]
Typed = Annotated[str, text(1, 1000, WITH_WORDS)]
SearchText = Annotated[str, text(1, 2000, r"[^\s\u001c-\u001f\u0085]")]
TopK = Annotated[int, Whole, integer(1, 100)]
Temperature = Annotated[float, number(0, MAX_TEMPERATURE)]
MaxTokens = Annotated[int, Whole, integer(1, MAX_TOKENS)]
Seed = Annotated[int, Whole, integer(0, MAX_SEED)]


def publish_settings(app: FastAPI, settings: Settings) -> None:
    """Let the schema of an application say the limits that its settings give."""
    make: Callable[[], Json] = app.openapi

    def openapi() -> Json:
        schema = make()
        models = schema["components"]["schemas"]
        for model, name in (("AskInput", "question"), ("SearchInput", "query")):
            properties = models[model]["properties"]
            properties[name]["maxLength"] = settings.retrieval.max_question_chars
            properties["top_k"]["anyOf"][0]["maximum"] = settings.retrieval.max_top_k
        upload = schema["paths"]["/kb/{kb}/documents"]["post"]["requestBody"]["content"]
        files = upload["multipart/form-data"]["schema"]["properties"]["files"]
        files["maxItems"] = settings.ingest.max_files_per_upload
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI says to extend a schema
