// A link may bring a token in its fragment, which no server and no log sees. It is put into the field and taken out of the address; nobody is
// signed in by a link alone: the button is for a person to press.
const field = document.querySelector('textarea[name="token"]');
if (field && location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1)).slice(0, 8192);
  history.replaceState(null, '', location.pathname + location.search);
  document.querySelector('button')?.focus();
}
