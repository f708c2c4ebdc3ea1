"""How many processes answer, by settings and cores."""

import pytest

from kb_service.answerers import number
from kb_service.answerers.number import at_once, num_answerers, settings_of_answerers
from kb_service.settings import IndexSettings, LlmSettings, ServerSettings, Settings


@pytest.mark.parametrize(("cores", "num"), [(1, 0), (2, 1), (4, 3), (64, 3)])
def test_one_core_is_left_to_the_server(
    monkeypatch: pytest.MonkeyPatch, cores: int, num: int
) -> None:
    monkeypatch.setattr(number, "num_cores", lambda: cores)
    assert num_answerers(Settings()) == num
    assert num_answerers(Settings(llm=LlmSettings(model="http://127.0.0.1:1"))) == num
    assert num_answerers(Settings(llm=LlmSettings(model="/a/folder"))) == 0
    assert num_answerers(Settings(index=IndexSettings(url="/a/file.db"))) == 0
    assert num_answerers(Settings(index=IndexSettings(url="http://127.0.0.1:1"))) == num


def test_the_setting_says_it_whatever_there_is() -> None:
    llm = LlmSettings(model="/a/folder")
    assert num_answerers(Settings(server=ServerSettings(answerers=5), llm=llm)) == 5
    assert num_answerers(Settings(server=ServerSettings(answerers=0))) == 0


def test_a_checkpoint_is_loaded_by_the_server_alone() -> None:
    own = Settings(llm=LlmSettings(model="/a/folder", quantize="int4"))
    assert settings_of_answerers(own).llm == LlmSettings()
    elsewhere = Settings(llm=LlmSettings(model="http://127.0.0.1:1", name="m"))
    assert settings_of_answerers(elsewhere) == elsewhere


def test_a_model_elsewhere_is_asked_for_all_answers_at_once() -> None:
    assert at_once(Settings()) is not None
    assert at_once(Settings(llm=LlmSettings(model="http://127.0.0.1:1"))) is None
