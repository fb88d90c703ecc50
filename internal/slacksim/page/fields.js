// Input controls, and their values in Slack's format.

import { el, freshId } from './dom.js';
import { combobox } from './combobox.js';
import { fileInput } from './fileinput.js';
import { inlineText, withEmoji } from './mrkdwn.js';
import { language, t } from './words.js';

/**
 * @typedef {object} Field
 * @property {string} blockId
 * @property {string} actionId
 * @property {Node} node the field's element
 * @property {HTMLElement} control the element that gets the focus
 * @property {() => object} read returns the value, as in view.state.values
 * @property {() => boolean} empty
 * @property {() => string|null} problem returns why a value that is not empty is invalid
 * @property {() => boolean} touched whether the value differs from the app's initial value
 *
 * @typedef {object} FieldContext what a field needs to be drawn
 * @property {string} blockId
 * @property {string} label the field's name, for controls without a <label>
 * @property {string} [controlId] the id that a <label> points to
 * @property {string} [describedBy]
 * @property {boolean} required
 * @property {object} [kept] the current value, which wins over the initial value
 * @property {(query: string, signal: AbortSignal) => Promise<object>} options
 * @property {(file: File) => Promise<object>} upload
 * @property {(trigger: 'enter'|'character'|'choice') => boolean|void} changed returns whether an action was sent
 * @property {import('./mrkdwn.js').Names} names
 */

const attributes = (element, context) => ({
  'data-action-id': element.action_id,
  id: context.controlId,
  'aria-label': context.controlId ? undefined : context.label,
  'aria-describedby': context.describedBy,
  'aria-required': context.required ? 'true' : undefined,
});

/** Whether fields.js knows how to draw an element. */
export function isField(type) {
  return Object.hasOwn(KINDS, type);
}

/** @param {object} element Slack's block element @param {FieldContext} context @returns {Field} */
export function drawField(element, context) {
  const field = KINDS[element.type](element, context);
  const initial = JSON.stringify(field.read());
  if (context.kept && context.kept.type === element.type) field.write(context.kept);
  return {
    blockId: context.blockId,
    actionId: element.action_id,
    problem: () => null,
    touched: () => JSON.stringify(field.read()) !== initial,
    empty: () => Object.entries(field.read()).every(([key, value]) => key === 'type' || value === null || value.length === 0),
    ...field,
  };
}

/** A text box; `check` returns what is wrong with a text that is not empty. */
function text(type, props, check, clean = (value) => value) {
  return (element, context) => {
    const own = {
      ...attributes(element, context), ...props, maxlength: element.max_length,
      placeholder: withEmoji(element.placeholder?.text ?? ''),
    };
    const control = element.multiline ? el('textarea', { rows: 4, ...own }) : el('input', { type: 'text', ...own });
    control.value = element.initial_value ?? '';
    control.addEventListener('input', () => context.changed('character'));
    control.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing || element.multiline) return;
      // An Enter that sends an action does not also submit the form.
      if (context.changed('enter')) event.preventDefault();
    });
    return {
      node: control,
      control,
      read: () => ({ type, value: control.value === '' ? null : clean(control.value) }),
      write: ({ value }) => { control.value = value ?? ''; },
      problem() {
        const value = clean(control.value);
        if (value === '') return null;
        if (element.min_length && [...value].length < element.min_length) return t('field.short', { count: element.min_length });
        return check(value, element, control);
      },
    };
  };
}

function checkNumber(value, element) {
  const number = Number(value);
  if (!/^-?\d+(\.\d+)?$/.test(value)) return t('field.number');
  if (!element.is_decimal_allowed && value.includes('.')) return t('field.whole');
  if (element.min_value !== undefined && number < Number(element.min_value)) return t('field.min', { limit: element.min_value });
  if (element.max_value !== undefined && number > Number(element.max_value)) return t('field.max', { limit: element.max_value });
  return null;
}

/** Converts a decimal comma, as Portuguese keyboards have, into the decimalPoint that Slack requires. */
const decimalPoint = (value) => value.trim().replace(',', '.');

