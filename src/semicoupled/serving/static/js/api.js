// Talking to the server: JSON, arrays, jobs with progress and cancel.

const BASE = "/api/v1";

export class Refused extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export async function request(path, options = {}) {
  const response = await fetch(BASE + path, options).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The server does not answer; is it still running?");
  });
  if (!response.ok) {
    const said = await response.json().catch(() => ({}));
    throw new Refused(response.status, said.error ?? `${response.status} ${response.statusText}`,
      Number(response.headers.get("Retry-After")) || null);
  }
  return response;
}

export const getJson = async (path) => (await request(path)).json();

export const postJson = async (path, body) => (await request(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}),
})).json();

/** Read a .npy file: {shape, data}. */
export async function getArray(path) {
  const buffer = await (await request(path)).arrayBuffer();
  const view = new DataView(buffer);
  const long = view.getUint8(6) > 1;
  const start = long ? 12 : 10;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder("latin1").decode(new Uint8Array(buffer, start, length));
  const kind = /'descr': '[<|>]?(\w+)'/.exec(header)[1];
  const shape = /'shape': \(([^)]*)\)/.exec(header)[1].split(",").map((part) => part.trim()).filter(Boolean).map(Number);
  const type = { u1: Uint8Array, f4: Float32Array, f8: Float64Array }[kind];
  return { shape, data: new type(buffer, start + length) };
}

/**
 * Begin a job and follow it to its end.
 * `onprogress(status)` hears how far it is; `signal` cancels it, here and on the server.
 */
export async function runJob(path, body, onprogress, signal) {
  let status = null;
  for (let attempt = 0; status === null; attempt += 1) {
    try {
      status = await postJson(path, body);
    } catch (error) {
      if (error.status !== 503 || attempt >= 20) throw error;
      onprogress({ state: "waiting", done: 0, doing: "the server is busy", before: 0 });
      await pause(1000 * (error.retryAfter ?? 1), signal);
    }
  }
  const cancel = () => { fetch(`${BASE}/jobs/${status.id}`, { method: "DELETE" }).catch(() => {}); };
  if (signal?.aborted) { cancel(); throw new DOMException("stopped", "AbortError"); }
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    status = await follow(status, onprogress);
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
  if (status.state === "cancelled") throw new DOMException("stopped", "AbortError");
  if (status.state === "failed") throw new Refused(400, status.error);
  return { id: status.id, files: status.files, seconds: status.seconds, ...(await getJson(`/jobs/${status.id}/result`)) };
}

async function follow(status, onprogress) {
  const ended = (now) => ["done", "failed", "cancelled"].includes(now.state);
  let last = status;
  await new Promise((resolve) => {
    const socket = openSocket(`/jobs/${status.id}/events`);
    socket.onmessage = (event) => { last = JSON.parse(event.data); onprogress(last); };
    socket.onclose = resolve;
    socket.onerror = resolve;
  });
  while (!ended(last)) { // the socket broke off, or there is none: ask instead
    await pause(500);
    last = await getJson(`/jobs/${status.id}`);
    onprogress(last);
  }
  return last;
}

export function openSocket(path) {
  return new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${BASE}${path}`);
}

export const jobArray = (job, name) => getArray(`/jobs/${job.id}/files/${encodeURIComponent(name)}`);

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("stopped", "AbortError")); }, { once: true });
  });
}
