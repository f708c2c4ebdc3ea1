"""What comes out of a container: documents of their own that come, change and go with it."""

import pytest

from kb_service.domain.documents import Document, DocumentStatus
from kb_service.domain.labels import LabelColour
from kb_service.services.members import Room
from kb_service.storage.erasure import Erasures
from tests.services.conftest import Desk


def files(**texts: str) -> str:
    return "\n".join(["FILES", *(f"{path}={words}" for path, words in texts.items())])


def named(desk: Desk) -> dict[str, Document]:
    return {item.name: item for item in desk.catalog.documents.list(desk.base.id).items}


def ready(desk: Desk, text: str, name: str = "a.zip") -> dict[str, Document]:
    run = desk.run(desk.upload(name, text))
    assert run.failures == []
    return named(desk)


def test_files_become_documents_that_know_their_container(desk: Desk) -> None:
    found = ready(desk, files(**{"one.txt": "water", "in/two.txt": "oil"}))
    assert sorted(found) == ["a.zip", "a.zip/in/two.txt", "a.zip/one.txt"]
    assert {item.status for item in found.values()} == {DocumentStatus.READY}
    container = found["a.zip/in/two.txt"].container
    assert container is not None
    assert container.document_id == found["a.zip"].id
    assert (container.name, container.path) == ("a.zip", "in/two.txt")
    assert found["a.zip"].container is None


def test_the_same_path_is_the_same_document_when_its_container_is_revised(desk: Desk) -> None:
    before = ready(desk, files(a="water", b="oil", c="gas"))
    after = ready(desk, files(a="water", b="crude oil", d="steam"))
    assert sorted(after) == ["a.zip", "a.zip/a", "a.zip/b", "a.zip/d"]
    assert [after[f"a.zip/{n}"].id == before[f"a.zip/{n}"].id for n in "ab"] == [True, True]
    assert [len(after[f"a.zip/{n}"].versions) for n in "abd"] == [1, 2, 1]


def test_what_came_out_of_a_document_goes_with_it(desk: Desk) -> None:
    found = ready(desk, files(a="FILES|x=water", b="oil"))
    assert "a.zip/a/x" in found
    desk.catalog.documents.delete(desk.base.id, found["a.zip"].id)
    assert named(desk) == {}
    assert list(desk.blobs.iter_sha256()) == []


def test_a_file_that_is_gone_takes_along_what_came_out_of_it(desk: Desk) -> None:
    ready(desk, files(a="FILES|x=water"))
    inner = named(desk)["a.zip/a/x"]
    assert sorted(ready(desk, files(b="oil"))) == ["a.zip", "a.zip/b"]
    assert Erasures(desk.database, desk.blobs).receipt(inner.id) is not None


def test_a_file_that_is_not_read_is_a_loss_of_its_container(desk: Desk) -> None:
    found = ready(desk, files(**{"a.mov": "VIDEO", "b.txt": "", "c.txt": "oil"}))
    container = found["a.zip"]
    assert sorted(found) == ["a.zip", "a.zip/b.txt", "a.zip/c.txt"]
    assert container.status is DocumentStatus.PARTIAL
    assert container.page_report is not None
    lost = [(loss.where, loss.what, loss.sample) for loss in container.page_report.losses]
    assert lost == [("a.mov", "unsupported_media_type", "a.zip/a.mov is a video")]


def test_a_file_that_fails_when_it_is_read_fails_by_itself(desk: Desk) -> None:
    run = desk.run(desk.upload("a.zip", files(a="BROKEN", b="oil")))
    assert [failure["code"] for failure in run.failures] == ["corrupt_document"]
    found = named(desk)
    statuses = [found[name].status.value for name in ("a.zip", "a.zip/a", "a.zip/b")]
    assert statuses == ["ready", "failed", "ready"]


def test_what_systems_leave_behind_is_no_file(desk: Desk) -> None:
    clutter = {"__MACOSX/._a": "x", ".DS_Store": "x", "Thumbs.db": "x", "in/~$a.docx": "x"}
    found = ready(desk, files(**clutter, a="oil"))
    assert sorted(found) == ["a.zip", "a.zip/a"]
    assert found["a.zip"].status is DocumentStatus.READY


