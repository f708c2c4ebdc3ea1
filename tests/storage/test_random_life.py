"""A random life of a store against a model in memory: both agree after every step."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kb_service.domain.errors import DocumentError, LeaseLost, ParseInterrupted
from kb_service.storage.database import open_database
from kb_service.storage.jobs.queue import Claim
from tests.storage.world import LEASE_S, World, build_world

NAMES = st.sampled_from(["a.txt", "b.txt", "c.txt"])
CONTENTS = st.sampled_from(["red", "green", "blue"])


class RandomLife(RuleBasedStateMachine):
    """`newest`, `live`: content by name, as it should be; `claims`: what workers hold."""

    template: Path

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kb-life-"))
        shutil.copy(self.template, self.folder / "kb.sqlite3")
        database = open_database(f"sqlite:///{self.folder / 'kb.sqlite3'}")
        self.world: World = build_world(database, self.folder)
        self.kb_id = self.world.catalog.bases.create("life").id
        self.newest: dict[str, str] = {}
        self.live: dict[str, str] = {}
        self.claims: list[Claim] = []
        self.valid: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.database.close()
            shutil.rmtree(self.folder)

    @rule(name=NAMES, content=CONTENTS)
    def upload(self, name: str, content: str) -> None:
        done = self.world.upload(self.kb_id, name, content.encode())
        expected = "created" if name not in self.newest else None
        assert expected is None or done.outcome == expected
        self.newest[name] = content
        for token in [token for token, held in self.valid.items() if held == name]:
            if done.outcome == "revised" or done.job is None:
                del self.valid[token]

    @rule()
    def claim(self) -> None:
        claim = self.world.queue.claim("worker-1")
        if claim is not None:
            self.claims.append(claim)
            self.valid = {t: n for t, n in self.valid.items() if n != claim.document_name}
            self.valid[claim.token] = claim.document_name

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        name = claim.document_name
        content = self.newest.get(name, "gone")
        sentences = [f"{content} sentence", f"shared by {len(content)}"]
        try:
            self.world.publish(claim, sentences)
        except LeaseLost:
            assert claim.token not in self.valid
        else:
            assert self.valid.pop(claim.token) == name
            self.live[name] = content

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), retry=st.booleans())
    def fail(self, data: st.DataObject, retry: bool) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        error = ParseInterrupted("killed") if retry else DocumentError("broken")
        try:
            self.world.queue.fail(claim, error, retry=retry)
        except LeaseLost:
            assert claim.token not in self.valid
        else:
            del self.valid[claim.token]

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        running = {claim.job.id: claim for claim in self.claims if claim.token in self.valid}
        if running:
            claim = running[data.draw(st.sampled_from(sorted(running)))]
            self.world.queue.cancel(claim.job.id)
            del self.valid[claim.token]

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        document = self.world.catalog.documents.find(self.kb_id, name)
        assert (document is None) == (name not in self.newest)
        if document is not None:
            self.world.catalog.documents.delete(self.kb_id, document.id)
            self.newest.pop(name)
            self.live.pop(name, None)
            self.valid = {token: held for token, held in self.valid.items() if held != name}

    @rule(seconds=st.sampled_from([1.0, LEASE_S, 1000.0]))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @rule()
    def worker_dies(self) -> None:
        self.world.queue.release("worker-1")
        self.valid.clear()

    @rule()
    def sweep(self) -> None:
        assert self.world.verifier.sweep(stale_after_s=0).num_blobs == 0

    @invariant()
    def agrees_with_the_model(self) -> None:
        if not hasattr(self, "world"):
            return
        assert self.world.catalog.documents.known_hashes(self.kb_id).keys() == self.newest.keys()
        expected = [f"{content} sentence" for content in self.live.values()]
        expected += [f"shared by {len(content)}" for content in self.live.values()]
        assert sorted(self.world.live_texts(self.kb_id)) == sorted(expected)

    @invariant()
    def is_clean(self) -> None:
        if hasattr(self, "world"):
            self.world.assert_clean()


def test_a_random_life_agrees_with_its_model(migrated_sqlite: Path) -> None:
    RandomLife.template = migrated_sqlite
    machine = RandomLife.TestCase
    machine.settings = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine().runTest()
