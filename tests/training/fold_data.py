"""Small files of the kinds that a fold divides."""

from pathlib import Path

from tests.training.test_corpus import write_rows
from training.corpus import Row
from training.fold import HELD_PERCENT, PARALLEL

PHRASES = (
    "的一段文字，长到足以被认出来，",
    "因为它有五十多个字母，",
    "而泄漏的检查正是按五十个字母的窗口进行的，",
    "再长一点也没有关系，",
)


def row_of(article: int, number: int, lang: str = "zh") -> Row:
    place = f"第{article}篇第{number // 2}段"  # in every phrase: no long run of two is the same
    context = "".join(place + phrase for phrase in PHRASES * 2) + f"答案{article}在这里。"
    licence = "License: cc0\n" if lang == "en" else ""
    return {
        "id": f"{article}-{number}",
        "title": f"article {article}",
        "context": licence + context,
        "question": f"第{article}篇的第{number}个答案是什么？",
        "answers": [{"text": "答案", "start": (licence + context).index("答案")}],
        "answerable": True,
        "lang": lang,
        "source": "x",
    }


def write_fold_data(folder: Path) -> Path:
    """Write ten articles of every question set and forty parallel paragraphs; return the folder."""
    for name in HELD_PERCENT:
        lang = "en" if name.startswith("en") else "zh"
        offset = 100 * sorted(HELD_PERCENT).index(name)
        rows = [row_of(offset + a, n, lang) for a in range(10) for n in range(4)]
        write_rows(folder / "train" / f"{name}.jsonl.gz", rows)
    parallel = [
        {
            "file": f"f{n}",
            "en": f"Paragraph {n} of the manual says how it is done.",
            "zh": f"第{n}段",
        }
        for n in range(40)
    ]
    write_rows(folder / "text" / f"{PARALLEL}.jsonl.gz", parallel)
    return folder
