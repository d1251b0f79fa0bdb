/**
 * @param {string} kind
 * @param {string} url
 * @param {string[]} more
 */
export declare function scopeOf(kind: string, url: string, ...more: string[]): string;
/**
 * Who a JWT speaks of, for telling people apart on one machine; whether it is good is the server's to say.
 * @param {string} token
 * @returns {{ sub?: string, workspace?: string }}
 */
export declare function bearerOf(token: string): {
    sub?: string;
    workspace?: string;
};
