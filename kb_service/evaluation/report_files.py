"""Writing a report: report.json, report.md and report.html in a folder.

Knows files; what stands in them comes from `report`, `report_html` and `plots`.
"""

import json
from pathlib import Path

from kb_service.domain.errors import InvalidRequest
from kb_service.evaluation.plots import can_plot, draw_plots
from kb_service.evaluation.report import Report, report_json, report_markdown
from kb_service.evaluation.report_html import report_html


def make_folder(folder: Path) -> None:
    """Make the folder of a report, before the work that fills it.

    Raises InvalidRequest (folder_not_writable).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(folder, error) from error


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write the three files, replacing those of an earlier run; return their paths.

    Raises InvalidRequest (folder_not_writable) when the folder cannot be made or written.
    """
    texts = {
        "report.json": json.dumps(report_json(report), ensure_ascii=False, indent=2) + "\n",
        "report.md": report_markdown(report),
        "report.html": report_html(report, draw_plots(report) if can_plot() else None),
    }
    make_folder(folder)
    try:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _refused(folder, error) from error
    return [folder / name for name in texts]


def _refused(folder: Path, error: OSError) -> InvalidRequest:
    message = f"cannot write a report to {folder}: {error.strerror or error}"
    return InvalidRequest(message, code="folder_not_writable")
