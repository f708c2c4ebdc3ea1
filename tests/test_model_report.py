"""What `kb doctor` says of each model: which one does what, from where, and how it computes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kb_service.bootstrap import find_faults
from kb_service.cli import app
from kb_service.model_report import gpu_text, kernel_text, retrieval_text
from kb_service.settings import EmbeddingSettings, LlmSettings, RetrievalSettings, Settings
from llm.errors import KernelUnavailable
from llm.kernels.build import VARIANTS
from tests.conftest import ROOT
from tests.llm.tiny_checkpoint import train_tiny_tokenizer, write_tiny_checkpoint


def findings(settings: Settings) -> dict[str, str]:
    found = find_faults(settings)
    assert [finding for finding in found if not finding.is_ok] == []
    return {finding.name: finding.text for finding in found}


def test_without_settings_words_and_vectors_find_and_the_reading_model_reads(
    tmp_path: Path,
) -> None:
    shipped = {"embedding": EmbeddingSettings(), "retrieval": RetrievalSettings()}
    found = findings(Settings(data_dir=tmp_path, **shipped))
    assert found["retrieval"].endswith("and vectors at weight 0.5")
    folder = ROOT / "models" / "e5-zh-en"
    assert f"{folder}, 5 files match their checksums" in found["embedding model"]
    assert "384 dimensions" in found["embedding model"]
    assert found["reading model"].startswith("reader-zh-en, 8 windows a question; ")
    assert found["answering model"].startswith("extractive-reader: ")
    assert found["gpu"]


@pytest.mark.parametrize(
    ("quantize", "said"), [("", "float32 on cpu;"), ("int4", "linear layers in int4;")]
)
def test_a_chat_model_is_described_with_shape_type_and_rounding(
    tmp_path: Path, quantize: str, said: str
) -> None:
    tokenizer = train_tiny_tokenizer(tmp_path / "tokenizer.model")
    folder = write_tiny_checkpoint(tmp_path / "tiny", tokenizer)
    llm = LlmSettings(model=str(folder), dtype="float32", quantize=quantize)
    text = findings(Settings(data_dir=tmp_path / "data", llm=llm))["answering model"]
    for part in ("tiny: chatglm3: ", " layers of ", said, "no checksums beside it: not compared"):
        assert part in text


def test_retrieval_is_told_by_the_weight_in_force() -> None:
    assert "not asked" in retrieval_text(0)
    assert "weight 0.5" in retrieval_text(0.5)


def test_the_kernel_is_named_with_the_reason_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLM_KERNEL_DIR", str(tmp_path))
    monkeypatch.setattr("llm.kernels.cpu.selection.best_variant", lambda: VARIANTS[-1])
    assert kernel_text().startswith("torch, several times slower: ")
    assert "is not built" in kernel_text()

    def refuse() -> None:
        raise KernelUnavailable("this CPU has no AVX2, FMA and F16C")

    monkeypatch.setattr("llm.kernels.cpu.selection.best_variant", refuse)
    assert "no AVX2" in kernel_text()


def test_every_gpu_that_torch_sees_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    class Device:
        name, total_memory = "A100", 80 * 1024**3

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert gpu_text().startswith("none seen (torch ")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Device())
    assert gpu_text() == "A100, 80 GiB, A100, 80 GiB"


def test_an_address_is_shown_without_what_may_be_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KB_LLM__MODEL", "http://me:pass@127.0.0.1:9/v1?key=hidden")
    monkeypatch.setenv("KB_LLM__API_KEY", "sesame")
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 1
    found = {item["name"]: item for item in json.loads(done.stdout)}
    assert found["KB_LLM__MODEL"]["text"] == "http://***@127.0.0.1:9/v1?***, with a key"
    assert not found["answering model"]["is_ok"]
    assert all(word not in done.output for word in ("pass@", "hidden", "sesame"))
