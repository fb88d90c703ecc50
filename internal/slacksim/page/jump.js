// Ctrl+K: opens a channel by a part of its name.

import { dismiss, el, freshId } from './dom.js';
import { listbox } from './listbox.js';
import { t } from './words.js';

/**
 * Asks for a channel and opens it.
 * @param {{id: string, name: string}[]} channels @param {(id: string) => void} go
 */
export function jump(channels, go) {
  const id = freshId('jump');
  const input = el('input', { type: 'text', id, spellcheck: 'false' });
  const list = listbox(input, {
    label: t('jump'),
    onPick(channel) {
      dismiss(dialog);
      go(channel);
    },
  });
  const dialog = el('dialog', { class: 'jump-to', 'aria-labelledby': `${id}-label` },
    el('label', { for: id, id: `${id}-label` }, t('jump')), input, list.node);

  function refresh() {
    const query = input.value.trim().toLowerCase();
    list.show(channels.filter(({ name }) => name.toLowerCase().includes(query))
      .map((channel) => ({ text: channel.name, value: channel.id })), t('combobox.none'));
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
