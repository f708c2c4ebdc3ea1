// The picture of a table as plain SVG: bars by group, a line or points by period. Draws numbers it is
// given; the table beside it says the same in words.

import { formatNumber, t } from "./i18n/i18n.js";

const SVG = "http://www.w3.org/2000/svg";
const MAX_BARS = 30;
const MAX_WIDTH = 640;
const MARGINS = 48; // of the thread on a phone
const BAR = { height: 26, label: 0.3, value: 70 }; // `label`: its share of the width
const LINE = { height: 220, left: 46, right: 16, top: 14, bottom: 30 };
const TICK = 78; // wide

function draw(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

// Drawn as wide as it is shown, so that its letters stay as large as others.
const widthNow = () => Math.max(280, Math.min(MAX_WIDTH, innerWidth - MARGINS));

// The beginning of a text that fits into so many pixels.
function cut(text, room) {
  let used = 0;
  const letters = [...text];
  const end = letters.findIndex((letter) => (used += letter > "\u2e7f" ? 12 : 7) > room);
  return end < 0 ? text : `${letters.slice(0, Math.max(1, end - 1)).join("")}…`;
}

/** @param {Api["ChartBody"]} chart */
export function chartOf({ kind, x, y }) {
  if (!x.some((_, index) => y[index] !== null)) return "";
  const label = t("chart_label", { count: x.length });
  return kind === "bars" ? bars(x, y, label) : line(x, y, label, kind === "line");
}

function frame(width, height, label, ...children) {
  return draw("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...children);
}

function bars(names, values, label) {
  const shown = names.slice(0, MAX_BARS);
  const most = Math.max(...values.slice(0, MAX_BARS).map((value) => value ?? 0), 0) || 1;
  const whole = widthNow();
  const left = whole * BAR.label;
  const room = whole - left - BAR.value;
  const rows = shown.map((name, index) => {
    const value = values[index];
    const top = index * BAR.height;
    const width = Math.max(0, ((value ?? 0) / most) * room);
    return draw("g", {},
      draw("title", {}, `${name}: ${value === null ? "–" : formatNumber(value)}`),
      draw("text", { class: "chart-name", x: left - 8, y: top + 17, "text-anchor": "end" }, cut(name, left - 8)),
      draw("rect", { class: "chart-bar", x: left, y: top + 4, width, height: BAR.height - 8, rx: 3 }),
      draw("text", { class: "chart-value", x: left + width + 6, y: top + 17 }, value === null ? "–" : formatNumber(value)));
  });
  return frame(whole, shown.length * BAR.height, label, ...rows);
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
  const width = widthNow();
  const across = placesAcross(names, left, width - right);
  const up = (value) => height - bottom - (value / most) * (height - top - bottom);
  const points = values.flatMap((value, index) => (value === null ? [] : [{ x: across(index), y: up(value), name: names[index], value }]));
  const every = Math.ceil((names.length * TICK) / (width - left - right));
  const ticks = names.flatMap((name, index) => (index % every ? [] : [draw("text", { class: "chart-name", x: across(index), y: height - 10, "text-anchor": "middle" }, cut(name, TICK))]));
  return frame(width, height, label,
    ...[0, most].map((value) => draw("text", { class: "chart-name", x: left - 8, y: up(value) + 4, "text-anchor": "end" }, formatNumber(value))),
    draw("path", { class: "chart-axis", d: `M${left} ${up(0)}H${width - right}` }),
    ...(isJoined ? [draw("polyline", { class: "chart-line", points: points.map(({ x, y }) => `${x},${y}`).join(" ") })] : []),
    ...points.map(({ x, y, name, value }) => draw("circle", { class: "chart-point", cx: x, cy: y, r: 4 }, draw("title", {}, `${name}: ${formatNumber(value)}`))),
    ...ticks);
}
