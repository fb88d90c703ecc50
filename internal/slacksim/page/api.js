// Calls of the workspace's own endpoints. A failure is returned as {ok: false, error}, never thrown.

const TIMEOUT = 15000;
const UPLOAD_TIMEOUT = 120000;

let failedAt = -Infinity;

/** Whether a call failed within the last second; the page shows such a failure where it happened. */
export function failedRecently() {
  return performance.now() - failedAt < 1000;
}

async function call(path, options = {}, timeout = TIMEOUT) {
  const limits = [AbortSignal.timeout(timeout)];
  if (options.signal) limits.push(options.signal);
  try {
    const reply = await fetch(path, { ...options, signal: AbortSignal.any(limits) });
    const answer = await reply.json();
    if (answer.ok === false) {
      failedAt = performance.now();
      // For the app's developer: why the workspace refused the call.
      if (answer.reason) console.warn(`${path}: ${answer.error}: ${answer.reason}`);
    }
    return answer;
  } catch (problem) {
    return { ok: false, error: problem.name === 'AbortError' ? 'aborted' : 'unreachable' };
  }
}

/** Fetches what never changes: team, people, channels, commands, the app. */
export function fetchWorkspace() {
  return call('/sim/workspace');
}

/** @param {'command'|'message'|'submit'|'action'|'close'|'home'} what */
export function post(what, body) {
  return call(`/sim/${what}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'slacksim' },
    body: JSON.stringify(body),
  });
}

/** Fetches the options of an external select for a query. */
export function fetchOptions(query, signal) {
  return call(`/sim/options?${new URLSearchParams(query)}`, { signal });
}

/** Uploads a file that a person gives in a file input, and returns its file object. */
export function uploadFile(query, file) {
  return call(`/sim/upload?${new URLSearchParams({ ...query, name: file.name })}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream', 'X-Requested-With': 'slacksim' },
    body: file,
  }, UPLOAD_TIMEOUT);
}
