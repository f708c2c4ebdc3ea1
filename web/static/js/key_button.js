// The key of this tab: asked for where the service wants one, forgotten by a button.

import { apiKey, onUnauthorized, useKey } from "./api.js";
import { askKey } from "./dialogs.js";
import { byId, show } from "./dom.js";
import { forgetEverything } from "./drafts.js";

export function connectKey() {
  onUnauthorized(askKey);
  const refresh = () => show(byId("forget-key"), apiKey() !== "");
  byId("forget-key").addEventListener("click", () => {
    forgetEverything();
    useKey("");
    location.reload();
  });
  addEventListener("keychange", refresh);
  refresh();
}
