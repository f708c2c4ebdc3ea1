// HTTP calls to the service: one function per kind of call, one error class, the API key.
// Knows addresses and headers; knows nothing of the page's elements.

const MAX_AT_ONCE = 500; // documents of one call

const KEY_ITEM = "kb.api_key";
/** @type {(wasRefused: boolean) => Promise<string>} */
let askForKey = async () => null;
let pendingKey = null;
let clockSkew_ms = 0; // of the service against this browser

export class ApiError extends Error {
  constructor(status, code, message, requestId = "", details = null) {
    super(message);
    Object.assign(this, { status, code, requestId, details });
  }
}

// Whether a call failed because the service could not be reached.
export const isAway = (error) => error?.code === "network";

// The time by the clock of the service, as far as its answers told.
export const serverNow = () => Date.now() + clockSkew_ms;

export const apiKey = () => sessionStorage.getItem(KEY_ITEM) ?? "";

// Sets the key for this tab ("" forgets it) and tells the page with a `keychange` event.
export function useKey(key) {
  if (key) sessionStorage.setItem(KEY_ITEM, key);
  else sessionStorage.removeItem(KEY_ITEM);
  dispatchEvent(new Event("keychange"));
}

// `prompt(wasRefused)` resolves to a key, or null when the user declines.
export function onUnauthorized(prompt) {
  askForKey = prompt;
}

export function urlOf(path, query = {}) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

export const basePath = (kbId) => `kb/${encodeURIComponent(kbId)}`;
export const documentPath = (kbId, documentId) =>
  `${basePath(kbId)}/documents/${encodeURIComponent(documentId)}`;
export const jobPath = (jobId) => `jobs/${encodeURIComponent(jobId)}`;

function authHeaders(key) {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

// Prompts once however many calls fail together; resolves to true when a new key is there.
async function renewKey(usedKey) {
  if (apiKey() !== usedKey) return true;
  pendingKey ??= askForKey(usedKey !== "").finally(() => (pendingKey = null));
  const key = await pendingKey;
  if (key) useKey(key);
  return Boolean(key);
}

export function errorFrom(status, body, requestId = "") {
  const error = body?.error ?? {};
  const message = error.message ?? `HTTP ${status}`;
  return new ApiError(status, error.code ?? `http_${status}`, message, error.request_id ?? requestId, error.details ?? null);
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

const bodyOf = async (response) => parsed(await response.text());

// Returns the Response of a call that succeeded; throws ApiError otherwise.
/** @param {{body?: object, query?: object, signal?: AbortSignal, accept?: string, further?: Record<string, string>}} [options] `further`: headers */
export async function send(method, path, options = {}) {
  const { body, query, signal, accept, further } = options;
  for (;;) {
    const key = apiKey();
    const headers = { Accept: accept ?? "application/json", ...further, ...authHeaders(key) };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const payload = body === undefined ? undefined : JSON.stringify(body);
    let response;
    try {
      response = await fetch(urlOf(path, query), { method, headers, body: payload, signal, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, "network", "");
    }
    const date = Date.parse(response.headers.get("date") ?? "");
    if (date) clockSkew_ms = date - Date.now();
    if (response.ok) return response;
    if (response.status === 401 && (await renewKey(key))) continue;
    throw announced(path, errorFrom(response.status, await bodyOf(response), response.headers.get("x-request-id") ?? ""));
  }
}

// Whatever call finds out first that a base is gone, or a right: the page hears of it as an event,
// `basegone` or `rightgone`.
function announced(path, error) {
  if (error.code === "right_missing") dispatchEvent(new Event("rightgone"));
  const [, kbId] = /^kb\/([^/]+)/.exec(path) ?? [];
  if (kbId && error.code === "kb_not_found") dispatchEvent(new CustomEvent("basegone", { detail: decodeURIComponent(kbId) }));
  return error;
}

export async function getJson(path, query, signal) {
  return bodyOf(await send("GET", path, { query, signal }));
}

export async function sendJson(method, path, body) {
  return bodyOf(await send(method, path, { body }));
}

// Does `what` (labels, tags, delete) with documents of one base, several hundred a call; `done` is told
// the ids after each.
/** @param {string} what @param {Api["DocumentBody"][]} docs @param {object} more @param {(ids: string[]) => void} [done] */
export async function sendOfAll(what, docs, more, done) {
  for (let start = 0; start < docs.length; start += MAX_AT_ONCE) {
    const documents = docs.slice(start, start + MAX_AT_ONCE).map(({ id }) => id);
    await sendJson("POST", `${basePath(docs[0].kb_id)}/documents/${what}`, { documents, ...more });
    done?.(documents);
  }
}

export async function getBlob(path, query, signal) {
  return (await send("GET", path, { query, signal, accept: "*/*" })).blob();
}

// Readiness answers the same body whether it is 200 or 503; null when unreachable.
/** @returns {Promise<Api["ReadinessBody"]>} */
export async function readiness() {
  try {
    return await bodyOf(await fetch(urlOf("readyz"), { headers: authHeaders(apiKey()), cache: "no-store" }));
  } catch {
    return null;
  }
}

function post(path, form, onBytes, signal) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const abort = () => call.abort();
    call.open("POST", urlOf(path));
    for (const [name, value] of Object.entries(authHeaders(apiKey()))) call.setRequestHeader(name, value);
    call.upload.addEventListener("progress", (event) => onBytes(event.loaded, event.total));
    call.addEventListener("load", () => resolve(call));
    call.addEventListener("error", () => reject(new ApiError(0, "network", "")));
    call.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    call.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    signal.addEventListener("abort", abort);
    call.send(form);
  });
}

// Uploads [{file, name}] in one request and returns the outcome of each, in order.
// `onConflict`: what to do with other content of a known name, "revise", "keep" or "reject";
// `encoding`: of the texts among them, "" for what their bytes tell; `labels`: ids or names, for all.
// `onBytes(loaded, total)` counts the bytes of the request body (the only progress a browser tells).
/** @returns {Promise<Api["UploadItemBody"][]>} */
export async function uploadBatch(kbId, entries, { onConflict, encoding, labels }, onBytes, signal) {
  for (;;) {
    const key = apiKey();
    const form = new FormData();
    form.append("on_conflict", onConflict);
    form.append("encoding", encoding);
    if (labels.length) form.append("labels", JSON.stringify(labels));
    for (const { file, name } of entries) form.append("files", file, name);
    const call = await post(`${basePath(kbId)}/documents`, form, onBytes, signal);
    const body = parsed(call.responseText);
    if (body !== null && "items" in body) return body.items; // also where all were rejected
    if (call.status === 401 && (await renewKey(key))) continue;
    throw announced(basePath(kbId), errorFrom(call.status, body, call.getResponseHeader("x-request-id") ?? ""));
  }
}
