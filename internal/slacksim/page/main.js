// The page of the simulated workspace: one person at a time, one channel at a time.

import { el } from './dom.js';
import { drawBlocks, valuesOf } from './blocks.js';
import { composer } from './composer.js';
import { failedJustNow, fetchOptions, fetchWorkspace, post } from './api.js';
import { follow } from './stream.js';
import { jump } from './jump.js';
import { language, loadWords, say, sayError, speak, translate } from './words.js';
import { messageList } from './messages.js';
import { modals } from './modal.js';
import { placeList } from './places.js';

const byId = (id) => document.getElementById(id);

const state = {
  workspace: null, user: null, channel: null, tab: 'messages', snapshot: null, stream: null, names: { users: new Map(), channels: new Map() },
  language: sessionStorage.getItem('language') ?? '', notice: null, home: '',
};

const context = () => ({
  user: state.user?.id, channel: state.channel, names: state.names, commands: state.workspace?.commands ?? [], notify,
  write: (text) => writer.write(text), sending: () => list.follow(),
});
const list = messageList(byId('messages'), context);
const writer = composer(byId('composer-form'), context);
const dialogs = modals(context);
const places = placeList(go);

/** Shows a sentence for a while, and reads it out. */
function notify(text) {
  const note = el('p', { class: 'notice' }, text);
  byId('notices').append(note);
  setTimeout(() => note.remove(), 8000);
}

function become(id) {
  const { users } = state.workspace;
  state.user = users.find((user) => user.id === id) ?? users[0];
  state.snapshot = null;
  state.notice = null;
  sessionStorage.setItem('user', state.user.id);
  byId('user').value = state.user.id;
  dialogs.show([]);
  writer.forget();
  state.stream?.stop();
  state.stream = follow(state.user.id, { snapshot: receive, connected });
  speakAgain();
}

function speakAgain() {
  speak(state.language || state.user.locale);
  byId('language').value = state.language;
  translate(document);
  byId('connection').textContent = say('connection.lost');
  dialogs.redraw();
  render();
}

function connected(up) {
  const line = byId('connection');
  line.hidden = up;
  line.textContent = up ? '' : say('connection.lost');
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
    if (!first) tellNotice(snapshot.notice.text);
    state.notice = snapshot.notice.id;
  }
  render();
  dialogs.show(snapshot.views ?? []);
}

/** Shows what Slack itself says, unless it is about something that this page has told already in its place. */
function tellNotice(text) {
  setTimeout(() => failedJustNow() || notify(text), 300);
}

function go(channel) {
  state.channel = channel;
  state.tab = 'messages';
  openSidebar(false);
  render();
  writer.focus();
}

function render() {
  const { snapshot } = state;
  const channel = snapshot?.channels.find(({ id }) => id === state.channel);
  const name = channel ? `${channel.im ? '' : '#'}${channel.name}` : '';
  byId('place').textContent = name;
  document.title = [name, state.workspace.team.name].filter(Boolean).join(' · ');
  writer.here();
  if (!snapshot) return;
  if (!channel?.im) state.tab = 'messages';
  const atHome = state.tab === 'home';
  places.show({ user: state.user.id, current: state.channel, channels: snapshot.channels, messages: snapshot.messages ?? {} });
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

/** The app's Home, drawn again only when the app has changed it. */
function showHome(home) {
  const picture = JSON.stringify([language(), state.user.id, home]);
  if (picture === state.home) return;
  state.home = picture;
  const { nodes, fields } = drawBlocks(home?.blocks, {
    names: state.names,
    kept: (blockId, actionId) => home.values?.[blockId]?.[actionId],
    async act(action, control) {
      control.setAttribute('aria-busy', 'true');
      const reply = await post('action', { user: state.user.id, view_id: home.id, action, values: valuesOf(fields) });
      control.removeAttribute('aria-busy');
      if (!reply.ok) notify(sayError(reply.error));
    },
    options: (element, signal) => fetchOptions({ user: state.user.id, view_id: home.id, ...element }, signal),
  });
  byId('home').replaceChildren(...(home ? nodes : [el('p', { class: 'quiet nothing' }, say('home.none'))]));
}

function openSidebar(open) {
  document.body.toggleAttribute('data-sidebar', open);
  byId('menu').setAttribute('aria-expanded', String(open));
  byId('shade').hidden = !open;
  if (open) byId('sidebar').querySelector('button, select').focus();
}

function askPlace() {
  if (document.querySelector('dialog[open]') || !state.snapshot) return;
  jump(state.snapshot.channels.map(({ id, name, im }) => ({ id, name: im ? name : `#${name}` })), go);
}

function showTab(tab) {
  state.tab = tab;
  render();
  byId(`tab-${tab}`).focus();
  if (tab === 'home') openHome();
}

/** The app hears that its Home is looked at, and may draw it then. */
async function openHome() {
  const reply = await post('home', { user: state.user.id });
  if (!reply.ok) notify(sayError(reply.error));
}

function listen() {
  byId('user').addEventListener('change', (event) => become(event.target.value));
  byId('language').addEventListener('change', (event) => {
    state.language = event.target.value;
    sessionStorage.setItem('language', state.language);
    speakAgain();
  });
  byId('menu').addEventListener('click', () => openSidebar(!document.body.hasAttribute('data-sidebar')));
  byId('shade').addEventListener('click', () => openSidebar(false));
  byId('jump').addEventListener('click', askPlace);
  byId('tab-home').addEventListener('click', () => showTab('home'));
  byId('tab-messages').addEventListener('click', () => showTab('messages'));
  byId('tabs').addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') showTab(state.tab === 'home' ? 'messages' : 'home');
  });
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      askPlace();
    } else if (event.key === 'Escape' && document.body.hasAttribute('data-sidebar')) {
      openSidebar(false);
      byId('menu').focus();
    }
  });
}

/** The workspace, asked for again until the server is there. */
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
  speak(navigator.language);
  translate(document);
  state.workspace = await workspace();
  state.names.users = new Map(state.workspace.users.map((user) => [user.id, user.real_name || user.name]));
  state.names.channels = new Map(state.workspace.channels.map((channel) => [channel.id, channel.name]));
  byId('team').textContent = state.workspace.team.name;
  byId('user').replaceChildren(...state.workspace.users.map((user) => el('option', { value: user.id }, [user.real_name || user.name, user.locale && `(${user.locale.split('-')[0]})`].filter(Boolean).join(' '))));
  listen();
  become(new URLSearchParams(location.search).get('user') ?? sessionStorage.getItem('user'));
  writer.focus();
}

start();
