// Modal views. Each view of the stack has its own <dialog>, of which only the topmost is open, so that a view keeps its
// state while another is on top.

import { announce, controlOf, dismiss, el, freshId } from './dom.js';
import { drawBlocks, valuesOf } from './blocks.js';
import { fetchOptions, post, uploadFile } from './api.js';
import { withEmoji } from './mrkdwn.js';
import { language, t, errorText } from './words.js';

/** @param {() => {user: string, names: import('./mrkdwn.js').Names}} context */
export function modals(context) {
  const open = new Map();

  return {
    /** Shows the stack of views, the last one on top. */
    show(views) {
      for (const [id, modal] of open) {
        if (views.some((view) => view.id === id)) continue;
        modal.remove();
        open.delete(id);
      }
      for (const view of views) {
        if (!open.has(view.id)) open.set(view.id, modalOf(view, context));
        open.get(view.id).draw(view);
      }
      const top = views.at(-1)?.id;
      for (const [id, modal] of open) if (id !== top) modal.hide();
      if (top) open.get(top).show();
    },
    /** Draws all views again, such as in another language. */
    redraw() {
      for (const modal of open.values()) modal.redraw();
    },
  };
}

function modalOf(first, context) {
  let view = first;
  let drawn = '';
  let fields = [];
  let busy = false;
  let removed = false;

  const titleId = freshId('title');
  const title = el('h2', { id: titleId, tabindex: -1 });
  const cross = el('button', { type: 'button', class: 'plain cross', onclick: ask }, el('span', { 'aria-hidden': 'true' }, '✕'));
  const problem = el('p', { class: 'problem general', role: 'alert', hidden: true });
  const body = el('div', { class: 'body' });
  const cancel = el('button', { type: 'button', class: 'button close', onclick: ask });
  const submit = el('button', { type: 'submit', class: 'button primary submit' });
  const form = el('form', { novalidate: true, onsubmit: send }, el('header', {}, title, cross), body,
    el('footer', {}, problem, cancel, submit));
  const dialog = el('dialog', { class: 'view', 'aria-labelledby': titleId, 'data-view-id': view.id }, form);

  const surface = {
    get names() { return context().names; },
    kept: () => undefined,
    act: (action, control) => occupied(control, () => post('action', {
      user: context().user, view_id: view.id, action, values: valuesOf(fields),
    })),
    async report(action) {
      const reply = await post('action', { user: context().user, view_id: view.id, action, values: valuesOf(fields) });
      if (!reply.ok) fail(reply);
    },
    upload: (element, file) => uploadFile({ user: context().user, view_id: view.id, ...element }, file),
    options: (element, signal) => fetchOptions({ user: context().user, view_id: view.id, ...element }, signal),
  };

  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    ask();
  });
  // A browser may close a dialog all the same. The view is still open then, so the page asks the server to close it.
  dialog.addEventListener('close', () => {
    if (!removed && dialog.dataset.shown) ask();
  });
  document.body.append(dialog);

  async function ask() {
    if (busy) return;
    fail(await post('close', { user: context().user, view_id: view.id }));
  }

  function fail(reply) {
    problem.hidden = reply.ok;
    problem.textContent = reply.ok ? '' : errorText(reply.error);
    return reply;
  }

  /** Runs a request. Meanwhile the view is busy, and refuses others. */
  async function occupied(control, request) {
    if (busy) return null;
    setBusy(true, control);
    const reply = fail(await request());
    setBusy(false, control);
    return reply;
  }

  function setBusy(now, control) {
    busy = now;
    dialog.toggleAttribute('data-busy', now);
    if (now) control.setAttribute('aria-busy', 'true');
    else control.removeAttribute('aria-busy');
    submit.setAttribute('aria-disabled', String(now));
    submit.textContent = now && control === submit ? t('modal.busy') : withEmoji(view.submit ?? '');
  }

  async function send(event) {
    event.preventDefault();
    if (busy || view.submit === null) return;
    const wrong = problemsBefore();
    if (Object.keys(wrong).length) return showProblems(wrong);
    showProblems({});
    const before = drawn;
    const reply = await occupied(submit, async () => {
      const answer = await post('submit', { user: context().user, view_id: view.id, values: valuesOf(fields) });
      // The response may arrive before the snapshot with its effect: stay busy, or a second Enter would submit again.
      if (answer.ok && !answer.errors) await settled(() => removed || !dialog.open || drawn !== before);
      return answer;
    });
    if (reply?.errors) showProblems(reply.errors);
  }

  /** Shows the errors that Slack's clients find by themselves, without the app. */
  function problemsBefore() {
    const wrong = {};
    for (const field of fields.filter(({ showProblem }) => showProblem)) {
      const text = field.problem() ?? (field.required && field.empty() ? t('field.required') : null);
      if (text) wrong[field.blockId] = text;
    }
    return wrong;
  }

  function showProblems(problems) {
    const wrong = [];
    for (const field of fields.filter(({ showProblem }) => showProblem)) {
      const text = Object.hasOwn(problems, field.blockId) ? String(problems[field.blockId]) : null;
      field.showProblem(text);
      if (text) wrong.push([field, text]);
    }
    if (!wrong.length) return;
    focusField(wrong[0][0]);
    announce(wrong.map(([, text]) => text).join(' '));
  }

  function focusField(field) {
    if (field.focus) field.focus();
    else field.control.focus();
  }

  function focusFirst() {
    const first = fields.find(({ showProblem }) => showProblem) ?? fields[0];
    // A view without inputs gets the focus on its title, so that a second Enter does not confirm it unread.
    if (first) focusField(first);
    else title.focus();
  }

  function draw(next) {
    const key = JSON.stringify([language(), next.hash, next.title, next.submit, next.close, next.blocks]);
    view = next;
    if (key === drawn) return;
    drawn = key;
    const typed = new Map(fields.filter((field) => field.touched()).map((field) => [`${field.blockId} ${field.actionId}`, field.read()]));
    const at = focusedField();
    surface.kept = (blockId, actionId) => typed.get(`${blockId} ${actionId}`) ?? next.values?.[blockId]?.[actionId];
    const { nodes, fields: drawnFields } = drawBlocks(next.blocks, surface);
    const samePage = namesOf(fields) === namesOf(drawnFields);
    fields = drawnFields;
    body.replaceChildren(...nodes);
    if (dialog.open && title.textContent !== withEmoji(next.title)) announce(withEmoji(next.title));
    title.textContent = withEmoji(next.title);
    cross.setAttribute('aria-label', t('modal.close'));
    cancel.textContent = withEmoji(next.close || t('modal.cancel'));
    submit.hidden = next.submit === null;
    if (!busy) submit.textContent = withEmoji(next.submit ?? '');
    problem.hidden = true;
    if (dialog.open && (at || !samePage || !dialog.contains(document.activeElement))) refocus(at);
  }

  function focusedField() {
    const control = body.contains(document.activeElement) ? document.activeElement.closest('[data-action-id]') : null;
    return control && { blockId: control.closest('[data-block-id]').dataset.blockId, actionId: control.dataset.actionId };
  }

  /** After a change the focus stays on its control if that still exists, else it goes to the start of the view. */
  function refocus(at) {
    const field = at && fields.find(({ blockId, actionId }) => blockId === at.blockId && actionId === at.actionId);
    const control = at && controlOf(body, at.blockId, at.actionId);
    if (field) focusField(field);
    else if (control) control.focus();
    else {
      body.scrollTop = 0;
      focusFirst();
    }
  }

  return {
    draw,
    redraw: () => draw(view),
    show() {
      if (dialog.open) return;
      dialog.showModal();
      dialog.dataset.shown = 'true';
      focusFirst();
    },
    hide() {
      delete dialog.dataset.shown;
      dialog.close();
    },
    remove() {
      removed = true;
      dismiss(dialog);
    },
  };
}

const namesOf = (fields) => fields.map(({ blockId, actionId }) => `${blockId} ${actionId}`).join();

/** Waits until a condition is true, at most one second. */
async function settled(so) {
  for (const deadline = performance.now() + 1000; !so() && performance.now() < deadline;) {
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}
