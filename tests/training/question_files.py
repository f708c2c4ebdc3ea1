"""A data folder of a few passages in the shared layout, for tests of training.

One training row repeats what the dev set holds, to be found and dropped.
"""

import gzip
import json
from pathlib import Path

ZH = (
    (
        "长江大桥位于武汉市，于1957年10月15日建成通车，全长1670米。大桥由苏联专家协助设计，被称为“万里长江第一桥”。"
        "由于通车后车流量很大，当地政府于2002年组织了大修。"
    ),
    (
        "李明是一位物理学家，1901年出生于上海市。他在剑桥大学取得博士学位，后来担任北京大学教授。"
        "他的代表作是《量子力学导论》，书中提出了新的测量理论。"
    ),
    (
        "该条例规定，企业应当建立安全生产责任制度，配备专职安全管理人员。违反规定的，处以五万元罚款。"
        "条例自2015年1月1日起施行，适用于全国范围。"
    ),
)
EN = (
    (
        "The Panama Canal opened in 1914 and links the Atlantic Ocean with the Pacific Ocean. It "
        "was built by the United States after France failed. About 14000 ships pass each year."
    ),
    (
        "Marie Curie was a physicist who worked in Paris. She discovered the element called radium "
        "in 1898. The prize was awarded because her research changed medicine."
    ),
)
LEAKED = (
    "这一段文字同时出现在开发集和训练集里，它的长度超过五十个字，因此必须被训练程序发现并且删除，"
    "否则之后的测量就没有意义，谁也不知道模型是学会了阅读还是背下了答案，所以这里要写得足够长才行。"
)
_QUESTIONS = (
    (ZH[0], "长江大桥什么时候建成通车？", "1957年10月15日"),
    (ZH[0], "长江大桥全长多少米？", "1670米"),
    (ZH[1], "李明在哪所大学取得博士学位？", "剑桥大学"),
    (ZH[2], "违反规定的企业罚款多少？", "五万元"),
    (EN[0], "When did the Panama Canal open?", "1914"),
    (EN[1], "Where did Marie Curie work?", "Paris"),
)


def write_question_files(folder: Path, rounds: int = 6) -> Path:
    """Write train/ and dev/ files; ``rounds`` repeats the rows, each with another title."""
    rows = [_row(f"t{n}", *item) for n in range(rounds) for item in _QUESTIONS]
    rows += [_row("leak", LEAKED, "谁也不知道什么？", "模型是学会了阅读还是背下了答案")]
    rows += [_row("none", EN[0], "Who painted the canal?", None)]
    chinese = [row for row in rows if row["lang"] == "zh"]
    _write(folder / "train" / "zh_cmrc2018.jsonl.gz", chinese)
    _write(folder / "train" / "en_squad.jsonl.gz", [r for r in rows if r["lang"] == "en"])
    held = _row("dev", LEAKED, "训练程序必须发现什么？", "这一段文字")
    _write(folder / "dev" / "zh_cmrc2018_trial.jsonl.gz", [held])
    return folder


def _row(name: str, context: str, question: str, answer: str | None) -> dict[str, object]:
    start = context.index(answer) if answer else -1
    return {
        "id": name,
        "lang": "en" if context in EN else "zh",
        "title": name,
        "context": context,
        "question": question,
        "answers": [{"text": answer, "start": start}] if answer else [],
        "answerable": answer is not None,
    }


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
