// The confirmation dialog of an action.

import { dismiss, el, freshId } from './dom.js';
import { textObject, withEmoji } from './mrkdwn.js';
import { t } from './words.js';

/**
 * Shows the dialog, and resolves to whether the person confirmed.
 * @param {object} question Slack's confirmation object @param {import('./mrkdwn.js').Names} names
 * @returns {Promise<boolean>}
 */
export function confirm(question, names) {
  return new Promise((resolve) => {
    const [titleId, textId] = [freshId('title'), freshId('text')];
    const done = (answer) => () => dialog.close(answer);
    const yes = el('button', { type: 'button', class: `button ${question.style === 'danger' ? 'danger' : 'primary'} yes`, onclick: done('yes') },
      withEmoji(question.confirm?.text ?? t('confirm.yes')));
    const no = el('button', { type: 'button', class: 'button no', onclick: done('no') }, withEmoji(question.deny?.text ?? t('confirm.no')));
    const dialog = el('dialog', { class: 'confirm', role: 'alertdialog', 'aria-labelledby': titleId, 'aria-describedby': textId },
      el('header', {}, el('h2', { id: titleId }, withEmoji(question.title?.text ?? ''))),
      el('div', { class: 'body', id: textId }, textObject(question.text, names)),
      el('footer', {}, no, yes));
    dialog.addEventListener('close', () => {
      dismiss(dialog);
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
    // An accidental Enter must not confirm.
    no.focus();
  });
}
