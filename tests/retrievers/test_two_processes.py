"""Two real processes over one index folder: one rebuilds and drops, the other keeps answering."""

import subprocess
import sys
from pathlib import Path

from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from tests.conftest import ROOT
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, MemorySource

OTHER = """
import sys
from pathlib import Path
from retrievers.hybrid import HybridRetriever
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource

source = MemorySource()
for number in range(20):
    source.put(f"doc_{number}", f"valve number {number} leaked")
retriever = HybridRetriever(source, LetterEmbedder(), Path(sys.argv[1]))
for round_ in range(15):
    retriever.rebuild(KB)
    print("round", flush=True)
    if round_ % 5 == 4:
        retriever.drop(KB)
retriever.close()
"""


def test_rebuilds_and_drops_of_another_process_cost_no_answer(
    source: MemorySource, open_retriever: OpenRetriever, tmp_path: Path
) -> None:
    for number in range(20):
        source.put(f"doc_{number}", f"valve number {number} leaked")
    reader, num_asked = open_retriever(), 0
    command = [sys.executable, "-c", OTHER, str(tmp_path / "index")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        while other.stdout.readline():
            source.put("changing", f"valve number {num_asked} of the changing document")
            for retriever in (reader, open_retriever()):
                assert (
                    len(retriever.retrieve(Query(KB, parse_question("valve number"), 50)).items)
                    == 21
                )
                num_asked += 1
    assert (other.returncode, num_asked) == (0, 30)
