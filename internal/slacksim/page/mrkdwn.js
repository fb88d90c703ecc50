// Renders Slack's mrkdwn. Rules split a text into pieces; each becomes a text node or an element. Text that no rule matches
// stays as it is.

import { el, link } from './dom.js';
import { language } from './words.js';

/** @typedef {{users: Map<string, string>, channels: Map<string, string>}} Names */

const EMOJI = {
  white_check_mark: '✅', heavy_check_mark: '✔️', x: '❌', warning: '⚠️', information_source: 'ℹ️', hourglass: '⌛',
  hourglass_flowing_sand: '⏳', bell: '🔔', no_bell: '🔕', bank: '🏦', house: '🏠', page_facing_up: '📄', memo: '📝',
  bust_in_silhouette: '👤', busts_in_silhouette: '👥', key: '🔑', lock: '🔒', eyes: '👀', tada: '🎉', wave: '👋',
  mag: '🔍', calendar: '📅', email: '📧', telephone_receiver: '📞', moneybag: '💰', arrow_right: '➡️', arrow_left: '⬅️',
  heavy_plus_sign: '➕', pencil2: '✏️', clipboard: '📋', rotating_light: '🚨', question: '❓', bulb: '💡', link: '🔗',
  inbox_tray: '📥', outbox_tray: '📤', arrows_counterclockwise: '🔄', white_circle: '⚪', large_green_circle: '🟢',
  red_circle: '🔴', large_yellow_circle: '🟡', large_blue_circle: '🔵', star: '⭐', thumbsup: '👍', '+1': '👍',
};

/** Returns the character of an emoji, or its name between colons. */
export function emoji(name) {
  return Object.hasOwn(EMOJI, name) ? EMOJI[name] : `:${name}:`;
}

/** Replaces :emoji: names in a text. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
}

/**
 * Splits text by rules at the leftmost match; the earlier rule wins a tie.
 * @param {string} text
 * @param {Array<[RegExp, (match: RegExpExecArray) => Node|string]>} rules patterns with the g flag
 * @param {(plain: string) => string} leaf converts the text between matches
 */
export function split(text, rules, leaf) {
  const out = document.createDocumentFragment();
  const next = rules.map(() => undefined);
  for (let at = 0; at < text.length;) {
    let first = null;
    let make = null;
    rules.forEach(([pattern, build], i) => {
      if (next[i] === null) return;
      if (next[i] === undefined || next[i].index < at) {
        const search = new RegExp(pattern);
        search.lastIndex = at;
        next[i] = search.exec(text);
      }
      if (next[i] && (!first || next[i].index < first.index)) [first, make] = [next[i], build];
    });
    if (!first) {
      out.append(leaf(text.slice(at)));
      break;
    }
    if (first.index > at) out.append(leaf(text.slice(at, first.index)));
    out.append(make(first));
    at = first.index + first[0].length;
  }
  return out;
}

const unescape = (text) => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
const leaf = (text) => withEmoji(unescape(text));

const marked = (mark) => new RegExp(`(?<![\\p{L}\\p{N}${mark}])${mark}(?=[^\\s${mark}])([^${mark}\\n]*[^\\s${mark}])${mark}(?![\\p{L}\\p{N}${mark}])`, 'gu');
const BOLD = marked('\\*');
const ITALIC = marked('_');
const STRIKE = marked('~');

