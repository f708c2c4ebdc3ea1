// Setting up in one place: this base, its labels, the models in use, what is stored and the room left, keys. Knows
// the calls; changing a base is the business of `bases`.

import { apiKey, basePath, getJson, readiness, sendJson } from "./api.js";
import { announce, byId, el } from "./dom.js";
import { codeText, errorText, formatNumber, formatTime, onLanguage, reasonText, t } from "./i18n/i18n.js";
import { keyTable, loadKeys, rightList } from "./keys_view.js";
import { labelsOf } from "./labels.js";
import { labelsView } from "./labels_view.js";
import { maskingButton, maskingText } from "./masking.js";
import { modelTable } from "./models_view.js";
import { pausedText, queueButton } from "./queue_line.js";
import { isAdmin, loadRights, reader } from "./rights.js";

export class Setup {
  #base = null;
  /** @type {{setup: Api["SetupBody"] | null, keys: Api["KeyBody"][], ready: Api["ReadinessBody"] | null, columns: Api["ColumnFieldBody"][], labels: Api["LabelBody"][], paused: Api["PauseBody"] | null} | null} */
  #found = null;
  #error = null;
  #hooks;

  // hooks: {guard(run), base() the base as it is now, bases() those of the list, rename(), mask(change), remove()}
  constructor(hooks) {
    this.#hooks = hooks;
    onLanguage(() => this.#draw());
  }

  enter(kbId) {
    this.#base = kbId;
    this.#found = null;
    this.#error = null;
    byId("setup").replaceChildren();
  }

  async show() {
    const kbId = this.#base;
    try {
      await loadRights();
      const [setup, keys, queue] = isAdmin() ? await Promise.all([getJson("setup"), loadKeys(), getJson("queue")]) : [null, [], null];
      const [ready, columns, labels] = await Promise.all([readiness(), getJson(`${basePath(kbId)}/columns`), labelsOf(kbId)]);
      if (kbId !== this.#base) return;
      this.#found = { setup, keys, ready, columns: columns.items, labels, paused: queue?.paused ?? null };
      this.#error = null;
    } catch (error) {
      if (kbId !== this.#base) return;
      this.#error = error;
    }
    this.#draw();
  }

  #draw() {
    byId("setup").replaceChildren(...this.#parts());
  }

  #parts() {
    if (this.#error) return [el("p", { class: "notice notice-bad", role: "alert" }, errorText(this.#error))];
    if (!this.#found) return [];
    const { setup, keys, ready, columns, labels, paused } = this.#found;
    const ofService = setup ? [modelSection(setup, ready), storageSection(setup, ready, this.#queue(paused)), this.#keySection(keys)] : [];
    return [this.#baseSection(columns), this.#labelSection(labels), ...ofService, readerSection()];
  }

  /** @param {Api["ColumnFieldBody"][]} columns */
  #baseSection(columns) {
    /** @type {Api["KnowledgeBaseBody"]} */
    const base = this.#hooks.base();
    const act = (run) => () => this.#hooks.guard(async () => {
      await run();
      this.#draw();
    });
    return section(t("setup_base"),
      rows([
        [t("base_name"), el("bdi", {}, base.name)],
        [t("setup_description"), base.description ? el("bdi", {}, base.description) : t("setup_none")],
        [t("setup_created"), formatTime(base.created_at)],
        [t("setup_masking"), maskingText(base)],
        [t("setup_columns"), columns.length ? el("ul", {}, columns.map((column) => this.#column(column))) : t("setup_columns_none")],
      ]),
      el("p", { class: "setup-actions" },
        el("button", { type: "button", class: "plain-button", "data-needs": "manage", "data-action": "rename", onclick: act(this.#hooks.rename) }, t("base_rename")),
        maskingButton(base, (change) => act(() => this.#hooks.mask(change))()),
        el("button", { type: "button", class: "plain-button", "data-needs": "manage", "data-action": "remove", onclick: act(this.#hooks.remove) }, t("base_delete"))));
  }

  // Whether any base's documents are read, and the way to change it.
  /** @param {Api["PauseBody"] | null} paused */
  #queue(paused) {
    const run = (call) => this.#hooks.guard(() => call().then(() => this.show()));
    return el("span", {}, paused ? pausedText(paused) : t("queue_goes_on"), " ", queueButton(null, Boolean(paused), run));
  }

  /** @param {Api["LabelBody"][]} labels */
  #labelSection(labels) {
    return section(t("labels"), ...labelsView(this.#base, labels, { guard: this.#hooks.guard, changed: () => this.show() }));
  }

  /** @param {Api["KeyBody"][]} keys */
  #keySection(keys) {
    const changed = () => this.show();
    return section(t("setup_keys"), ...keyTable(keys, this.#hooks.bases(), { guard: this.#hooks.guard, changed }), el("p", { class: "meta" }, `${t("rights_how")} ${t("setup_keys_how")}`));
  }

  /** @param {Api["ColumnFieldBody"]} column */
  #column({ name, field, by, at }) {
    const kbId = this.#base;
    const takeBack = async () => {
      await sendJson("PUT", `${basePath(kbId)}/columns`, { name, field: null });
      announce(t("columns_saved", { count: 1 }));
      await this.show();
    };
    return el("li", {}, el("bdi", {}, name), " → ", codeText("field", field), " ", el("span", { class: "meta" }, t("setup_said", { by: by || t("somebody"), time: formatTime(at) })),
      el("button", { type: "button", class: "quiet-button", "data-needs": "write", "aria-label": t("setup_column_back", { name }), onclick: () => this.#hooks.guard(takeBack) }, t("fact_back")));
  }
}

const section = (title, ...body) => el("section", { class: "setup-part" }, el("h2", {}, title), ...body);

const rows = (pairs) => el("dl", { class: "setup-rows" }, pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));

/** @param {Api["SetupBody"]} setup @param {Api["ReadinessBody"] | null} ready */
function modelSection({ models }, ready) {
  return section(t("setup_models"), modelTable(models, ready?.generator ?? null), el("p", { class: "meta" }, t("setup_models_how")));
}

/** @param {Api["SetupBody"]} setup @param {Api["ReadinessBody"] | null} ready @param {Node} queue */
function storageSection(setup, ready, queue) {
  const reasons = ready ? Object.keys(ready.reasons).map((part) => t("part_reason", { part: codeText("part", part), reason: reasonText({ code: ready.codes[part], message: ready.reasons[part] }) })) : [];
  const health = ready ? [t(`setup_${ready.status}`), ...reasons].join(" · ") : t("error_network");
  return section(t("setup_storage"), rows([
    [t("setup_health"), health],
    [t("setup_room"), t("setup_room_of", { free_bytes: setup.free_bytes, total_bytes: setup.total_bytes })],
    [t("setup_database"), setup.database === "sqlite" ? "SQLite" : "PostgreSQL"],
    [t("setup_searchable"), `${t("num_pages", { count: setup.num_pages })} · ${t("num_passages", { count: setup.num_chunks })}`],
    [t("setup_jobs"), formatNumber(setup.num_jobs_open)],
    [t("setup_queue"), queue],
    [t("setup_version"), setup.version],
  ]));
}

// Whose page this is, and what the key of this tab may do.
function readerSection() {
  const { name, needs_key: needsKey, rights } = reader();
  if (!needsKey) return section(t("setup_you"), el("p", {}, t("setup_no_key_needed")));
  return section(t("setup_you"), rows([
    [t("setup_your_key"), el("bdi", {}, name)],
    [t("setup_your_rights"), rightList(rights)],
    [t("setup_this_tab"), t(apiKey() ? "setup_with_key" : "setup_without_key")],
  ]));
}
