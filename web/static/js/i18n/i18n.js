// The language of the page: Chinese or English, remembered, switched without a reload.
// Knows keys and texts; all texts live in en.js and zh.js.

import { en } from "./en.js";
import { zh } from "./zh.js";

const ITEM = "kb.language";
const TEXTS = { en, zh };
const listeners = [];
let current = initial();

function initial() {
  const stored = localStorage.getItem(ITEM);
  if (stored in TEXTS) return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const language = () => current;

// t("num_pages", {count: 3}): fills {count}; English plurals are "one|many" chosen by `count`.
export function t(key, values = {}) {
  const text = TEXTS[current][key] ?? key;
  const forms = text.split("|");
  const form = forms.length > 1 && values.count !== 1 ? forms[1] : forms[0];
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? formatNumber(value) : value;
  });
}

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

export function formatBytes(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = bytes > 0 ? Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), 4) : 0;
  const digits = step > 1 ? 1 : 0;
  const value = new Intl.NumberFormat(locale(), { maximumFractionDigits: digits });
  return `${value.format(bytes / 1024 ** step)} ${units[step]}`;
}

// What went wrong, in one line; the request id lets an operator find it in the log.
export function errorText(error) {
  const message = error.code === "network" ? t("error_network") : error.message || t("error_unknown");
  const id = error.requestId ? t("error_request", { id: error.requestId }) : "";
  return id ? `${message} (${id})` : message;
}
