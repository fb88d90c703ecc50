// The workspace's own endpoints, as this page calls them. Failures come back as {ok: false, error}, never thrown.

const PATIENCE = 15000;

async function call(path, options = {}) {
  const limits = [AbortSignal.timeout(PATIENCE)];
  if (options.signal) limits.push(options.signal);
  try {
    const reply = await fetch(path, { ...options, signal: AbortSignal.any(limits) });
    return await reply.json();
  } catch (problem) {
    return { ok: false, error: problem.name === 'AbortError' ? 'aborted' : 'unreachable' };
  }
}

/** What does not change while the workspace runs: team, people, channels, commands, the app. */
export function fetchWorkspace() {
  return call('/sim/workspace');
}

/** @param {'command'|'message'|'submit'|'action'|'close'} what */
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
