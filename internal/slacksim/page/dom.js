// Creates elements. Every text becomes a text node: nothing in this page parses HTML from outside.

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

/** Sets the children without moving those already in their position, which keep the focus and a click that has begun. */
export function keepChildren(parent, nodes) {
  const keep = new Set(nodes);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  nodes.forEach((node, i) => {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  });
}

let ids = 0;

/** Returns an id that is unique in the page. */
export function freshId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** Returns a URL if its scheme is safe (web or mail), else null. */
export function safeUrl(address) {
  try {
    const url = new URL(address, location.href);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Returns a link that opens in a new tab, or only its text if the URL is not safe. */
export function link(address, children, props = {}) {
  const href = safeUrl(address);
  return href ? el('a', { href, target: '_blank', rel: 'noopener noreferrer', ...props }, children) : el('span', {}, children);
}

/** Finds the control of a block and an action below root. */
export function controlOf(root, blockId, actionId) {
  return root.querySelector(`[data-block-id="${CSS.escape(blockId)}"] [data-action-id="${CSS.escape(actionId)}"]`);
}

/** Removes a modal dialog, and restores the focus. */
export function dismiss(dialog) {
  if (!dialog.isConnected) return;
  dialog.close();
  dialog.remove();
  // Chromium restores the focus while the page below is still inert, so that nothing can be typed there.
  const back = document.activeElement;
  if (back === document.body) return;
  back.blur();
  back.focus();
}

/** Announces a text to screen readers. */
export function announce(text) {
  const announcer = document.getElementById('announcer');
  announcer.append(el('p', {}, text));
  while (announcer.childElementCount > 5) announcer.firstElementChild.remove();
}
