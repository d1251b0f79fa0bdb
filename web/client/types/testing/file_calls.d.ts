export type Request = import('node:http').IncomingMessage;
export type Response = import('node:http').ServerResponse;
export type FileCall = {
    conversation: string;
    /**
     * Absent: one is sent up.
     */
    file: string | undefined;
    /**
     * Throws where it may not.
     */
    who: () => string;
};
/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 *
 * @typedef {object} FileCall
 * @property {string} conversation
 * @property {string | undefined} file Absent: one is sent up.
 * @property {() => string} who Throws where it may not.
 */
/**
 * Below `/v1/{messenger|agent}/{workspace}/`.
 * @param {string[]} path
 */
export declare function fileOf([list, conversation, files, file]: string[]): {
    conversation: string;
    file: string | undefined;
} | undefined;
export declare class FileCalls {
    desk: import("./desk.js").Desk;
    points: import("./mischief.js").Points;
    problem: (response: Response, status: number, error: Record<string, unknown>) => void;
    /**
     * @param {import('./desk.js').Desk} desk
     * @param {import('./mischief.js').Points} points
     * @param {(response: Response, status: number, error: Record<string, unknown>) => void} problem
     */
    constructor(desk: import('./desk.js').Desk, points: import('./mischief.js').Points, problem: (response: Response, status: number, error: Record<string, unknown>) => void);
    /** @param {Request} request @param {Response} response @param {FileCall} asked */
    answer(request: Request, response: Response, asked: FileCall): Promise<void>;
    /** @param {Request} request @param {Response} response @param {FileCall} asked @param {Buffer} content @returns {() => void} How it is answered. */
    obey(request: Request, response: Response, { conversation, file, who }: FileCall, content: Buffer): () => void;
    /** @param {Request} request @param {Response} response @param {string} call @param {() => void} give */
    reply(request: Request, response: Response, call: string, give: () => void): Promise<undefined>;
}
