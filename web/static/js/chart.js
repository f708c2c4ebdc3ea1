// The picture of a table as plain SVG: bars by group, a line or points by period. Draws numbers it is
// given; the table beside it says the same in words.

import { formatNumber, t } from "./i18n/i18n.js";

const SVG = "http://www.w3.org/2000/svg";
const MAX_BARS = 30;
const WIDTH = 640;
const BAR = { height: 26, label: 190, value: 70 };
const LINE = { height: 220, left: 46, right: 16, top: 14, bottom: 30 };
const MAX_TICKS = 8;

function draw(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

const cut = (text, max) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

/** @param {Api["ChartBody"]} chart */
export function chartOf({ kind, x, y }) {
  if (!x.some((_, index) => y[index] !== null)) return "";
  const label = t("chart_label", { count: x.length });
  return kind === "bars" ? bars(x, y, label) : line(x, y, label, kind === "line");
}

function frame(height, label, ...children) {
  return draw("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label }, ...children);
}

function bars(names, values, label) {
  const shown = names.slice(0, MAX_BARS);
  const most = Math.max(...values.slice(0, MAX_BARS).map((value) => value ?? 0), 0) || 1;
  const room = WIDTH - BAR.label - BAR.value;
  const rows = shown.map((name, index) => {
    const value = values[index];
    const top = index * BAR.height;
    const width = Math.max(0, ((value ?? 0) / most) * room);
    return draw("g", {},
      draw("title", {}, `${name}: ${value === null ? "–" : formatNumber(value)}`),
      draw("text", { class: "chart-name", x: BAR.label - 8, y: top + 17, "text-anchor": "end" }, cut(name, 22)),
      draw("rect", { class: "chart-bar", x: BAR.label, y: top + 4, width, height: BAR.height - 8, rx: 3 }),
      draw("text", { class: "chart-value", x: BAR.label + width + 6, y: top + 17 }, value === null ? "–" : formatNumber(value)));
  });
  return frame(shown.length * BAR.height, label, ...rows);
}

// Years stand as far apart as they are; other periods side by side.
function placesAcross(names, first, last) {
  const years = names.every((name) => /^\d{4}$/u.test(name)) ? names.map(Number) : names.map((_, index) => index);
  const [low, high] = [Math.min(...years), Math.max(...years)];
  return (index) => first + (low === high ? 0.5 : (years[index] - low) / (high - low)) * (last - first);
}

// `isJoined`: a line through the points; otherwise each stands by itself. What is not known is left out.
function line(names, values, label, isJoined) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known, 1);
  const { height, left, right, top, bottom } = LINE;
  const across = placesAcross(names, left, WIDTH - right);
  const up = (value) => height - bottom - (value / most) * (height - top - bottom);
  const points = values.flatMap((value, index) => (value === null ? [] : [{ x: across(index), y: up(value), name: names[index], value }]));
  const every = Math.ceil(names.length / MAX_TICKS);
  const ticks = names.flatMap((name, index) => (index % every ? [] : [draw("text", { class: "chart-name", x: across(index), y: height - 10, "text-anchor": "middle" }, cut(name, 12))]));
  return frame(height, label,
    ...[0, most].map((value) => draw("text", { class: "chart-name", x: left - 8, y: up(value) + 4, "text-anchor": "end" }, formatNumber(value))),
    draw("path", { class: "chart-axis", d: `M${left} ${up(0)}H${WIDTH - right}` }),
    ...(isJoined ? [draw("polyline", { class: "chart-line", points: points.map(({ x, y }) => `${x},${y}`).join(" ") })] : []),
    ...points.map(({ x, y, name, value }) => draw("circle", { class: "chart-point", cx: x, cy: y, r: 4 }, draw("title", {}, `${name}: ${formatNumber(value)}`))),
    ...ticks);
}
