"""The weights in the repository: whole, with their papers, and not too many."""

from pathlib import Path

import pytest

from kb_service.checksums import CHECKSUMS_FILE, verify_checksums

MODELS = Path(__file__).resolve().parent.parent / "models"
FOLDERS = sorted(folder for folder in MODELS.iterdir() if folder.is_dir())
MAX_BYTES = 80_000_000


def files_of(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_is_listed_and_matches_its_checksum(folder: Path) -> None:
    assert set(verify_checksums(folder)) == files_of(folder).keys() - {CHECKSUMS_FILE}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_model_says_what_it_is_how_it_was_made_and_whose_it_is(folder: Path) -> None:
    assert {"MODEL_CARD.md", "LICENSE"} <= files_of(folder).keys()
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith(f"# {folder.name}\n")
    assert "\nMade by `python -m training." in card


def test_all_of_them_together_are_small() -> None:
    assert sum(path.stat().st_size for path in files_of(MODELS).values()) <= MAX_BYTES