@pytest.mark.parametrize(
    ("room", "what"),
    [
        (Room(max_depth=1), "too_deep"),
        (Room(max_documents=2), "too_many_members"),
        (Room(max_bytes=30), "document_too_large"),
    ],
)
def test_containers_in_containers_have_bounds_that_the_report_names(
    desk: Desk, room: Room, what: str
) -> None:
    desk.worker._ingestion._members._room = room
    found = ready(desk, files(a="FILES|x=water|y=oil and gas"))
    lossy = [item for item in found.values() if item.page_report and item.page_report.losses]
    assert [item.name for item in lossy] == ["a.zip/a"]
    assert lossy[0].page_report is not None
    assert {loss.what for loss in lossy[0].page_report.losses} == {what}
    assert all("read" in loss.sample for loss in lossy[0].page_report.losses)


def test_tags_of_a_container_are_those_of_its_files(desk: Desk) -> None:
    content = files(a="oil").encode()
    stream = desk.blobs.stage(content, 1000)
    documents = desk.catalog.documents
    documents.register(desk.base.id, "a.zip", stream, "text/plain", ["2024"])
    desk.worker.run_once()
    assert named(desk)["a.zip/a"].tags == ("2024",)
    again = desk.blobs.stage(content, 1000)
    documents.register(desk.base.id, "a.zip", again, "text/plain", ["2025"])
    assert named(desk)["a.zip/a"].tags == ("2025",)


def test_labels_of_a_container_pass_to_its_files_when_they_come_and_later(desk: Desk) -> None:
    labels = desk.catalog.labels
    first, second, own = (
        labels.create(desk.base.id, name, LabelColour.GREY, "").id for name in "xyz"
    )
    documents = desk.catalog.documents

    def send(text: str, *ids: str) -> None:
        stream = desk.blobs.stage(text.encode(), 1000)
        documents.register(desk.base.id, "a.zip", stream, "text/plain", None, labels=ids)

    def carried() -> dict[str, list[str]]:
        return {name: [mark.name for mark in item.labels] for name, item in named(desk).items()}

    send(files(a="oil"), first)
    desk.worker.run_once()
    assert carried() == {"a.zip": ["x"], "a.zip/a": ["x"]}
    labels.put(desk.base.id, [named(desk)["a.zip/a"].id], [own], [])
    send(files(a="oil", b="gas"), second)
    assert carried() == {"a.zip": ["x", "y"], "a.zip/a": ["x", "y", "z"]}
    while desk.worker.run_once():
        pass
    assert carried() == {"a.zip": ["x", "y"], "a.zip/a": ["x", "y", "z"], "a.zip/b": ["x", "y"]}
    labels.put(desk.base.id, [named(desk)["a.zip"].id], [], [first])
    assert carried() == {"a.zip": ["y"], "a.zip/a": ["y", "z"], "a.zip/b": ["y"]}


def test_a_file_sent_in_under_the_name_of_one_inside_stays_beside_it(desk: Desk) -> None:
    ready(desk, files(a="oil"))
    for words in ("oil", "water"):
        item = desk.upload("a.zip/a", words)
        assert (item.outcome, item.document and item.document.container) == ("kept_both", None)
    assert sorted(named(desk)) == ["a.zip", "a.zip/a", "a.zip/a (2)", "a.zip/a (3)"]


def test_a_file_inside_whose_name_is_taken_gets_another(desk: Desk) -> None:
    desk.run(desk.upload("a.zip/a", "mine"))
    found = ready(desk, files(a="oil"))
    assert found["a.zip/a"].container is None
    assert found["a.zip/a (2)"].container is not None


def test_a_long_name_keeps_its_end(desk: Desk) -> None:
    found = ready(desk, files(**{f"{'三' * 60}/report.txt": "oil"}), name="码" * 80 + ".zip")
    name = next(name for name, item in found.items() if item.container)
    assert name.startswith("…")
    assert name.endswith("三/report.txt")
    assert len(name.encode()) <= 255


def test_nothing_staged_is_left_behind(desk: Desk) -> None:
    ready(desk, files(a="oil", b="VIDEO"))
    assert list(desk.blobs.staging.glob("staged-*")) == []


def test_restoring_a_container_brings_its_files_back(desk: Desk) -> None:
    first = ready(desk, files(a="oil"))["a.zip"]
    ready(desk, files(b="gas"))
    assert first.revision is not None
    desk.run(desk.uploads.restore(desk.base.id, first.id, first.revision.sha256))
    assert sorted(named(desk)) == ["a.zip", "a.zip/a"]
