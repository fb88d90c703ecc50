// Building elements. Every text goes in as a text node: nothing in this page parses HTML from outside.

/**
 * Makes an element. `class`, attributes and `on…` listeners come in props; null, undefined and false are left out.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node|string|null|undefined|false|Array<Node|string|null|undefined|false>)} children
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

let ids = 0;

/** An id that no other element of the page has. */
export function freshId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** The address if a click on it is harmless (web or mail), else null. */
export function safeUrl(address) {
  try {
    const url = new URL(address, location.href);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link in a new tab; only its text when the address is not harmless. */
export function link(address, children, props = {}) {
  const href = safeUrl(address);
  return href ? el('a', { href, target: '_blank', rel: 'noopener noreferrer', ...props }, children) : el('span', {}, children);
}

/** Finds the control that belongs to a block and an action below root. */
export function controlOf(root, blockId, actionId) {
  return root.querySelector(`[data-block-id="${CSS.escape(blockId)}"] [data-action-id="${CSS.escape(actionId)}"]`);
}

/** Closes a modal dialog for good, and gives the focus back to where it was. */
export function dismiss(dialog) {
  if (!dialog.isConnected) return;
  dialog.close();
  dialog.remove();
  // Chromium gives the focus back while the page below is still inert, and then nothing can be typed there.
  const back = document.activeElement;
  if (back === document.body) return;
  back.blur();
  back.focus();
}

/** Says text to screen readers without showing it. */
export function announce(text) {
  const place = document.getElementById('announcer');
  place.append(el('p', {}, text));
  while (place.childElementCount > 5) place.firstElementChild.remove();
}
