"""The ChatGLM family in one engine: config, weights, tokenizer, prompt format, decode loop.

Knows released checkpoint folders and token ids. Knows nothing of documents, HTTP or settings,
and imports nothing of the packages beside it, so the folder can be lifted out and used alone.
Importing `llm` loads no heavy library; `llm.chats.chat_model.ChatModel` is the way in.

Bottom up: `tokenizers`, `models`, `kernels`, `checkpoints` and `engine`, `chats`, `parity`.
"""

import os
import sys

# OpenMP's threads, which torch uses, else hold a core for milliseconds after each operation: from
# the kernels' own threads (kernels/threads.h), and from other programs. It is read when torch is
# first imported; who wants another policy sets the variable.
HAS_WAIT_POLICY = "OMP_WAIT_POLICY" in os.environ or "torch" not in sys.modules
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
