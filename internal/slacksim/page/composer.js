// The box for messages and slash commands, with completion and history.

import { post } from './api.js';
import { listbox } from './listbox.js';
import { t, errorText } from './words.js';

const MAX_HISTORY = 50;

/**
 * @param {HTMLFormElement} form
 * @param {() => {user: string, channel: string, commands: {command: string, description: string, usage_hint: string}[], sending: () => void}} context
 */
export function composer(form, context) {
  const box = form.querySelector('#composer');
  const problem = form.querySelector('#composer-problem');
  const usage = form.querySelector('#usage');
  const history = [];
  let back = 0;
  let draft = '';
  let busy = false;

  const list = listbox(box, {
    label: '',
    onPick(command) {
      write(`${command} `);
    },
  });
  form.querySelector('.compose').prepend(list.node);

  function write(text) {
    box.value = text;
    box.setSelectionRange(text.length, text.length);
    refresh();
  }

  const matching = (text) => context().commands.filter(({ command }) => command.toLowerCase().startsWith(text.toLowerCase()));

  function refresh() {
    box.style.height = 'auto';
    box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
    const [word] = box.value.split(/\s/, 1);
    if (/^\/\S*$/.test(box.value)) {
      list.show(matching(word).map(({ command, description, usage_hint: hint }) => ({
        text: [command, hint].filter(Boolean).join(' '), detail: description, value: command,
      })));
    } else {
      list.close();
    }
    const command = box.value.startsWith('/') && !list.open ? context().commands.find((known) => known.command === word) : null;
    usage.hidden = !command;
    usage.textContent = command ? t('composer.usage', { command: command.command, hint: command.usage_hint ?? '', about: command.description ?? '' }) : '';
  }

  function fail(text) {
    problem.hidden = !text;
    problem.textContent = text;
  }

  async function send() {
    const text = box.value.trim();
    const { user, channel, sending } = context();
    if (!text || busy || !channel) return;
    remember(text);
    busy = true;
    form.toggleAttribute('data-busy', true);
    fail('');
    write('');
    sending();
    const reply = await post(text.startsWith('/') ? 'command' : 'message', { user, channel, text });
    busy = false;
    form.toggleAttribute('data-busy', false);
    if (reply.ok) return;
    fail(text.startsWith('/') ? t('composer.failed', { command: text.split(/\s/, 1)[0], why: errorText(reply.error) }) : errorText(reply.error));
    // Restore the text, unless the person has typed something else.
    if (!box.value) {
      write(text);
      list.close();
    }
  }

  function remember(text) {
    if (history.at(-1) !== text) history.push(text);
    if (history.length > MAX_HISTORY) history.shift();
    back = 0;
  }

  function recall(step) {
    const next = Math.min(Math.max(back + step, 0), history.length);
    if (next === back) return;
    if (back === 0) draft = box.value;
    back = next;
    write(back === 0 ? draft : history.at(-back));
    list.close();
  }

  box.addEventListener('input', () => {
    back = 0;
    fail('');
    refresh();
  });
  box.addEventListener('blur', () => list.close());
  box.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const typed = box.value;
    if (list.open && event.key === 'Tab' && !event.shiftKey && list.value) {
      event.preventDefault();
      const command = list.value;
      list.close();
      write(`${command} `);
    } else if (event.key === 'Enter' && !event.shiftKey && (!list.open || list.value === typed)) {
      event.preventDefault();
      list.close();
      send();
    } else if (list.key(event)) {
      return;
    } else if (event.key === 'ArrowUp' && (typed === '' || back > 0)) {
      event.preventDefault();
      recall(1);
    } else if (event.key === 'ArrowDown' && back > 0) {
      event.preventDefault();
      recall(-1);
    }
  });
  // Some keyboards and drivers send the character of Enter apart from the key.
  box.addEventListener('keypress', (event) => {
    if (event.key === 'Enter' && !event.shiftKey) event.preventDefault();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send();
  });

  return {
    /** Renders the texts in the current language. */
    applyLanguage() {
      box.placeholder = t('composer');
      list.node.setAttribute('aria-label', t('composer.commands'));
      refresh();
    },
    /** Sets the text, for the person to complete. */
    write(text) {
      write(text);
      box.focus();
    },
    forget: () => fail(''),
    focus: () => box.focus(),
  };
}
