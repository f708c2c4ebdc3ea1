// Text ranges in code points, as the service counts them. JavaScript counts UTF-16 units, so every
// offset from the service is converted here and nowhere else. Pure functions.

const HAS_PAIRS = /[\ud800-\udbff][\udc00-\udfff]/;

// slicer(text)(start, end) == text[start:end] in code points; cheap when there are no pairs.
export function slicer(text) {
  if (!HAS_PAIRS.test(text)) return (start, end) => text.slice(start, end);
  const points = Array.from(text);
  return (start, end) => points.slice(start, end).join("");
}

export function numPoints(text) {
  if (!HAS_PAIRS.test(text)) return text.length;
  return Array.from(text).length;
}

const covers = (span, start, end) => span.start <= start && end <= span.end && span.start < span.end;

// Cuts an answer into pieces {text, ids, isAnswer, isUnsupported, marks}: `ids` of the citations whose
// answer span covers the piece, `isAnswer` inside the highlighted typed answer, `isUnsupported` inside
// words that no cited words say, `marks` the citations that end right after it, in number order.
// `borders`: further places to cut at. Each piece tells its own {start, end}.
export function pieces(text, citations, highlight, borders = []) {
  const total = numPoints(text);
  const clamp = (offset) => Math.max(0, Math.min(total, offset));
  const spans = citations.map(({ id, answer }) => ({ id, start: clamp(answer.start), end: clamp(answer.end) }));
  const answer = highlight ? { start: clamp(highlight.start), end: clamp(highlight.end) } : { start: 0, end: 0 };
  const unsupported = citations.flatMap((citation) => citation.unsupported).map(({ start, end }) => ({ start: clamp(start), end: clamp(end) }));
  const cuts = new Set([0, total, ...borders, answer.start, answer.end, ...[...spans, ...unsupported].flatMap(({ start, end }) => [start, end])]);
  const ordered = [...cuts].sort((a, b) => a - b);
  const slice = slicer(text);
  return ordered.slice(1).map((end, index) => ({
    text: slice(ordered[index], end),
    start: ordered[index],
    end,
    ids: spans.filter((span) => covers(span, ordered[index], end)).map(({ id }) => id),
    isAnswer: covers(answer, ordered[index], end),
    isUnsupported: unsupported.some((span) => covers(span, ordered[index], end)),
    marks: citations
      .filter((_, place) => spans[place].end === end)
      .sort((a, b) => a.number - b.number),
  }));
}

// Cuts text[start:end] into pieces {text, isUnsure} at the ends of the unsure spans, which are in order.
export function unsurePieces(text, start, end, unsure) {
  const slice = slicer(text);
  const found = [];
  let place = start;
  for (const span of unsure.filter((one) => one.end > start && one.start < end)) {
    const [from, to] = [Math.max(span.start, place), Math.min(span.end, end)];
    found.push({ text: slice(place, from), isUnsure: false }, { text: slice(from, to), isUnsure: true });
    place = to;
  }
  found.push({ text: slice(place, end), isUnsure: false });
  return found.filter((piece) => piece.text);
}

// The stored text around [start, end): its own range {from, to}, at most `margin` code points on
// each side, and whether that is all there is: {isStart, isEnd}.
export function around(text, start, end, margin) {
  const total = numPoints(text);
  const from = Math.max(0, start - margin);
  const to = Math.min(total, end + margin);
  return { from, to, isStart: from === 0, isEnd: to === total };
}
