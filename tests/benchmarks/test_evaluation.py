"""The evaluation benchmark: tiny sets of both file formats, real retrieval, real readers."""

import gzip
import json
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from benchmarks import evaluation
from benchmarks.evaluation import evaluate, extra_of, plan_of, run_task
from benchmarks.evaluation_worker import EXTRACTIVE, HYBRID, LEXICAL, RERANKED, Task, perform
from benchmarks.memory_base import MemoryBase, load_corpus
from benchmarks.retrieval import askable, relevant_chunks
from kb_service.evaluation.report import report_json
from kb_service.settings import Settings
from tests.retrievers.tiny_cross_encoder import write_tiny_cross_encoder

READING = "dev/zh_drcd"
DEMO = "demo/en_ntsb_qa"
PUMP = "The pump in hall 3 leaked at 14:20. Nobody was hurt."
VALVE = "The valve SG-7 was replaced on 2024-05-01 by the night shift."


def write(path: Path, *rows: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    asked = {"title": "Pump", "context": PUMP, "answerable": True, "id": "p"}
    other = {"title": "Valve", "context": VALVE, "answerable": True, "id": "v"}
    write(
        folder / f"{READING}.jsonl.gz",
        asked
        | {"question": "When did the pump leak?", "answers": [{"text": "14:20", "start": 29}]},
        other | {"question": "What was replaced?", "answers": [{"text": "valve SG-7"}]},
        asked | {"id": "n", "question": "Who sang at Wembley?", "answers": [], "answerable": False},
    )
    write(
        folder / "demo" / "en_ntsb_docs.jsonl.gz",
        {"doc": "n/1", "title": "1.pdf", "text": PUMP},
        {"doc": "n/2", "title": "2.pdf", "text": VALVE},
    )
    refs = [{"doc": "n/2", "text": "2024-05-01", "found": True}]
    question = {"question": "When was SG-7 replaced?", "answer": "2024-05-01", "refs": refs}
    write(
        folder / f"{DEMO}.jsonl.gz",
        question | {"id": "a", "docs": ["n/2"], "answerable": True, "qtype": "date"},
        question | {"id": "b", "docs": ["elsewhere"], "answerable": True, "qtype": "date"},
    )
    return folder


def task(data: Path, set_name: str, system: str, *, is_reader: bool = False) -> Task:
    return Task(str(data), set_name, system, is_reader, Settings().embedding.model, seed=1)


def test_the_chunk_with_the_answer_is_the_relevant_one(data: Path) -> None:
    for name, document in ((READING, "doc_0"), (DEMO, "n/2")):
        corpus = load_corpus(data, name)
        base = MemoryBase(corpus, None)
        question = askable(corpus, base)[0]
        [chunk_id] = relevant_chunks(question, corpus, base)
        [(own_id, draft)] = base.chunks_of(document)
        assert chunk_id == own_id
        assert question.answers[0] in draft.text


def test_questions_about_documents_that_are_not_there_are_left_out(data: Path) -> None:
    assert [question.id for question in load_corpus(data, DEMO).questions] == ["a"]


def test_a_retriever_finds_the_chunk_with_and_without_embeddings(data: Path) -> None:
    for system in (LEXICAL, HYBRID):
        found = perform(task(data, READING, system))
        assert [scores["ndcg@10"] for scores in found["scores"]] == [1.0, 1.0]
        assert found["facts"]["unanswerable"] == 1


def test_a_reader_answers_end_to_end_and_refuses_what_is_not_there(data: Path) -> None:
    found = perform(task(data, READING, EXTRACTIVE, is_reader=True))
    rows = {row["id"]: row for row in found["outcomes"]}
    assert rows["p"]["scores"]["contains"] == 1.0
    assert rows["p"]["scores"]["quotes_hold"] == 1.0
    assert rows["n"]["status"] == "refused"


def test_the_report_has_every_system_and_compares_them(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "run_task", perform)
    plan, folder = plan_of(["--data", str(data), "--out", str(tmp_path), "--set", DEMO])
    told: list[str] = []
    body = report_json(evaluate(plan, told.append))
    [part] = body["sets"]
    retrievers = ["random order", "lexical", "dense", "hybrid"]
    assert [row["system"] for row in part["rankings"]] == retrievers
    readers = ["random sentence", "lexical sentence", "extractive-reader"]
    assert [row["system"] for row in part["answers"]] == readers
    assert {c["second"] for c in part["comparisons"]} == {"dense", "hybrid", "extractive-reader"}
    assert told[0] == f"{DEMO}: random order"
    assert folder == tmp_path


def test_a_task_runs_in_a_process_of_its_own(data: Path) -> None:
    found = run_task(task(data, READING, LEXICAL))
    assert found["scores"] == perform(task(data, READING, LEXICAL))["scores"]
    assert 10e6 < found["peak_memory_bytes"] < 10e9
    with pytest.raises(RuntimeError, match="lexical on dev/none failed"):
        run_task(task(data, "dev/none", LEXICAL))


def test_a_further_model_names_its_folder_and_weight(tmp_path: Path) -> None:
    extra = extra_of(f"mini-en={tmp_path}@0.5")
    assert (extra.name, extra.path, extra.weight) == ("mini-en", str(tmp_path), 0.5)
    assert extra.covers("dev/en_squad")
    assert not extra.covers("dev/zh_drcd")
    for text in ("mini", "mini=", "mini=/no/such", f"={tmp_path}"):
        with pytest.raises(ArgumentTypeError, match="NAME=FOLDER"):
            extra_of(text)
    with pytest.raises(ArgumentTypeError, match="'much' is not a number"):
        extra_of(f"mini={tmp_path}@much")


def test_a_reranker_stands_beside_the_words_alone(data: Path, tmp_path: Path) -> None:
    folder = write_tiny_cross_encoder(tmp_path / "tiny")
    arguments = ["--data", str(data), "--out", str(tmp_path), "--reranker", f"tiny={folder}@0.25"]
    plan, _ = plan_of(arguments)
    tasks = dict(plan.tasks(READING))
    asked = tasks[f"{RERANKED} tiny"]
    assert (asked.reranker, asked.rerank_weight, asked.dense_weight) == (str(folder), 0.25, None)
    assert (LEXICAL, f"{RERANKED} tiny") in plan.retrieval_pairs()
    scores = perform(asked)["scores"]
    assert len(scores) == 2
    assert {values["recall@10"] for values in scores} == {1.0}
