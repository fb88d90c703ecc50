// The page's own texts, in the language of the current person. Both files have the same flat keys.

const catalogs = {};
let current = 'pt-PT';

/** Loads both languages. */
export async function loadWords() {
  for (const lang of ['pt-PT', 'en']) {
    const reply = await fetch(`/page/words.${lang}.json`);
    catalogs[lang] = await reply.json();
  }
}

/** Sets the language for a locale such as "en-GB"; the default is European Portuguese. */
export function setLanguage(locale) {
  current = /^en\b/i.test(locale || '') ? 'en' : 'pt-PT';
  document.documentElement.lang = current;
}

/** Returns the current language, also the locale for dates and numbers. */
export function language() {
  return current;
}

/** Returns the text of key, with {name} placeholders replaced from args. */
export function t(key, args = {}) {
  const text = catalogs[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => (name in args ? String(args[name]) : placeholder));
}

/** Returns the text of key for a count: `key.one` or `key.other`. */
export function translateCount(key, count) {
  return t(`${key}.${new Intl.PluralRules(current).select(count) === 'one' ? 'one' : 'other'}`, { count });
}

/** Returns a number of bytes as people read it, '' for none. */
export function sizeOf(bytes) {
  if (!bytes) return '';
  let [unit, amount] = ['byte', bytes];
  if (bytes >= 1e3) [unit, amount] = ['kilobyte', bytes / 1e3];
  if (bytes >= 1e6) [unit, amount] = ['megabyte', bytes / 1e6];
  return new Intl.NumberFormat(current, { style: 'unit', unit, maximumFractionDigits: amount < 10 ? 1 : 0 }).format(amount);
}

/** Returns the text for an error code of the workspace. */
export function errorText(code) {
  return catalogs[current][`error.${code}`] ?? t('error', { code: code || '?' });
}

/** Sets the texts of elements with data-text and data-label below root. */
export function translate(root) {
  for (const node of root.querySelectorAll('[data-text]')) node.textContent = t(node.dataset.text);
  for (const node of root.querySelectorAll('[data-label]')) node.setAttribute('aria-label', t(node.dataset.label));
}
