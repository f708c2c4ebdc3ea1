"""Folders of documents: told a level at a time with true counts, and a filter of the list."""

import pytest
from starlette.testclient import TestClient

from tests.api.service import ApiService

NAMES = (
    "2024/fire/a.txt", "2024/fire/b.txt", "2024/fire/deep/c.txt", "2024/flood.txt",
    "2024-plan.txt", "2024", "2023/a%_.txt", "2023%/b.txt", "报告/一.txt", "plain.txt",
)  # fmt: skip


@pytest.fixture
def base(client: TestClient, kb_id: str) -> str:
    path = f"/kb/{kb_id}/documents"
    for name in NAMES:
        body = client.post(path, files=[("files", (name, name.encode(), "text/plain"))]).json()
        assert body["items"][0]["outcome"] == "created", body
    return f"/kb/{kb_id}"


def folders(client: TestClient, base: str, **given: object) -> dict[str, tuple[int, bool]]:
    items = client.get(f"{base}/folders", params=given).json()["items"]
    return {item["path"]: (item["num_documents"], item["has_folders"]) for item in items}


def listed(client: TestClient, base: str, folder: str) -> list[str]:
    found = client.get(f"{base}/documents", params={"folder": folder}).json()
    assert sum(found["totals"].values()) == len(found["items"])
    return [item["name"] for item in found["items"]]


def test_a_level_is_told_with_all_that_lies_below_it(client: TestClient, base: str) -> None:
    assert folders(client, base) == {
        "2023": (1, False),
        "2023%": (1, False),
        "2024": (4, True),
        "报告": (1, False),
    }
    assert folders(client, base, within="2024") == {"2024/fire": (3, True)}
    assert folders(client, base, within="2024/fire/") == {"2024/fire/deep": (1, False)}
    assert folders(client, base, within="2024/fire/deep") == {}
    assert folders(client, base, within="nowhere") == {}


def test_a_folder_is_a_filter_of_the_list(client: TestClient, base: str) -> None:
    assert listed(client, base, "2024/fire") == [*sorted(NAMES[:3])]
    assert listed(client, base, "2024/") == sorted(NAMES[:4])
    assert listed(client, base, "报告") == ["报告/一.txt"]
    assert listed(client, base, "2023") == ["2023/a%_.txt"]


def test_folders_come_in_parts_and_count_by_status(
    client: TestClient, service: ApiService, base: str
) -> None:
    service.ingest(["words of the first"])
    first = client.get(f"{base}/folders", params={"limit": 3}).json()
    assert [item["name"] for item in first["items"]] == ["2023", "2023%", "2024"]
    assert first["items"][2]["totals"] | {"ready": 1, "pending": 3} == first["items"][2]["totals"]
    rest = client.get(f"{base}/folders", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert ([item["name"] for item in rest["items"]], rest["next_cursor"]) == (["报告"], None)
