// The workspace as one person sees it, pushed by the server. Every event is the whole picture, so a lost event or a
// reconnection needs no repair.

const FIRST_RETRY = 500;
const LAST_RETRY = 8000;

/**
 * Follows the workspace as user until stop() is called.
 * @param {string} user
 * @param {{snapshot: (snapshot: object) => void, connected: (up: boolean) => void}} listener
 */
export function follow(user, listener) {
  let source = null;
  let timer = 0;
  let pause = FIRST_RETRY;

  function connect() {
    source = new EventSource(`/sim/stream?user=${encodeURIComponent(user)}`);
    source.onopen = () => {
      pause = FIRST_RETRY;
      listener.connected(true);
    };
    source.onmessage = (event) => listener.snapshot(JSON.parse(event.data));
    source.onerror = () => {
      listener.connected(false);
      // A browser gives up for good after some failures and waits long after others: close and keep our own pace.
      source.close();
      clearTimeout(timer);
      timer = setTimeout(connect, pause);
      pause = Math.min(pause * 2, LAST_RETRY);
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
