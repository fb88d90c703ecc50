// Controls that hold an answer, and the answer in Slack's form. A field is drawn once and read when needed.

import { el, freshId } from './dom.js';
import { combobox } from './combobox.js';
import { inlineText, withEmoji } from './mrkdwn.js';
import { language, say } from './words.js';

/**
 * @typedef {object} Field
 * @property {string} blockId
 * @property {string} actionId
 * @property {Node} node what is put on the page
 * @property {HTMLElement} control what gets the focus
 * @property {() => object} read the answer, as in view.state.values
 * @property {() => boolean} empty
 * @property {() => string|null} problem why the answer cannot be sent, apart from being empty
 * @property {() => boolean} touched whether it differs from what the app had put in
 *
 * @typedef {object} Place where and for what a field is drawn
 * @property {string} blockId
 * @property {string} label the field's name, for controls that no <label> names
 * @property {string} [controlId] the id that a <label> points to
 * @property {string} [describedBy]
 * @property {boolean} required
 * @property {object} [kept] an earlier answer that wins over the app's
 * @property {(query: string, signal: AbortSignal) => Promise<object>} options
 * @property {(trigger: 'enter'|'character'|'choice') => boolean|void} changed tells whether the app was told
 * @property {import('./mrkdwn.js').Names} names
 */

const attributes = (element, place) => ({
  'data-action-id': element.action_id,
  id: place.controlId,
  'aria-label': place.controlId ? undefined : place.label,
  'aria-describedby': place.describedBy,
  'aria-required': place.required ? 'true' : undefined,
});

/** Whether fields.js knows how to draw an element. */
export function isField(type) {
  return Object.hasOwn(KINDS, type);
}

/** @param {object} element Slack's block element @param {Place} place @returns {Field} */
export function drawField(element, place) {
  const field = KINDS[element.type](element, place);
  const initial = JSON.stringify(field.read());
  if (place.kept && place.kept.type === element.type) field.write(place.kept);
  return {
    blockId: place.blockId,
    actionId: element.action_id,
    problem: () => null,
    touched: () => JSON.stringify(field.read()) !== initial,
    empty: () => Object.entries(field.read()).every(([key, value]) => key === 'type' || value === null || value.length === 0),
    ...field,
  };
}

/** A text box; `check` says what is wrong with a text that is not empty. */
function text(type, props, check, clean = (value) => value) {
  return (element, place) => {
    const own = {
      ...attributes(element, place), ...props, maxlength: element.max_length,
      placeholder: withEmoji(element.placeholder?.text ?? ''),
    };
    const control = element.multiline ? el('textarea', { rows: 4, ...own }) : el('input', { type: 'text', ...own });
    control.value = element.initial_value ?? '';
    control.addEventListener('input', () => place.changed('character'));
    control.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing || element.multiline) return;
      // Enter that the app is told of does not also submit the form.
      if (place.changed('enter')) event.preventDefault();
    });
    return {
      node: control,
      control,
      read: () => ({ type, value: control.value === '' ? null : clean(control.value) }),
      write: ({ value }) => { control.value = value ?? ''; },
      problem() {
        const value = clean(control.value);
        if (value === '') return null;
        if (element.min_length && [...value].length < element.min_length) return say('field.short', { count: element.min_length });
        return check(value, element, control);
      },
    };
  };
}

function checkNumber(value, element) {
  const number = Number(value);
  if (!/^-?\d+(\.\d+)?$/.test(value)) return say('field.number');
  if (!element.is_decimal_allowed && value.includes('.')) return say('field.whole');
  if (element.min_value !== undefined && number < Number(element.min_value)) return say('field.min', { limit: element.min_value });
  if (element.max_value !== undefined && number > Number(element.max_value)) return say('field.max', { limit: element.max_value });
  return null;
}

/** Portuguese keyboards write the decimal comma; Slack knows only the point. */
const point = (value) => value.trim().replace(',', '.');

function date(element, place) {
  const control = el('input', { type: 'date', ...attributes(element, place) });
  // The browser writes the date in its own language, which may turn day and month around for this reader.
  const inWords = el('p', { class: 'hint', 'aria-live': 'polite' });
  const write = (value) => {
    control.value = value ?? '';
    spell();
  };
  const spell = () => {
    inWords.textContent = control.value
      ? new Intl.DateTimeFormat(language(), { dateStyle: 'long', timeZone: 'UTC' }).format(control.valueAsDate) : '';
  };
  control.addEventListener('input', spell);
  control.addEventListener('change', () => place.changed('choice'));
  write(element.initial_date);
  return {
    node: el('div', {}, control, inWords),
    control,
    read: () => ({ type: element.type, selected_date: control.value || null }),
    write: ({ selected_date: value }) => write(value),
    problem: () => (control.validity.badInput ? say('field.date') : null),
  };
}

