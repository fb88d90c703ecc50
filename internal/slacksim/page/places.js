// The sidebar: channels and direct messages, with marks where something new waits.

import { el } from './dom.js';
import { say, sayCount } from './words.js';

/**
 * @param {(id: string) => void} go
 */
export function placeList(go) {
  const channels = document.getElementById('channels');
  const ims = document.getElementById('ims');
  /** For each person and channel, the messages that have been on the page. */
  const seen = new Map();

  /** Counts what is new in a channel, or marks all of it seen. A person's first look finds nothing new. */
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
          el('span', { class: 'unseen' }, sayCount('unread', count)))));
      };
      fill(channels, list.filter(({ im }) => !im).map(entry));
      fill(ims, list.filter(({ im }) => im).map(entry));
    },
  };
}

/** Replaces the entries, leaving the focus on the one that had it. */
function fill(root, entries) {
  const held = root.contains(document.activeElement) ? document.activeElement.dataset.channelId : null;
  root.replaceChildren(...(entries.length ? entries : [el('li', { class: 'quiet' }, say('places.none'))]));
  if (held) root.querySelector(`[data-channel-id="${CSS.escape(held)}"]`)?.focus();
}
