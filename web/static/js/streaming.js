// One question to the service: its streamed answer, and whether one that nobody waited for was stored.
// Knows the ask call and its events; draws nothing.

import { ApiError, basePath, getJson, send } from "./api.js";
import { readEvents } from "./sse.js";
import { take } from "./thread.js";

const MAX_SEARCHED = 5; // newest conversations in which an answer that nobody waited for is looked up
const CLOCK_SLACK_MS = 2000; // the service's Date header counts whole seconds

// Fills `state` as the answer comes and calls `draw` each time. Throws ApiError, with the code
// `cut_off` where the stream ends without an answer or the connection breaks.
export async function streamAnswer(kbId, asked, state, draw, signal) {
  const body = { ...asked, stream: true, channel: "page" };
  const response = await send("POST", `${basePath(kbId)}/ask`, { body, signal, accept: "text/event-stream" });
  for await (const { event, data } of unbroken(readEvents(response), signal)) {
    take(state, event, JSON.parse(data));
    draw();
  }
  if (!state.answer) throw cutOff();
}

const cutOff = () => new ApiError(0, "cut_off", "");

// The events of a stream; what a browser says of a broken connection is in no language of ours.
async function* unbroken(events, signal) {
  for (;;) {
    const { value, done } = await events.next().catch((error) => {
      throw signal.aborted ? error : cutOff();
    });
    if (done) return;
    yield value;
  }
}

// The conversation that began with this question, stored though nobody waited for it any more; or
// undefined.
export async function storedSince(kbId, asked, signal) {
  if (!asked?.isAsking) return undefined;
  const { items } = /** @type {Api["ListBody_ConversationBody_"]} */ (await getJson("conversations", { kb: kbId, limit: MAX_SEARCHED }, signal));
  return items.find(({ messages, created_at: createdAt }) =>
    messages[0]?.content === asked.question && Date.parse(createdAt) >= asked.at - CLOCK_SLACK_MS);
}
