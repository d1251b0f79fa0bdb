// A link may bring a token in its fragment, which no server and no log sees. It is put into the field and taken out of the address, and the page
// says whose it is; nobody is signed in by a link alone: the button is for a person to press.

(() => {
  /** Who a token speaks of; whether it is good is the server's to say. */
  const whose = (token) => {
    try {
      const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
      const { sub, name } = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0))));
      return typeof name === 'string' ? name : typeof sub === 'string' ? sub : '';
    } catch {
      return '';
    }
  };
  const take = () => {
    const field = document.getElementById('token');
    const found = /^#([\w.-]+)$/.exec(location.hash);
    if (!field || !found) return;
    history.replaceState(history.state, '', location.pathname + location.search);
    field.value = found[1].slice(0, field.maxLength);
    const name = whose(field.value);
    document.getElementById('by_hand').hidden = name !== '';
    document.getElementById('by_link').hidden = name === '';
    document.getElementById('whose').textContent = name;
    document.querySelector('button').focus();
  };
  addEventListener('DOMContentLoaded', take);
  // Another link, followed where this page is open already.
  addEventListener('hashchange', take);
})();
