"""Every error that this package raises on purpose.

Knows names and messages only; which HTTP status or exit code they become is the caller's table.

LlmError
├── CheckpointError          the folder is at fault: key, expected and found are in the message
│   └── UnsupportedCheckpoint  the folder is sound, but of a kind that is not read yet
├── PromptError              the caller's messages are at fault
│   ├── RoleOrderError         a message stands where the chat format has no place for it
│   ├── InvalidPrompt          text or ids that no tokenizer could have produced
│   └── PromptTooLong          more tokens than the context has room for
├── ToolCallError            a tool call that cannot be read, by the model's fault or the caller's
├── InvalidSampling          a sampling parameter outside its range
├── KernelUnavailable        no compiled product can be had here; torch multiplies instead
├── EngineBusy               as many requests wait as the queue may hold; a later try can succeed
└── GenerationFailed         the machine or the model failed while a reply was being computed
    ├── NonFiniteLogits        the model computed NaN or infinity
    └── OutOfMemory            a step needed more memory than there is
"""


class LlmError(Exception):
    """Root of the tree above."""


class CheckpointError(LlmError):
    """A checkpoint folder that cannot be loaded as it is."""


class UnsupportedCheckpoint(CheckpointError):
    """A checkpoint of a family or kind that this package does not read yet."""


class PromptError(LlmError):
    """A prompt that cannot be run."""


class RoleOrderError(PromptError):
    """Messages in an order that the chat format does not allow."""


class InvalidPrompt(PromptError):
    """An empty prompt, an id outside the vocabulary, or text that is not Unicode."""


class PromptTooLong(PromptError):
    """The prompt leaves no room for an answer; carries the number and the limit."""

    def __init__(self, num_tokens: int, max_prompt_tokens: int) -> None:
        super().__init__(
            f"the prompt has {num_tokens} tokens; at most {max_prompt_tokens} fit this model"
        )
        self.num_tokens = num_tokens
        self.max_prompt_tokens = max_prompt_tokens


class ToolCallError(LlmError):
    """A call's text or arguments: not the format, not JSON, too long or too deep."""


class InvalidSampling(LlmError):
    """A sampling parameter outside its accepted range."""


class KernelUnavailable(LlmError):
    """No compiled kernel can be had here; the message says why. Products still run in torch."""


class EngineBusy(LlmError):
    """The waiting queue is full."""

    def __init__(self, max_waiting: int) -> None:
        super().__init__(f"{max_waiting} requests are waiting already, the most that may")
        self.max_waiting = max_waiting


class GenerationFailed(LlmError):
    """A reply that cannot be finished; other requests are not touched."""


class NonFiniteLogits(GenerationFailed):
    """The model's scores hold NaN or infinity; sampling from them would be noise."""


class OutOfMemory(GenerationFailed):
    """The step that computed this reply ran out of memory."""
