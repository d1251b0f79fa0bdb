// Whose things are in this browser's storage, and which tabs belong together: those of one server and one person.

/**
 * @param {string} kind
 * @param {string} url
 * @param {string[]} more
 */
export function scopeOf(kind, url, ...more) {
  return ['offhook', kind, url.replace(/\/+$/, ''), ...more].map((part) => part.replace(/[|%]/g, encodeURIComponent)).join('|');
}

/**
 * Who a JWT speaks of, for telling people apart on one machine; whether it is good is the server's to say.
 * @param {string} token
 * @returns {{ sub?: string, workspace?: string }}
 */
export function bearerOf(token) {
  try {
    const part = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}
