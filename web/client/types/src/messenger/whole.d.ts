import { MessengerClient as Client } from './client.js';
export declare class MessengerClient extends Client {
    reach: import("../shared/files.js").Reach;
    /** This customer's conversations, newest first. @returns {Promise<import('./state.js').Conversation[]>} */
    list(): Promise<import('./state.js').Conversation[]>;
    /** What it was like, once it is over; again, and the last counts. @param {number} score 1 to 5. @param {string} [comment] */
    rate(score: number, comment?: string): Promise<any>;
    /** Said anew after the beginning; empty: taken back. @param {{ name?: string, email?: string }} said */
    contact(said: {
        name?: string;
        email?: string;
    }): Promise<any>;
    /** What was said, as a text to keep. @param {string} time_zone `Europe/Berlin`. @returns {Promise<string>} */
    transcript(time_zone: string): Promise<string>;
    /**
     * Sends a file up, for a message's `files`; goes on by itself when the connection broke.
     * @param {string} conversation
     * @param {Blob & { name?: string }} file
     * @param {import('../shared/files.js').UploadOptions} [options]
     */
    upload(conversation: string, file: Blob & {
        name?: string;
    }, options?: import('../shared/files.js').UploadOptions): Promise<import("../shared/files.js").Attached>;
    /** What is in a file. @param {string} conversation @param {string} file @param {{ signal?: AbortSignal }} [options] */
    readFile(conversation: string, file: string, options?: {
        signal?: AbortSignal;
    }): Promise<Blob>;
    /** Where it is read, with the token in a header. @param {string} conversation @param {string} file */
    fileUrl(conversation: string, file: string): string;
}
