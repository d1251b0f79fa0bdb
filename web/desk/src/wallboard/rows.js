// Up and down through a table, from name to name: beside Tab, which goes through everything.

/** @param {KeyboardEvent} event */
export function alongRows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const table = /** @type {HTMLElement} */ (event.currentTarget);
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  if (!step || !focused?.classList.contains('row-name')) return;
  const all = /** @type {HTMLElement[]} */ ([...table.querySelectorAll('.row-name')]);
  const next = all[all.indexOf(focused) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
