export type Environment = import('./environment.js').Environment;
export type Attached = {
    /**
     * Its id.
     */
    file: string;
    /**
     * As whoever added it calls it: of anybody, and to be shown as text.
     */
    name: string;
    /**
     * What the server has found it to be.
     */
    type: string;
    bytes: number;
    /**
     * Of pictures.
     */
    width?: number;
    height?: number;
};
export type Allowed = {
    max_bytes: number;
    types: string[];
};
export type Reach = {
    env: Environment;
    /**
     * Above `/conversations/…`.
     */
    base: () => string;
    /**
     * `refused`: the last, which is good no more.
     */
    token: (refused?: string) => Promise<string | undefined>;
    /**
     * Calls when the connection is there again. Gives back how to stop.
     */
    onBack: (back: () => void) => () => void;
};
export type Progress = {
    sent: number;
    total: number;
    waits: boolean;
};
export type UploadOptions = {
    /**
     * Otherwise the file's own.
     */
    name?: string;
    onProgress?: (progress: Progress) => void;
    signal?: AbortSignal;
};
export type Answer = import('./transfer.js').Answer;
/**
 * @typedef {import('./environment.js').Environment} Environment
 *
 * @typedef {object} Attached A file as the server describes it.
 * @property {string} file Its id.
 * @property {string} name As whoever added it calls it: of anybody, and to be shown as text.
 * @property {string} type What the server has found it to be.
 * @property {number} bytes
 * @property {number} [width] Of pictures.
 * @property {number} [height]
 *
 * @typedef {{ max_bytes: number, types: string[] }} Allowed What a workspace takes; where it says nothing, it takes no files.
 *
 * @typedef {object} Reach Where a client's files are, and by which right.
 * @property {Environment} env
 * @property {() => string} base Above `/conversations/…`.
 * @property {(refused?: string) => Promise<string | undefined>} token `refused`: the last, which is good no more.
 * @property {(back: () => void) => () => void} onBack Calls when the connection is there again. Gives back how to stop.
 *
 * @typedef {{ sent: number, total: number, waits: boolean }} Progress In bytes; `waits`: for the connection, or as the server said.
 *
 * @typedef {object} UploadOptions
 * @property {string} [name] Otherwise the file's own.
 * @property {(progress: Progress) => void} [onProgress]
 * @property {AbortSignal} [signal]
 *
 * @typedef {import('./transfer.js').Answer} Answer
 */
/** The kinds that are shown; everything else is only handed on, as bytes without a meaning, so that no page runs it. */
export declare const PICTURES: Set<string>;
/** So many in one message. */
export declare const FILES_MAX = 5;
/**
 * @param {Reach} reach
 * @param {string} conversation
 * @param {Blob & { name?: string }} file
 * @param {UploadOptions} [options]
 * @returns {Promise<Attached>} For a message's `files`. Rejected with `Refused` when the server has refused it for good.
 */
export declare function upload(reach: Reach, conversation: string, file: Blob & {
    name?: string;
}, { name, onProgress, signal }?: UploadOptions): Promise<Attached>;
/**
 * What is in a file. What is no picture has no type, so that its address opens as nothing.
 * @param {Reach} reach
 * @param {string} conversation
 * @param {string} file
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<Blob>} Rejected with `Refused` when it cannot be had.
 */
export declare function readFile(reach: Reach, conversation: string, file: string, { signal }?: {
    signal?: AbortSignal;
}): Promise<Blob>;
/**
 * Where a file is read, with the token in a header: it is in no address.
 * @param {Pick<Reach, 'base'>} reach
 * @param {string} conversation
 * @param {string} [file] Absent: where files are sent to.
 */
export declare function fileUrl({ base }: Pick<Reach, 'base'>, conversation: string, file?: string): string;
/**
 * @template {{ link: { phase: string } }} S
 * @param {{ state: S, subscribe: (listener: (state: S) => void) => () => void }} client
 * @returns {Reach['onBack']}
 */
export declare function backOf<S extends {
    link: {
        phase: string;
    };
}>(client: {
    state: S;
    subscribe: (listener: (state: S) => void) => () => void;
}): Reach['onBack'];
/**
 * A token of what a client was given: a function is asked again when its last one ends, or was refused.
 * @param {Pick<Environment, 'wall'>} env
 * @param {() => string | (() => string | Promise<string>) | undefined} source
 * @returns {Reach['token']}
 */
export declare function tokenFrom(env: Pick<Environment, 'wall'>, source: () => string | (() => string | Promise<string>) | undefined): Reach['token'];
