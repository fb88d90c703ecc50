// The page of the simulated workspace: one person at a time, one channel at a time.

import { el } from './dom.js';
import { drawBlocks, valuesOf } from './blocks.js';
import { composer } from './composer.js';
import { failedRecently, fetchOptions, fetchWorkspace, post } from './api.js';
import { follow } from './stream.js';
import { jump } from './jump.js';
import { language, loadWords, t, errorText, setLanguage, translate } from './words.js';
import { messageList } from './messages.js';
import { modals } from './modal.js';
import { channelList } from './sidebar.js';

const byId = (id) => document.getElementById(id);

const state = {
  workspace: null, user: null, channel: null, tab: 'messages', snapshot: null, stream: null, names: { users: new Map(), channels: new Map() },
  language: sessionStorage.getItem('language') ?? '', notice: null, home: '',
};

const context = () => ({
  user: state.user?.id, channel: state.channel, names: state.names, commands: state.workspace?.commands ?? [], notify,
  write: (text) => messageBox.write(text), sending: () => list.follow(),
});
const list = messageList(byId('messages'), context);
const messageBox = composer(byId('composer-form'), context);
const dialogs = modals(context);
const sidebar = channelList(go);

/** Shows a notice for eight seconds; screen readers read it out. */
function notify(text) {
  const note = el('p', { class: 'notice' }, text);
  byId('notices').append(note);
  setTimeout(() => note.remove(), 8000);
}

function switchUser(id) {
  const { users } = state.workspace;
  state.user = users.find((user) => user.id === id) ?? users[0];
  state.snapshot = null;
  state.notice = null;
  sessionStorage.setItem('user', state.user.id);
  byId('user').value = state.user.id;
  dialogs.show([]);
  messageBox.forget();
  state.stream?.stop();
  state.stream = follow(state.user.id, { snapshot: receive, connected });
  applyLanguage();
}

function applyLanguage() {
  setLanguage(state.language || state.user.locale);
  byId('language').value = state.language;
  translate(document);
  byId('connection').textContent = t('connection.lost');
  dialogs.redraw();
  render();
}

function connected(up) {
  const line = byId('connection');
  line.hidden = up;
  line.textContent = up ? '' : t('connection.lost');
}

function receive(snapshot) {
  const first = state.snapshot === null;
  state.snapshot = snapshot;
  if (!snapshot.channels.some(({ id }) => id === state.channel)) state.channel = snapshot.channels[0]?.id ?? null;
  for (const { id, name, im } of snapshot.channels) {
    if (!im) state.names.channels.set(id, name);
    for (const { user, username } of snapshot.messages?.[id] ?? []) state.names.users.set(user, username);
  }
  if (snapshot.notice && snapshot.notice.id !== state.notice) {
    if (!first) showNotice(snapshot.notice.text);
    state.notice = snapshot.notice.id;
  }
  render();
  dialogs.show(snapshot.views ?? []);
}

/** Shows Slack's own error, unless the page has just shown the failure of the call that caused it. */
function showNotice(text) {
  setTimeout(() => failedRecently() || notify(text), 300);
}

function go(channel) {
  state.channel = channel;
  state.tab = 'messages';
  openSidebar(false);
  render();
  messageBox.focus();
}

function render() {
  const { snapshot } = state;
  const channel = snapshot?.channels.find(({ id }) => id === state.channel);
  const name = channel ? `${channel.im ? '' : '#'}${channel.name}` : '';
  byId('channel-name').textContent = name;
  document.title = [name, state.workspace.team.name].filter(Boolean).join(' · ');
  messageBox.applyLanguage();
  if (!snapshot) return;
  if (!channel?.im) state.tab = 'messages';
  const atHome = state.tab === 'home';
  sidebar.show({ user: state.user.id, current: state.channel, channels: snapshot.channels, messages: snapshot.messages ?? {} });
  byId('tabs').hidden = !channel?.im;
  byId('home').hidden = !atHome;
  byId('messages').hidden = atHome;
  byId('composer-form').hidden = atHome;
  for (const tab of ['home', 'messages']) {
    byId(`tab-${tab}`).setAttribute('aria-selected', String(state.tab === tab));
    byId(`tab-${tab}`).tabIndex = state.tab === tab ? 0 : -1;
  }
  if (atHome) showHome(snapshot.home);
  else list.show(state.channel, snapshot.messages?.[state.channel] ?? []);
}

