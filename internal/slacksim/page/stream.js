// The stream of the workspace as one person sees it. Every event is a full snapshot, so a lost event does no harm.

const FIRST_RETRY = 500;
const LAST_RETRY = 8000;

/**
 * Reads the stream of a user until stop() is called.
 * @param {string} user
 * @param {{snapshot: (snapshot: object) => void, connected: (up: boolean) => void}} listener
 */
export function follow(user, listener) {
  let source = null;
  let timer = 0;
  let delay = FIRST_RETRY;

  function connect() {
    source = new EventSource(`/sim/stream?user=${encodeURIComponent(user)}`);
    source.onopen = () => {
      delay = FIRST_RETRY;
      listener.connected(true);
    };
    source.onmessage = (event) => listener.snapshot(JSON.parse(event.data));
    source.onerror = () => {
      listener.connected(false);
      // Browsers stop after some failures and wait long after others, so the page reconnects by itself.
      source.close();
      clearTimeout(timer);
      timer = setTimeout(connect, delay);
      delay = Math.min(delay * 2, LAST_RETRY);
    };
  }

  connect();
  return {
    stop() {
      clearTimeout(timer);
      source.close();
    },
  };
}
