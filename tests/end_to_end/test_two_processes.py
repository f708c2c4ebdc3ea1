"""A running service beside commands of other processes on the same data folder."""

import shutil
import threading

from benchmarks.service import Service

QUESTION = {"question": "When did the valve of pump house 7 leak?"}


def search(service: Service, kb: str) -> int:
    """Return how many chunks are found; the ask beside it must be answered as well."""
    asked = service.client.post(f"/kb/{kb}/ask", json=QUESTION)
    assert asked.status_code == 200, asked.text
    found = service.client.post(f"/kb/{kb}/search", json={"query": "valve pump house"})
    assert found.status_code == 200, found.text
    return len(found.json()["items"])


def add(service: Service, kb: str, *numbers: int) -> None:
    texts = {n: f"The valve of pump house {n} leaked on 2024-05-0{n}." for n in numbers}
    service.upload(kb, [(f"report-{n}.txt", text.encode()) for n, text in texts.items()])
    assert {item["status"] for item in service.wait_idle(kb, 120)} == {"ready"}


def test_reindexing_beside_a_running_service_costs_no_answer(service: Service) -> None:
    kb = service.create_kb("beside")
    add(service, kb, 1, 2, 3)
    assert search(service, kb) == 3
    codes: list[int] = []
    command = threading.Thread(
        target=lambda: codes.append(service.cli("reindex", "--kb", "beside").returncode)
    )
    command.start()
    while command.is_alive():
        assert search(service, kb) == 3
    assert codes == [0]
    add(service, kb, 4)  # by the worker, which has the base open too
    assert search(service, kb) == 4
    shutil.rmtree(service.data_dir / "index")
    add(service, kb, 5)
    assert search(service, kb) == 5


def test_a_base_deleted_by_a_command_and_made_again_is_a_new_one(service: Service) -> None:
    first = service.create_kb("again")
    add(service, first, 6)
    assert search(service, first) == 1
    assert service.cli("delete", "--all", "--kb", "again").returncode == 0
    assert service.client.post(f"/kb/{first}/search", json={"query": "valve"}).status_code == 404
    second = service.create_kb("again")
    assert search(service, second) == 0
    add(service, second, 7)
    assert search(service, second) == 1
    assert not (service.data_dir / "index" / first).exists()
