// The rich_text block, and the table block, whose cells may contain it.

import { el, link } from './dom.js';
import { emoji, formatDate, mention } from './mrkdwn.js';

const STYLES = { bold: 'strong', italic: 'em', strike: 's', code: 'code' };

const PIECES = {
  text: (piece) => piece.text ?? '',
  link: (piece) => link(piece.url, piece.text || piece.url),
  emoji: (piece) => emoji(piece.name),
  user: (piece, names) => mention('@', names.users.get(piece.user_id) ?? piece.user_id),
  channel: (piece, names) => mention('#', names.channels.get(piece.channel_id) ?? piece.channel_id),
  broadcast: (piece) => mention('@', piece.range),
  date: (piece) => (piece.format ? formatDate(piece.timestamp, piece.format) : piece.fallback ?? ''),
};

function pieces(list, names) {
  return (list ?? []).map((piece) => {
    const plain = Object.hasOwn(PIECES, piece.type) ? PIECES[piece.type](piece, names) : piece.text ?? '';
    return Object.keys(STYLES).filter((style) => piece.style?.[style])
      .reduce((inner, style) => el(STYLES[style], {}, inner), plain);
  });
}

const SECTIONS = {
  rich_text_section: (part, names) => el('p', {}, pieces(part.elements, names)),
  rich_text_quote: (part, names) => el('blockquote', {}, pieces(part.elements, names)),
  rich_text_preformatted: (part, names) => el('pre', {}, el('code', {}, pieces(part.elements, names))),
  rich_text_list: (part, names) => el(part.style === 'ordered' ? 'ol' : 'ul', { class: `indent-${Number(part.indent) || 0}` },
    (part.elements ?? []).map((item) => el('li', {}, pieces(item.elements, names)))),
};

/** Renders a rich_text block. @param {import('./mrkdwn.js').Names} names */
export function richText(block, names) {
  return (block.elements ?? []).map((part) => (Object.hasOwn(SECTIONS, part.type) ? SECTIONS[part.type](part, names) : ''));
}

/** Renders a table block; its first row is the header. */
export function table(block, names) {
  const settings = block.column_settings ?? [];
  const cell = (tag, props) => (content, column) => el(tag, { ...props, class: `align-${settings[column]?.align ?? 'left'}` },
    content.type === 'rich_text' ? richText(content, names) : String(content.text ?? content.value ?? ''));
  const [head = [], ...rows] = block.rows ?? [];
  return el('div', { class: 'scroll', tabindex: 0 }, el('table', {},
    el('thead', {}, el('tr', {}, head.map(cell('th', { scope: 'col' })))),
    el('tbody', {}, rows.map((row) => el('tr', {}, row.map(cell('td', {})))))));
}
