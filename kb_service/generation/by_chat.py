"""An answer written by a chat model: the messages of a GenerationRequest as a chat.

What every chat model that answers from passages shares. Knows no model.
"""

from collections.abc import Generator
from contextlib import closing

from kb_service.domain.answers import Generation, GenerationRequest
from kb_service.domain.chats import ChatEnd, ChatRequest
from kb_service.domain.errors import GenerationError
from kb_service.domain.ports import ChatGenerator


def answer_by_chat(
    model: ChatGenerator, request: GenerationRequest
) -> Generator[str, None, Generation]:
    """Yield the reply as it comes and return its Generation. Raises what `model.chat` raises.

    What stands in quotation marks can only be words of the passages or of what the user said.
    """
    said = [message.content for message in request.messages if message.role == "user"]
    asked = ChatRequest(
        request.messages,
        request.options,
        quote_sources=(*(passage.text for passage in request.passages), *said),
        tenant=request.tenant,
        cancelled=request.cancelled,
    )
    text = ""
    with closing(model.chat(asked)) as events:
        for event in events:
            if isinstance(event, ChatEnd):
                return Generation(
                    text, event.usage, event.prompt_token_ids, event.sampling, event.finish_reason
                )
            text += event.text
            yield event.text
    raise GenerationError("the reply was cancelled")
