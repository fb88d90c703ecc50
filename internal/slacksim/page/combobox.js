// A select with options from the app: it requests the options that match the text, after a pause in typing.

import { el } from './dom.js';
import { listbox, position } from './listbox.js';
import { t, translateCount } from './words.js';

const DEBOUNCE = 200;

/**
 * @param {{
 *   attributes: Record<string, string|undefined>, label: string, placeholder?: string, minLength: number,
 *   selected: object|null, load: (query: string, signal: AbortSignal) => Promise<object>, onSelect: (option: object|null) => void,
 * }} settings `load` returns {options} or {option_groups} with Slack's option objects
 */
export function combobox({ attributes, label, placeholder, minLength, selected, load, onSelect }) {
  const input = el('input', { type: 'text', spellcheck: 'false', placeholder, ...attributes });
  const status = el('span', { class: 'unseen', role: 'status' });
  let chosen = selected;
  let timer = 0;
  let asking = null;

  const list = listbox(input, {
    label,
    onPick(option) {
      choose(option);
      input.value = nameOf(option);
    },
    onClose: cancel,
  });
  const node = el('div', { class: 'combobox' }, input, list.node, status);
  input.value = nameOf(chosen);

  function nameOf(option) {
    return option ? option.text.text : '';
  }

  function choose(option) {
    const changed = option?.value !== chosen?.value;
    chosen = option;
    if (changed) onSelect(option);
  }

  function cancel() {
    clearTimeout(timer);
    asking?.abort();
    asking = null;
  }

  function showText(text) {
    status.textContent = text;
    list.show([], text);
    position(list.node, input);
  }

  function ask(query) {
    cancel();
    if (query.length < minLength) {
      showText(translateCount('combobox.more', minLength - query.length));
      return;
    }
    timer = setTimeout(async () => {
      asking = new AbortController();
      const { signal } = asking;
      const slow = setTimeout(() => showText(t('combobox.loading')), 300);
      const reply = await load(query, signal);
      clearTimeout(slow);
      if (signal.aborted) return;
      if (reply.error || !(reply.options || reply.option_groups)) {
        showText(t('combobox.failed'));
        return;
      }
      answer(items(reply));
    }, query === '' ? 0 : DEBOUNCE);
  }

  function answer(found) {
    const count = found.filter((item) => 'value' in item).length;
    const at = found.filter((item) => 'value' in item).findIndex((item) => item.value.value === chosen?.value);
    list.show(found, t('combobox.none'), Math.max(at, 0));
    position(list.node, input);
    status.textContent = count ? translateCount('combobox.found', count) : t('combobox.none');
  }

  input.addEventListener('input', () => {
    if (input.value === '') choose(null);
    ask(input.value.trim());
  });
  input.addEventListener('click', () => {
    if (!list.open) ask('');
  });
  input.addEventListener('keydown', (event) => {
    if (list.key(event)) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      ask(input.value === nameOf(chosen) ? '' : input.value.trim());
    }
  });
  input.addEventListener('blur', () => {
    list.close();
    cancel();
    // Text that is not an option is replaced by the chosen option.
    input.value = nameOf(chosen);
  });
  for (const event of ['scroll', 'resize']) {
    window.addEventListener(event, () => list.open && position(list.node, input), { capture: true, passive: true });
  }

  return { node, input, get selected() { return chosen; } };
}

/** Converts a response into items of the list. */
function items(reply) {
  const option = (it) => ({ text: it.text.text, detail: it.description?.text, value: it });
  return reply.option_groups
    ? reply.option_groups.flatMap((group) => [{ heading: group.label.text }, ...group.options.map(option)])
    : reply.options.map(option);
}
