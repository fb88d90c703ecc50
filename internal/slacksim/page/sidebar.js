// The sidebar: channels and direct messages, with counts of unread messages.

import { el } from './dom.js';
import { t, translateCount } from './words.js';

/**
 * @param {(id: string) => void} go
 */
export function channelList(go) {
  const channels = document.getElementById('channels');
  const ims = document.getElementById('ims');
  /** For each person and channel, the messages that were shown. */
  const seen = new Map();

  /** Counts the unread messages of a channel, or marks all as read. Messages from before a person first opened the page are read. */
  function unread(user, channel, messages, reading) {
    const key = `${user} ${channel}`;
    if (reading || !seen.has(key)) seen.set(key, new Set(messages.map(({ ts }) => ts)));
    return messages.filter(({ ts }) => !seen.get(key).has(ts)).length;
  }

  return {
    /** @param {{user: string, current: string, channels: {id: string, name: string, im: boolean}[], messages: Record<string, object[]>}} at */
    show({ user, current, channels: list, messages }) {
      const entry = (channel) => {
        const count = unread(user, channel.id, messages[channel.id] ?? [], channel.id === current);
        return el('li', {}, el('button', {
          type: 'button', 'data-channel-id': channel.id, 'aria-current': channel.id === current ? 'page' : undefined,
          class: count ? 'unread' : '', onclick: () => go(channel.id),
        }, el('span', { class: 'sign', 'aria-hidden': 'true' }, channel.im ? '●' : '#'), el('span', { class: 'name' }, channel.name),
        count > 0 && el('span', { class: 'count' }, el('span', { 'aria-hidden': 'true' }, String(count)),
          el('span', { class: 'unseen' }, translateCount('unread', count)))));
      };
      fill(channels, list.filter(({ im }) => !im).map(entry));
      fill(ims, list.filter(({ im }) => im).map(entry));
    },
  };
}

/** Replaces the entries and keeps the focus on the same one. */
function fill(root, entries) {
  const focused = root.contains(document.activeElement) ? document.activeElement.dataset.channelId : null;
  root.replaceChildren(...(entries.length ? entries : [el('li', { class: 'quiet' }, t('sidebar.none'))]));
  if (focused) root.querySelector(`[data-channel-id="${CSS.escape(focused)}"]`)?.focus();
}