function date(element, context) {
  const control = el('input', { type: 'date', ...attributes(element, context) });
  // The browser shows the date in its own language, in which the order of day and month may differ.
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
  control.addEventListener('change', () => context.changed('choice'));
  write(element.initial_date);
  return {
    node: el('div', {}, control, inWords),
    control,
    read: () => ({ type: element.type, selected_date: control.value || null }),
    write: ({ selected_date: value }) => write(value),
    problem: () => (control.validity.badInput ? t('field.date') : null),
  };
}

const allOptions = (element) => element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);

function select(element, context) {
  const choice = (option) => el('option', { value: option.value }, withEmoji(option.text.text));
  const choices = element.option_groups
    ? element.option_groups.map((group) => el('optgroup', { label: group.label.text }, group.options.map(choice)))
    : (element.options ?? []).map(choice);
  const nothing = el('option', { value: '' }, withEmoji(element.placeholder?.text || t('select.placeholder')));
  const control = el('select', attributes(element, context), nothing, choices);
  control.value = element.initial_option?.value ?? '';
  control.addEventListener('change', () => context.changed('choice'));
  return {
    node: control,
    control,
    read: () => ({ type: element.type, selected_option: allOptions(element).find(({ value }) => value === control.value) ?? null }),
    write: ({ selected_option: option }) => { control.value = option?.value ?? ''; },
  };
}

/** A select of the workspace's people. */
function people(element, context) {
  const nobody = el('option', { value: '' }, withEmoji(element.placeholder?.text || t('select.placeholder')));
  const control = el('select', attributes(element, context), nobody,
    // The map also has the app, which cannot be chosen.
    [...context.names.users].filter(([id]) => id !== 'U0BALCAO').map(([id, name]) => el('option', { value: id }, name)));
  control.value = element.initial_user ?? '';
  control.addEventListener('change', () => context.changed('choice'));
  return {
    node: control,
    control,
    read: () => ({ type: element.type, selected_user: control.value || null }),
    write: ({ selected_user: user }) => { control.value = user ?? ''; },
  };
}

function typeAhead(element, context) {
  const make = (selected) => combobox({
    attributes: attributes(element, context),
    label: context.label,
    placeholder: withEmoji(element.placeholder?.text || t('combobox.placeholder')),
    minLength: element.min_query_length ?? 3,
    selected,
    load: context.options,
    onSelect: () => context.changed('choice'),
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

/** Radio buttons and checkboxes. */
function choiceGroup(type, stateOf, initialOf, optionsOf) {
  return (element, context) => {
    const name = freshId('group');
    const initial = initialOf(element).map(({ value }) => value);
    const boxes = (element.options ?? []).map((option) => {
      const box = el('input', { type, name, value: option.value, 'aria-describedby': option.description && freshId('about') });
      box.checked = initial.includes(option.value);
      box.addEventListener('change', () => context.changed('choice'));
      return { box, option };
    });
    const control = el('div', {
      ...attributes(element, context), class: 'marks', role: type === 'radio' ? 'radiogroup' : 'group', tabindex: -1,
      'aria-label': context.label, 'aria-required': type === 'radio' && context.required ? 'true' : undefined,
    }, boxes.map(({ box, option }) => el('label', { class: 'mark' }, box, el('span', {}, inlineText(option.text, context.names),
      option.description && el('span', { class: 'hint', id: box.getAttribute('aria-describedby') }, inlineText(option.description, context.names))))));
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
    (value, _, control) => (control.validity.typeMismatch ? t('field.email') : null)),
  url_text_input: text('url_text_input', { type: 'url' },
    (value, _, control) => (control.validity.typeMismatch ? t('field.url') : null)),
  number_input: text('number_input', { inputmode: 'decimal' }, checkNumber, decimalPoint),
  datepicker: date,
  static_select: select,
  external_select: typeAhead,
  users_select: people,
  file_input: fileInput,
  radio_buttons: choiceGroup('radio', ([option = null]) => ({ selected_option: option }),
    (element) => one(element.initial_option), (kept) => one(kept.selected_option)),
  checkboxes: choiceGroup('checkbox', (options) => ({ selected_options: options }),
    (element) => element.initial_options ?? [], (kept) => kept.selected_options ?? []),
};
