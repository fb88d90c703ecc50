// The file input: files are uploaded as soon as they are chosen or dropped, as in Slack, and listed with their names and sizes.

import { announce, el, freshId } from './dom.js';
import { errorText, sizeOf, t, translateCount } from './words.js';

const MAX_BYTES = 32 * 1024 * 1024;

const extensionOf = (name) => (name.includes('.') ? name.split('.').pop().toLowerCase() : '');

/** @param {object} element @param {import('./fields.js').FieldContext} context */
export function fileInput(element, context) {
  const limit = element.max_files ?? 10;
  const accepted = element.filetypes ?? [];
  const listId = freshId('files');
  let entries = []; // {name, size, file?: the workspace's file object}
  let wrong = null;

  const control = el('input', {
    type: 'file', multiple: limit > 1, accept: accepted.map((type) => `.${type}`).join(',') || undefined,
    'data-action-id': element.action_id, id: context.controlId, 'aria-label': context.controlId ? undefined : context.label,
    'aria-describedby': [context.describedBy, listId].filter(Boolean).join(' '), 'aria-required': context.required ? 'true' : undefined,
  });
  const list = el('ul', { class: 'chosen', id: listId });
  const about = el('p', { class: 'hint' }, [t('files.drop'), accepted.length ? accepted.map((type) => type.toUpperCase()).join(', ') : null,
    translateCount('files.limit', limit)].filter(Boolean).join(' · '));
  const status = el('p', { class: 'problem', role: 'alert', hidden: true });
  const node = el('div', { class: 'drop' }, control, about, status, list);

  control.addEventListener('change', () => {
    const chosen = [...control.files];
    control.value = ''; // the list below shows them; the same file can be chosen again
    add(chosen);
  });
  node.addEventListener('dragover', (event) => {
    event.preventDefault();
    node.classList.add('over');
  });
  node.addEventListener('dragleave', () => node.classList.remove('over'));
  node.addEventListener('drop', (event) => {
    event.preventDefault();
    node.classList.remove('over');
    add([...event.dataTransfer.files]);
  });

  function say(text) {
    wrong = text;
    status.textContent = text ?? '';
    status.hidden = text === null;
  }

  async function add(files) {
    say(null);
    for (const file of files) {
      const reason = refusal(file);
      if (reason) {
        say(reason);
        continue;
      }
      const entry = { name: file.name, size: file.size };
      entries.push(entry);
      draw();
      const reply = await context.upload(file);
      if (reply.ok) entry.file = reply.file;
      else {
        entries = entries.filter((other) => other !== entry);
        say(errorText(reply.error));
      }
      draw();
    }
    if (files.length) context.changed('choice');
  }

  function refusal(file) {
    if (accepted.length && !accepted.includes(extensionOf(file.name))) return t('files.type', { name: file.name, types: accepted.join(', ') });
    if (entries.length >= limit) return translateCount('files.many', limit);
    if (file.size === 0) return errorText('file_empty');
    if (file.size > MAX_BYTES) return errorText('file_size');
    return null;
  }

  function remove(entry) {
    entries = entries.filter((other) => other !== entry);
    say(null);
    draw();
    announce(t('files.removed', { name: entry.name }));
    control.focus();
    context.changed('choice');
  }

  function draw() {
    list.replaceChildren(...entries.map((entry) => el('li', { 'aria-busy': entry.file ? undefined : 'true' },
      el('span', { class: 'name' }, entry.name),
      el('span', { class: 'quiet' }, entry.file ? sizeOf(entry.size) : t('files.busy')),
      entry.file && el('button', { type: 'button', class: 'plain', 'aria-label': t('files.remove', { name: entry.name }), onclick: () => remove(entry) },
        el('span', { 'aria-hidden': 'true' }, '✕')))));
  }

  return {
    node,
    control,
    read: () => ({ type: element.type, files: entries.filter(({ file }) => file).map(({ file }) => file) }),
    write({ files }) {
      entries = (files ?? []).map((file) => ({ name: file.name, size: file.size, file }));
      draw();
    },
    problem: () => (entries.some(({ file }) => !file) ? t('files.wait') : wrong),
  };
}
