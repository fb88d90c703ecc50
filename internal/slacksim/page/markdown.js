// The markdown block, in standard Markdown: headings, lists, quotes, tables, code, emphasis and links.

import { el, link } from './dom.js';
import { split, withEmoji } from './mrkdwn.js';

function inline(text) {
  const inside = (tag) => (match) => el(tag, {}, inline(match[1]));
  return split(text, [
    [/\\([\\`*_{}[\]()#+\-.!|~<>])/g, (match) => match[1]],
    [/`([^`\n]+)`/g, (match) => el('code', {}, match[1])],
    [/\[([^\]\n]*)\]\(([^()\s]+)\)/g, (match) => link(match[2], [inline(match[1])])],
    [/https?:\/\/[^\s<>()]+[^\s<>().,;:!?]/g, (match) => link(match[0], match[0])],
    [/\*\*(?=\S)([^\n]*?[^\s*])\*\*/g, inside('strong')],
    [/(?<!\p{L}|\p{N})__(?=\S)([^\n]*?\S)__(?!\p{L}|\p{N})/gu, inside('strong')],
    [/~~(?=\S)([^\n]*?\S)~~/g, inside('s')],
    [/\*(?=[^\s*])([^*\n]*[^\s*])\*/g, inside('em')],
    [/(?<!\p{L}|\p{N})_(?=[^\s_])([^_\n]*[^\s_])_(?!\p{L}|\p{N})/gu, inside('em')],
  ], withEmoji);
}

const cells = (row) => row.trim().replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map((cell) => cell.trim());

function table(rows) {
  const [head, , ...body] = rows.map(cells);
  return el('div', { class: 'scroll', tabindex: 0 }, el('table', {},
    el('thead', {}, el('tr', {}, head.map((cell) => el('th', { scope: 'col' }, inline(cell))))),
    el('tbody', {}, body.map((row) => el('tr', {}, row.map((cell) => el('td', {}, inline(cell))))))));
}

const list = (tag, pattern) => (rows) => el(tag, {}, rows.map((row) => el('li', {}, inline(pattern.exec(row)[1]))));
const BULLET = /^\s*[-*+]\s+(.*)$/;
const NUMBER = /^\s*\d+[.)]\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;

/** Patterns of runs of lines, and how each run is rendered. */
const RUNS = [
  [/^\s*\|.*\|\s*$/, (rows) => (rows.length > 1 ? table(rows) : el('p', {}, inline(rows[0])))],
  [BULLET, list('ul', BULLET)],
  [NUMBER, list('ol', NUMBER)],
  [QUOTE, (rows) => el('blockquote', {}, rows.flatMap((row, i) => [i > 0 && el('br'), inline(QUOTE.exec(row)[1])]))],
];

/** Renders a markdown text. */
export function markdown(text) {
  const out = document.createDocumentFragment();
  text.split(/^```.*$/m).forEach((part, i) => {
    if (i % 2) out.append(el('pre', {}, el('code', {}, part.replace(/^\n/, ''))));
    else out.append(flow(part));
  });
  return out;
}

function flow(text) {
  const out = document.createDocumentFragment();
  const rows = text.split('\n');
  for (let at = 0; at < rows.length;) {
    const [pattern, build] = RUNS.find(([known]) => known.test(rows[at])) ?? [null, null];
    let end = at + 1;
    if (pattern) {
      while (end < rows.length && pattern.test(rows[end])) end += 1;
      out.append(build(rows.slice(at, end)));
    } else if (HEADING.test(rows[at])) {
      const [, marks, title] = HEADING.exec(rows[at]);
      out.append(el(`h${Math.min(marks.length + 2, 6)}`, {}, inline(title)));
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(rows[at])) {
      out.append(el('hr'));
    } else if (rows[at].trim() !== '') {
      const stops = (row) => row.trim() === '' || HEADING.test(row) || RUNS.some(([known]) => known.test(row));
      while (end < rows.length && !stops(rows[end])) end += 1;
      out.append(el('p', {}, rows.slice(at, end).flatMap((row, i) => [i > 0 && el('br'), inline(row)])));
    }
    at = end;
  }
  return out;
}
