// The page's own texts, in the language of the person who looks at it. Keys are flat; both files have the same.

const books = {};
let current = 'pt-PT';

/** Loads both languages; they are small, and switching is then instant. */
export async function loadWords() {
  for (const lang of ['pt-PT', 'en']) {
    const reply = await fetch(`/page/words.${lang}.json`);
    books[lang] = await reply.json();
  }
}

/** Chooses the language nearest to a locale such as "en-GB"; European Portuguese is the one to fall back to. */
export function speak(locale) {
  current = /^en\b/i.test(locale || '') ? 'en' : 'pt-PT';
  document.documentElement.lang = current;
}

/** The language spoken now, also the locale for dates and numbers. */
export function language() {
  return current;
}

/** The text of key, its {name} places filled from args. */
export function say(key, args = {}) {
  const text = books[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in args ? String(args[name]) : place));
}

/** The text of key for a count: `key.one` or `key.other`. */
export function sayCount(key, count) {
  return say(`${key}.${new Intl.PluralRules(current).select(count) === 'one' ? 'one' : 'other'}`, { count });
}

/** What to tell about an error code of the workspace. */
export function sayError(code) {
  return books[current][`error.${code}`] ?? say('error', { code: code || '?' });
}

/** Puts words into the elements below root that ask for them. */
export function translate(root) {
  for (const node of root.querySelectorAll('[data-say]')) node.textContent = say(node.dataset.say);
  for (const node of root.querySelectorAll('[data-say-label]')) node.setAttribute('aria-label', say(node.dataset.sayLabel));
}
