// The sidebar: channels and direct messages, with counts of unread messages.

import { el, keepChildren } from './dom.js';
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
      fill(channels, list.filter(({ im }) => !im));
      fill(ims, list.filter(({ im }) => im));

      /** Shows channels in a list. An entry that is there already stays: a click that has begun on it counts. */
      function fill(root, shown) {
        const entries = new Map([...root.querySelectorAll('[data-channel-id]')].map((button) => [button.dataset.channelId, button.parentElement]));
        const nodes = shown.map((channel) => entries.get(channel.id) ?? entry(channel));
        shown.forEach((channel, i) => update(nodes[i].firstElementChild, channel));
        keepChildren(root, nodes.length ? nodes : [el('li', { class: 'quiet' }, t('sidebar.none'))]);
      }

      function entry({ id, name, im }) {
        return el('li', {}, el('button', { type: 'button', 'data-channel-id': id, onclick: () => go(id) },
          el('span', { class: 'sign', 'aria-hidden': 'true' }, im ? '●' : '#'), el('span', { class: 'name' }, name)));
      }

      function update(button, { id, name }) {
        const count = unread(user, id, messages[id] ?? [], id === current);
        button.classList.toggle('unread', count > 0);
        if (id === current) button.setAttribute('aria-current', 'page');
        else button.removeAttribute('aria-current');
        button.querySelector('.name').textContent = name;
        button.querySelector('.count')?.remove();
        if (count) {
          button.append(el('span', { class: 'count' }, el('span', { 'aria-hidden': 'true' }, String(count)),
            el('span', { class: 'unseen' }, translateCount('unread', count))));
        }
      }
    },
  };
}