const allOptions = (element) => element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);

function select(element, place) {
  const choice = (option) => el('option', { value: option.value }, withEmoji(option.text.text));
  const choices = element.option_groups
    ? element.option_groups.map((group) => el('optgroup', { label: group.label.text }, group.options.map(choice)))
    : (element.options ?? []).map(choice);
  const nothing = el('option', { value: '' }, withEmoji(element.placeholder?.text || say('select.placeholder')));
  const control = el('select', attributes(element, place), nothing, choices);
  control.value = element.initial_option?.value ?? '';
  control.addEventListener('change', () => place.changed('choice'));
  return {
    node: control,
    control,
    read: () => ({ type: element.type, selected_option: allOptions(element).find(({ value }) => value === control.value) ?? null }),
    write: ({ selected_option: option }) => { control.value = option?.value ?? ''; },
  };
}

/** A select of the workspace's people, which the page knows by itself. */
function people(element, place) {
  const nobody = el('option', { value: '' }, withEmoji(element.placeholder?.text || say('select.placeholder')));
  const control = el('select', attributes(element, place), nobody,
    // The map also holds the app, which writes messages and is nobody to choose.
    [...place.names.users].filter(([id]) => id !== 'U0BALCAO').map(([id, name]) => el('option', { value: id }, name)));
  control.value = element.initial_user ?? '';
  control.addEventListener('change', () => place.changed('choice'));
  return {
    node: control,
    control,
    read: () => ({ type: element.type, selected_user: control.value || null }),
    write: ({ selected_user: user }) => { control.value = user ?? ''; },
  };
}

function typeAhead(element, place) {
  const make = (selected) => combobox({
    attributes: attributes(element, place),
    label: place.label,
    placeholder: withEmoji(element.placeholder?.text || say('combobox.placeholder')),
    minLength: element.min_query_length ?? 3,
    selected,
    load: place.options,
    onSelect: () => place.changed('choice'),
  });
  let box = make(element.initial_option ?? null);
  const field = {
    node: box.node,
    control: box.input,
    read: () => ({ type: element.type, selected_option: box.selected }),
    write({ selected_option: option }) {
      box = make(option ?? null);
      [field.node, field.control] = [box.node, box.input];
    },
  };
  return field;
}

/** Radio buttons and checkboxes: one group, several marks. */
function marks(type, stateOf, initialOf, optionsOf) {
  return (element, place) => {
    const name = freshId('group');
    const initial = initialOf(element).map(({ value }) => value);
    const boxes = (element.options ?? []).map((option) => {
      const box = el('input', { type, name, value: option.value, 'aria-describedby': option.description && freshId('about') });
      box.checked = initial.includes(option.value);
      box.addEventListener('change', () => place.changed('choice'));
      return { box, option };
    });
    const control = el('div', {
      ...attributes(element, place), class: 'marks', role: type === 'radio' ? 'radiogroup' : 'group', tabindex: -1,
      'aria-label': place.label, 'aria-required': type === 'radio' && place.required ? 'true' : undefined,
    }, boxes.map(({ box, option }) => el('label', { class: 'mark' }, box, el('span', {}, inlineText(option.text, place.names),
      option.description && el('span', { class: 'hint', id: box.getAttribute('aria-describedby') }, inlineText(option.description, place.names))))));
    return {
      node: control,
      control,
      focus: () => (boxes.find(({ box }) => box.checked) ?? boxes[0])?.box.focus(),
      read: () => ({ type: element.type, ...stateOf(boxes.filter(({ box }) => box.checked).map(({ option }) => option)) }),
      write(kept) {
        const values = optionsOf(kept).map(({ value }) => value);
        for (const { box } of boxes) box.checked = values.includes(box.value);
      },
    };
  };
}

const one = (option) => (option ? [option] : []);

const KINDS = {
  plain_text_input: text('plain_text_input', {}, () => null),
  email_text_input: text('email_text_input', { type: 'email' },
    (value, _, control) => (control.validity.typeMismatch ? say('field.email') : null)),
  url_text_input: text('url_text_input', { type: 'url' },
    (value, _, control) => (control.validity.typeMismatch ? say('field.url') : null)),
  number_input: text('number_input', { inputmode: 'decimal' }, checkNumber, point),
  datepicker: date,
  static_select: select,
  external_select: typeAhead,
  users_select: people,
  radio_buttons: marks('radio', ([option = null]) => ({ selected_option: option }),
    (element) => one(element.initial_option), (kept) => one(kept.selected_option)),
  checkboxes: marks('checkbox', (options) => ({ selected_options: options }),
    (element) => element.initial_options ?? [], (kept) => kept.selected_options ?? []),
};
