// Renders Block Kit blocks of messages, modals and the Home tab.

import { el, freshId, link, safeUrl } from './dom.js';
import { confirm } from './confirm.js';
import { drawField, isField } from './fields.js';
import { markdown } from './markdown.js';
import { inlineText, textObject, withEmoji } from './mrkdwn.js';
import { richText, table } from './richtext.js';
import { t } from './words.js';

/**
 * @typedef {object} Surface the container that blocks are drawn in
 * @property {import('./mrkdwn.js').Names} names
 * @property {(blockId: string, actionId: string) => object|undefined} kept the current value of an input, which wins over the initial value
 * @property {(action: object, control: HTMLElement) => Promise<void>} act sends an action to the app, and waits for it
 * @property {(action: object) => void} [report] sends an action without waiting
 * @property {(element: {block_id: string, action_id: string}, file: File) => Promise<object>} [upload] of a surface with file inputs
 * @property {(element: {block_id: string, action_id: string, value: string}, signal: AbortSignal) => Promise<object>} options
 *
 * @typedef {import('./fields.js').Field & {showProblem?: (text: string|null) => void, required: boolean}} DrawnField
 */

/**
 * Draws blocks, and returns their nodes and the inputs among them in document order.
 * @param {object[]} blocks @param {Surface} surface @returns {{nodes: Node[], fields: DrawnField[]}}
 */
export function drawBlocks(blocks, surface) {
  const fields = [];
  const nodes = (blocks ?? []).map((block, index) => {
    const blockId = block.block_id ?? `block-${index}`;
    const draw = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type] : unknown;
    return el('div', { class: `block ${draw === unknown ? 'unknown' : block.type}`, 'data-block-id': blockId },
      draw(block, { blockId, surface, fields }));
  });
  return { nodes, fields };
}

const unknown = (block) => el('p', { class: 'quiet' }, t('block.unknown', { type: String(block.type) }));

const BLOCKS = {
  header: (block) => el('h3', {}, withEmoji(block.text.text)),
  divider: () => el('hr'),
  section,
  context: (block, { surface }) => (block.elements ?? []).map((element) => (element.type === 'image'
    ? imageNode(element, 'small') : el('div', {}, textObject(element, surface.names)))),
  actions: (block, at) => (block.elements ?? []).map((element) => drawElement(element, at, '')),
  input,
  rich_text: (block, { surface }) => richText(block, surface.names),
  table: (block, { surface }) => table(block, surface.names),
  markdown: (block) => markdown(block.text ?? ''),
  image: (block) => el('figure', {}, block.title && el('figcaption', {}, withEmoji(block.title.text)), imageNode(block, 'large')),
};

function imageNode(image, size) {
  const src = image.image_url && safeUrl(image.image_url);
  return src ? el('img', { src, alt: image.alt_text ?? '', class: size, loading: 'lazy' }) : el('span', {}, image.alt_text ?? '');
}

function section(block, at) {
  const { names } = at.surface;
  return [
    el('div', { class: 'section-text' },
      block.text && el('div', {}, textObject(block.text, names)),
      block.fields && el('div', { class: 'facts' }, block.fields.map((fact) => el('div', {}, textObject(fact, names))))),
    block.accessory && drawElement(block.accessory, at, block.text?.text ?? ''),
  ];
}

function drawElement(element, at, label) {
  if (element.type === 'image') return imageNode(element, 'thumb');
  if (element.type === 'button') return button(element, at);
  if (!isField(element.type)) return unknown(element);
  const field = fieldOf(element, at, {
    label: element.placeholder?.text ?? label, required: false, changed(trigger) {
      if (trigger !== 'character') acted();
    },
  });
  function acted() {
    confirmed(element, at.surface.names, () => sendAction(element, at, field.read(), field.control));
  }
  return el('div', { class: 'element' }, field.node);
}

function fieldOf(element, { blockId, surface, fields }, { label, controlId, describedBy, required, changed }) {
  const field = Object.assign(drawField(element, {
    blockId, label, controlId, describedBy, required, changed, names: surface.names,
    kept: surface.kept(blockId, element.action_id),
    upload: (file) => surface.upload({ block_id: blockId, action_id: element.action_id }, file),
    options: (value, signal) => surface.options({ block_id: blockId, action_id: element.action_id, value }, signal),
  }), { required });
  fields.push(field);
  return field;
}

/** Returns an entry of a block_actions payload. */
const entryOf = (element, blockId, answer) => ({ ...answer, type: element.type, block_id: blockId, action_id: element.action_id });

/** Sends the action of an element to the app. */
function sendAction(element, { blockId, surface }, answer, control) {
  return surface.act(entryOf(element, blockId, answer), control);
}

async function confirmed(element, names, then) {
  if (!element.confirm || await confirm(element.confirm, names)) await then();
}

function button(element, at) {
  const style = ['primary', 'danger'].includes(element.style) ? element.style : '';
  const props = {
    class: `button ${style}`, 'data-action-id': element.action_id, 'aria-label': element.accessibility_label,
    onclick: () => confirmed(element, at.surface.names, () => sendAction(element, at, { text: element.text, value: element.value }, node)),
  };
  const text = withEmoji(element.text.text);
  const node = element.url ? link(element.url, text, props) : el('button', { type: 'button', ...props }, text);
  return node;
}

/** Whether a block sends an action on a trigger; Slack's default for text is the Enter key. */
function dispatches(block, trigger) {
  if (!block.dispatch_action) return false;
  const asked = block.element.dispatch_action_config?.trigger_actions_on ?? ['on_enter_pressed'];
  return trigger === 'choice' || asked.includes(trigger === 'enter' ? 'on_enter_pressed' : 'on_character_entered');
}

function input(block, at) {
  const { element } = block;
  if (!isField(element.type)) return unknown(element);
  const { names } = at.surface;
  const [controlId, hintId, problemId] = [freshId('field'), freshId('hint'), freshId('problem')];
  const required = !block.optional;
  const label = withEmoji(block.label.text);
  const problem = el('p', { class: 'problem', id: problemId, hidden: true });
  const field = fieldOf(element, at, {
    label, controlId, required, describedBy: `${problemId}${block.hint ? ` ${hintId}` : ''}`,
    changed(trigger) {
      showProblem(null);
      const sends = dispatches(block, trigger);
      // The form stays usable while the action is sent.
      if (sends && at.surface.report) at.surface.report(entryOf(element, at.blockId, field.read()));
      else if (sends) sendAction(element, at, field.read(), field.control);
      return sends;
    },
  });
  function showProblem(text) {
    problem.textContent = text ?? '';
    problem.hidden = text === null;
    if (text === null) field.control.removeAttribute('aria-invalid');
    else field.control.setAttribute('aria-invalid', 'true');
  }
  field.showProblem = showProblem;
  const labelable = 'labels' in field.control;
  return [
    el(labelable ? 'label' : 'span', { class: 'label', for: labelable ? controlId : null },
      label, block.optional && el('span', { class: 'optional' }, ` ${t('optional')}`)),
    field.node,
    problem,
    block.hint && el('p', { class: 'hint', id: hintId }, inlineText(block.hint, names)),
  ];
}

/** Returns the values of fields in the format of view.state.values. @param {DrawnField[]} fields */
export function valuesOf(fields) {
  const values = {};
  for (const field of fields) (values[field.blockId] ??= {})[field.actionId] = field.read();
  return values;
}
