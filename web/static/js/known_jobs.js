// The newest ingest job of each document, as far as lists, events and uploads told. Knows the call
// that reads one again.

import { getJson, jobPath } from "./api.js";

const MAX_READS = 8;
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

  // Reads unfinished jobs again, except those of documents that were just read themselves.
  /** @param {Set<string>} fresh */
  async readAgain(fresh) {
    for (const id of this.working.filter((one) => !fresh.has(one)).slice(0, MAX_READS)) {
      const job = await getJson(jobPath(this.#jobs.get(id).id)).catch((error) => {
        if (error.status !== 404) throw error; // deleted elsewhere, its job with it
        this.forget(id);
      });
      if (job) this.#jobs.set(id, job);
    }
  }
}
