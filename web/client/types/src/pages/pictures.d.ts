export type Read = (conversation: string, file: string, options: {
    signal: AbortSignal;
}) => Promise<Blob>;
export type User = {
    ready: (address: string) => void;
    failed: (error: unknown) => void;
};
export type Which = {
    conversation: string;
    file: string;
};
export type Held = {
    key: string;
    which: Which;
    users: Set<User>;
    address: string;
    bytes: number;
    abort: AbortController;
};
export declare class Pictures {
    read: Read;
    bytesMax: number;
    /** In the order in which they were used last. @type {Map<string, Held>} */
    held: Map<string, Held>;
    bytes: number;
    /** @type {Held[]} */
    line: Held[];
    reading: number;
    /** @type {WeakMap<Element, { which: Which, user: User }>} */
    places: WeakMap<Element, {
        which: Which;
        user: User;
    }>;
    /** @type {IntersectionObserver | undefined} */
    observer: IntersectionObserver | undefined;
    /**
     * @param {Read} read
     * @param {number} [bytesMax] Of those that are kept; what is in sight is there, whatever it takes.
     */
    constructor(read: Read, bytesMax?: number);
    /**
     * Shows it in a place while that is near.
     * @param {HTMLImageElement} place
     * @param {Which} which
     * @param {(error: unknown) => void} failed
     */
    show(place: HTMLImageElement, which: Which, failed: (error: unknown) => void): void;
    /** @param {IntersectionObserverEntry[]} seen */
    seen(seen: IntersectionObserverEntry[]): void;
    /** @param {Which} which @param {User} user */
    use(which: Which, user: User): void;
    /** @param {Which} which @param {User} user */
    leave({ conversation, file }: Which, user: User): void;
    pump(): void;
    /** @param {Held} one */
    load(one: Held): Promise<void>;
    /** Nothing of it is kept. */
    clear(): void;
    /** What nobody looks at goes, the longest unused first, until the rest has room. */
    trim(): void;
}
/**
 * How large it is shown, so that its place is there before it is; the rest is cut away. Of some the server does not know how large they are.
 * @param {{ width?: number, height?: number }} picture
 * @param {{ width: number, height: number, least: number }} most
 */
export declare function placeOf({ width, height }: {
    width?: number;
    height?: number;
}, { width: widest, height: highest, least }: {
    width: number;
    height: number;
    least: number;
}): {
    width: number;
    height: number;
};
/**
 * Gives a file to the person, under its name.
 * @param {Blob} blob
 * @param {string} name
 */
export declare function saveFile(blob: Blob, name: string): void;
