"""What the llm tests share: golden folders, the genuine tokenizer, and tiny models of our own."""

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from llm.chats.chat_model import ChatModel
from llm.errors import KernelUnavailable
from llm.kernels import build
from llm.kernels.cpu.native import NativeKernel
from llm.models.build import random_model
from llm.models.config import ModelConfig
from llm.models.model import ChatGLM
from llm.tokenizers import ChatGLM3Tokenizer
from tests.llm import kept_compiler
from tests.llm.native_kernels import VARIANTS, compiled
from tests.llm.tiny_checkpoint import tiny_config_json, train_tiny_tokenizer, write_tiny_checkpoint


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """Tiny products gain nothing from threads, which only wait for each other on a busy machine."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(autouse=True, scope="package")
def _compile_once() -> Iterator[None]:
    """What a test builds is compiled the first time only, also by other runs of the tests."""
    try:
        compiler = shutil.which(build.compiler_command()[0])
    except KernelUnavailable:
        compiler = None
    if compiler is None:
        yield
        return
    folder = Path(kept_compiler.__file__).parent / "build"
    folder.mkdir(exist_ok=True)
    words = (sys.executable, str(Path(kept_compiler.__file__)), str(folder), compiler)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXX", shlex.join(words))
        yield


@pytest.fixture(scope="session")
def goldens(shared_dir: Path) -> Path:
    folder = shared_dir / "goldens"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    return folder


@pytest.fixture(scope="session")
def golden_tokens(goldens: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((goldens / "tokens_v3.json").read_text("utf-8"))
    return content


@pytest.fixture(scope="session")
def genuine_tokenizer(shared_dir: Path) -> ChatGLM3Tokenizer:
    path = shared_dir / "tokenizers" / "chatglm3-6b" / "tokenizer.model"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return ChatGLM3Tokenizer(path)


@pytest.fixture(scope="session")
def tiny_tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tiny_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.model")


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_tokenizer_file: Path) -> ChatGLM3Tokenizer:
    return ChatGLM3Tokenizer(tiny_tokenizer_file)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer_file: Path) -> Path:
    """A loaded-only checkpoint; tests that damage one write their own."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "model", tiny_tokenizer_file)


@pytest.fixture(scope="session")
def chat_model(tiny_folder: Path) -> ChatModel:
    return ChatModel.load(tiny_folder, device="cpu")


@pytest.fixture(scope="session")
def tiny_model() -> ChatGLM:
    return random_model(ModelConfig.from_json(tiny_config_json(96, seq_length=64)), seed=3)


@pytest.fixture(scope="session")
def kernel_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(params=VARIANTS, ids=lambda variant: variant.name)
def native(request: pytest.FixtureRequest, kernel_folder: Path) -> NativeKernel:
    return compiled(request.param, kernel_folder)
