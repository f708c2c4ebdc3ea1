"""Page furniture: the lines that say nothing of the subject but where a page stands.

Pure functions on strings, patterns only: page numbers, the dates of edits and retrievals, licence
and navigation lines. Knows no documents.
"""

import re

_REVISED = "(?:edited|modified|updated|changed|reviewed)"
_LINE = re.compile(
    "|".join(
        (
            r"(?:page|pg\.?)\s*\d+(?:\s*(?:of|/)\s*\d+)?(?:\s+[\w-]*\d[\w-]*)?",
            r"第\s*\d+\s*页(?:\s*[/／,，]?\s*共\s*\d+\s*页)?|共\s*\d+\s*页",
            r"-\s*\d{1,3}\s*-|\d{1,3}(?:\s*[/／]\s*\d{1,3})?",
            rf"(?:this|the) page was (?:last|first) {_REVISED}\b.*",
            rf"(?:page )?last {_REVISED}(?: (?:on|at|by)\b|:).*",
            r"(?:本页|该页面?|页面)?(?:最后|最近)一?次?(?:编辑|修改|更新)(?:于|时间|日期|在).*",
            r"(?:retrieved|downloaded|printed|accessed) (?:from|on)\b.*",
            r"(?:检索|打印|下载)(?:自|于).*",
            r"[^.]{0,80}\b(?:terms of use|privacy policy|cookie statement)\b[^.]{0,80}",
            r"(?:copyright|\(c\)|©).*|all rights reserved\.?|版权所有.*",
            r"categor(?:y|ies):.*|jump to\b.*|skip to\b.*|contents \[\w+\]|[<>«»‹›].*",
        )
    ),
    re.IGNORECASE,
)
_LICENCE = re.compile(r"(?:text|content) is available under\b.*", re.IGNORECASE | re.DOTALL)


def is_furniture(text: str) -> bool:
    """True when every line of a text is page furniture, so that nothing of it is worth quoting."""
    lines = [line.strip() for line in text.splitlines()]
    return bool(_LICENCE.match(text)) or all(_LINE.fullmatch(line) for line in lines if line)
