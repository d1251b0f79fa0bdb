export type Attached = import('../shared/files.js').Attached;
export type Allowed = import('../shared/files.js').Allowed;
export type WireError = import('../shared/outbox.js').WireError & Record<string, any>;
export type Item = {
    id: string;
    conversation: string;
    file: File;
    name: string;
    /**
     * Of a picture, for showing it here; empty: none.
     */
    address: string;
    /**
     * `going`: or in line for it. `waits`: for the connection, or as the server said.
     */
    state: 'going' | 'waits' | 'up' | 'refused';
    /**
     * Bytes.
     */
    sent: number;
    /**
     * Once it is up.
     */
    attached?: Attached;
    /**
     * Why it was refused.
     */
    error?: WireError;
    abort: AbortController;
};
export type Around = {
    upload: (conversation: string, file: File, options: import('../shared/files.js').UploadOptions) => Promise<Attached>;
    allowed: () => Allowed | undefined;
    changed: () => void;
};
export declare class Attachments {
    around: Around;
    /** @type {Item[]} */
    items: Item[];
    made: number;
    going: number;
    /** @type {Item[]} */
    line: Item[];
    /** What is done once nothing of a conversation is on its way any more. @type {Map<string, (files: Attached[]) => void>} */
    waiting: Map<string, (files: Attached[]) => void>;
    /** @param {Around} around */
    constructor(around: Around);
    /** @param {string} conversation */
    of(conversation: string): Item[];
    /**
     * @param {string} conversation
     * @param {readonly File[]} files
     * @returns {number} How many there was no room for.
     */
    add(conversation: string, files: readonly File[]): number;
    pump(): void;
    /** @param {Item} one */
    go(one: Item): Promise<void>;
    /** @param {string} id */
    again(id: string): void;
    /** @param {string} id */
    remove(id: string): void;
    /** What was added before there was a conversation is of the one that there is now. @param {string} from @param {string} to */
    move(from: string, to: string): void;
    /** @param {(conversation: string) => boolean} goesOn What is added elsewhere is of no use any more. */
    keepOnly(goesOn: (conversation: string) => boolean): void;
    /** Whether something is on its way. @param {string} conversation */
    isGoing(conversation: string): boolean;
    /**
     * Takes what is up, as soon as nothing is on its way any more; what was refused stays where it is shown.
     * @param {string} conversation
     * @param {(files: Attached[]) => void} run
     */
    whenUp(conversation: string, run: (files: Attached[]) => void): void;
    /** Sent as soon as it is up, which was asked for. @param {string} conversation */
    isWaiting(conversation: string): boolean;
    /** @param {string} conversation */
    settle(conversation: string): void;
}
/** Whether it may be otherwise another time. @param {Item} one */
export declare function mayBeTriedAgain({ state, error }: Item): boolean;
/**
 * A name as it is shown, and as it is kept under.
 * @param {string} name
 */
export declare function plain(name: string): string;
/**
 * `1.4 MB`, in a language.
 * @param {number} bytes
 * @param {string} [language]
 */
export declare function sized(bytes: number, language?: string): string;
/** `PNG, PDF, TXT`: kinds as people call them. @param {readonly string[]} types */
export declare function kindsOf(types: readonly string[]): string;
/**
 * Where text is pasted, a picture beside it is only what the text looks like.
 * @param {DataTransfer | null} data
 * @returns {File[]}
 */
export declare function pastedFiles(data: DataTransfer | null): File[];
