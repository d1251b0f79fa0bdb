export type Storage = import('./storage.js').Storage;
export type Socket = {
    send: (text: string) => void;
    close: (code?: number, reason?: string) => void;
    onopen: ((event: any) => void) | null;
    onmessage: ((event: any) => void) | null;
    onclose: ((event: any) => void) | null;
    onerror: ((event: any) => void) | null;
};
export type SocketMaker = new (url: string, protocols: string[]) => Socket;
export type Channel = {
    postMessage: (message: unknown) => void;
    close: () => void;
    onmessage: ((event: any) => void) | null;
};
export type Locks = {
    request: (name: string, options: {
        signal?: AbortSignal;
    }, held: () => Promise<void>) => Promise<unknown>;
};
export type Environment = {
    /**
     * In Node before 22: that of the package `ws`.
     */
    WebSocket: SocketMaker | undefined;
    fetch: typeof globalThis.fetch | undefined;
    /**
     * For files on their way up: without it nothing says how far they are.
     */
    XMLHttpRequest: (new () => XMLHttpRequest) | undefined;
    /**
     * What outlives a reload: messages that were not sent yet, and where a customer was.
     */
    storage: Storage;
    /**
     * Without these two, each tab has a stream of its own.
     */
    locks: Locks | undefined;
    BroadcastChannel: (new (name: string) => Channel) | undefined;
    /**
     * Milliseconds from anywhere, never back.
     */
    monotonic: () => number;
    /**
     * Unix milliseconds.
     */
    wall: () => number;
    /**
     * From 0 to 1.
     */
    random: () => number;
    /**
     * 32 random hexadecimal digits.
     */
    id: () => string;
    setTimeout: (run: () => void, ms: number) => unknown;
    clearTimeout: (timer: any) => void;
    /**
     * To the page: `online`, `visibilitychange`, `pagehide`,
     * `pageshow`, `freeze`, `resume`. Gives back how to stop.
     */
    listen: (name: string, heard: (event: any) => void) => () => void;
    isHidden: () => boolean;
};
/**
 * @typedef {import('./storage.js').Storage} Storage
 *
 * @typedef {object} Socket What is used of a WebSocket.
 * @property {(text: string) => void} send
 * @property {(code?: number, reason?: string) => void} close
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 *
 * @typedef {new (url: string, protocols: string[]) => Socket} SocketMaker
 *
 * @typedef {object} Channel What is used of a BroadcastChannel.
 * @property {(message: unknown) => void} postMessage
 * @property {() => void} close
 * @property {((event: any) => void) | null} onmessage
 *
 * @typedef {object} Locks What is used of Web Locks.
 * @property {(name: string, options: { signal?: AbortSignal }, held: () => Promise<void>) => Promise<unknown>} request
 *
 * @typedef {object} Environment
 * @property {SocketMaker | undefined} WebSocket In Node before 22: that of the package `ws`.
 * @property {typeof globalThis.fetch | undefined} fetch
 * @property {(new () => XMLHttpRequest) | undefined} XMLHttpRequest For files on their way up: without it nothing says how far they are.
 * @property {Storage} storage What outlives a reload: messages that were not sent yet, and where a customer was.
 * @property {Locks | undefined} locks Without these two, each tab has a stream of its own.
 * @property {(new (name: string) => Channel) | undefined} BroadcastChannel
 * @property {() => number} monotonic Milliseconds from anywhere, never back.
 * @property {() => number} wall Unix milliseconds.
 * @property {() => number} random From 0 to 1.
 * @property {() => string} id 32 random hexadecimal digits.
 * @property {(run: () => void, ms: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(name: string, heard: (event: any) => void) => () => void} listen To the page: `online`, `visibilitychange`, `pagehide`,
 *   `pageshow`, `freeze`, `resume`. Gives back how to stop.
 * @property {() => boolean} isHidden
 */
/**
 * What this runtime has, but for what is handed in.
 * @param {Partial<Environment>} [given]
 * @returns {Environment}
 */
export declare function environment(given?: Partial<Environment>): Environment;
