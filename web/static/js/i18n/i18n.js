// The language of the page: Chinese or English, remembered, switched without a reload.
// Knows keys and texts; all texts live in en.js and zh.js, those of single parts beside them.

import { askingEn } from "./asking_en.js";
import { askingZh } from "./asking_zh.js";
import { columnsEn } from "./columns_en.js";
import { columnsZh } from "./columns_zh.js";
import { documentsEn } from "./documents_en.js";
import { documentsZh } from "./documents_zh.js";
import { en } from "./en.js";
import { errorsEn } from "./errors_en.js";
import { errorsZh } from "./errors_zh.js";
import { incidentsEn } from "./incidents_en.js";
import { keysEn } from "./keys_en.js";
import { incidentsZh } from "./incidents_zh.js";
import { keysZh } from "./keys_zh.js";
import { labelsEn } from "./labels_en.js";
import { labelsZh } from "./labels_zh.js";
import { pagesEn } from "./pages_en.js";
import { pagesZh } from "./pages_zh.js";
import { setupEn } from "./setup_en.js";
import { setupZh } from "./setup_zh.js";
import { tablesEn } from "./tables_en.js";
import { tablesZh } from "./tables_zh.js";
import { versionsEn } from "./versions_en.js";
import { versionsZh } from "./versions_zh.js";
import { watchesEn } from "./watches_en.js";
import { watchesZh } from "./watches_zh.js";
import { zh } from "./zh.js";

const ITEM = "kb.language";
const TEXTS = {
  en: { ...en, ...askingEn, ...columnsEn, ...documentsEn, ...errorsEn, ...incidentsEn, ...keysEn, ...labelsEn, ...pagesEn, ...setupEn, ...tablesEn, ...versionsEn, ...watchesEn },
  zh: { ...zh, ...askingZh, ...columnsZh, ...documentsZh, ...errorsZh, ...incidentsZh, ...keysZh, ...labelsZh, ...pagesZh, ...setupZh, ...tablesZh, ...versionsZh, ...watchesZh },
};
const listeners = [];
let current = initial();

function initial() {
  const stored = localStorage.getItem(ITEM);
  if (stored in TEXTS) return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const language = () => current;

const hasValue = (values, name) => values[name] !== undefined && values[name] !== null && values[name] !== "";

// {size_bytes} becomes "2.1 MB", {count} "1,204", a list its items.
function valueText(name, value) {
  if (typeof value !== "number") return Array.isArray(value) ? value.join(", ") : String(value ?? "");
  return /(^|_)bytes$/.test(name) && name !== "num_bytes" ? formatBytes(value) : formatNumber(value);
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => valueText(name, values[name]));

// t("num_pages", {count: 3}): fills {count}; English plurals are "one|many" chosen by `count`.
export function t(key, values = {}) {
  const forms = (TEXTS[current][key] ?? key).split("|");
  return fill(forms.length > 1 && values.count !== 1 ? forms[1] : forms[0], values);
}

export const hasText = (key) => key in TEXTS[current];

// A label for a stable code of the service; the code itself when it is not known here.
export function codeText(kind, code) {
  return TEXTS[current][`${kind}_${code}`] ?? String(code).replaceAll("_", " ");
}

export function onLanguage(listener) {
  listeners.push(listener);
}

export function setLanguage(code) {
  current = code;
  localStorage.setItem(ITEM, code);
  applyTexts(document);
  for (const listener of listeners) listener();
}

export function applyTexts(root) {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
    if (node.tagName === "BUTTON") node.title = t(node.dataset.tLabel);
  }
  for (const node of root.querySelectorAll("[data-t-placeholder]")) {
    node.placeholder = t(node.dataset.tPlaceholder);
  }
  for (const node of root.querySelectorAll("[data-language]")) {
    node.setAttribute("aria-pressed", String(node.dataset.language === current));
  }
}

const locale = () => (current === "zh" ? "zh-CN" : "en-GB");

export const formatNumber = (value) => new Intl.NumberFormat(locale()).format(value);

export function formatTime(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(at);
}

// A day of the calendar ("2026-11-18"), wherever the reader is.
export function formatDate(day) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: "UTC" }).format(new Date(day));
}

// A local time of papers ("2024-05-03T14:20:00", without a zone), as exactly as they state it.
export function formatLocal(time, precision) {
  const at = new Date(`${time}Z`);
  if (precision === "year") return String(at.getUTCFullYear());
  if (precision === "month") return new Intl.DateTimeFormat(locale(), { year: "numeric", month: "short", timeZone: "UTC" }).format(at);
  if (precision === "day") return formatDate(time.slice(0, 10));
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: precision === "second" ? "medium" : "short", timeZone: "UTC" }).format(at);
}

export function formatDay(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  const isToday = at.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(locale(), isToday ? { timeStyle: "short" } : { dateStyle: "medium" }).format(at);
}

export function formatBytes(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = bytes > 0 ? Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), 4) : 0;
  const digits = step > 1 ? 1 : 0;
  const value = new Intl.NumberFormat(locale(), { maximumFractionDigits: digits });
  return `${value.format(bytes / 1024 ** step)} ${units[step]}`;
}

// Why something failed, from {code, message, details}, in the language of the page; what the service
// says in English follows on an English page unless the text has its values already. A code that is
// not known here leaves the service's own words.
/** @param {{code?: string, message?: string, details?: object}} reason */
export function reasonText({ code, message, details }) {
  const text = TEXTS[current][`error_${code}`];
  if (!text) return message || t("error_unknown");
  const values = details ?? {};
  let isExact = false;
  const chosen = text.replace(/\[([^\]]*)\]/g, (_, words) => {
    const isKnown = [...words.matchAll(/\{(\w+)\}/g)].every(([, name]) => hasValue(values, name));
    isExact ||= isKnown;
    return isKnown ? words : "";
  });
  const said = fill(chosen, values);
  return current === "en" && message && !isExact ? `${said}: ${message}` : said;
}

// What went wrong with a call, in one line.
export const errorText = (error) =>
  (error.code?.startsWith("http_") ? t("error_http", { status: error.status }) : reasonText(error));
