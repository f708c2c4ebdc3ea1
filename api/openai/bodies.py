"""Answers in OpenAI's shapes: completions, their chunks, models, embeddings. Pure."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from api.openai.events import Cited, CompletionEvent, Finish, Words
from kb_service.domain.answers import Citation
from kb_service.domain.chats import TokenScore, ToolCall, Usage
from kb_service.domain.ports import Vector
from kb_service.schemas.answers import NotStoredBody, answer_body, citation_body

OWNER = "kb-service"
_TOLD = ("understood", "missing", "nearest")
Body = dict[str, object]


@dataclass(frozen=True, slots=True)
class Completion:
    """What all parts of one answer repeat. `created`: Unix seconds. `site`: our own address.

    `kb`: id or name of the knowledge base that answers, "" for a plain chat.
    """

    id: str
    created: int
    model: str
    site: str
    kb: str = ""
    includes_usage: bool = False

    def chunks(self, event: CompletionEvent) -> list[Body]:
        """Return the chunks of a stream that an event makes."""
        match event:
            case Words(text, scores):
                return [self._chunk({"content": text}, logprobs=logprobs_body(scores))]
            case Cited(citation):
                delta: Body = {"annotations": [self._annotation(citation)]}
                cited = {"kb_citations": [citation_body(citation).model_dump(mode="json")]}
                return [self._chunk(delta) | cited]
            case Finish():
                return self._last_chunks(event)

    def opening(self) -> Body:
        """Return the first chunk of a stream."""
        return self._chunk({"role": "assistant", "content": ""})

    def whole(self, text: str, scores: Sequence[TokenScore], end: Finish) -> Body:
        """Return the completion that was not streamed."""
        message: Body = {"role": "assistant", "content": text or None, "refusal": None}
        if end.tool_calls:
            message["tool_calls"] = [tool_call_body(call) for call in end.tool_calls]
        elif not text:
            message["content"] = ""
        citations = end.answer.citations if end.answer else ()
        message["annotations"] = [self._annotation(citation) for citation in citations]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": logprobs_body(scores),
            "finish_reason": end.reason,
        }
        body = self._head("chat.completion") | {"choices": [choice]}
        body["usage"] = usage_body(end.usage)
        if end.answer:
            body["kb_citations"] = [citation_body(c).model_dump(mode="json") for c in citations]
        return body | _verdict(end)

    def _last_chunks(self, end: Finish) -> list[Body]:
        chunks = []
        if end.tool_calls:
            calls = [
                {"index": number, **tool_call_body(call)}
                for number, call in enumerate(end.tool_calls)
            ]
            chunks.append(self._chunk({"tool_calls": calls}))
        chunks.append(self._chunk({}, finish_reason=end.reason) | _verdict(end))
        if self.includes_usage:
            usage = {"choices": [], "usage": usage_body(end.usage)}
            chunks.append(self._head("chat.completion.chunk") | usage)
        return chunks

    def _chunk(
        self, delta: Body, *, finish_reason: str | None = None, logprobs: Body | None = None
    ) -> Body:
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }
        usage = {"usage": None} if self.includes_usage else {}
        return self._head("chat.completion.chunk") | {"choices": [choice]} | usage

    def _head(self, kind: str) -> Body:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
        }

    def _annotation(self, citation: Citation) -> Body:
        """Return a citation as the protocol has it: a range of the answer and an address."""
        page = f"#page={citation.regions[0].page_number}" if citation.regions else ""
        path = f"kb/{quote(self.kb, safe='')}/documents/{quote(citation.document_id)}/content"
        place = {
            "start_index": citation.answer.start,
            "end_index": citation.answer.end,
            "title": citation.title,
            "url": f"{self.site}{path}?revision={citation.sha256}{page}",
        }
        return {"type": "url_citation", "url_citation": place}


def _verdict(end: Finish) -> Body:
    """Return what a base's answer says beyond the protocol."""
    if end.answer is None:
        return {}
    answer = end.answer
    told = answer_body(answer).model_dump(mode="json", include=set(_TOLD))
    verdict: Body = {
        "kb_answer_id": answer.id,
        "kb_status": answer.status,
        "kb_reason": answer.reason,
        **{f"kb_{name}": told[name] for name in _TOLD},
        "kb_stored": answer.not_stored is None,
    }
    if answer.not_stored:
        verdict["kb_not_stored"] = NotStoredBody.of(answer.not_stored).model_dump()
    return verdict


def usage_body(usage: Usage) -> Body:
    """Return the tokens of a completion."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def tool_call_body(call: ToolCall) -> Body:
    """Return a call that the client should make."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def logprobs_body(scores: Sequence[TokenScore]) -> Body | None:
    """Return the log probabilities of tokens, None for none."""
    if not scores:
        return None
    content = [
        {**_score(score), "top_logprobs": [_score(other) for other in score.alternatives]}
        for score in scores
    ]
    return {"content": content, "refusal": None}


def _score(score: TokenScore) -> Body:
    return {"token": score.text, "logprob": score.logprob, "bytes": list(score.raw)}


def model_body(name: str, created: int) -> Body:
    """Return a model as the list shows it."""
    return {"id": name, "object": "model", "created": created, "owned_by": OWNER}


def list_body(items: Sequence[Body]) -> Body:
    """Return a list of the protocol."""
    return {"object": "list", "data": list(items)}


def embedding_body(index: int, vector: Vector, *, as_base64: bool) -> Body:
    """Return one embedding: numbers, or base64 of little-endian float32."""
    numbers = struct.unpack(f"<{len(vector) // 4}f", vector)
    value: object = base64.b64encode(vector).decode("ascii") if as_base64 else list(numbers)
    return {"object": "embedding", "index": index, "embedding": value}
