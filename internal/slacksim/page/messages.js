// The messages of one channel, the oldest first, each with its thread below it.

import { announce, controlOf, el, keepChildren, link } from './dom.js';
import { drawBlocks, valuesOf } from './blocks.js';
import { fetchOptions, post } from './api.js';
import { mrkdwn } from './mrkdwn.js';
import { errorText, language, sizeOf, t, translateCount } from './words.js';

/**
 * @param {HTMLElement} root
 * @param {() => {user: string, names: import('./mrkdwn.js').Names, commands: object[], notify: (text: string) => void, write: (text: string) => void}} context
 */
export function messageList(root, context) {
  /** The elements by ts: an unchanged message keeps its elements and the values of its inputs. */
  let shown = new Map();
  let channel = null;
  let shownChannel = '';
  const folded = new Set();
  /** Whether the newest message is visible, and has to stay visible when more arrive or the window shrinks. */
  let following = false;
  /** Whether messages are shown. A channel opens at the top, and stays there until the person scrolls or writes. */
  let begun = false;

  const toEnd = () => { root.scrollTop = root.scrollHeight; };
  root.addEventListener('scroll', () => {
    following = root.scrollHeight - root.scrollTop - root.clientHeight < 80;
  }, { passive: true });
  new ResizeObserver(() => following && toEnd()).observe(root);

  function show(channelId, messages) {
    const here = `${context().user} ${channelId}`;
    const changedChannel = here !== shownChannel;
    if (changedChannel) shown = new Map();
    [channel, shownChannel] = [channelId, here];
    if (begun && (changedChannel || root.scrollHeight <= root.clientHeight)) following = true;
    const focus = focused();
    const fresh = messages.filter(({ ts }) => !shown.has(ts));
    const parents = new Set(messages.filter((message) => !isReply(message)).map(({ ts }) => ts));
    const tops = messages.filter((message) => !isReply(message) || !parents.has(message.thread_ts));
    const next = new Map();
    const nodes = [];
    let day = '';
    for (const message of tops) {
      const date = dayOf(message.ts);
      if (date !== day) nodes.push(el('h2', { class: 'day' }, el('span', {}, date)));
      day = date;
      nodes.push(drawn(message, next));
      const replies = messages.filter((reply) => isReply(reply) && reply.thread_ts === message.ts);
      if (replies.length && !isReply(message)) nodes.push(thread(message.ts, replies, next));
    }
    if (!nodes.length) nodes.push(once('welcome', language(), welcome, next));
    keepChildren(root, nodes);
    shown = next;
    if (focus && !root.contains(document.activeElement)) sameControl(focus)?.focus();
    if (following) toEnd();
    begun ||= tops.length > 0;
    if (!changedChannel) announceNew(fresh);
  }

  /** The content of an empty channel: the commands. */
  function welcome() {
    return el('div', { class: 'nothing' }, el('p', {}, t('messages.none')),
      el('ul', {}, context().commands.map(({ command, description, usage_hint: hint }) => el('li', {},
        el('button', { type: 'button', class: 'plain', onclick: () => context().write(`${command} `) },
          el('code', {}, [command, hint].filter(Boolean).join(' ')), el('span', { class: 'quiet' }, description))))));
  }

  function drawn(message, next) {
    return once(message.ts, JSON.stringify([language(), message]), () => draw(message), next);
  }

  /** Returns the existing element if its data are the same, else a new one. */
  function once(key, data, make, next) {
    const old = shown.get(key);
    const entry = old?.data === data ? old : { data, node: make() };
    next.set(key, entry);
    return entry.node;
  }

  function focused() {
    const control = root.contains(document.activeElement) ? document.activeElement.closest('[data-action-id]') : null;
    return control && {
      ts: control.closest('.message').dataset.ts, blockId: control.closest('[data-block-id]').dataset.blockId, actionId: control.dataset.actionId,
    };
  }

  /** Finds the focused control in the changed message, in which its block may have another id. */
  function sameControl({ ts, blockId, actionId }) {
    const message = shown.get(ts)?.node;
    return message && (controlOf(message, blockId, actionId) ?? message.querySelector(`[data-action-id="${CSS.escape(actionId)}"]`));
  }

  function announceNew(messages) {
    for (const message of messages.filter(({ user, app }) => app || user !== context().user)) {
      const text = new DOMParser().parseFromString('', 'text/html').body;
      text.append(mrkdwn(message.text || '', context().names));
      announce(t('message.new', { who: message.username, text: text.textContent.slice(0, 200) }));
    }
  }

  function thread(ts, replies, next) {
    const node = once(`thread ${ts}`, '', () => {
      const made = el('details', { class: 'thread', open: !folded.has(ts) }, el('summary'));
      made.addEventListener('toggle', () => (made.open ? folded.delete(ts) : folded.add(ts)));
      return made;
    }, next);
    const summary = node.firstElementChild;
    summary.textContent = translateCount('thread.replies', replies.length);
    keepChildren(node, [summary, ...replies.map((reply) => drawn(reply, next))]);
    return node;
  }

  function draw(message) {
    const { names } = context();
    const channelId = channel;
    const surface = {
      names,
      kept: () => undefined,
      async act(action, control) {
        if (control.hasAttribute('aria-busy')) return;
        control.setAttribute('aria-busy', 'true');
        const reply = await post('action', { user: context().user, channel: channelId, ts: message.ts, action, values: valuesOf(fields) });
        control.removeAttribute('aria-busy');
        if (!reply.ok) context().notify(errorText(reply.error));
      },
      options: (element, signal) => fetchOptions({ user: context().user, channel: channelId, ts: message.ts, ...element }, signal),
    };
    const { nodes, fields } = drawBlocks(message.blocks, surface);
    const when = new Date(Number(message.ts) * 1000);
    return el('article', { class: `message ${message.ephemeral ? 'ephemeral' : ''}`, 'data-ts': message.ts, 'aria-label': message.username },
      el('span', { class: `avatar ${message.app ? 'app' : `tint-${tint(message.user)}`}`, 'aria-hidden': 'true' }, initial(message.username)),
      el('div', { class: 'content' },
        message.ephemeral && el('p', { class: 'only-you' }, t('message.ephemeral')),
        el('p', { class: 'who' },
          el('strong', {}, message.username), message.app && el('span', { class: 'badge' }, t('message.app')),
          el('time', { datetime: when.toISOString(), title: when.toLocaleString(language()) }, timeOf(when))),
        nodes.length ? nodes : el('div', { class: 'text' }, mrkdwn(message.text ?? '', names)),
        message.edited && el('span', { class: 'quiet edited' }, t('message.edited')),
        message.files?.length > 0 && el('div', { class: 'files' }, message.files.map(fileCard))));
  }

  /** Scrolls to the newest message, and keeps it visible. */
  function follow() {
    following = true;
    toEnd();
  }

  return { follow, show };
}

const isReply = (message) => message.thread_ts && message.thread_ts !== message.ts;

const timeOf = (when) => new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit' }).format(when);

const dayOf = (ts) => new Intl.DateTimeFormat(language(), { weekday: 'long', day: 'numeric', month: 'long' }).format(new Date(Number(ts) * 1000));

function fileCard(file) {
  const kind = file.mimetype === 'application/pdf' ? 'PDF' : (file.name ?? '').split('.').pop().slice(0, 4).toUpperCase();
  const name = file.title || file.name;
  return el('div', { class: 'file', 'data-file-id': file.id },
    el('span', { class: 'kind', 'aria-hidden': 'true' }, kind),
    el('div', {}, link(file.url, [name, el('span', { class: 'unseen' }, ` ${t('file.tab')}`)]),
      el('p', { class: 'quiet' }, [file.name, sizeOf(file.size)].filter(Boolean).join(' · '))));
}

/** The first letter of a name, for the avatar. */
function initial(name) {
  return ([...(name ?? '')][0] ?? '?').toUpperCase();
}

/** A person's colour. */
function tint(id) {
  return [...(id ?? '')].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 5;
}
