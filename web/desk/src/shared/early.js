// Runs before anything is painted, so that a page that is to be dark was never light. No module, for those run later.

(() => {
  try {
    const { theme } = JSON.parse(localStorage.getItem('offhook|desk|settings') ?? '{}');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Then it is as the system has it.
  }
})();
