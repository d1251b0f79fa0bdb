import { SharedClient } from '../shared/client.js';
export type AgentState = import('./state.js').AgentState;
export type Labels = import('./frames.js').Labels;
/** @extends {SharedClient<AgentState>} */
export declare class Deeds extends SharedClient<AgentState> {
    /** When something was mentioned last, by what it is. @type {Map<string, number>} */
    mentioned: Map<string, number>;
    /**
     * @param {string} status
     * @param {readonly string[]} [channels] Those switched on; absent: as they are.
     */
    setStatus(status: string, channels?: readonly string[]): Promise<any>;
    /** @param {string | null} status For when the work is over; null: none any more. */
    nextStatus(status: string | null): Promise<any>;
    /** An agent that is `unreachable` is there again. */
    ready(): Promise<any>;
    /** Somebody moved the mouse or typed at this device. */
    input(): void;
    /** The offer is on the screen, or a notification was raised: called by whoever has painted it. @param {string} offer */
    delivered(offer: string): Promise<any>;
    /** @param {string} offer */
    accept(offer: string): Promise<any>;
    /** @param {string} offer @param {string} reason One of the settings' `reject_reasons`. */
    reject(offer: string, reason: string): Promise<any>;
    /**
     * Written now, shown as pending, sent once.
     * @param {string} conversation
     * @param {string} text
     * @param {readonly import('../shared/files.js').Attached[]} [files] As they were uploaded; then the text may be empty.
     */
    send(conversation: string, text: string, files?: readonly import('../shared/files.js').Attached[]): Promise<any>;
    /** An internal note; kept like a message. @param {string} conversation @param {string} text */
    note(conversation: string, text: string): Promise<any>;
    /** Takes back what was written and was not sent, or was refused. @param {string} entry Its id in `pending`. */
    discard(entry: string): void;
    /** @param {string} conversation @param {number} number */
    read(conversation: string, number: number): Promise<any>;
    /** @param {string} conversation */
    typing(conversation: string): void;
    /**
     * What there is of an answer, which its customer sees grow until the message comes; empty: it is taken back. Called as often as there is more of it.
     * @param {string} conversation
     * @param {string} text
     */
    draft(conversation: string, text: string): void;
    /** @param {string} conversation @param {Labels} [labels] */
    close(conversation: string, labels?: Labels): Promise<any>;
    /** @param {string} conversation @param {Labels} [labels] */
    wrapUpDone(conversation: string, labels?: Labels): Promise<any>;
    /** @param {string} conversation */
    extendWrapUp(conversation: string): Promise<any>;
    /** @param {string} conversation @param {Labels} labels */
    label(conversation: string, labels: Labels): Promise<any>;
    /** @param {string} conversation @param {{ agent: string, warm?: boolean } | { queue: string, waiting_since?: number }} to */
    transfer(conversation: string, to: {
        agent: string;
        warm?: boolean;
    } | {
        queue: string;
        waiting_since?: number;
    }): Promise<any>;
    /** @param {string} conversation */
    cancelTransfer(conversation: string): Promise<any>;
    /** @param {string} conversation */
    handOver(conversation: string): Promise<any>;
    /** @param {string} conversation */
    leave(conversation: string): Promise<any>;
    /** The last messages, into the state; the first thing when a conversation is looked at. @param {string} conversation */
    open(conversation: string): Promise<any>;
    /** The messages before those that are known. @param {string} conversation */
    earlier(conversation: string): Promise<any>;
    /** @param {string} queue @param {{ cursor?: string, limit?: number }} [page] */
    waitingIn(queue: string, page?: {
        cursor?: string;
        limit?: number;
    }): Promise<any>;
    /** @param {string} conversation */
    pick(conversation: string): Promise<any>;
    /**
     * Rows come into the state, and change there. With an `order` it is a sheet of agents, sorted and filtered by the server.
     * @param {'queues' | 'agents'} what
     * @param {{ cursor?: string, limit?: number, order?: 'name' | 'load' | 'since', connection?: string, status?: string, queue?: string, find?: string, skip?: number }} [page]
     */
    watch(what: 'queues' | 'agents', page?: {
        cursor?: string;
        limit?: number;
        order?: 'name' | 'load' | 'since';
        connection?: string;
        status?: string;
        queue?: string;
        find?: string;
        skip?: number;
    }): Promise<any>;
    /** @param {'queues' | 'agents'} what */
    unwatch(what: 'queues' | 'agents'): Promise<any>;
    /** Ends the work of this agent on all devices. */
    signOut(): Promise<any>;
    /**
     * @param {string} type
     * @param {Record<string, unknown>} members
     * @param {number} eachMs
     * @param {string} [key] What is mentioned no more often than that.
     */
    mentionSometimes(type: string, members: Record<string, unknown>, eachMs: number, key?: string): void;
}
