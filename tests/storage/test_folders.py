"""Folders in both databases: one level of many paths, in the order of code points."""

from kb_service.domain.lists import Wanted
from tests.storage.world import World


def test_one_level_is_counted_and_the_rest_left_alone(world: World) -> None:
    kb_id = world.catalog.bases.create("reports").id
    other = world.catalog.bases.create("others").id
    for name in ("a/1.txt", "a/b/2.txt", "a/b/c/3.txt", "a0", "A/4.txt", "é/5.txt", "a//6.txt"):
        world.upload(kb_id, name, name.encode())
    world.upload(other, "z/7.txt", b"7")
    documents = world.catalog.documents
    found = documents.folders(kb_id, "").items
    assert [(one.path, one.num_documents, one.has_folders) for one in found] == [
        ("A", 1, False),
        ("a", 4, True),
        ("é", 1, False),
    ]
    inside = documents.folders(kb_id, "a", limit=1)
    assert [(one.path, one.num_documents) for one in inside.items] == [("a/b", 2)]
    assert [one.path for one in documents.folders(kb_id, "e\u0301").items] == []
    wanted = documents.list(kb_id, wanted=Wanted(folder="e\u0301")).items
    assert [one.name for one in wanted] == ["é/5.txt"]
    assert documents.count(kb_id, Wanted(folder="a/b"))["pending"] == 2
