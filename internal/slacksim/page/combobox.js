// A select whose options somebody else knows: what is typed is asked for, after a pause, and one answer is chosen.

import { el } from './dom.js';
import { listbox, place } from './listbox.js';
import { say, sayCount } from './words.js';

const PAUSE = 200;

/**
 * @param {{
 *   attributes: Record<string, string|undefined>, label: string, placeholder?: string, minLength: number,
 *   selected: object|null, load: (query: string, signal: AbortSignal) => Promise<object>, onSelect: (option: object|null) => void,
 * }} settings `load` answers {options} or {option_groups}, of Slack's option objects
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

  function tell(text) {
    status.textContent = text;
    list.show([], text);
    place(list.node, input);
  }

  function ask(query) {
    cancel();
    if (query.length < minLength) {
      tell(sayCount('combobox.more', minLength - query.length));
      return;
    }
    timer = setTimeout(async () => {
      asking = new AbortController();
      const { signal } = asking;
      const slow = setTimeout(() => tell(say('combobox.loading')), 300);
      const reply = await load(query, signal);
      clearTimeout(slow);
      if (signal.aborted) return;
      if (reply.error || !(reply.options || reply.option_groups)) {
        tell(say('combobox.failed'));
        return;
      }
      answer(items(reply));
    }, query === '' ? 0 : PAUSE);
  }

  function answer(found) {
    const count = found.filter((item) => 'value' in item).length;
    const at = found.filter((item) => 'value' in item).findIndex((item) => item.value.value === chosen?.value);
    list.show(found, say('combobox.none'), Math.max(at, 0));
    place(list.node, input);
    status.textContent = count ? sayCount('combobox.found', count) : say('combobox.none');
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
    // Half-typed text is no choice: show again what is chosen.
    input.value = nameOf(chosen);
  });
  for (const event of ['scroll', 'resize']) {
    window.addEventListener(event, () => list.open && place(list.node, input), { capture: true, passive: true });
  }

  return { node, input, get selected() { return chosen; } };
}

/** Slack's reply as items of the list. */
function items(reply) {
  const option = (it) => ({ text: it.text.text, detail: it.description?.text, value: it });
  return reply.option_groups
    ? reply.option_groups.flatMap((group) => [{ heading: group.label.text }, ...group.options.map(option)])
    : reply.options.map(option);
}
