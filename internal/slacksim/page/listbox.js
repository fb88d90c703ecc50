// The list of a combobox: the focus stays in the text box, and aria-activedescendant names the active option. The composer
// and the type-ahead selects use it.

import { el, freshId } from './dom.js';

/**
 * @typedef {{heading: string}|{text: string, detail?: string, value: any}} Item
 * @param {HTMLElement} input the text box, which becomes the combobox
 * @param {{label: string, onPick: (value: any) => void, onClose?: () => void}} options
 */
export function listbox(input, { label, onPick, onClose }) {
  const id = freshId('list');
  const node = el('div', { role: 'listbox', id, class: 'listbox', 'aria-label': label, hidden: true });
  let options = [];
  let active = -1;
  let taken = false;

  // Some keyboards and drivers send the character of Enter apart from the key: it must not submit the form either.
  input.addEventListener('keypress', (event) => {
    if (taken && event.key === 'Enter') event.preventDefault();
    taken = false;
  });

  for (const [name, value] of Object.entries({
    role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': id, autocomplete: 'off',
  })) input.setAttribute(name, value);

  function activate(index) {
    options[active]?.node.setAttribute('aria-selected', 'false');
    active = options.length ? (index + options.length) % options.length : -1;
    const option = options[active];
    if (!option) return input.removeAttribute('aria-activedescendant');
    option.node.setAttribute('aria-selected', 'true');
    option.node.scrollIntoView({ block: 'nearest' });
    return input.setAttribute('aria-activedescendant', option.node.id);
  }

  function draw(item) {
    if ('heading' in item) return el('div', { class: 'heading', role: 'presentation' }, item.heading);
    const option = el('div', { role: 'option', id: freshId('option'), 'aria-selected': 'false' },
      el('span', { class: 'option-text' }, item.text), item.detail && el('span', { class: 'option-detail' }, item.detail));
    const index = options.length;
    option.addEventListener('pointermove', () => activate(index));
    // Not click: the box would lose the focus before the option is chosen.
    option.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      pick(index);
    });
    options.push({ node: option, value: item.value });
    return option;
  }

  function pick(index) {
    const { value } = options[index];
    close();
    onPick(value);
  }

  function close() {
    if (node.hidden) return;
    node.hidden = true;
    activate(-1);
    input.removeAttribute('aria-activedescendant');
    input.setAttribute('aria-expanded', 'false');
    onClose?.();
  }

  return {
    node,
    close,
    get open() { return !node.hidden; },
    /** The value of the active option. */
    get value() { return options[active]?.value; },
    /** Shows items, or emptyText if there are none. @param {Item[]} items @param {number} [start] */
    show(items, emptyText = '', start = 0) {
      options = [];
      active = -1;
      node.replaceChildren(...items.map(draw));
      if (!options.length) node.replaceChildren(el('div', { class: 'empty', role: 'presentation' }, emptyText));
      node.hidden = !options.length && !emptyText;
      input.setAttribute('aria-expanded', String(!node.hidden));
      activate(start);
    },
    /** Handles a key of the box, and returns whether the list used it. */
    key(event) {
      if (node.hidden || event.isComposing) return false;
      if (event.key === 'ArrowDown') activate(active + 1);
      else if (event.key === 'ArrowUp') activate(active - 1);
      else if (event.key === 'Enter' && active >= 0) pick(active);
      else if (event.key === 'Escape') close();
      else return false;
      taken = event.key === 'Enter';
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  };
}

/** Positions the open list below its box, or above it if there is more space. */
export function position(list, input) {
  const box = input.getBoundingClientRect();
  const below = window.innerHeight - box.bottom - 8;
  const above = box.top - 8;
  const up = below < 180 && above > below;
  Object.assign(list.style, {
    left: `${box.left}px`,
    width: `${box.width}px`,
    maxHeight: `${Math.min(320, up ? above : below)}px`,
    top: up ? 'auto' : `${box.bottom + 4}px`,
    bottom: up ? `${window.innerHeight - box.top + 4}px` : 'auto',
  });
}
