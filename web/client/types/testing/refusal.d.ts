export declare class Refusal extends Error {
    status: number;
    error: {
        code: string;
        message: string;
    };
    /**
     * @param {string} code
     * @param {number} status
     * @param {Record<string, unknown>} [more]
     */
    constructor(code: string, status: number, more?: Record<string, unknown>);
}
