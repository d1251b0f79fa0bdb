// Pictures and other files for tests, made of nothing.
import { crc32, deflateSync } from 'node:zlib';

function part(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(data.length, 0);
  body.copy(made, 4);
  made.writeUInt32BE(crc32(body), body.length + 4);
  return made;
}

/** A PNG with a pattern of its own; `noise`: one that cannot be made smaller. */
export function png(width, height, { hue = 0, noise = false } = {}) {
  const line = width * 3 + 1;
  const rows = Buffer.alloc(line * height);
  let random = 1;
  for (let at = 0; at < rows.length; at++) {
    const [x, y] = [Math.floor((at % line) / 3), Math.floor(at / line)];
    if (noise) random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    rows[at] = at % line === 0 ? 0 : noise ? random >> 16 : [((x * 255) / width + hue) & 255, (y * 255) / height, ((x >> 4) ^ (y >> 4)) & 1 ? 180 : 120][(at % line) % 3];
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, part('IHDR', head), part('IDAT', deflateSync(rows, { level: noise ? 0 : 6 })), part('IEND', Buffer.alloc(0))]);
}

export const pdf = (bytes = 2_000) => Buffer.from(`%PDF-1.7\n${'%'.repeat(bytes)}\n%%EOF\n`);
export const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>');
/** As a picture by its name, as a program by what is in it. */
export const PROGRAM = Buffer.concat([Buffer.from('MZ\x90\0\x03\0\0\0', 'latin1'), Buffer.alloc(500)]);

/** For a file that is chosen on a page. */
export const file = (name, mimeType, buffer) => ({ name, mimeType, buffer });

/** Files on the clipboard, or dragged there. */
export const given = (page, selector, kind, files) =>
  page.locator(selector).first().evaluate(
    (node, { kind, files }) => {
      const data = new DataTransfer();
      for (const { name, type, base64 } of files) data.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name, { type }));
      const how = { bubbles: true, cancelable: true, composed: true };
      const event = kind === 'paste' ? new ClipboardEvent(kind, { ...how, clipboardData: data }) : new DragEvent(kind, { ...how, dataTransfer: data });
      node.dispatchEvent(event);
      return event.defaultPrevented;
    },
    { kind, files: files.map(({ name, mimeType, buffer }) => ({ name, type: mimeType, base64: buffer.toString('base64') })) },
  );

/** What was saved, with its name. */
export async function saved(page, press) {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  const parts = [];
  for await (const one of await download.createReadStream()) parts.push(one);
  return { name: download.suggestedFilename(), content: Buffer.concat(parts) };
}

/** So slow that one sees how far it is. */
export async function slow(page, bytes_per_second) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes_per_second });
  return () => session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
}
