"""An answer written by a chat model: the messages of a GenerationRequest as a chat.

What every chat model that answers from passages shares. Knows no model.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from kb_service.domain.answers import Generation, GenerationRequest
from kb_service.domain.chats import ChatEnd, ChatRequest
from kb_service.domain.errors import GenerationError, RemoteError
from kb_service.domain.ports import ChatGenerator
from kb_service.generation.spoken import SpokenWords, UnopenedThought


@dataclass(slots=True)
class Habit:
    """What is learned of a model: whether its replies begin inside a thought, None: not known."""

    thinks_first: bool | None = False


def answer_by_chat(
    model: ChatGenerator, request: GenerationRequest, habit: Habit | None = None
) -> Generator[str, None, Generation]:
    """Yield the words of the reply as they come and return its Generation, thoughts included.

    What stands in quotation marks can only be words of the passages or of what the user said.
    Raises what `model.chat` raises, and RemoteError (remote_malformed) when words that were given
    turn out to be a thought.
    """
    said = [message.content for message in request.messages if message.role == "user"]
    asked = ChatRequest(
        request.messages,
        request.options,
        quote_sources=(*(passage.text for passage in request.passages), *said),
        tenant=request.tenant,
        cancelled=request.cancelled,
    )
    habit = habit or Habit()
    words = SpokenWords(habit.thinks_first)
    text = ""
    try:
        with closing(model.chat(asked)) as events:
            for event in events:
                if isinstance(event, ChatEnd):
                    if spoken := words.flush(is_cut=event.finish_reason == "length"):
                        yield spoken
                    return _generation(text, event)
                piece = event.text.replace("\0", "")  # no answer with it could be stored
                text += piece
                if spoken := words.feed(piece):
                    yield spoken
    except UnopenedThought as error:
        raise RemoteError(
            f"{model.info.name!r} ended a thought that it had not begun, behind words that were "
            "already given; ask again: from now on its first words are held back",
            code="remote_malformed",
        ) from error
    finally:
        habit.thinks_first = words.thinks_first
    raise GenerationError("the reply was cancelled")


def _generation(text: str, end: ChatEnd) -> Generation:
    return Generation(text, end.usage, end.prompt_token_ids, end.sampling, end.finish_reason)
