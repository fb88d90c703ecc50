// Ctrl+K: going to a channel by a few letters of its name.

import { dismiss, el, freshId } from './dom.js';
import { listbox } from './listbox.js';
import { say } from './words.js';

/**
 * Asks for a place and goes there.
 * @param {{id: string, name: string}[]} places @param {(id: string) => void} go
 */
export function jump(places, go) {
  const id = freshId('jump');
  const input = el('input', { type: 'text', id, spellcheck: 'false' });
  const list = listbox(input, {
    label: say('jump'),
    onPick(place) {
      dismiss(dialog);
      go(place);
    },
  });
  const dialog = el('dialog', { class: 'jump-to', 'aria-labelledby': `${id}-label` },
    el('label', { for: id, id: `${id}-label` }, say('jump')), input, list.node);

  function refresh() {
    const wanted = input.value.trim().toLowerCase();
    list.show(places.filter(({ name }) => name.toLowerCase().includes(wanted))
      .map((place) => ({ text: place.name, value: place.id })), say('combobox.none'));
  }

  input.addEventListener('input', refresh);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') list.key(event);
  });
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('close', () => dismiss(dialog));
  document.body.append(dialog);
  dialog.showModal();
  refresh();
}
