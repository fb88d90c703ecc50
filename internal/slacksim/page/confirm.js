// The question before an act that an app wants confirmed.

import { dismiss, el, freshId } from './dom.js';
import { textObject, withEmoji } from './mrkdwn.js';
import { say } from './words.js';

/**
 * Asks, and tells whether the answer was yes.
 * @param {object} question Slack's confirmation object @param {import('./mrkdwn.js').Names} names
 * @returns {Promise<boolean>}
 */
export function confirm(question, names) {
  return new Promise((resolve) => {
    const [titleId, textId] = [freshId('title'), freshId('text')];
    const done = (answer) => () => dialog.close(answer);
    const yes = el('button', { type: 'button', class: `button ${question.style === 'danger' ? 'danger' : 'primary'} yes`, onclick: done('yes') },
      withEmoji(question.confirm?.text ?? say('confirm.yes')));
    const no = el('button', { type: 'button', class: 'button no', onclick: done('no') }, withEmoji(question.deny?.text ?? say('confirm.no')));
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
    // Nothing happens on a hasty Enter.
    no.focus();
  });
}