/** Renders one line of mrkdwn. @param {Names} names */
export function inlineMrkdwn(text, names) {
  const inside = (tag) => (match) => el(tag, {}, inlineMrkdwn(match[1], names));
  return split(text, [
    [/`([^`\n]+)`/g, (match) => el('code', {}, unescape(match[1]))],
    [/<([^<>\n]+)>/g, (match) => reference(match[1], names)],
    [BOLD, inside('strong')],
    [ITALIC, inside('em')],
    [STRIKE, inside('s')],
  ], leaf);
}

/** Renders what is between < and >: a user, a channel, a date, a broadcast, or a link. */
function reference(body, names) {
  const [, target, label] = /^([^|]*)(?:\|(.*))?$/.exec(body);
  if (/^@[UW]\w+$/.test(target)) return mention('@', names.users.get(target.slice(1)) ?? label ?? target.slice(1));
  if (/^#[CG]\w+$/.test(target)) return mention('#', names.channels.get(target.slice(1)) ?? label ?? target.slice(1));
  if (/^!(here|channel|everyone)$/.test(target)) return mention('@', target.slice(1));
  if (target.startsWith('!date^')) return date(target.split('^'), label ?? '');
  if (/^(https?:|mailto:)/.test(target)) {
    const address = unescape(target);
    return link(address, label ? leaf(label) : address.replace(/^mailto:/, ''));
  }
  return `<${unescape(body)}>`;
}

/** Renders a mention of a user or channel. */
export function mention(sign, name) {
  return el('span', { class: 'mention' }, sign + name);
}

const DATE_FORMS = {
  date_num: { year: 'numeric', month: '2-digit', day: '2-digit' },
  date: { year: 'numeric', month: 'long', day: 'numeric' },
  date_short: { year: 'numeric', month: 'short', day: 'numeric' },
  date_long: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit' },
  time_secs: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
};

/** Formats a time in the reader's language and zone; form has Slack's placeholders, such as "{date_short} {time}". */
export function formatDate(seconds, form) {
  const moment = new Date(seconds * 1000);
  return form.replace(/\{(\w+?)(?:_pretty)?\}/g, (placeholder, name) => (Object.hasOwn(DATE_FORMS, name)
    ? new Intl.DateTimeFormat(language(), DATE_FORMS[name]).format(moment) : placeholder));
}

function date([, seconds, form, address], fallback) {
  const moment = new Date(Number(seconds) * 1000);
  if (!form || Number.isNaN(moment.getTime())) return unescape(fallback);
  const text = formatDate(Number(seconds), unescape(form));
  return el('time', { datetime: moment.toISOString(), title: unescape(fallback) }, address ? link(unescape(address), text) : text);
}

const LINES = [
  { kind: 'ul', pattern: /^\s*(?:[•◦-])\s+(.*)$/ },
  { kind: 'ol', pattern: /^\s*\d+[.)]\s+(.*)$/ },
  { kind: 'blockquote', pattern: /^(?:&gt;|>)\s?(.*)$/ },
];

/** Renders mrkdwn of several lines: code blocks, lists, quotes, and text. @param {Names} names */
export function mrkdwn(text, names) {
  const out = document.createDocumentFragment();
  text.split('```').forEach((part, i) => {
    if (i % 2) out.append(el('pre', {}, el('code', {}, unescape(part.replace(/^\n/, '')))));
    else if (part.trim() !== '') out.append(lines(part.replace(/^\n|\n$/g, ''), names));
  });
  return out;
}

function lines(text, names) {
  const out = document.createDocumentFragment();
  let open = null;
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      open = null;
      continue;
    }
    const known = LINES.find(({ pattern }) => pattern.test(line));
    const kind = known ? known.kind : 'p';
    const content = inlineMrkdwn(known ? known.pattern.exec(line)[1] : line, names);
    if (open?.localName !== kind) {
      open = el(kind, kind === 'ol' ? { start: parseInt(line.trim(), 10) } : {});
      out.append(open);
    } else if (kind === 'p' || kind === 'blockquote') {
      open.append(el('br'));
    }
    open.append(kind === 'ul' || kind === 'ol' ? el('li', {}, content) : content);
  }
  return out;
}

/** Renders a text object, plain or mrkdwn. @param {Names} names */
export function textObject(object, names) {
  if (!object) return '';
  return object.type === 'mrkdwn' ? mrkdwn(object.text ?? '', names) : withEmoji(object.text ?? '');
}

/** Renders a text object inline, such as a label or an option. @param {Names} names */
export function inlineText(object, names) {
  if (!object) return '';
  return object.type === 'mrkdwn' ? inlineMrkdwn(object.text ?? '', names) : withEmoji(object.text ?? '');
}
