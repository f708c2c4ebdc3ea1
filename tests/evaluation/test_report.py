"""Reports: same outcomes, same bytes; figures stand where they belong; text is escaped."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.evaluation.judging import Outcome
from kb_service.evaluation.kinds import count_by_kind
from kb_service.evaluation.plots import can_plot, draw_plots
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.evaluation.ranking import score_single
from kb_service.evaluation.report import Report, SetReport, report_json, report_markdown
from kb_service.evaluation.report_files import write_report
from kb_service.evaluation.report_html import NO_PLOTS, report_html
from kb_service.evaluation.report_text import report_text
from kb_service.evaluation.resampling import Resampling
from kb_service.evaluation.summaries import compare, summarise_answers, summarise_rankings


def outcomes(*f1: float) -> list[Outcome]:
    answered = [
        Outcome(
            LabelledQuestion(str(n), "q", ("a",)),
            "answered",
            None,
            "a",
            "a",
            0.1 * n,
            {"f1": value},
        )
        for n, value in enumerate(f1)
    ]
    refused = Outcome(LabelledQuestion("u", "q", is_answerable=False), "refused", "x", "", "", 0.1)
    return [*answered, refused]


def report(name: str = "a set", seed: int = 5) -> Report:
    resampling = Resampling(seed, 200)
    weak, strong = outcomes(0.0, 0.5, 0.2, 0.1), outcomes(1.0, 0.5, 0.8, 0.9)
    rows = [summarise_answers("weak", weak, resampling)]
    rows.append(summarise_answers("strong", strong, resampling, 50 * 1024 * 1024))
    ranked = summarise_rankings(
        "lexical", [score_single(n) for n in (1, 2)], resampling, [0.1, 0.3]
    )
    columns = [{"s": [o.scores["f1"] for o in found[:-1]]} for found in (weak, strong)]
    pair = compare("f1", ("weak", columns[0]), ("strong", columns[1]), resampling)
    return Report(
        "A title",
        {"seed": seed},
        [
            SetReport(
                name,
                {"questions": 5},
                [ranked],
                rows,
                [pair],
                {"strong": count_by_kind(strong)},
            )
        ],
    )


def test_the_same_seed_gives_the_same_report_and_another_seed_another_interval() -> None:
    assert report_json(report()) == report_json(report())
    assert report_markdown(report()) == report_markdown(report())
    assert report_html(report(), None) == report_html(report(), None)
    assert report_json(report()) != report_json(report(seed=6))


def test_json_has_shares_and_markdown_per_cent_with_intervals() -> None:
    body = json.loads(json.dumps(report_json(report()), allow_nan=False))
    strong = body["sets"][0]["answers"][1]
    assert strong["estimates"]["f1"]["value"] == pytest.approx(0.8)
    assert strong["estimates"]["f1"]["num"] == 4
    assert strong["estimates"]["refusal_macro_f1"]["value"] == 1.0
    assert strong["latency"]["p50_s"] == pytest.approx(0.1)
    text = report_markdown(report())
    assert "| strong | 5 | 80.0 [" in text
    assert "| F1 | strong | weak | +60.0 [" in text
    assert "| lexical | 2 | 50.0 [" in text
    assert "- over-refusal: answerable questions refused" in text


def test_a_column_without_figures_is_left_out_and_a_missing_figure_is_a_dash() -> None:
    text = report_markdown(report())
    assert "EM" not in text
    [weak] = [line for line in text.splitlines() if line.startswith("| weak |")]
    assert weak.endswith("| – |")


def test_the_text_for_a_terminal_has_a_column_for_each_system() -> None:
    lines = report_text(report("统计 set")).splitlines()
    head = next(line for line in lines if line.startswith("system") and "weak" in line)
    f1 = next(line for line in lines if line.startswith("F1 "))
    assert f1.index("80.0") == head.index("strong")


def test_the_kinds_stand_in_every_form_a_row_each() -> None:
    counts = {"kind": "all", "num": 5, "right": 1, "wrong": 4, "refused": 0}
    [part] = json.loads(json.dumps(report_json(report())))["sets"]
    [row] = part["kinds"]["strong"]
    assert counts.items() <= row.items()
    assert "| all | 5 | 1 | 4 | 0 | 0 | 0 | 0 |" in report_markdown(report())
    assert "- wrong: anything else that was said, errors too" in report_markdown(report())
    assert "Questions by kind: strong" in report_html(report(), None)
    lines = report_text(report()).splitlines()
    head = lines[lines.index("Questions by kind: strong") + 1]
    assert head.split()[:4] == ["kind", "n", "right", "wrong"]


class _Structure(HTMLParser):
    """Collects what a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_stands_alone_and_names_cannot_become_mark_up() -> None:
    page = report_html(report("<script>alert(1)</script>"), {"F1": "<svg/>"})
    structure = _Structure()
    structure.feed(page)
    assert "script" not in structure.tags
    assert structure.addresses == ["data:image/svg+xml;base64,PHN2Zy8+"]
    assert "&lt;script&gt;" in page


def test_without_plots_the_page_says_what_is_missing() -> None:
    assert NO_PLOTS in report_html(report(), None)


@pytest.mark.skipif(not can_plot(), reason="matplotlib is absent (extra `eval`)")
def test_plots_are_the_same_bytes_again_and_carry_no_date() -> None:
    pictures = draw_plots(report())
    assert set(pictures) == {"nDCG@10", "F1", "refusal F1", "Retrieval latency", "Answer latency"}
    assert pictures == draw_plots(report())
    assert all("<svg" in picture and "dc:date" not in picture for picture in pictures.values())


def test_a_report_replaces_the_one_before(tmp_path: Path) -> None:
    write_report(report(seed=6), tmp_path)
    paths = write_report(report(), tmp_path)
    assert [path.name for path in paths] == ["report.json", "report.md", "report.html"]
    assert json.loads(paths[0].read_text())["run"] == {"seed": 5}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidRequest, match="cannot write a report to") as caught:
        write_report(report(), tmp_path / "file")
    assert caught.value.code == "folder_not_writable"