/** Shows the app's Home tab. It is drawn again only after a change. */
function showHome(home) {
  const key = JSON.stringify([language(), state.user.id, home]);
  if (key === state.home) return;
  state.home = key;
  const { nodes, fields } = drawBlocks(home?.blocks, {
    names: state.names,
    kept: (blockId, actionId) => home.values?.[blockId]?.[actionId],
    async act(action, control) {
      control.setAttribute('aria-busy', 'true');
      const reply = await post('action', { user: state.user.id, view_id: home.id, action, values: valuesOf(fields) });
      control.removeAttribute('aria-busy');
      if (!reply.ok) notify(errorText(reply.error));
    },
    options: (element, signal) => fetchOptions({ user: state.user.id, view_id: home.id, ...element }, signal),
  });
  byId('home').replaceChildren(...(home ? nodes : [el('p', { class: 'quiet nothing' }, t('home.none'))]));
}

function openSidebar(open) {
  document.body.toggleAttribute('data-sidebar', open);
  byId('menu').setAttribute('aria-expanded', String(open));
  byId('backdrop').hidden = !open;
  if (open) byId('sidebar').querySelector('button, select').focus();
}

function openJump() {
  if (document.querySelector('dialog[open]') || !state.snapshot) return;
  jump(state.snapshot.channels.map(({ id, name, im }) => ({ id, name: im ? name : `#${name}` })), go);
}

function showTab(tab) {
  state.tab = tab;
  render();
  byId(`tab-${tab}`).focus();
  if (tab === 'home') openHome();
}

/** Sends app_home_opened to the app, which may publish its Home tab then. */
async function openHome() {
  const reply = await post('home', { user: state.user.id });
  if (!reply.ok) notify(errorText(reply.error));
}

function addListeners() {
  byId('user').addEventListener('change', (event) => switchUser(event.target.value));
  byId('language').addEventListener('change', (event) => {
    state.language = event.target.value;
    sessionStorage.setItem('language', state.language);
    applyLanguage();
  });
  byId('menu').addEventListener('click', () => openSidebar(!document.body.hasAttribute('data-sidebar')));
  byId('backdrop').addEventListener('click', () => openSidebar(false));
  byId('jump').addEventListener('click', openJump);
  byId('tab-home').addEventListener('click', () => showTab('home'));
  byId('tab-messages').addEventListener('click', () => showTab('messages'));
  byId('tabs').addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') showTab(state.tab === 'home' ? 'messages' : 'home');
  });
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      openJump();
    } else if (event.key === 'Escape' && document.body.hasAttribute('data-sidebar')) {
      openSidebar(false);
      byId('menu').focus();
    }
  });
}

/** Fetches the workspace, every second until the server responds. */
async function workspace() {
  for (;;) {
    const found = await fetchWorkspace();
    if (found.users) return found;
    connected(false);
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
}

async function start() {
  await loadWords();
  setLanguage(navigator.language);
  translate(document);
  state.workspace = await workspace();
  state.names.users = new Map(state.workspace.users.map((user) => [user.id, user.real_name || user.name]));
  state.names.channels = new Map(state.workspace.channels.map((channel) => [channel.id, channel.name]));
  byId('team').textContent = state.workspace.team.name;
  byId('user').replaceChildren(...state.workspace.users.map((user) => el('option', { value: user.id }, [user.real_name || user.name, user.locale && `(${user.locale.split('-')[0]})`].filter(Boolean).join(' '))));
  addListeners();
  switchUser(new URLSearchParams(location.search).get('user') ?? sessionStorage.getItem('user'));
  messageBox.focus();
}

start();
