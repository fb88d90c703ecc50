// The workspace's own endpoints, as this page calls them. Failures come back as {ok: false, error}, never thrown.

const PATIENCE = 15000;

let failedAt = -Infinity;

/** Whether a call has failed within the last second, so that its failure is told where it happened. */
export function failedJustNow() {
  return performance.now() - failedAt < 1000;
}

async function call(path, options = {}) {
  const limits = [AbortSignal.timeout(PATIENCE)];
  if (options.signal) limits.push(options.signal);
  try {
    const reply = await fetch(path, { ...options, signal: AbortSignal.any(limits) });
    const answer = await reply.json();
    if (answer.ok === false) {
      failedAt = performance.now();
      // For the developer of the app: why the workspace refuses what it did.
      if (answer.reason) console.warn(`${path}: ${answer.error}: ${answer.reason}`);
    }
    return answer;
  } catch (problem) {
    return { ok: false, error: problem.name === 'AbortError' ? 'aborted' : 'unreachable' };
  }
}

/** What does not change while the workspace runs: team, people, channels, commands, the app. */
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

/** The options of an external select for what has been typed. */
export function fetchOptions(query, signal) {
  return call(`/sim/options?${new URLSearchParams(query)}`, { signal });
}
