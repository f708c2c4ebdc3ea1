"""A folder brought into a LangChain pipeline, for `benchmarks.langchain_ingest` to measure.

    python -m benchmarks.langchain_subject FOLDER OUT [--words]

Load (texts as UTF-8, PDF by pypdf page by page), split by the recursive splitter, embed by our
encoder, keep in FAISS and the documents as JSON lines: what such a pipeline does at the least, with
no database, no words index, no facts and no limits. `--words`: without vectors.
"""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

CHARS_ZH, CHARS_EN = 200, 690
"""A chunk of ours when it is full: 200 Chinese characters, or 115 English words."""

BATCH = 64
_WIDE = re.compile("[\u4e00-\u9fff]")


class OurEncoder(Embeddings):
    """The encoder of the settings as LangChain asks for one."""

    def __init__(self) -> None:
        from kb_service.model_parts import build_models
        from kb_service.settings import Settings

        self._model = build_models(Settings()).embedder().model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return a vector for each text."""
        import numpy as np

        return [np.frombuffer(v, "<f4").tolist() for v in self._model.embed_passages(texts)]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        raise NotImplementedError


def loaded(folder: Path) -> Iterator[Document]:
    """Yield a document for each text and each page of a PDF."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".pdf":
            from pypdf import PdfReader

            for number, page in enumerate(PdfReader(path).pages):
                yield Document(page.extract_text(), metadata={"source": path.name, "page": number})
        else:
            yield Document(path.read_text(encoding="utf-8"), metadata={"source": path.name})


def split(documents: Iterator[Document]) -> list[Document]:
    """Return pieces as large as our chunks are."""
    splitters = {
        size: RecursiveCharacterTextSplitter(
            ["\n\n", "\n", "。", "；", "，", ". ", " ", ""], chunk_size=size, chunk_overlap=0
        )
        for size in (CHARS_ZH, CHARS_EN)
    }

    def size(text: str) -> int:
        return CHARS_ZH if len(_WIDE.findall(text)) * 5 > len(text) else CHARS_EN

    return [
        piece
        for document in documents
        for piece in splitters[size(document.page_content)].split_documents([document])
    ]


def store(pieces: Sequence[Document], folder: Path, encoder: Embeddings | None) -> None:
    """Write vectors and documents."""
    folder.mkdir(parents=True)
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
        for piece in pieces:
            row = {"text": piece.page_content, "metadata": piece.metadata}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    if encoder is None:
        return
    import faiss
    import numpy as np

    index = None
    for start in range(0, len(pieces), BATCH):
        some = [piece.page_content for piece in pieces[start : start + BATCH]]
        vectors = np.asarray(encoder.embed_documents(some), dtype=np.float32)
        index = index or faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
    faiss.write_index(index, str(folder / "vectors.faiss"))


def main() -> None:
    """Bring a folder in, and tell how many pieces it gave."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--words", action="store_true", help="without vectors")
    options = parser.parse_args()
    pieces = split(loaded(options.folder))
    store(pieces, options.out, None if options.words else OurEncoder())
    print(f"{len(pieces)} chunks")


if __name__ == "__main__":
    main()
