export type Response = import('node:http').ServerResponse;
export type Attached = {
    file: string;
    name: string;
    type: string;
    bytes: number;
    width?: number;
    height?: number;
};
export type Held = {
    about: Attached;
    conversation: string;
    content: Buffer;
    said: boolean;
};
export declare class Files {
    /** What a workspace takes, as its pages are told; `null`: none. @type {{ max_bytes: number, types: string[] } | null} */
    allowed: {
        max_bytes: number;
        types: string[];
    } | null;
    /** Names that the scan refuses. @type {Set<string>} */
    infected: Set<string>;
    /** @type {Map<string, Held>} */
    held: Map<string, Held>;
    constructor();
    /** For the settings of pages. */
    get settings(): {
        files: {
            max_bytes: number;
            types: string[];
        };
    } | {
        files?: undefined;
    };
    /**
     * @param {string} conversation
     * @param {string} name
     * @param {Buffer} content
     */
    take(conversation: string, name: string, content: Buffer): {
        file: Attached;
    };
    /**
     * Of a message: each of this conversation, and in no message yet.
     * @param {string} conversation
     * @param {unknown} named
     * @returns {Attached[] | undefined}
     */
    say(conversation: string, named: unknown): Attached[] | undefined;
    /** @param {string} conversation @param {string} id @returns {(response: Response) => void} */
    given(conversation: string, id: string): (response: Response) => void;
}
