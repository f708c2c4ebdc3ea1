// What the service tells of besides documents: one mark for each thing, another one where the thing is
// another. Knows which mark was seen last; reading again is the business of who shows the thing.

const OF_A_BASE = ["conversations", "suggestions", "watches"];

export class Told {
  #readers;
  #kbId = null;
  /** @type {Record<string, string>} */
  #marks = {};

  // readers: name of a mark -> what reads that thing again. Also where it is told of for the first time:
  // it was read before, and may be another since.
  constructor(readers) {
    this.#readers = readers;
  }

  /** @param {string} kbId @param {Record<string, string>} marks */
  take(kbId, marks) {
    const isSame = kbId === this.#kbId;
    const isKnown = (name) => (isSame || !OF_A_BASE.includes(name)) && this.#marks[name] === marks[name];
    const changed = Object.keys(marks).filter((name) => !isKnown(name));
    this.#kbId = kbId;
    this.#marks = marks;
    for (const name of changed) this.#readers[name]?.();
  }
}
