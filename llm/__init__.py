"""The ChatGLM family in one engine: config, weights, tokenizer, prompt format, decode loop.

Knows released checkpoint folders and token ids. Knows nothing of documents, HTTP or settings,
and imports nothing of the packages beside it, so the folder can be lifted out and used alone.
Importing `llm` loads no heavy library; `llm.chats.chat_model.ChatModel` is the way in.

Bottom up: `tokenizers`, `models`, `kernels`, `checkpoints` and `engine`, `chats`, `parity`.
"""
