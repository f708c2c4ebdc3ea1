// Server-sent events from a fetch response, so that headers can be sent and reading can be aborted.
// A feed/flush machine over text; knows nothing of what the events mean.

export class EventParser {
  #rest = "";
  #event = "";
  #data = [];

  // Returns the events that `text` completes: [{event, data}], data still a string.
  feed(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    const events = [];
    for (const line of lines) {
      if (line !== "") this.#field(line);
      else if (this.#data.length) events.push(this.#take());
      else this.#event = "";
    }
    return events;
  }

  // Returns an event that the stream ended without closing, if it has data.
  flush() {
    const closed = this.feed("\n\n");
    this.#rest = "";
    return closed;
  }

  #field(line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
  }

  #take() {
    const taken = { event: this.#event || "message", data: this.#data.join("\n") };
    this.#event = "";
    this.#data = [];
    return taken;
  }
}

// `heard()` is called for all that comes, also for comments.
export async function* readEvents(response, heard = () => {}) {
  const parser = new EventParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    heard();
    yield* parser.feed(value);
  }
  yield* parser.flush();
}
