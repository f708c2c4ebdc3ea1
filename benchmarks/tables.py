"""Whether a question about one row of a table gets that row: tables as files of five kinds.

    python -m benchmarks.tables --url URL

Makes 40 tables of invented people and incidents (seeded), uploads them to a running service, asks
five questions of each: one row by its name, one column. Right: the answer holds the cell's value
and no value of that column of another row. Knows the HTTP contract only.
"""

import argparse
import csv
import io
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from training.reader.papers import facts, tables

NUM_TABLES, QUESTIONS_EACH, SEED = 40, 5, 11
WAIT_S = 600
ENGLISH = {
    "Name": ("lead", ""),
    "Role": ("rank", "What is the role of {s}?"),
    "Site": ("place", "At which site is {s}?"),
    "Paid": ("loss", "How much was paid to {s}?"),
    "Since": ("date", "Since when has {s} been on the list?"),
}
CHINESE = {
    "姓名": ("lead", ""),
    "岗位": ("post", "{s}的岗位是什么？"),
    "单位": ("firm", "{s}是哪个单位的？"),
    "赔偿金额": ("loss", "{s}的赔偿金额是多少？"),
    "入院日期": ("date", "{s}的入院日期是哪天？"),
}

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, the head first, and the questions of its columns."""

    name: str
    rows: Rows
    asks: list[str]


def invented(number: int, rng: random.Random, names: set[str]) -> Table:
    """A table of six to fourteen rows; `names`: those taken, so that each stands in one row."""
    language, columns = ("zh", CHINESE) if number % 2 else ("en", ENGLISH)
    lists = tables(language)["lists"]
    rows: Rows = [list(columns)]
    for _ in range(rng.randint(6, 14)):
        known = facts(language, rng)
        values = [rng.choice(lists[k]) if k in ("rank", "post") else known[k]
                  for k, _ in columns.values()]  # fmt: skip
        if values[0] not in names:
            names.add(values[0])
            rows.append(values)
    return Table(f"table-{number:02}", rows, [ask for _, ask in columns.values()])


def as_docx(rows: Rows) -> bytes:
    from docx import Document

    document = Document()
    grid = document.add_table(rows=len(rows), cols=len(rows[0]))
    for line, row in zip(grid.rows, rows, strict=True):
        for cell, value in zip(line.cells, row, strict=True):
            cell.text = value
    return _saved(document.save)


def as_xlsx(rows: Rows) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    return _saved(book.save)


def as_pptx(rows: Rows) -> bytes:
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    box = (Inches(0.5), Inches(0.5), Inches(9), Inches(6))
    grid = slide.shapes.add_table(len(rows), len(rows[0]), *box).table
    for line, row in zip(grid.rows, rows, strict=True):
        for cell, value in zip(line.cells, row, strict=True):
            cell.text = value
    return _saved(deck.save)


def as_html(rows: Rows) -> bytes:
    lines = ["".join(f"<td>{value}</td>" for value in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<html><meta charset=utf-8><table>{body}</table></html>".encode()


def as_csv(rows: Rows) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


KINDS: dict[str, Callable[[Rows], bytes]] = {
    "docx": as_docx, "xlsx": as_xlsx, "pptx": as_pptx, "html": as_html, "csv": as_csv,
}  # fmt: skip


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def _bare(text: str) -> str:
    return "".join(text.split())


def questions(table: Table, rng: random.Random) -> Iterator[tuple[str, str, set[str]]]:
    """Yield question, value, and what the other rows have in that column."""
    for _ in range(QUESTIONS_EACH):
        row = rng.randrange(1, len(table.rows))
        column = rng.randrange(1, len(table.asks))
        value = table.rows[row][column]
        others = {other[column] for other in table.rows[1:]}
        # 机电工程公司 holds 电工: what stands in a cell of the row itself is not another row's.
        others = {o for o in others if not any(_bare(o) in _bare(of) for of in table.rows[row])}
        yield table.asks[column].replace("{s}", table.rows[row][0]), value, others


def measure(url: str) -> None:
    """Upload, ask, and print how many got the right row, by kind of file."""
    rng = random.Random(SEED)
    names: set[str] = set()
    made = [invented(number, rng, names) for number in range(NUM_TABLES)]
    with httpx.Client(base_url=url, timeout=300) as client:
        kb = client.post("/kb", json={"name": f"tables {time.time_ns()}"}).json()["id"]
        kinds = list(KINDS)
        for number, table in enumerate(made):
            kind = kinds[number % len(kinds)]
            file = (f"{table.name}.{kind}", KINDS[kind](table.rows))
            client.post(f"/kb/{kb}/documents", files={"files": file}).raise_for_status()
        _wait(client, kb)
        right = dict.fromkeys(kinds, 0)
        asked = dict.fromkeys(kinds, 0)
        for number, table in enumerate(made):
            kind = kinds[number % len(kinds)]
            for question, value, others in questions(table, rng):
                answer = client.post(f"/kb/{kb}/ask", json={"question": question}).json()
                text = _bare(answer["answer"])
                hits = [other for other in others if _bare(other) in text]
                is_right = _bare(value) in text and not hits
                right[kind] += is_right
                asked[kind] += 1
                if not is_right:
                    print(f"  {kind}: {question} {value!r} -> {answer['answer'][:120]!r}")
    for kind in kinds:
        print(f"{kind}: {right[kind]} of {asked[kind]}")
    print(f"all: {sum(right.values())} of {sum(asked.values())}")


def _wait(client: httpx.Client, kb: str) -> None:
    end = time.monotonic() + WAIT_S
    while client.get(f"/kb/{kb}").json()["num_documents"] < NUM_TABLES:
        if time.monotonic() > end:
            raise SystemExit(f"{kb} is not ready after {WAIT_S} s")
        time.sleep(0.5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    measure(parser.parse_args().url)
