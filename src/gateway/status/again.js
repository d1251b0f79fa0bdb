// Asks again while somebody looks, and says when something is another. The page is loaded anew only where that takes nothing from its reader.
(() => {
  'use strict';
  const EVERY_MS = 30_000;
  const asked = document.getElementById('asked');
  const changed = document.getElementById('changed');
  let known;
  const mark = ({ components, incidents }) =>
    JSON.stringify([components.map(({ component, state, since }) => [component, state, since]), incidents.length, incidents.at(-1)]);
  const say = (text, link) => {
    if (changed.dataset.said === text) return;
    changed.dataset.said = text;
    changed.replaceChildren(text);
    if (!link) return;
    const again = document.createElement('a');
    again.href = location.pathname;
    again.textContent = link;
    changed.append(' ', again);
  };
  const ask = async () => {
    if (document.hidden) return;
    const time = new Date().toISOString().slice(11, 19);
    try {
      const answer = await fetch('/status.json', { cache: 'no-store' });
      const status = await answer.json();
      if (!status.components) throw new Error('none of ours');
      const now = mark(status);
      known ??= now;
      asked.textContent = `Asked again at ${time}.`;
      if (now === known) return say('');
      const reading = scrollY > 0 || document.activeElement !== document.body || document.querySelector('details[open]');
      if (!reading) location.reload();
      else say('The status has changed.', 'Show it as it is now');
    } catch {
      asked.textContent = `There was no answer at ${time}.`;
      say('The server does not answer now: this is how it stood before.');
    }
  };
  setInterval(ask, EVERY_MS);
  document.addEventListener('visibilitychange', ask);
  void ask();
})();
