export type Call = {
    method: 'GET' | 'POST';
    /**
     * Below the workspace's messenger.
     */
    path: string;
    body?: unknown;
    /**
     * The answer is a text, and no JSON.
     */
    isText?: boolean;
};
/**
 * @param {import('../shared/client.js').Command} command
 * @param {string | undefined} conversation The one that is gone on with.
 * @param {string | undefined} visitor The token that the visitor had until now.
 * @returns {Call | { code: string, message: string }} Otherwise, why there is none.
 */
export declare function callOf(command: import('../shared/client.js').Command, conversation: string | undefined, visitor: string | undefined): Call | {
    code: string;
    message: string;
};
