"""By what readers tell the documents of passages apart: their date, and a line where titles agree.

Pure but for one read of how the documents begin. Knows no citation.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.language.papers import first_lines, paper_date
from kb_service.services.assembly import RevisionTexts

HEAD_CHARS = 600
MAX_LINE_CHARS = 120


def named_apart(passages: Sequence[Passage], texts: RevisionTexts) -> tuple[Passage, ...]:
    """Return the passages with the date of their document, and its line where titles agree."""
    revisions = {passage.revision_id: passage.title for passage in passages}
    places = [(revision_id, TextSpan(0, 0)) for revision_id in revisions]
    read = texts.stretches(places, HEAD_CHARS) if places else []
    heads = {name: head.text if head else "" for name, head in zip(revisions, read, strict=True)}
    lines = distinguishing_lines(revisions, heads)
    return tuple(
        replace(
            passage,
            document_date=paper_date(passage.title, heads[passage.revision_id]),
            document_line=lines.get(passage.revision_id),
        )
        for passage in passages
    )


def distinguishing_lines(titles: Mapping[int, str], texts: Mapping[int, str]) -> dict[int, str]:
    """Return for each of those that share a title the first line in which it is another one.

    Best one that no other has in its place, else one that some other has not.
    """
    sharing = defaultdict[str, list[int]](list)
    for key, title in titles.items():
        sharing[" ".join(title.split()).casefold()].append(key)
    lines = {key: first_lines(text) for key, text in texts.items()}
    found = {}
    for keys in sharing.values():
        for key in keys:
            others = [lines[other] for other in keys if other != key]
            line = _own_line(lines[key], others)
            if line:
                found[key] = line[:MAX_LINE_CHARS]
    return found


def _own_line(mine: Sequence[str], others: Sequence[Sequence[str]]) -> str | None:
    if not others:
        return None
    differing = [
        (line, [line not in other[place : place + 1] for other in others])
        for place, line in enumerate(mine)
    ]
    for is_own in (all, any):
        line = next((line for line, differs in differing if is_own(differs)), None)
        if line:
            return line
    return None
