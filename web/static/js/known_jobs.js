// The newest ingest job of each document, as far as lists, events and uploads told.

const UNFINISHED = ["queued", "running", "failed"];

export class KnownJobs {
  /** @type {Map<string, Api["JobBody"]>} */
  #jobs = new Map(); // document id -> its newest job

  get(id) {
    return this.#jobs.get(id) ?? null;
  }

  /** @param {Api["JobBody"] | null} job */
  note(job) {
    if (job?.document_id) this.#jobs.set(job.document_id, job);
  }

  forget(id) {
    this.#jobs.delete(id);
  }

  get working() {
    return [...this.#jobs].filter(([, job]) => UNFINISHED.includes(job.status)).map(([id]) => id);
  }

  // Leaves out what lists do not show: how many work there, the list itself counts.
  /** @param {Set<string>} shown */
  keep(shown) {
    for (const id of this.#jobs.keys()) if (!shown.has(id)) this.#jobs.delete(id);
  }
}
